"""The classifier of sentences: a small convolutional network over sentence vectors and what the sentences say.

Several networks share the work: each was taught on other excerpts of the corpus, and their answers are averaged, so
that every excerpt can be judged by a network that never saw it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from featurization.ad_evidence import surroundings, words
from featurization.ad_evidence.cues import KINDS
from featurization.errors import ModelError

Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]

DIM = 384
FEATURES = len(words.NAMES) + len(surroundings.NAMES)
_STATES = 1 + len(KINDS)  # talk, then the kinds
_WIDTH = 7
_VECTOR_SCALE = 8.0  # unit vectors have entries of 1/20; the features beside them are about 1


class AdLayers(nn.Module):
    """One network: vectors and features of consecutive sentences to a score for each state.

    Two convolutions see 9 sentences on each side.
    """

    def __init__(self, *, squeezed: int = 12, hidden: int = 24, dropout: float = 0.5, vector_dropout: float = 0.2):
        super().__init__()
        self.vector_dropout, self.dropout = nn.Dropout(vector_dropout), nn.Dropout(dropout)
        self.squeeze = nn.Linear(DIM, squeezed)
        self.sentence = nn.Linear(squeezed + FEATURES, hidden)
        self.near = nn.Conv1d(hidden, hidden, _WIDTH, padding=_WIDTH // 2)
        self.far = nn.Conv1d(hidden, hidden, _WIDTH, padding=2 * (_WIDTH // 2), dilation=2)
        self.state = nn.Linear(3 * hidden, _STATES)

    def forward(self, vectors: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Scores, (text, sentence, state), from (text, sentence, DIM) and (text, sentence, FEATURES)."""
        meaning = self.dropout(self.squeeze(self.vector_dropout(vectors) * _VECTOR_SCALE))
        sentence = torch.tanh(self.sentence(torch.cat([meaning, features], dim=-1))).transpose(1, 2)
        near = torch.relu(self.near(self.dropout(sentence)))
        far = torch.relu(self.far(self.dropout(near)))
        scores: torch.Tensor = self.state(self.dropout(torch.cat([sentence, near, far], dim=1)).transpose(1, 2))
        return scores


class AdNetwork:
    """Networks whose answers are averaged, and where their log odds stand for a decision."""

    def __init__(self, members: Sequence[AdLayers], *, scale: float, shift: float) -> None:
        self.members = [member.eval() for member in members]
        self.scale, self.shift = scale, shift  # from smoothed log odds to the probability that is reported

    def only(self, place: int) -> AdNetwork:
        """One of the networks alone."""
        return AdNetwork([self.members[place]], scale=self.scale, shift=self.shift)

    def log_odds(self, vectors: Matrix, features: Matrix) -> Floats:
        """Log odds of each state against talk, (sentence, state)."""
        if not len(vectors):
            return np.zeros((0, _STATES))
        with torch.inference_mode():
            inputs = torch.from_numpy(vectors)[None], torch.from_numpy(features)[None]
            logs = torch.stack([torch.log_softmax(member(*inputs)[0], dim=-1) for member in self.members]).mean(dim=0)
        found = logs.numpy().astype(np.float64)
        return np.asarray(found - found[:, :1])


def load_ad_network(path: Path) -> AdNetwork:
    """The network of a safetensors file; ModelError if it holds something else."""
    try:
        tensors = load_file(path)
        members = []
        for number in range(int(tensors.pop("members"))):
            layers = AdLayers()
            layers.load_state_dict({name: tensors[f"{number}.{name}"] for name in layers.state_dict()})
            members.append(layers)
        return AdNetwork(members, scale=float(tensors["scale"]), shift=float(tensors["shift"]))
    except (OSError, KeyError, RuntimeError, ValueError, SafetensorError) as error:
        raise ModelError(f"{path}: not the weights of the ad classifier ({error}); install rushes again") from error


def ad_tensors(network: AdNetwork) -> dict[str, torch.Tensor]:
    """What `load_ad_network` reads."""
    layers = {
        f"{number}.{name}": tensor.contiguous()
        for number, member in enumerate(network.members)
        for name, tensor in member.state_dict().items()
    }
    facts = {"members": len(network.members), "scale": network.scale, "shift": network.shift}
    return layers | {name: torch.tensor(float(value)) for name, value in facts.items()}
