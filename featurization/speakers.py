"""Who speaks when: local speakers of short windows, grouped by their voices, woven into turns that may overlap.

Nothing is known beforehand of who or how many. A network says of every window of five seconds who of up to three local
speakers talks; what was heard of each alone becomes a vector, clustering finds the people, and what the overlapping
windows say of each of them is averaged (the way of Bredin 2023). `pyannote.audio`'s own pipeline is the other engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from featurization.diarization.grouping import assign, find_centres
from featurization.diarization.local_speakers import Encoder, LocalVoices, Vectors, hear_voices
from featurization.diarization.segmentation import FRAME_S, Reader, Segmenter
from featurization.diarization.voices import Diarizer, Voices, in_order
from featurization.diarization.weaving import give_speech, turns_of, weave
from featurization.media import Segment
from featurization.models import Registry

SEGMENTATION_MODEL = "pyannote-segmentation"
VOICE_MODEL = "resemblyzer"
PIPELINE_MODEL = "pyannote-community-1"


@dataclass(frozen=True, slots=True)
class SpeakerOptions:
    """How voices are told apart."""

    engine: Literal["packaged", "pyannote"] = "packaged"  # pyannote: the pipeline of pyannote.audio, on its own weights
    step_s: float = 2.5  # between windows of five seconds; halving it doubles the cost
    threshold: float = (
        0.28  # mean cosine distance above which two groups are different people; at most, see grouping.py
    )
    min_alone_s: float = 0.8  # who is heard alone for less in a window founds no group
    min_speaker_s: float = 2.5  # who speaks less in all is taken for the most similar other voice
    min_share: float = 0.04  # and who speaks less than this share of all that is said
    min_turn_s: float = 0.1  # shorter turns are left out
    min_sure: float = 0.6  # a turn in which voice activity hears nobody is left out if it is less sure
    max_pause_s: float = 0.35  # a shorter pause of the same speaker is part of the turn
    max_clustered: int = 2000  # local speakers compared with each other; of longer recordings an even sample

    def __post_init__(self) -> None:
        if not 0.5 <= self.step_s <= 5:
            raise ValueError(f"step_s must be from 0.5 to 5, the length of a window, got {self.step_s}")

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models that the engine needs; the last one makes the vectors."""
        return (PIPELINE_MODEL,) if self.engine == "pyannote" else (SEGMENTATION_MODEL, VOICE_MODEL)


def load_diarizer(options: SpeakerOptions, registry: Registry) -> Diarizer:
    """The engine that `options` name. Raises ModelError if its models or its package are not here."""
    folders = [registry.locate(name) for name in options.models]
    if options.engine == "pyannote":
        from featurization.diarization.pyannote_engine import PyannoteDiarizer

        return PyannoteDiarizer(folders[0])
    from featurization.diarization.segmentation import SpeakerSegmenter
    from featurization.speaker_encoder import SpeakerEncoder  # brings torch

    segmenter, encoder = SpeakerSegmenter(folders[0]), SpeakerEncoder(folders[1])
    return partial(find_voices, segmenter=segmenter, encoder=encoder, options=options)


def find_voices(
    read: Reader,
    span: Segment,
    speech: Sequence[Segment],
    *,
    segmenter: Segmenter,
    encoder: Encoder,
    options: SpeakerOptions = SpeakerOptions(),
) -> Voices:
    """Turns in order of time, speakers "S1", "S2", … in order of first appearance, and their vectors.

    Turns of different speakers may overlap. They are found all over `span`, not only in `speech`: voice activity
    misses those who talk far from the microphone.
    """
    step_frames = round(options.step_s / FRAME_S)
    heard = hear_voices(read, span, segmenter=segmenter, encoder=encoder, step_frames=step_frames)
    if not heard.speakers:
        return Voices((), heard.vectors)
    centres = _centres(heard, options)
    likely, talks = weave(heard, assign(heard, centres), len(centres))
    talks = give_speech(speech, likely, talks, start=span.start)
    limits = {"max_gap_s": options.max_pause_s, "least_s": options.min_turn_s}
    turns, people = in_order(
        (turn, person, sure)
        for person in range(len(centres))
        for turn, sure in turns_of(likely, talks, person, span=span, **limits)
        if sure >= options.min_sure or any(map(turn.overlaps, speech))
    )
    return Voices(turns, centres[people])


def _centres(heard: LocalVoices, options: SpeakerOptions) -> Vectors:
    """The people's vectors, from local speakers who were heard alone for long enough, if there are any."""
    alone_s = np.array([speaker.alone_s for speaker in heard.speakers])
    clear = alone_s >= min(options.min_alone_s, alone_s.max())
    spoken_s = np.array([speaker.spoken_s for speaker in heard.speakers])
    return find_centres(
        heard.vectors[clear],
        spoken_s[clear],
        np.array([speaker.window for speaker in heard.speakers])[clear],
        threshold=options.threshold,
        least_s=max(options.min_speaker_s, options.min_share * float(spoken_s.sum())),
        most=options.max_clustered,
    )
