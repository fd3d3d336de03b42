"""What is where in the film: the exact answers that tests and benchmarks compare with."""

from __future__ import annotations

import csv
from itertools import combinations, pairwise
from pathlib import Path

from .film import Film, Join
from .mix import Placed, Span
from .truth import Facts


def describe(film: Film, placed: list[Placed], *, duration_s: float, frames: int, shift: float) -> Facts:
    """All facts of the film, in seconds and frames of the encoded file; `shift` is the sound's lag behind the mix.

    The film begins and ends in black, which is no transition between shots.
    """
    names = {person.short: person.name for person in film.people}
    opening, *joins, closing = film.joins
    return {
        "title": film.title,
        "duration_s": round(duration_s, 3),
        "frames": frames,
        "frame_rate": film.rate,
        "width": film.width,
        "height": film.height,
        "black_lead_in": _frames(film, 0, opening.first),
        "fade_in": _frames(film, opening.first, opening.last),
        "fade_out": _frames(film, closing.first, closing.last),
        "flashes": _flashes(film),
        "transitions": [{"type": join.kind, **_frames(film, join.first, join.last)} for join in joins],
        "shots": _shots(film),
        "alike": _alike(film),
        "sentences": [
            {
                **_seconds(Span(item.start + shift, item.end + shift)),
                "speaker": names[item.line.speaker],
                "text": item.line.text,
            }
            for item in placed
        ],
        "music": [_seconds(Span(span.start + shift, span.end + shift)) for span in film.music],
        "nobody_speaks": [_seconds(span) for span in _pauses(placed, film.seconds, shift)],
    }


def write_transitions(path: Path, film: Film) -> None:
    """The transitions as a table, as `python -m benchmarks shots` reads it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["type", "start_frame", "end_frame", "time_s"])
        table.writerows(
            [join.kind, join.first, join.last, round(_middle_s(film, join), 3)] for join in film.joins[1:-1]
        )


def _middle_s(film: Film, join: Join) -> float:
    return (join.first + join.last) / 2 / film.rate


def _shots(film: Film) -> list[Facts]:
    """Shots with a picture; a gradual join is cut in its middle, and black belongs to the shot beside it."""
    edges = [0, *film.starts[2:-2], film.starts[-1]]
    return [
        {**_frames(film, first, last), "picture": take.picture, "description": take.description}
        for take, (first, last) in zip(film.takes[1:-1], pairwise(edges), strict=True)
    ]


def _alike(film: Film) -> list[list[int]]:
    """Pairs of shots, counted as in `shots`, that show the same thing."""
    pictures = [take.picture for take in film.takes[1:-1]]
    return [[a, b] for (a, one), (b, other) in combinations(enumerate(pictures), 2) if one == other]


def _flashes(film: Film) -> list[Facts]:
    starts = [start + take.flash for take, start in zip(film.takes, film.starts, strict=False) if take.flash >= 0]
    return [_frames(film, start, start + 3) for start in starts]


def _pauses(placed: list[Placed], seconds: float, shift: float) -> list[Span]:
    """Stretches of more than five seconds without speech."""
    edges = [0.0, *(time + shift for item in placed for time in (item.start, item.end)), seconds]
    return [Span(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if end - start > 5]


def _frames(film: Film, first: int, last: int) -> Facts:
    return {"start_frame": first, "end_frame": last, **_seconds(Span(first / film.rate, last / film.rate))}


def _seconds(span: Span) -> Facts:
    return {"start": round(span.start, 3), "end": round(span.end, 3)}
