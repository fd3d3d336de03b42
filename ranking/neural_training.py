"""Training of the small network, the only code of the rankers that needs torch.

The loss is the softmax of an episode's scores against its gains (Cao et al., "Learning to rank: from pairwise approach
to listwise approach", ICML 2007). The weights start at the prior's and the network at nothing, and weight decay pulls
both back there: what few episodes do not contradict stays as documented.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import numpy as np
import torch

from ranking.groups import RankingGroup, lessons, refuse_indifference, standardised, thinned
from ranking.neural import Layer, NeuralOptions, NeuralRanker
from ranking.pairs import gains
from ranking.prior import Prior

_BATCH = 8  # episodes a step


def train(
    groups: Sequence[RankingGroup],
    *,
    validation: Sequence[RankingGroup] = (),
    options: NeuralOptions | None = None,
) -> NeuralRanker:
    """Train on episodes; with `validation` episodes, keep the pass whose loss on them is smallest.

    The order of `groups` does not matter; one seed gives one model on one machine.
    Raises ModelError if there is nothing to learn from.
    """
    options = options or NeuralOptions()
    learned = lessons(groups)
    held_out = lessons(validation, what="validation") if validation else ()
    with _repeatable(options.seed):
        ranker = _best(_episodes(learned), _episodes(held_out), options)
    refuse_indifference(ranker.values, learned)
    return ranker


@dataclass(frozen=True, eq=False)
class _Episode:
    clips: torch.Tensor  # (clips, features), standardised
    target: torch.Tensor  # (clips,), each clip's share of the episode's gain
    weight: float


class _Model(torch.nn.Module):
    """The prior plus what is learned."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.prior = torch.from_numpy(Prior().weights)
        self.away = torch.nn.Parameter(torch.zeros_like(self.prior))
        self.first = torch.nn.Linear(len(self.prior), width, dtype=torch.float64)
        self.second = torch.nn.Linear(width, width // 2, dtype=torch.float64)
        self.last = torch.nn.Linear(width // 2, 1, dtype=torch.float64)
        torch.nn.init.zeros_(self.last.weight)
        torch.nn.init.zeros_(self.last.bias)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Scores (clips,)."""
        hidden = torch.tanh(self.second(torch.tanh(self.first(clips))))
        return torch.add(clips @ (self.prior + self.away), self.last(hidden)[:, 0])

    def frozen(self, options: NeuralOptions, rounds: int) -> NeuralRanker:
        """What it is now, as plain numbers."""
        layers = tuple(
            Layer(tuple(tuple(row) for row in layer.weight.tolist()), tuple(layer.bias.tolist()))
            for layer in (self.first, self.second, self.last)
        )
        return NeuralRanker(tuple((self.prior + self.away).tolist()), layers, asdict(options) | {"rounds": rounds})


@contextmanager
def _repeatable(seed: int) -> Iterator[None]:
    """Torch on one thread and with chance of its own; both are given back as they were."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def _episodes(groups: Sequence[RankingGroup]) -> list[_Episode]:
    found = []
    for group in (thinned(standardised(group)) for group in groups):
        gain = gains(group.grades)
        found.append(_Episode(torch.from_numpy(group.matrix), torch.from_numpy(gain / gain.sum()), group.weight))
    return found


def _best(episodes: Sequence[_Episode], held_out: Sequence[_Episode], options: NeuralOptions) -> NeuralRanker:
    """The ranker after the last pass, or after the one with the smallest loss on `held_out`."""
    model = _Model(options.width)
    best, lowest, best_round = model.frozen(options, 0), np.inf, 0
    for done in _passes(model, episodes, options):
        loss = _held_out_loss(model, held_out) if held_out else -float(done)
        if loss < lowest:
            best, lowest, best_round = model.frozen(options, done), loss, done
        if done - best_round >= options.patience:
            break
    return best


def _passes(model: _Model, episodes: Sequence[_Episode], options: NeuralOptions) -> Iterator[int]:
    """Train pass by pass, and give the number of those done."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.learning_rate, weight_decay=options.decay)
    rng = np.random.default_rng(options.seed)
    for done in range(1, options.rounds + 1):
        order = rng.permutation(len(episodes))
        for first in range(0, len(order), _BATCH):
            optimiser.zero_grad()
            _loss(model, [episodes[number] for number in order[first : first + _BATCH]]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        yield done


def _held_out_loss(model: _Model, episodes: Sequence[_Episode]) -> float:
    with torch.no_grad():
        return float(_loss(model, episodes))


def _loss(model: _Model, episodes: Sequence[_Episode]) -> torch.Tensor:
    """Cross entropy of the gains and the softmax of the scores, the weighted mean over episodes."""
    scores = model(torch.cat([episode.clips for episode in episodes]))
    parts = torch.split(scores, [len(episode.clips) for episode in episodes])
    losses = [
        -episode.weight * (episode.target @ torch.log_softmax(part, dim=0))
        for episode, part in zip(episodes, parts, strict=True)
    ]
    return torch.stack(losses).sum() / sum(episode.weight for episode in episodes)
