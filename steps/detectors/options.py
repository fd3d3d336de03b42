"""Options of the training of detectors, apart from what needs torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LearnOptions:
    """How long and in which steps the network learns."""

    recipe: str = ""  # path of another one than config/detectors/sounds.toml
    programmes: int = 1000  # of a minute each
    judged: int = 24  # programmes of held-out clips
    passes: int = 14  # over all programmes
    crop_frames: int = 250  # 16 s
    batch: int = 16
    rate: float = 3e-3  # highest learning rate of the cycle
    faint: float = 0.15  # share of crops 25 to 45 dB softer; the others at most 25 dB softer or 10 dB louder
    deaf: float = 0.2  # share of crops in which the network must do without voice activity


@dataclass(frozen=True, slots=True)
class LearnAdsOptions:
    """How long and in which steps the classifier of ads learns."""

    corpus: str = ""  # path of another one than config/corpora/ads
    rounds: int = 300  # batches a network learns from
    batch: int = 12  # spliced programmes in one
    rate: float = 3e-3  # highest learning rate of the cycle
    decay: float = 1e-3  # of the weights
    dilution: int = 3  # excerpts of talk around one with ads when it is judged
