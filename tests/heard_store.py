"""The stocked store with sound that can be cut: the lamp is published, and all that the studio shows is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from media_factory import encode, tone
from stocked_store import ASSETS_BY_ID, LAMP, preview, publish, stocked

from featurization.media import Segment, Soundbite
from steps.choose import CANDIDATES, ScoredCandidate
from steps.previews import RunnerUp
from steps.store import Store
from steps.tables import ASSETS

PICK = (6.5, 22.5)  # sentences 2 to 4, behind the music


def audible(place: Path) -> Store:
    """The store, with a minute of a tone as the sound of every episode, which is all that is ever cut."""
    store = stocked(place)
    data = encode(place / "tone.mp3", tone(60.0, level=0.2)).read_bytes()
    blob = store.put_bytes(data, ".mp3")
    assets = {key: [replace(one, blob=blob)] for key, one in ASSETS_BY_ID.items()}
    assets[LAMP] = [replace(assets[LAMP][0], soundbites=(Soundbite(12.0, 22.5, "From the feed"),))]
    near = ScoredCandidate(12.0, 22.5, 2, 4, "Nobody knows. It burned all night.", 0.9)
    picked = ScoredCandidate(*PICK, 1, 4, "Who lit it & why? Nobody knows. It burned all night.", 1.5, picked=True)
    store.commit("sound", {ASSETS: assets, CANDIDATES: {LAMP: [picked, near]}})
    shown = replace(preview(store, data[:40_000]), moments=(Segment(*PICK),), text=picked.text)
    shown = replace(shown, runners_up=(RunnerUp(12.0, 22.5, 0.9, near.text),))
    publish(store, "PublishPreviews/4/join/3", {LAMP: shown})
    store.commit("candidates", {CANDIDATES: {LAMP: [picked, near]}})
    return store
