"""The network of speech and music learns from made programmes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from featurization.media import Segment
from featurization.pcm import Samples
from featurization.sound_features import LEAD, log_mels
from featurization.sound_network import FRAME_S, ROWS, STEP, SoundNetwork, voice_logits
from featurization.speech import FRAME, SpeechDetector
from steps.detectors.mixtures import Mixture
from steps.detectors.options import LearnOptions

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One programme as the network gets it: rows, voice, and of each frame what it holds and how far it counts."""

    mels: NDArray[np.float16]  # (4 frames, 64)
    voice: Array  # (2 frames,), logits
    target: Array  # (frames, 2)
    weight: Array  # (frames, 2)


def lesson_of(mixture: Mixture) -> Lesson:
    """A programme as a lesson; its last frame that is not full is left out."""
    frames = len(mixture.samples) // STEP
    samples = mixture.samples[: frames * STEP]
    mels = log_mels(np.pad(samples, LEAD))[: frames * ROWS]
    voice = voice_of(samples)[: frames * STEP // FRAME]
    target = np.stack([coverage(mixture.speech, frames), coverage(mixture.music, frames)], axis=1)
    weight = np.stack([np.ones(frames), 1 - coverage(mixture.masked, frames)], axis=1)
    return Lesson(mels.astype(np.float16), voice_logits(voice), target, weight.astype(np.float32))


def voice_of(samples: Samples) -> Samples:
    """Probability of voice per 32 ms."""
    detector = SpeechDetector()
    detector.feed(samples)
    detector.finish()
    return detector.probabilities


def coverage(spans: Sequence[Segment], frames: int) -> Array:
    """The share of each frame that spans cover; they must be disjoint."""
    edges = np.arange(frames + 1) * FRAME_S
    covered = np.zeros(frames)
    for span in spans:
        covered += np.diff(np.clip(edges, span.start, span.end)) / FRAME_S
    return covered.astype(np.float32)


def learn(
    lessons: Sequence[Lesson],
    options: LearnOptions,
    *,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
) -> SoundNetwork:
    """A network that has heard all lessons; the same lessons and options on the same kind of machine give the same."""
    torch.manual_seed(seed)
    drawn = np.random.default_rng(seed)
    network = SoundNetwork().train()
    per_pass = max(1, len(lessons) * len(lessons[0].target) // options.crop_frames // options.batch)
    optimizer = torch.optim.AdamW(network.parameters(), lr=options.rate, weight_decay=1e-3)
    steps = per_pass * options.passes
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.rate, total_steps=steps + 1)
    losses: list[float] = []
    for step in range(steps):
        losses.append(_step(network, optimizer, _batch(lessons, drawn, options)))
        schedule.step()
        if (step + 1) % per_pass == 0:
            progress(f"pass {(step + 1) // per_pass} of {options.passes}: loss {np.mean(losses[-per_pass:]):.4f}")
    return network.eval()


def _step(network: SoundNetwork, optimizer: torch.optim.Optimizer, batch: tuple[torch.Tensor, ...]) -> float:
    mels, voice, target, weight = batch
    loss = binary_cross_entropy_with_logits(network(mels, voice), target, weight)
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def _batch(lessons: Sequence[Lesson], drawn: np.random.Generator, options: LearnOptions) -> tuple[torch.Tensor, ...]:
    """Crops of lessons, louder and softer, with other spectra, some without voice activity."""
    parts = [_crop(lessons[int(drawn.integers(len(lessons)))], drawn, options) for _ in range(options.batch)]
    return tuple(torch.from_numpy(np.stack(part)) for part in zip(*parts, strict=True))


def _crop(lesson: Lesson, drawn: np.random.Generator, options: LearnOptions) -> tuple[Array, ...]:
    first = int(drawn.integers(0, max(1, len(lesson.target) - options.crop_frames + 1)))
    frames = slice(first, first + options.crop_frames)
    mels = lesson.mels[first * ROWS : frames.stop * ROWS].astype(np.float32)
    per_frame = STEP // FRAME
    voice = lesson.voice[first * per_frame : frames.stop * per_frame]
    bands = np.interp(np.arange(mels.shape[1]), np.linspace(0, mels.shape[1], 5), drawn.normal(0, 0.3, 5))
    louder = drawn.uniform(-4.5, -2.5) if drawn.random() < options.faint else drawn.uniform(-2.5, 1.0)
    mels = np.maximum(mels + (bands + louder).astype(np.float32), -5)
    if drawn.random() < options.deaf:
        voice = np.zeros_like(voice)
    return mels, voice, lesson.target[frames], lesson.weight[frames]
