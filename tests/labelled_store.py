"""A store of many coloured shots over several films, in which it is known what every shot shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from colour_films import colour_film
from numpy.typing import NDArray
from searchable_store import ENCODERS, ColourEncoder, PitchEncoder, encoded
from stocked_store import asset

from featurization.media import AudioProfile, Shot, Vector
from steps.index import publish
from steps.shot_matrix import ShotMatrix
from steps.store import Store
from steps.tables import ASSETS, PROFILES, SHOT_FEATURES, SHOTS, VECTORS

PALETTE = {"red": (225, 30, 30), "green": (30, 190, 50), "blue": (30, 50, 220), "yellow": (235, 215, 40)}
FILMS, SHOTS_EACH, SHOT_S = 6, 24, 0.5
FEATURE_SPACE = "colour-features@1"
SIZE = (48, 27)


class PictureEncoder(ColourEncoder):
    """Colours, with features that say a little more."""

    feature_space = FEATURE_SPACE

    def features(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        return np.pad(self.encode_images(images), ((0, 0), (0, 16)))


encoders = {
    name: (lambda encoder=encoder: encoder()) for name, encoder in {**ENCODERS, "shots": PictureEncoder}.items()
}


def film_id(film: int) -> str:
    return f"f11{film:x}" * 4


def colours(film: int) -> list[str]:
    """What the shots of a film show, in order: a third of them red, the rest anything."""
    draw = np.random.default_rng(film)
    return [str(name) for name in draw.choice(list(PALETTE), SHOTS_EACH, p=[0.34, 0.22, 0.22, 0.22])]


def shows(shots: ShotMatrix, colour: str) -> NDArray[np.bool_]:
    """Which shots are of a colour, by row."""
    of_film = {film_id(film): colours(film) for film in range(FILMS)}
    return np.array([of_film[a][s.number] == colour for a, s in zip(shots.asset_ids, shots.shots, strict=True)])


def _pictures(film: int) -> Iterator[NDArray[np.uint8]]:
    draw = np.random.default_rng(100 + film)
    for name in colours(film):
        tint = np.clip(np.array(PALETTE[name]) + draw.normal(0, 18, 3), 0, 255)
        grain = draw.normal(0, 12, (SIZE[1], SIZE[0], 3))
        yield np.clip(tint + grain, 0, 255).astype(np.uint8)


def labelled(place: Path | str) -> Store:
    """Six films of 24 shots, featurized and indexed; all play the same twelve seconds of colours."""
    store = Store(str(place))
    clip = Path(place) / "clip.mp4"
    colour_film(clip, [(name, SHOT_S) for name in colours(0)])
    blob = store.put_bytes(clip.read_bytes(), ".mp4")
    clip.unlink()
    made = {film_id(film): _film(store, film) for film in range(FILMS)}
    facts = {"kind": "video", "width": 64, "height": 36, "container": "mp4", "codec": "h264"}
    seconds = SHOTS_EACH * SHOT_S
    store.commit(
        "FeaturizeMedia/1",
        {
            ASSETS: {
                name: [replace(asset(name, f"Film {n}", **facts), duration_s=seconds, blob=blob)]
                for n, name in enumerate(made)
            },
            PROFILES: {name: [AudioProfile(seconds, -16.0, 5.0, "mono", 10.0, 0.0, "none")] for name in made},
            SHOTS: {name: shots for name, (shots, _, _) in made.items()},
            VECTORS: {name: vectors for name, (_, vectors, _) in made.items()},
            SHOT_FEATURES: {name: features for name, (_, _, features) in made.items()},
        },
    )
    from search.open_index import open_index

    index = open_index(f"{place}/index")
    publish(store, index, run="test", spaces={"image": ColourEncoder.space, "sound": PitchEncoder.space})
    index.close()
    return store


def _film(store: Store, film: int) -> tuple[list[Shot], list[Vector], list[Vector]]:
    pictures = list(_pictures(film))
    starts = [number * SHOT_S for number in range(SHOTS_EACH)]
    shots = [
        Shot(
            start,
            start + SHOT_S,
            number,
            "cut" if number else "start",
            keyframes=(start + SHOT_S / 2,),
            thumbnails=(store.put_bytes(encoded(picture, "WEBP"), ".webp"),),
        )
        for number, (start, picture) in enumerate(zip(starts, pictures, strict=True))
    ]
    seen = ColourEncoder().encode_images(pictures)
    noise = np.random.default_rng(film).normal(0, 0.15, (SHOTS_EACH, 16))
    features = np.concatenate([seen, noise], axis=1)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    vectors = [_vector(shot, ColourEncoder.space, row) for shot, row in zip(shots, seen, strict=True)]
    return shots, vectors, [_vector(shot, FEATURE_SPACE, row) for shot, row in zip(shots, features, strict=True)]


def _vector(shot: Shot, space: str, row: NDArray[np.floating]) -> Vector:
    return Vector(shot.start, shot.end, "image", space, tuple(row.tolist()))
