"""Episodes: the list of them, and a page for each on which editors mark the best clip."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from serving.catalog import Entry
from serving.guard import Who
from serving.shelf import AssetId, Offset, OfStore, Shelf
from serving.studio import episode_data as data
from serving.studio.reasons import left_out, reasons
from serving.studio.rendering import rendered
from steps.choose import CANDIDATES
from steps.episodes import read_hearings
from steps.feedback import GOLDEN_CLIPS, GoldenClip, standing
from steps.people import known_people, name_person, with_names
from steps.tables import LEVELS, SHOTS, only

router = APIRouter(prefix="/studio", include_in_schema=False)
_SIZE = 50
STATES = {
    "published": ("good", "Preview"),
    "refused": ("warn", "No preview"),
    "heard": ("", "Analysed"),
    "ingested": ("", "Waiting"),
    "quarantined": ("bad", "Set aside"),
}
Words = Annotated[str, Query(max_length=200)]
PersonId = Annotated[str, Form(max_length=40)]
PersonsName = Annotated[str, Form(max_length=80)]


@router.get("/episodes", response_class=HTMLResponse)
def list_episodes(request: Request, shelf: OfStore, q: Words = "", offset: Offset = 0) -> HTMLResponse:
    """Episodes and films, the newest first; those whose title or show has the words that are asked for."""
    catalog = shelf.catalog()
    entries = [entry for entry in catalog.entries() if _named(entry, q)]
    shown = entries[offset : offset + _SIZE]
    return rendered(
        request,
        "episodes.html",
        section="episodes",
        asked=q.strip(),
        entries=shown,
        known=catalog.assets,
        states=STATES,
        golden=_golden_counts(shelf),
        total=len(entries),
        offset=offset,
        size=_SIZE,
        empty=not catalog.assets and not catalog.problems,
    )


def _named(entry: Entry, words: str) -> bool:
    there = f"{entry.title} {entry.show}".casefold()
    return all(word in there for word in words.casefold().split())


def _golden_counts(shelf: Shelf) -> Counter[str]:
    """How many clips stand of each asset."""
    rows = shelf.store.read(GOLDEN_CLIPS)
    return Counter(clip.asset for clip in standing(clip for its in rows.values() for clip in its))


@router.get("/episodes/{asset_id}", response_class=HTMLResponse)
def show_episode(request: Request, asset_id: AssetId, shelf: OfStore) -> HTMLResponse:
    """One episode or film: its sound, what was heard in it, what was picked and why, and the clips of editors."""
    asset = shelf.asset(asset_id)
    preview = shelf.catalog().previews.get(asset_id)
    return rendered(
        request,
        "episode.html",
        section="episodes",
        asset=asset,
        entry=shelf.catalog().entry(asset),
        states=STATES,
        preview=preview,
        reasons=reasons(preview) if preview else [],
        left_out=left_out(preview) if preview else [],
        heard=asset_id in shelf.catalog().heard,
        people=known_people(asset_id, store=shelf.store),
    )


@router.post("/episodes/{asset_id}/people", status_code=303)
def name_speaker(asset_id: AssetId, person: PersonId, name: PersonsName, shelf: OfStore, who: Who) -> RedirectResponse:
    """Say what a speaker is called, in all episodes of the show; an empty name takes it back."""
    asset = shelf.asset(asset_id)
    name_person(person, name, who=who, when=datetime.now(UTC).isoformat(), store=shelf.store)
    return RedirectResponse(f"/studio/episodes/{asset.asset_id}#people", 303)


@router.get("/api/episodes/{asset_id}")
def episode(asset_id: AssetId, shelf: OfStore) -> dict[str, Any]:
    """What the script of the page draws."""
    asset, store = shelf.asset(asset_id), shelf.store
    hearing = read_hearings([asset_id], store=store).get(asset_id)
    hearing = hearing and with_names(hearing, known_people(asset_id, store=store))
    shots = store.read(SHOTS, [asset_id]).get(asset_id, ())
    rows = store.read(CANDIDATES, [asset_id]).get(asset_id, ())
    return {
        "duration": asset.duration_s,
        "wave": data.wave(only(store.read(LEVELS, [asset_id]).get(asset_id, ()))),
        "sentences": data.transcript(hearing) if hearing else [],
        "cuts": data.cuts(shots),
        "lanes": data.lanes(hearing, shots, asset.duration_s),
        "candidates": data.candidates(rows, asset.duration_s),
        "picks": data.picks(shelf.catalog().previews.get(asset_id)),
        "clips": data.clips(asset, _marked(asset_id, shelf)),
    }


@router.get("/api/episodes/{asset_id}/clips")
def clips(asset_id: AssetId, shelf: OfStore) -> list[dict[str, Any]]:
    """The clips of an episode: what editors marked and judged, and what its publisher chose."""
    return data.clips(shelf.asset(asset_id), _marked(asset_id, shelf))


def _marked(asset_id: str, shelf: Shelf) -> list[GoldenClip]:
    rows = shelf.store.read(GOLDEN_CLIPS)
    return standing(clip for its in rows.values() for clip in its if clip.asset == asset_id)
