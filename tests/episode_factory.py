"""Episodes whose sentences, sounds and answers are known: what was heard, without any media."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from featurization.media import Asset, AudioProfile, Hearing, Sentence, Word
from ranking.candidates import Candidate
from ranking.context import LEVEL_HOP_S, EpisodeContext

ASSET = Asset(
    asset_id="ab12",
    sha256="ab12" * 16,
    blob="blobs/ab/x.mp3",
    size_bytes=10,
    duration_s=600.0,
    kind="audio",
    container="mp3",
    codec="mp3",
    rate_hz=44100,
    channels=1,
    title="The lamp",
    source="lamp.mp3",
)


def say(*texts: str, start: float = 0.0, length_s: float = 5.0, gap_s: float = 0.5) -> tuple[Sentence, ...]:
    """Sentences one after the other, each `length_s` long with `gap_s` between them."""
    step = length_s + gap_s
    return tuple(Sentence(start + k * step, start + k * step + length_s, text) for k, text in enumerate(texts))


def heard(sentences: Sequence[Sentence], duration_s: float = 600.0) -> Hearing:
    """A hearing of these sentences: words share each sentence evenly, all of them speech."""
    words = tuple(word for sentence in sentences for word in _spread(sentence))
    speech_s = sum(sentence.duration for sentence in sentences)
    profile = AudioProfile(duration_s, -16.0, 5.0, "mono", speech_s, 0.0, "none")
    return Hearing(profile, words=words, sentences=tuple(sentences))


def episode(hearing: Hearing, **changes: object) -> EpisodeContext:
    """A context with level -20 dBFS throughout and every sentence about the same thing."""
    count = round(hearing.profile.duration_s / LEVEL_HOP_S)
    vectors = np.zeros((len(hearing.sentences), 4), dtype=np.float32)
    vectors[:, 0] = 1.0
    levels = np.full(count, -20.0, dtype=np.float32)
    return replace(EpisodeContext(hearing, hearing.profile.duration_s, levels, vectors, ()), **changes)


def clip(hearing: Hearing, first: int, last: int) -> Candidate:
    """The candidate that holds sentences [first, last)."""
    run = hearing.sentences[first:last]
    return Candidate(run[0].start, run[-1].end, ASSET.asset_id, first, last, " ".join(s.text for s in run))


def _spread(sentence: Sentence) -> list[Word]:
    texts = sentence.text.split()
    step = sentence.duration / max(1, len(texts))
    edges = [sentence.start + k * step for k in range(len(texts))] + [sentence.end]
    return [Word(edges[k], edges[k + 1], text) for k, text in enumerate(texts)]
