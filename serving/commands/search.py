"""`rushes search`: what was said and seen, as a table with timecodes or as JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.text import Text

from featurization.errors import ConfigError, SearchError
from search.dialogue import DialogueQuery, Mode
from search.durations import parse_duration
from search.filters import Filters
from search.moment_query import MomentQuery, parse_conditions, reads_as_moment
from search.pages import Page
from search.pictures import ShotQuery, SoundQuery
from search.query import Engine
from search.results import Answer, LineFound, MomentFound, ShotFound, SoundFound
from search.results import Found as Hit
from serving.commands.inline_pictures import escaped, protocol, strip
from serving.commands.terminal import console, plain, print_json, safe, table
from serving.configured import configured_encoders
from steps.corpus import Desk
from steps.rendering.captions import timestamp
from steps.store import Store

_PICTURES = 6  # as many as a line takes
Place = Literal["all", "dialogue", "pictures", "sounds", "moments"]
Cell = str | Text


@dataclass(frozen=True)
class Asked:
    """What was typed."""

    text: str = ""
    place: Place = "all"
    mode: Mode = "auto"
    like: str = ""
    sample: Path | None = None  # a picture, a sound or a clip
    tags: tuple[str, ...] = ()
    asset: str = ""
    by: str = "shots"
    min_duration: str = ""
    min_confidence: float = 0.5
    limit: int = 10


@dataclass(frozen=True)
class Found:
    """Answers by what they are of, in the order in which they are shown."""

    answers: dict[str, Answer[Any]]
    notes: tuple[str, ...] = ()


def run_search(asked: Asked, *, as_json: bool) -> None:
    """Print what is found in the store. Raises a RushesError that says how to ask."""
    store = Store()
    with closing(Desk(store, configured_encoders())) as desk:
        found = find(asked, desk.engine())
    if as_json:
        print_json(_json(found))
    else:
        _print(found)
        _show_thumbnails(found, store)


def find(asked: Asked, engine: Engine) -> Found:
    """The answers to what was typed: words and pictures, unless one place is named or the question says so itself."""
    page = Page(asked.limit)
    if asked.sample:
        return _by_sample(asked, engine, page)
    if asked.place == "moments" or (asked.place == "all" and reads_as_moment(asked.text, engine.corpus.extracted)):
        conditions, within = parse_conditions(asked.text), _within(asked, engine)
        query = MomentQuery(conditions, _shortest(asked), within, asked.min_confidence)
        return Found({"moments": engine.moments(query, page)})
    if asked.like or asked.tags or asked.place == "pictures":
        return _seen(asked, engine, page)
    if asked.place == "sounds":
        raise SearchError("sounds are searched with a sound; give a file with --image, or a shot with --like")
    said = DialogueQuery(asked.text, asked.mode, _within(asked, engine), asked.min_confidence)
    if asked.place == "dialogue":
        return Found({"dialogue": engine.dialogue(said, page)})
    both = engine.everything(said, _shots(asked, engine), page)
    return Found({"dialogue": both.dialogue, **({"shots": both.shots} if both.shots else {})}, both.notes)


def _seen(asked: Asked, engine: Engine, page: Page) -> Found:
    if asked.place == "sounds":
        heard = SoundQuery(like=asked.like, filters=_within(asked, engine), min_confidence=asked.min_confidence)
        return Found({"sounds": engine.sounds(heard, page)})
    return Found({"shots": engine.shots(_shots(asked, engine), page)})


def _by_sample(asked: Asked, engine: Engine, page: Page) -> Found:
    from serving.uploads import read_sample

    if asked.sample is None or not asked.sample.is_file():
        raise ConfigError(f"{asked.sample}: no such file; give a picture, a sound or a clip")
    sample = read_sample(asked.sample)
    if sample.images and asked.place != "sounds":
        return Found({"shots": engine.shots(_shots(asked, engine, images=sample.images), page)})
    if not sample.sounds:
        raise SearchError(f"{asked.sample}: there is no sound in it to search with")
    heard = SoundQuery(sample.sounds, filters=_within(asked, engine), min_confidence=asked.min_confidence)
    return Found({"sounds": engine.sounds(heard, page)})


def _shots(asked: Asked, engine: Engine, **images: Any) -> ShotQuery:
    return ShotQuery(
        text=asked.text,
        like=asked.like,
        by=asked.by,
        tags=asked.tags,
        min_duration_s=_shortest(asked),
        filters=_within(asked, engine),
        min_confidence=asked.min_confidence,
        **images,
    )


def _shortest(asked: Asked) -> float:
    return parse_duration(asked.min_duration) if asked.min_duration else 0.0


def _within(asked: Asked, engine: Engine) -> Filters:
    """The asset by its id or the unique beginning of it."""
    if not asked.asset:
        return Filters()
    ids = [asset_id for asset_id in engine.corpus.assets if asset_id.startswith(asked.asset)]
    return Filters(asset=ids[0] if len(ids) == 1 else asked.asset)


# for scripts --------------------------------------------------------------------------------------------------------


def _json(found: Found) -> dict[str, Any]:
    """The pages of the service, by what they are of."""
    from serving import search_schemas as given

    kinds: dict[str, tuple[Any, Callable[[Any], Any]]] = {
        "dialogue": (given.LinePage, given.line_hit),
        "shots": (given.ShotPage, given.shot_hit),
        "sounds": (given.SoundPage, given.sound_hit),
        "moments": (given.MomentPage, given.moment_hit),
    }
    pages = {name: given.page_of(kinds[name][0], answer, kinds[name][1]) for name, answer in found.answers.items()}
    return {**{name: page.model_dump(mode="json") for name, page in pages.items()}, "notes": list(found.notes)}


# for people ---------------------------------------------------------------------------------------------------------


def _print(found: Found) -> None:
    out, notes = console(), dict.fromkeys(found.notes)
    for name, answer in found.answers.items():
        title, columns, row = _TABLES[name]
        shown = f" of {answer.total}{'+' if answer.more else ''}" if answer.total > len(answer.items) else ""
        if answer.items:
            heading = f"{title}: {len(answer.items)}{shown}"
            out.print(table(columns, [row(hit) for hit in answer.items], title=heading))
        else:
            out.print(f"{title}: nothing matches")
        notes |= dict.fromkeys(note for note in answer.notes if note != "nothing matches")
    for note in notes:
        console(stderr=True).print(f"[dim]note: {safe(note)}[/]", soft_wrap=True)


def _show_thumbnails(found: Found, store: Store) -> None:
    """The shots in the order of their table, where the terminal shows pictures."""
    spoken = protocol(os.environ) if sys.stdout.isatty() else ""
    shots = found.answers.get("shots")
    keys = [hit.thumbnail for hit in shots.items if hit.thumbnail][:_PICTURES] if shots else []
    if spoken and keys:
        sys.stdout.write(escaped(strip([store.files.read(key) for key in keys]), spoken))


def _line(hit: LineFound) -> tuple[Cell, ...]:
    text = Text(" ").join(Text(plain(word.text), style="bold" if word.matched else "") for word in hit.words)
    return (timestamp(hit.start), hit.title, hit.speaker, text, *_sure(hit))


def _shot(hit: ShotFound) -> tuple[Cell, ...]:
    tags = ", ".join(tag.label for tag in hit.tags)
    return (*_when(hit), hit.title, hit.id, tags, *_sure(hit))


def _sound(hit: SoundFound) -> tuple[Cell, ...]:
    heard = ", ".join(hit.labels)
    return (*_when(hit), hit.title, hit.id, heard, *_sure(hit))


def _moment(hit: MomentFound) -> tuple[Cell, ...]:
    return (*_when(hit), hit.title, *_sure(hit))


def _when(hit: Hit) -> tuple[str, str]:
    return timestamp(hit.start), f"{hit.duration:.1f} s"


def _sure(hit: Hit) -> tuple[str, str]:
    return f"{hit.confidence:.2f}", "; ".join(hit.why)


_TABLES: dict[str, tuple[str, Sequence[str], Callable[[Any], tuple[Cell, ...]]]] = {
    "dialogue": ("Said", ("At!", "Title", "Who", "Words", ">Sure", "Why"), _line),
    "shots": ("Seen", ("At!", ">Length", "Title", "Shot!", "Tags", ">Sure", "Why"), _shot),
    "sounds": ("Heard", ("At!", ">Length", "Title", "Sound!", "What", ">Sure", "Why"), _sound),
    "moments": ("Moments", ("At!", ">Length", "Title", ">Sure", "Why"), _moment),
}
