"""One film, seen lazily: shots, keyframes, and what every extractor finds in them, each computed at most once, ever.

The pictures are decoded once, to small frames and stills on disk that everything is fed from; what looks at keyframes
reads their WebP from the store, so that a new encoder or extractor decodes nothing again.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from featurization.context import fuse, words_in
from featurization.extractor import Extractor, Findings, Image, Vectors
from featurization.fingerprints import picture_fingerprint
from featurization.frames import Footage, decode_frames
from featurization.image_tags import zero_shot_tags
from featurization.keyframes import choose_keyframes, sprite_sheet, webp
from featurization.loudness import Levels
from featurization.media import FilmProfile, Fingerprint, Scene, Segment, Sentence, Shot, Tag, Vector, overlap_s
from featurization.pcm import Samples
from featurization.scenes import find_scenes
from featurization.shot_vectors import IMAGE, SOUND
from featurization.shots import detect_shots
from steps.annotate import Bench, with_head_tags
from steps.extracted import FUSED, layer_table, run, tags_of, verified
from steps.heads import heads_in_use
from steps.models import SHOT_MODEL
from steps.recording import LEVEL_HOP_S, Recording
from steps.savings import Savings
from steps.shot_matrix import ShotMatrix
from steps.tables import FILMS, FINGERPRINTS, SHOTS, TAGS

TILES = 400  # pictures on the sheet for scrubbing, at most
SHEET_AREA = 1_000  # square tiles that a WebP file of ten columns has room for


@dataclass(frozen=True, eq=False)
class View:
    """One shot as extractors see it; nothing is read or decoded before it is asked for."""

    shot: Shot
    viewing: Viewing

    @cached_property
    def keyframes(self) -> tuple[Image, ...]:
        return tuple(self.viewing.thumbnail(key) for key in self.shot.thumbnails)

    @property
    def frames(self) -> NDArray[np.uint8]:
        footage = self.viewing.footage
        first, last = np.searchsorted(footage.times, (self.shot.start, self.shot.end))
        return footage.small(int(first), int(last))

    @property
    def sound(self) -> Samples:
        return self.hear(self.shot.span)

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        return tuple(s for s in self.viewing.recording.sentences if s.overlaps(self.shot))

    def hear(self, span: Segment) -> Samples:
        return self.viewing.recording.pcm.read(span)


class Viewing:
    """What can be seen in the film that `recording` hears. It lives as long as the recording's context."""

    def __init__(self, recording: Recording) -> None:
        self.recording, self.asset, self.cache = recording, recording.asset, recording.cache
        self.settings, self.models, self.store = recording.settings, recording.models, recording.store

    @cached_property
    def footage(self) -> Footage:
        """The pictures, decoded once to a scratch folder."""
        with self.cache.meter.timed("frames"):
            return decode_frames(self.recording.media, scratch=self.recording.scratch, options=self.settings.frames)

    @cached_property
    def detected(self) -> tuple[Shot, ...]:
        """Shots with their keyframes in the store; what is heard in them is not filled in yet."""
        return self.cache.rows("shots", SHOTS, self._shot_options, lambda: list(map(self._kept, self._bare_shots())))

    def _bare_shots(self) -> tuple[Shot, ...]:
        return detect_shots(self.footage, self.settings.shots, self.models.registry)

    def _kept(self, shot: Shot) -> Shot:
        stills = choose_keyframes(shot, self.footage, self.settings.keyframes)
        keys = [self.store.put_bytes(webp(self.footage.still(still)), ".webp") for still in stills]
        times = tuple(float(self.footage.still_times[still]) for still in stills)
        return replace(shot, keyframes=times, thumbnails=tuple(keys))

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """What the moving pictures are recognised by in other episodes."""

        def print_() -> Sequence[Fingerprint]:
            return [picture_fingerprint(self.footage)]

        return self.cache.rows("picture-fingerprint", FINGERPRINTS, self.settings.frames, print_)[0]

    @cached_property
    def shots(self) -> tuple[Shot, ...]:
        """Shots with the sound that goes with them."""
        recording, levels = self.recording, Levels(self.recording.levels, LEVEL_HOP_S)
        music = [span for span in recording.sounds if span.label == "music"]
        return tuple(
            replace(
                shot,
                speech=_share(shot, recording.spoken),
                music=_share(shot, music),
                level_db=round(levels.mean(shot), 2),
            )
            for shot in self.detected
        )

    def thumbnail(self, key: str) -> Image:
        """A keyframe, as (height, width, 3) RGB."""
        with Pictures.open(io.BytesIO(self.store.files.read(key))) as picture:
            return np.asarray(picture.convert("RGB"))

    @cached_property
    def views(self) -> tuple[View, ...]:
        return tuple(View(shot, self) for shot in self.detected)

    def findings(self, extractor: Extractor) -> Findings:
        """What an extractor finds in the shots; kept under its name, version, options and space."""
        name, version = extractor.name, extractor.version
        options = (self._shot_options, extractor.options, extractor.space, self._words_digest(extractor))

        @cache
        def computed() -> Findings:
            if extractor is self.models.image_extractor:
                stills = sum(len(shot.thumbnails) for shot in self.detected)
                self.recording.noted.append(Savings(frames=self.profile.frames, keyframes=stills))
            return verified(run(extractor, self.views), extractor, len(self.views))

        def array(part: str) -> Vectors:
            def compute() -> Vectors:
                found: Vectors | None = getattr(computed(), part)
                return np.zeros((0, 0), dtype=np.float32) if found is None else found.astype(np.float32)

            return self.cache.array(f"{name}-{part}", options, compute, version=version)

        table = layer_table(extractor)
        rows: tuple[Segment, ...] = ()
        if extractor.row:
            rows = self.cache.rows(name, table, options, lambda: computed().rows, version=version)
        if not extractor.space:
            return Findings(rows)
        return Findings(rows, array("vectors"), array("features"))

    def _words_digest(self, extractor: Extractor) -> str:
        """Of the sentences, if the extractor reads them: they may change while the film stays the same."""
        if "sentences" not in extractor.inputs:
            return ""
        return hashlib.sha256(repr(self.recording.sentences).encode()).hexdigest()[:16]

    @cached_property
    def image_vectors(self) -> Vectors:
        return self._vectors(self.models.image_extractor)

    @cached_property
    def sound_vectors(self) -> Vectors:
        return self._vectors(self.models.sound_extractor)

    def _vectors(self, extractor: Extractor) -> Vectors:
        found = self.findings(extractor).vectors
        return np.zeros((0, 0), dtype=np.float32) if found is None else found

    @cached_property
    def fused_vectors(self) -> Vectors:
        """One vector per shot of picture, neighbours, sound and words."""
        words = words_in(self.detected, self.recording.sentences, self.recording.vectors)
        return fuse(self.image_vectors, self.sound_vectors, words, self.settings.context)

    @cached_property
    def scenes(self) -> tuple[Scene, ...]:
        return find_scenes(self.detected, self.image_vectors, self.settings.scenes)

    @cached_property
    def zero_shot_tags(self) -> tuple[Tag, ...]:
        """What the vocabulary's words say of the pictures."""
        vocabulary, options = self.models.vocabulary, self.settings.tags

        def judge() -> tuple[Tag, ...]:
            return zero_shot_tags(self.detected, self.image_vectors, self.models.images, options, vocabulary=vocabulary)

        key = (self._shot_options, self.models.image_extractor.space, options, vocabulary.digest)
        return self.cache.rows("tags", TAGS, key, judge)

    @cached_property
    def tags(self) -> tuple[Tag, ...]:
        """Zero-shot tags, the labels that extractors give, and those of heads, which go before words."""
        tags = list(self.zero_shot_tags)
        for extractor in self.models.extractors:
            tags += tags_of(self.findings(extractor).rows, f"{extractor.name} {extractor.version}")
        ordered = tuple(sorted(tags, key=lambda tag: (tag.start, tag.label)))
        heads = heads_in_use(self.store)
        if not heads or not len(self.detected):
            return ordered
        bench = Bench(self._matrix, self.settings, lambda: self.models.images)
        return with_head_tags({self.asset.asset_id: ordered}, heads, bench)[self.asset.asset_id]

    @property
    def _matrix(self) -> ShotMatrix:
        features = self.findings(self.models.image_extractor).features
        return ShotMatrix(
            asset_ids=(self.asset.asset_id,) * len(self.detected),
            shots=self.detected,
            vectors=self.image_vectors,
            features=np.zeros((len(self.detected), 0), np.float32) if features is None else features,
            space=self.models.image_extractor.space,
            feature_space=self.models.images.feature_space,
        )

    @cached_property
    def profile(self) -> FilmProfile:
        """The whole film, with the sheet for scrubbing."""
        measured = self.cache.rows("film", FILMS, self._shot_options, lambda: [self._measured()])[0]
        return replace(measured, models=self.models.seen_with)

    def _measured(self) -> FilmProfile:
        footage = self.footage
        tiles = min(TILES, max(1, SHEET_AREA * footage.width // footage.height))  # upright films have taller tiles
        chosen = np.unique(np.linspace(0, len(footage.still_times) - 1, num=tiles).round().astype(int))
        sheet, layout = sprite_sheet(footage.still(int(still)) for still in chosen)
        return FilmProfile(
            frames=len(footage.times),
            damaged_packets=footage.damaged_packets,
            sprite=self.store.put_bytes(sheet, ".webp"),
            sprite_columns=layout.columns,
            tile_width=layout.tile_width,
            tile_height=layout.tile_height,
            tile_times=tuple(float(footage.still_times[still]) for still in chosen),
        )

    @property
    def vector_rows(self) -> list[Vector]:
        """Vectors of all shots as rows of a table: pictures, sounds, fused, and those of installed extractors."""
        models = self.models
        kinds: list[tuple[str, str, Vectors]] = [
            (IMAGE, models.image_extractor.space, self.image_vectors),
            (SOUND, models.sound_extractor.space, self.sound_vectors),
            (FUSED, models.fused_space, self.fused_vectors),
            *((e.name, e.space, self._vectors(e)) for e in models.extractors if e.space),
        ]
        return [
            Vector(shot.start, shot.end, kind, space, tuple(row.tolist()))
            for kind, space, vectors in kinds
            for shot, row in zip(self.detected, vectors, strict=True)
        ]

    @property
    def feature_rows(self) -> list[Vector]:
        """What the image encoder sees of each shot beside its vector: heads of labels are taught on it."""
        features = self.findings(self.models.image_extractor).features
        if features is None or not features.size:
            return []
        space = self.models.images.feature_space
        rows = zip(self.detected, features, strict=True)
        return [Vector(shot.start, shot.end, IMAGE, space, tuple(row.tolist())) for shot, row in rows]

    def compute(self) -> None:
        """Fill the cache with everything that takes time."""
        _ = self.detected, self.fingerprint, self.profile, self.image_vectors, self.sound_vectors, self.zero_shot_tags
        for extractor in self.models.extractors:
            self.findings(extractor)

    @property
    def _shot_options(self) -> tuple[Any, ...]:
        settings = self.settings
        return settings.frames, settings.shots, settings.keyframes, self.models.identity(SHOT_MODEL)


def _share(shot: Shot, spans: Sequence[Segment]) -> float:
    return round(overlap_s(shot, spans) / shot.duration, 3) if shot.duration else 0.0
