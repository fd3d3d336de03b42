"""The detector of speech and music, from packages to weights: what `flows/train_detectors.py` calls."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import numpy as np
from safetensors.torch import save_file

from eval.sound_metrics import judge_sounds
from featurization.errors import ConfigError
from featurization.loudness import measure_levels
from featurization.media import SoundLabel, SoundSpan
from featurization.sound_network import hear, load_network
from featurization.sounds import WEIGHTS, SoundOptions, sound_spans
from steps.detectors.clips import Library, gather
from steps.detectors.mixtures import Mixture, mix
from steps.detectors.options import LearnOptions
from steps.detectors.recipe import RECIPES, Kind, load_recipe
from steps.detectors.sound_training import learn, lesson_of, voice_of
from steps.settings import Settings
from steps.store import Store
from steps.truth.figures import SoundMetrics, pooled_sounds, sound_figures

__all__ = ["WEIGHTS", "judge", "train"]
log = logging.getLogger(__name__)


def train(sources: Path, *, out: Path, settings: Settings, store: Store, seed: int) -> dict[str, Any]:  # noqa: ARG001
    """Train the network on made programmes and write it; returns digests of what it was made from.

    Raises SourceError in one line if a package cannot be had.
    """
    options, library = settings.learn_sounds, _library(sources, settings.learn_sounds)
    lessons = []
    for number in range(options.programmes):
        lessons.append(lesson_of(mix(library, np.random.default_rng([seed, number]), held_out=False)))
        if number % 50 == 49:
            log.info("mixed %d of %d programmes", number + 1, options.programmes)
    network = learn(lessons, options, seed=seed, progress=log.info)
    out.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, out / WEIGHTS)
    taught = Counter(clip.kind for clip in library.clips if not clip.held_out)
    return {"clips": dict(taught), "programmes": options.programmes, "packages": library.digests}


def judge(weights: Path, sources: Path, *, settings: Settings, store: Store, seed: int) -> dict[str, Any]:  # noqa: ARG001
    """Precision, recall and F1 of each label on programmes of held-out clips."""
    library = _library(sources, settings.learn_sounds)
    mixtures = [
        mix(library, np.random.default_rng([seed + 1, number]), held_out=True)
        for number in range(settings.learn_sounds.judged)
    ]
    return dict(sound_figures(pooled_sounds([judge_mixture(weights, one, settings.sounds) for one in mixtures])))


def judge_mixture(weights: Path, mixture: Mixture, options: SoundOptions) -> SoundMetrics:
    """The counts of one programme."""
    heard = hear(load_network(weights), [mixture.samples], voice_of(mixture.samples))
    found = sound_spans(heard, measure_levels([mixture.samples]), options)
    return judge_sounds(truth_of(mixture), found, duration_s=mixture.duration_s)


def truth_of(mixture: Mixture) -> tuple[SoundSpan, ...]:
    """What is in a programme as labelled spans."""
    labels: tuple[SoundLabel, ...] = ("speech", "music", "noise")
    spans = (mixture.speech, mixture.music, mixture.noise)
    return tuple(SoundSpan(s.start, s.end, label) for label, of in zip(labels, spans, strict=True) for s in of)


def _library(sources: Path, options: LearnOptions) -> Library:
    recipe = Path(options.recipe) if options.recipe else RECIPES / "sounds.toml"
    library = gather(load_recipe(recipe), cache=sources, progress=log.info)
    for kind in get_args(Kind):
        for held_out, does in ((False, "teaches"), (True, "judges")):
            if not library.of(kind, held_out=held_out):
                raise ConfigError(f"{recipe}: no {kind} {does}; add a source with other files, or one that is held_out")
    return library
