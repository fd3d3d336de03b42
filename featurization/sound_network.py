"""The network that hears speech and music: convolutions over log-mel bands, then over time; 0.3 million weights.

After the detector of Hung et al. 2022 (TVSM, https://doi.org/10.1186/s13636-022-00253-8) in its labels, with dilated
convolutions (van den Oord et al. 2016) in place of recurrence: what a frame hears is bounded, so a recording can be
heard in windows, and gives what hearing it whole would give.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from featurization.pcm import PCM_RATE_HZ, Samples
from featurization.sound_features import BANDS, HOP, LEAD, log_mels
from featurization.speech import FRAME
from featurization.torch_threads import one_thread

Probabilities = NDArray[np.float32]  # (frames, 2): of speech and of music

ROWS = 4  # log-mel rows a frame
STEP = ROWS * HOP  # samples a frame
FRAME_S = STEP / PCM_RATE_HZ  # 64 ms
_VOICES = STEP // FRAME  # voice activities a frame
_DILATIONS = (1, 2, 4, 8, 16, 32, 64)
CONTEXT = sum(_DILATIONS) + 3  # frames that one frame hears to either side, the convolutions over bands included
_WINDOW = 480  # frames decided at a time: 31 s


class SoundNetwork(nn.Module):
    """Log-mel rows (batch, 4 frames, 64) and voice activity (batch, 2 frames) to logits (batch, frames, 2)."""

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        self.bands = nn.Sequential(
            _convolution(1, 16, 5, (2, 2)),
            _convolution(16, 32, 3, (2, 2)),
            _convolution(32, 48, 3, (1, 2)),
            _convolution(48, 64, 3, (1, 2)),
        )
        self.enter = nn.Conv1d(64 * (BANDS // 16) + _VOICES, width, 1)
        self.blocks = nn.ModuleList(_Dilated(width, dilation) for dilation in _DILATIONS)
        self.leave = nn.Conv1d(width, 2, 1)

    def forward(self, mels: Tensor, voice: Tensor) -> Tensor:
        heard = self.bands(mels[:, None])  # (batch, 64, frames, bands / 16)
        heard = heard.permute(0, 1, 3, 2).flatten(1, 2)
        voices = voice.reshape(len(voice), -1, _VOICES).permute(0, 2, 1)
        state = torch.relu(self.enter(torch.cat([heard, voices], dim=1)))
        for block in self.blocks:
            state = block(state)
        return torch.as_tensor(self.leave(state).permute(0, 2, 1))


def _convolution(inputs: int, outputs: int, size: int, stride: tuple[int, int]) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class _Dilated(nn.Module):
    """A residual step that hears `dilation` frames to either side."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.heard = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.mixed = nn.Conv1d(width, width, 1)

    def forward(self, state: Tensor) -> Tensor:
        return state + torch.as_tensor(self.mixed(torch.relu(self.norm(self.heard(state)))))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of frames to decide, with what is heard around it."""

    samples: Samples  # from LEAD before the first frame of the context to LEAD after its last
    first: int  # frame at which the context begins
    before: int  # frames of context before those to decide
    count: int  # frames to decide


def load_network(weights: Path) -> SoundNetwork:
    """The network with the weights of a safetensors file, ready to hear."""
    network = SoundNetwork()
    network.load_state_dict(load_file(weights))
    return network.eval()


def hear(network: SoundNetwork, blocks: Iterable[Samples], voice: Samples) -> Probabilities:
    """Probabilities of speech and music for each 64 ms of a recording, (frames, 2).

    `blocks` are 16 kHz samples of any block size; `voice` is the probability of voice per 32 ms of all of it.
    """
    parts = [_hear_piece(network, piece, voice) for piece in _pieces(blocks)]
    return np.concatenate([np.zeros((0, 2), dtype=np.float32), *parts])


def voice_logits(voice: Samples) -> Samples:
    """Probabilities of voice as the network takes them: logits, small enough to be learnt from."""
    held = np.clip(voice, 1e-3, 1 - 1e-3)
    return np.asarray(np.log(held / (1 - held)) / 4, dtype=np.float32)


@one_thread()
def _hear_piece(network: SoundNetwork, piece: _Piece, voice: Samples) -> Probabilities:
    mels = log_mels(piece.samples)
    frames = len(mels) // ROWS
    around = voice[piece.first * _VOICES : (piece.first + frames) * _VOICES]
    around = np.pad(around, (0, frames * _VOICES - len(around)))
    logits = network(torch.from_numpy(mels)[None], torch.from_numpy(voice_logits(around))[None])
    kept = torch.sigmoid(logits[0, piece.before : piece.before + piece.count])
    return np.asarray(kept.numpy(), dtype=np.float32)


def _pieces(blocks: Iterable[Samples]) -> Iterator[_Piece]:
    """Windows of frames with their context, whatever the blocks; a last frame that is not full ends in silence."""
    held, first, decided = np.zeros(LEAD, dtype=np.float32), 0, 0  # `held` begins LEAD before frame `first`
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= (decided + _WINDOW + CONTEXT - first) * STEP + 2 * LEAD:
            yield _piece(held, first, decided, _WINDOW, CONTEXT)
            decided += _WINDOW
            held, first = held[(decided - CONTEXT - first) * STEP :], decided - CONTEXT
    total = first + -(-max(0, len(held) - LEAD) // STEP)
    held = np.pad(held, (0, (total - first) * STEP + 2 * LEAD - len(held)))
    while decided < total:
        count = min(_WINDOW, total - decided)
        yield _piece(held, first, decided, count, min(CONTEXT, total - decided - count))
        decided += count
        held, first = held[max(0, decided - CONTEXT - first) * STEP :], max(first, decided - CONTEXT)


def _piece(held: Samples, first: int, decided: int, count: int, after: int) -> _Piece:
    end = (decided + count + after - first) * STEP + 2 * LEAD
    return _Piece(held[:end], first, decided - first, count)
