"""One recording, heard lazily: every property is computed at most once, ever, and only if something needs it.

A result is kept under (content, extractor, version, options of the extractor and of all it builds on), so a second run
reads, and changing one option recomputes only what depends on it. The media is decoded when the first extractor that
is not cached asks for samples: once, for all of them.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property, partial
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any, Self

import numpy as np

from featurization.ads import MODEL as AD_MODEL
from featurization.ads import AdContext, find_ads
from featurization.decode import Pcm, decode_audio, silent_pcm
from featurization.diarization.voices import Voices, join_channels
from featurization.fingerprints import sound_fingerprint
from featurization.loudness import Levels, measure_levels
from featurization.media import (
    AdSpan,
    Asset,
    AudioProfile,
    Fingerprint,
    Hearing,
    Segment,
    Sentence,
    SoundSpan,
    SpoilerSpan,
    Topic,
    Turn,
    Vector,
    Voice,
    Word,
    merge,
)
from featurization.sentences import build_sentences
from featurization.sounds import MODEL as SOUND_MODEL
from featurization.sounds import sound_probabilities, sound_spans
from featurization.speech import speech_spans, voice_activity
from featurization.spoilers import find_spoilers
from featurization.topics import find_topics
from featurization.transcribe import transcribe
from steps.cache import Cache
from steps.models import SPEECH_MODEL, TEXT_MODEL, Models
from steps.publisher_words import PUBLISHER, publisher_words
from steps.savings import Savings, saved
from steps.settings import Settings
from steps.store import Store
from steps.tables import FINGERPRINTS, PROFILES, SOUNDS, TURNS, VOICES, WORDS, Table

log = logging.getLogger(__name__)
PROGRESS_S = 10.0  # between two lines about one extractor
LEVEL_HOP_S = 0.1
WORDLESS_S = 20.0  # of speech without a word that are worth a line

SPEECH = Table("speech", Segment)


class Recording:
    """What can be heard in one asset. Use as a context: leaving it removes the decoded samples."""

    def __init__(self, asset: Asset, *, store: Store, settings: Settings, models: Models) -> None:
        self.asset, self.store, self.settings, self.models = asset, store, settings, models
        self.cache = Cache(store, asset.sha256, on_gpu=models.on_gpu)
        self.noted: list[Savings] = []  # by whoever knows of them
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    @cached_property
    def media(self) -> Path:
        """The asset as a local file."""
        return self._resources.enter_context(self.store.local(self.asset.blob))

    @cached_property
    def scratch(self) -> Path:
        """A folder that goes with the recording."""
        return Path(self._resources.enter_context(tempfile.TemporaryDirectory(prefix="rushes-")))

    @cached_property
    def pcm(self) -> Pcm:
        """The samples, decoded once to a scratch file that is read in windows; silence for a film without sound."""
        with self.cache.meter.timed("decode"):
            if not self.asset.has_audio:
                return silent_pcm(self.asset.duration_s, scratch=self.scratch)
            return decode_audio(self.media, scratch=self.scratch, options=self.settings.decode)

    # what is measured and recognised: cached in the store -------------------------------------------------------------

    @cached_property
    def measured(self) -> AudioProfile:
        """Loudness, length and channel layout; what the other extractors find is not filled in yet."""

        def measure() -> Iterator[AudioProfile]:
            pcm = self.pcm
            yield AudioProfile(
                duration_s=max(pcm.duration_s, self._pictures_s),
                loudness_lufs=round(pcm.loudness_lufs, 2),
                loudness_range_lu=round(pcm.loudness_range_lu, 2),
                channels=pcm.channels,
                speech_s=0.0,
                music_s=0.0,
                transcript="",
            )

        return self.cache.rows("profile", PROFILES, self.settings.decode, measure)[0]

    @property
    def _pictures_s(self) -> float:
        """How long a film lasts whatever becomes of its sound; 0 without pictures."""
        return self.asset.duration_s if self.asset.kind == "video" else 0.0

    @cached_property
    def levels(self) -> np.ndarray:
        """RMS level in dBFS per 100 ms, float32 (time,)."""
        return self.cache.array("levels", self.settings.decode, lambda: measure_levels(self.pcm.blocks()).decibels)

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """What the sound is recognised by in other episodes."""

        def print_() -> Iterator[Fingerprint]:
            yield sound_fingerprint(self.pcm.blocks())

        return self.cache.rows("sound-fingerprint", FINGERPRINTS, self.settings.decode, print_)[0]

    @cached_property
    def speech(self) -> tuple[tuple[Segment, ...], ...]:
        """Spans of speech, for the mixdown or for each channel that carries a speaker of its own."""

        def detect(voice: Callable[[], np.ndarray]) -> Iterable[Segment]:
            return speech_spans(voice(), self.measured.duration_s, self.settings.speech)

        return tuple(
            self.cache.rows("speech", SPEECH, (self._speech_options, channel), partial(detect, voice))
            for channel, voice in zip(self._channels, self._voice_activity, strict=True)
        )

    @cached_property
    def _voice_activity(self) -> tuple[Callable[[], np.ndarray], ...]:
        """By channel: gives the probability of voice every 32 ms, float32 (time,)."""
        return tuple(map(self._voice_activity_of, self._channels))

    def _voice_activity_of(self, channel: int | None) -> Callable[[], np.ndarray]:
        return self.cache.array_between(
            "voice-activity",
            (self.settings.decode, self.models.identity(SPEECH_MODEL), channel),
            lambda: voice_activity(self.pcm.blocks(channel=channel), self.models.registry),
        )

    @cached_property
    def recognised(self) -> tuple[Word, ...]:
        """The words that the recogniser hears."""

        def recognise() -> Iterator[Word]:
            for number, (channel, speech) in enumerate(zip(self._channels, self.speech, strict=True)):
                words = transcribe(
                    partial(self.pcm.read, channel=channel),
                    self._wanted(speech),
                    transcriber=self.models.transcriber,
                    options=self.settings.transcribe,
                    progress=self._progress("words"),
                )
                yield from (Word(w.start, w.end, w.text, w.probability, number, w.estimated) for w in words)

        return tuple(sorted(self.cache.rows("words", WORDS, self._words_options, recognise), key=attrgetter("start")))

    @cached_property
    def sounds(self) -> tuple[SoundSpan, ...]:
        """Speech, music, noise and silence."""

        probabilities = self._sound_probabilities

        def find() -> tuple[SoundSpan, ...]:
            return sound_spans(probabilities(), Levels(self.levels, LEVEL_HOP_S), self.settings.sounds)

        return self.cache.rows("sounds", SOUNDS, (self._sound_options, self.settings.sounds), find)

    @property
    def _sound_probabilities(self) -> Callable[[], np.ndarray]:
        """Gives the probabilities of speech and of music every 64 ms, float32 (time, 2)."""

        def hear() -> np.ndarray:
            voices = [voice() for voice in self._voice_activity]
            return sound_probabilities(self.pcm.blocks(), np.maximum.reduce(voices), self.models.registry)

        return self.cache.array_between("sound-probabilities", self._sound_options, hear)

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """Who speaks when; channels that carry a speaker each never share a name."""
        return self.cache.rows("turns", TURNS, self._speaker_options, lambda: self._diarized.turns)

    @cached_property
    def voices(self) -> tuple[Voice, ...]:
        """How each speaker of the turns sounds."""

        def describe() -> Iterator[Voice]:
            found = self._diarized
            for number, values in enumerate(found.vectors, start=1):
                spoken_s = _lasting(turn for turn in found.turns if turn.speaker == f"S{number}")
                yield Voice(f"S{number}", round(spoken_s, 3), self.models.voice_space, tuple(values.tolist()))

        return self.cache.rows("voices", VOICES, self._speaker_options, describe)

    @cached_property
    def _diarized(self) -> Voices:
        heard = zip(self._channels, self.speech, strict=True)
        return join_channels(
            [self.models.diarizer(partial(self.pcm.read, channel=c), self.pcm.span, speech) for c, speech in heard]
        )

    @cached_property
    def vectors(self) -> np.ndarray:
        """Unit vectors of the sentences, float32 (sentences, 384)."""
        texts = [sentence.text for sentence in self.sentences]
        digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
        options = (digest, self.models.identity(TEXT_MODEL), self.settings.text)
        return self.cache.array("vectors", options, lambda: self.models.text.encode(texts))

    # what follows from it: quick, so computed anew -------------------------------------------------------------------

    @cached_property
    def spoken(self) -> list[Segment]:
        """Where anybody speaks on any channel."""
        return merge(chain.from_iterable(self.speech))

    @cached_property
    def transcript(self) -> tuple[str, tuple[Word, ...]]:
        """Where the words come from, and the words: the publisher's if they carry times that fit, else recognised."""
        hear = self.settings.hear
        if hear.publisher_transcripts:
            theirs = publisher_words(self.asset, self.spoken, min_agreement=hear.min_agreement, store=self.store)
            if theirs:
                return theirs
        if not self.recognised and (spoken_s := _lasting(self.spoken)) >= WORDLESS_S:
            log.warning(
                "%s: no words in %.0f s of speech; if its language is one that %s does not know, set"
                ' model = "whisper-base" under [transcribe], which knows 99',
                self.asset.title,
                spoken_s,
                self.models.transcriber_name,
            )
        return self.models.transcriber_name, self.recognised

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """Sentences rebuilt from the words, with their speakers."""
        words = self.transcript[1]
        # A publisher's words do not say on which channel they are spoken.
        heard = [self.spoken] if self.transcript[0].startswith(PUBLISHER) else self.speech
        channels = (
            build_sentences(
                [word for word in words if word.channel == number],
                speech=speech,
                turns=self.turns,
                options=self.settings.sentences,
            )
            for number, speech in enumerate(heard)
        )
        return tuple(sorted(chain.from_iterable(channels), key=attrgetter("start", "channel")))

    @cached_property
    def topics(self) -> tuple[Topic, ...]:
        """Stretches about one subject, on sentence edges."""
        return find_topics(
            self.sentences,
            self.vectors,
            chapters=self.asset.chapters,
            ads=self.ads,
            options=self.settings.topics,
        )

    @cached_property
    def ads(self) -> tuple[AdSpan, ...]:
        """Sponsor messages and promotions."""
        context = AdContext(self.asset.description, self.asset.chapters, self.sounds)
        return find_ads(self.sentences, self.vectors, context, options=self.settings.ads)

    @cached_property
    def spoilers(self) -> tuple[SpoilerSpan, ...]:
        return find_spoilers(
            self.sentences,
            self.vectors,
            duration_s=self.measured.duration_s,
            levels=Levels(self.levels, LEVEL_HOP_S),
            show=self.asset.show,
            genres=self.asset.categories,
            options=self.settings.spoilers,
        )

    @cached_property
    def profile(self) -> AudioProfile:
        """Everything measured of the whole, with the models that were used."""
        source, words = self.transcript
        measured = self.measured
        used = [SPEECH_MODEL, SOUND_MODEL, *self.settings.speakers.models, TEXT_MODEL, AD_MODEL]
        used += [] if source.startswith(PUBLISHER) else [self.settings.transcribe.model]
        return AudioProfile(
            duration_s=measured.duration_s,
            loudness_lufs=measured.loudness_lufs,
            loudness_range_lu=measured.loudness_range_lu,
            channels=measured.channels,
            speech_s=round(sum(span.duration for span in self.spoken), 3),
            music_s=round(sum(s.duration for s in merge(s for s in self.sounds if s.label == "music")), 3),
            transcript=source if words else "none",
            models=tuple(map(self.models.identity, used)),
        )

    @property
    def hearing(self) -> Hearing:
        """All of it."""
        return Hearing(
            profile=self.profile,
            words=self.transcript[1],
            sentences=self.sentences,
            turns=self.turns,
            sounds=self.sounds,
            topics=self.topics,
            ads=self.ads,
            spoilers=self.spoilers,
        )

    @property
    def sentence_vectors(self) -> tuple[Vector, ...]:
        """The vectors as rows of a table."""
        space = self.models.identity(TEXT_MODEL)
        rows = zip(self.sentences, self.vectors, strict=True)
        return tuple(Vector(s.start, s.end, "sentence", space, tuple(values.tolist())) for s, values in rows)

    @property
    def savings(self) -> Savings:
        """What was heard and seen so far, and what of it needed no work."""
        lasts_s = self.asset.duration_s
        first_s = lasts_s if self.cache.computed("profile") else 0.0
        reuse = {name: one.over(lasts_s) for name, one in self.cache.reuse.items()}
        return saved([replace(self._speech_savings(), media_s=lasts_s, first_s=first_s, reuse=reuse), *self.noted])

    def _speech_savings(self) -> Savings:
        """Seconds of speech by what became of it, if any of it was new."""
        spoken_s = _lasting(chain.from_iterable(self.speech))
        if self.transcript[0].startswith(PUBLISHER):
            return Savings(published_s=spoken_s if self.cache.computed("speech") else 0.0)
        if not self.cache.computed("words"):
            return Savings()
        recognised_s = sum(_lasting(self._wanted(channel)) for channel in self.speech)
        return Savings(recognised_s=recognised_s, skipped_s=spoken_s - recognised_s)

    def compute(self) -> None:
        """Fill the cache with everything that takes time."""
        _ = self.levels, self.fingerprint, self.sounds, self.turns, self.voices, self.vectors

    @property
    def _channels(self) -> tuple[int | None, ...]:
        return (0, 1) if self.measured.channels == "split" else (None,)

    @property
    def _speech_options(self) -> tuple[Any, ...]:
        return self.settings.decode, self.settings.speech, self.models.identity(SPEECH_MODEL)

    @property
    def _speaker_options(self) -> tuple[Any, ...]:
        options = self.settings.speakers
        return self._speech_options, tuple(map(self.models.identity, options.models)), options

    @property
    def _sound_options(self) -> tuple[Any, ...]:
        return self.settings.decode, self.models.identity(SPEECH_MODEL), self.models.identity(SOUND_MODEL)

    @property
    def _words_options(self) -> tuple[Any, ...]:
        model = self.models.identity(self.settings.transcribe.model)
        return self._speech_options, self.settings.transcribe, model, self.settings.hear.middle_share

    def _wanted(self, speech: tuple[Segment, ...]) -> list[Segment]:
        """The speech that is worth recognising: all, or the middle of the recording."""
        skipped_s = self.measured.duration_s * (1 - self.settings.hear.middle_share) / 2
        middle = Segment(skipped_s, self.measured.duration_s - skipped_s)
        return [kept for span in speech if (kept := span & middle).duration > 0]

    def _progress(self, what: str) -> Callable[[float], None]:
        """A line at most every ten seconds."""
        told = time.monotonic()

        def tell(share: float) -> None:
            nonlocal told
            if time.monotonic() - told >= PROGRESS_S:
                told = time.monotonic()
                log.info("%s: %s %.0f %%", self.asset.title, what, 100 * share)

        return tell


def _lasting(spans: Iterable[Segment]) -> float:
    return sum(span.duration for span in spans)
