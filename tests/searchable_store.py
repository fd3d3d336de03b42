"""A store whose pictures are plain colours, whose words are few, and in which everything findable is known."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from stocked_store import asset

from featurization.media import (
    AdSpan,
    AudioProfile,
    Scene,
    Sentence,
    Shot,
    SoundSpan,
    Tag,
    Topic,
    Turn,
    Vector,
    Word,
)
from steps.store import Store
from steps.tables import (
    ADS,
    ASSETS,
    PROFILES,
    SCENES,
    SENTENCES,
    SHOTS,
    SOUNDS,
    TAGS,
    TOPICS,
    TURNS,
    VECTORS,
    WORDS,
)

SEA, HILL, TALK = "5ea0" * 4, "5ea1" * 4, "7a1c" * 4  # two films and an episode
COLOURS = {
    "red": (230, 20, 20),
    "green": (20, 200, 40),
    "blue": (20, 40, 230),
    "yellow": (240, 220, 30),
    "black": (5, 5, 5),
    "white": (250, 250, 250),
}
SEA_SHOTS = (("blue", 0.0, 6.0), ("red", 6.0, 9.0), ("black", 9.0, 20.0), ("blue", 20.0, 32.0))
HILL_SHOTS = (("green", 0.0, 5.0), ("yellow", 5.0, 8.5), ("red", 8.5, 20.5))
SEA_LINES = (
    (1.0, 4.0, "We left the old harbour at dawn.", "S1"),
    (4.5, 8.0, "The Café was closed; don't ask why.", "S2"),
    (10.0, 14.0, "At night the harbour sings.", "S1"),
    (15.0, 18.0, "Nobody hears it.", "S2"),
)
TALK_LINES = (
    (0.0, 4.0, "Bread needs flour and time.", "S1"),
    (5.0, 9.0, "Ships sleep in the old", "S2"),
    (9.0, 12.0, "harbour town.", "S2"),
    (20.0, 24.0, "これはペンです。", "S1"),
)
MEANINGS = {"boats": 0, "harbour": 0, "ships": 0, "bread": 1, "flour": 1, "dough": 1, "café": 2, "coffee": 2}


class ColourEncoder:
    """Pictures by how near their pixels lie to 64 colours; words are names of colours."""

    space = "colours@1"
    _CENTRES = np.stack(np.meshgrid(*[np.linspace(0, 255, 4)] * 3), axis=-1).reshape(-1, 3)

    def encode_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        return np.stack([self._encode(image.reshape(-1, 3)) for image in images])

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self._encode(np.array([COLOURS.get(text, (128, 128, 128))])) for text in texts])

    def background(self) -> NDArray[np.float32]:
        colours = np.random.default_rng(7).integers(0, 256, (400, 1, 3))
        return np.stack([self._encode(colour) for colour in colours])

    def _encode(self, pixels: NDArray[np.integer]) -> NDArray[np.float32]:
        distances = np.linalg.norm(pixels[:: max(1, len(pixels) // 500), None, :] - self._CENTRES, axis=2)
        near = np.exp(-((distances / 45) ** 2) / 2).mean(axis=0)
        return np.asarray(near / np.linalg.norm(near), np.float32)


class MeaningEncoder:
    """Texts by what they are about, of three things; and a little by how they are written, so that no two are equal."""

    space = "meanings@1"

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self._encode(text) for text in texts])

    def background(self) -> NDArray[np.float32]:
        return self.encode_text([f"nothing {n}" for n in range(300)])

    def _encode(self, text: str) -> NDArray[np.float32]:
        vector = np.random.default_rng(zlib.crc32(text.encode())).normal(0, 0.1, 100)
        for word, topic in MEANINGS.items():
            if word in text.casefold():
                vector[topic] += 3.0
        return np.asarray(vector / np.linalg.norm(vector), np.float32)


class PitchEncoder:
    """Sounds by their spectrum, in 32 bands of the logarithm of frequency."""

    space = "pitches@1"

    def encode_sounds(self, sounds: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        return np.stack([self._encode(sound) for sound in sounds])

    def background(self) -> NDArray[np.float32]:
        return self.encode_sounds([tone_at(hz) for hz in np.geomspace(60, 7000, 200)])

    def _encode(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
        bands = np.digitize(np.fft.rfftfreq(len(sound), 1 / 16_000), np.geomspace(50, 8000, 31))
        summed = np.bincount(bands, power, 32) + 1e-9
        return np.asarray(summed / np.linalg.norm(summed), np.float32)


def tone_at(hz: float, seconds: float = 0.5) -> NDArray[np.float32]:
    return np.sin(2 * np.pi * hz * np.arange(int(seconds * 16_000)) / 16_000).astype(np.float32)


ENCODERS = {"shots": ColourEncoder, "sentences": MeaningEncoder, "sounds": PitchEncoder}
PITCHES = {SEA: (200.0, 1000.0, 4000.0, 200.0), HILL: (600.0, 2000.0, 1000.0)}


def picture(colour: str, *, size: tuple[int, int] = (64, 36)) -> NDArray[np.uint8]:
    """A picture of one colour."""
    return np.full((size[1], size[0], 3), COLOURS[colour], np.uint8)


def encoded(image: NDArray[np.uint8], form: str) -> bytes:
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    Pictures.fromarray(image).save(buffer, form)
    return buffer.getvalue()


def searchable(place: Path | str) -> Store:
    """Two films and an episode, featurized."""
    store = Store(str(place))
    film = {"kind": "video", "width": 64, "height": 36, "container": "mp4"}
    media = store.put_bytes(bytes(range(256)) * 40, ".mp4")
    assets = {
        SEA: replace(asset(SEA, "The sea", published="2024-05-01", **film), duration_s=32.0, show="Coast", blob=media),
        HILL: replace(asset(HILL, "The hill", published="2023-02-03T10:00:00Z", **film), duration_s=20.5, blob=media),
        TALK: replace(asset(TALK, "Bread", published="2024-06-30"), duration_s=60.0, language="en-GB"),
    }
    shots = {SEA: shots_of(store, SEA_SHOTS), HILL: shots_of(store, HILL_SHOTS)}
    lines = {SEA: sentences(SEA_LINES), TALK: sentences(TALK_LINES)}
    store.commit(
        "FeaturizeMedia/1/join/3",
        {
            ASSETS: {asset_id: [one] for asset_id, one in assets.items()},
            PROFILES: {a: [AudioProfile(assets[a].duration_s, -16.0, 5.0, "mono", 10.0, 0.0, "none")] for a in assets},
            SHOTS: shots,
            SCENES: {SEA: [Scene(0.0, 20.0, 0, 3), Scene(20.0, 32.0, 3, 4)]},
            TAGS: {
                SEA: [
                    Tag(9.0, 20.0, "night", 0.9, "test"),
                    Tag(0.0, 6.0, "boat", 0.7, "test"),
                    Tag(20.0, 32.0, "boat", 0.3, "test"),
                ],
                HILL: [Tag(0.0, 5.0, "Night", 0.6, "test")],
            },
            SENTENCES: lines,
            WORDS: {SEA: [word for line in lines[SEA] for word in words(line)]},  # of the episode none were recorded
            TURNS: {SEA: [Turn(line.start, line.end, line.speaker, 0.8) for line in lines[SEA]]},
            SOUNDS: {
                SEA: [SoundSpan(12.5, 18.0, "music", 0.95), SoundSpan(1.0, 18.0, "speech")],
                HILL: [SoundSpan(0.0, 20.5, "music")],
            },
            TOPICS: {SEA: [Topic(0.0, 9.0, "The harbour", ("boats",)), Topic(9.0, 32.0, "The night")]},
            ADS: {TALK: [AdSpan(20.0, 24.0, "sponsor", 0.9)]},
            VECTORS: vectors(shots, lines),
        },
    )
    return store


def shots_of(store: Store, plan: Sequence[tuple[str, float, float]]) -> list[Shot]:
    """Shots of one colour each, with their thumbnails."""
    return [
        Shot(
            start,
            end,
            number,
            "start" if number == 0 else "cut",
            keyframes=((start + end) / 2,),
            thumbnails=(store.put_bytes(encoded(picture(colour), "WEBP"), ".webp"),),
            brightness=sum(COLOURS[colour]) / 765,
        )
        for number, (colour, start, end) in enumerate(plan)
    ]


def sentences(lines: Sequence[tuple[float, float, str, str]]) -> list[Sentence]:
    return [Sentence(start, end, text, speaker) for start, end, text, speaker in lines]


def words(line: Sentence) -> list[Word]:
    """The words of a sentence, each as long as the others."""
    texts = line.text.split()
    edges = np.linspace(line.start, line.end, len(texts) + 1).tolist()
    return [Word(a, b, text) for text, a, b in zip(texts, edges, edges[1:], strict=False)]


def vectors(shots: dict[str, list[Shot]], lines: dict[str, list[Sentence]]) -> dict[str, list[Vector]]:
    """The vectors of shots by picture and sound, and of sentences."""
    plans, made = {SEA: SEA_SHOTS, HILL: HILL_SHOTS}, {}
    for asset_id in (SEA, HILL, TALK):
        colours = [picture(colour) for colour, _, _ in plans.get(asset_id, ())]
        kinds = [
            ("image", ColourEncoder.space, shots.get(asset_id, []), colours and ColourEncoder().encode_images(colours)),
            ("sound", PitchEncoder.space, shots.get(asset_id, []), sounds_of(asset_id)),
            ("sentence", MeaningEncoder.space, lines.get(asset_id, []), meant(lines.get(asset_id, []))),
        ]
        made[asset_id] = [
            Vector(span.start, span.end, kind, space, tuple(float(v) for v in vector))
            for kind, space, spans, rows in kinds
            for span, vector in zip(spans, rows, strict=True)
        ]
    return made


def sounds_of(asset_id: str) -> NDArray[np.float32] | list[object]:
    return PitchEncoder().encode_sounds([tone_at(hz) for hz in PITCHES[asset_id]]) if asset_id in PITCHES else []


def meant(lines: Sequence[Sentence]) -> NDArray[np.float32] | list[object]:
    return MeaningEncoder().encode_text([line.text for line in lines]) if lines else []
