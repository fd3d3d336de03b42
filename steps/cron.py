"""Times at which a scheduler starts a flow, checked before anybody relies on them.

| engine | fields | example: at 3:15 every night |
|---|---|---|
| Argo Workflows | minute, hour, day of month, month, day of week | `15 3 * * *` |
| Step Functions (EventBridge) | the same and a year; one of the two days is `?` | `15 3 * * ? *` |
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FIELDS = {"minute": (0, 59), "hour": (0, 23), "day of month": (1, 31), "month": (1, 12), "day of week": (0, 6)}
_EVENTBRIDGE = {"day of week": (1, 7), "year": (1970, 2199)}
_NAMES = {
    "month": "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(),
    "day of week": "SUN MON TUE WED THU FRI SAT".split(),
}
_LAST = re.compile(r"L|LW|\d{1,2}[LW]")  # the last day, the nearest working day: EventBridge alone knows them


def check_cron(text: str, *, years: bool) -> None:
    """ValueError with a sentence unless `text` is a cron expression: of five fields, or with `years` of six."""
    fields = {**_FIELDS, **(_EVENTBRIDGE if years else {})}
    given = text.upper().split()
    if len(given) != len(fields):
        raise ValueError(f"cron {text!r} has {len(given)} fields, this engine wants {len(fields)}: {', '.join(fields)}")
    for (name, (low, high)), field in zip(fields.items(), given, strict=True):
        named = {"*", "?", *_NAMES.get(name, ())}
        for end, every in _parts(field):
            last = years and name.startswith("day") and _LAST.fullmatch(end)
            if not (end in named or last or (end.isdigit() and low <= int(end) <= high)):
                raise ValueError(f"cron {text!r}: {end!r} is no {name} ({low} to {high})")
            if every and not (every.isdigit() and int(every)):
                raise ValueError(f"cron {text!r}: {every!r} is no step of a {name}")
    if years and (given[2] == "?") == (given[4] == "?"):
        raise ValueError(f"cron {text!r}: on Step Functions either the day of month or the day of week must be ?")


def _parts(field: str) -> Iterator[tuple[str, str]]:
    """The ends of each range in a field, with the step of the range; `#` stands between a weekday and its number."""
    for range_, _, every in (part.partition("/") for part in field.split(",")):
        for end in re.split("[-#]", range_):
            yield end, every
