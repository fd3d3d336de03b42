"""Where a story may be given away: the ending, words of outcome, late answers, and a story's resolution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.loudness import Levels
from featurization.media import Sentence, SpoilerSpan
from featurization.spoiler_evidence.answers import Answer, answers
from featurization.spoiler_evidence.arcs import Turning, turning
from featurization.spoiler_evidence.cues import Theme, revelations
from featurization.spoiler_evidence.genres import is_open, theme_weights


@dataclass(frozen=True)
class SpoilerOptions:
    """How position, words, answers and the arc of a story add up to a risk."""

    open_shows: tuple[str, ...] = ()  # titles of shows whose endings give nothing away
    open_genres: tuple[str, ...] = ("news", "education")  # categories of which the same holds
    ending_share: float = 0.15  # last share of the recording that counts as the ending
    ending_risk: float = 0.6  # risk of any sentence in the ending
    early_factor: float = 0.6  # what words count for in the first half; they count fully in the ending
    answer_similarity: float = 0.4  # cosine to an earlier question from which a sentence may answer it
    answer_risk: float = 0.35  # risk added by the best possible answer
    answer_delay_s: float = 45.0  # an answer this soon belongs to the conversation, not to the story
    resolution_risk: float = 0.35  # risk added after the strain of a story has fallen for good
    min_risk: float = 0.3  # spans below it are not reported
    aftermath: int = 1  # sentences after a revelation that share its risk, as they draw the conclusion

    def gives_nothing_away(self, show: str, genres: Sequence[str]) -> bool:
        """Whether endings of this show are no spoilers: news and lessons, and what `open_shows` names."""
        return is_open(show, genres, open_shows=self.open_shows, open_genres=self.open_genres)


def find_spoilers(
    sentences: Sequence[Sentence],
    vectors: NDArray[np.float32],
    *,
    duration_s: float,
    levels: Levels | None = None,
    show: str = "",
    genres: Sequence[str] = (),
    options: SpoilerOptions | None = None,
) -> tuple[SpoilerSpan, ...]:
    """Disjoint spans in order on sentence edges, with the highest risk in each and what it rests on.

    `vectors` are the unit vectors of the sentences, (n, dim); `duration_s` is the length of the recording; `levels` is
    how loud it is, for its arc; `genres` are the categories of its feed, which weigh the words. The ending is one span,
    whatever is said in it; the same words are a lower risk the earlier they come. An open show has no spoilers.
    """
    options = options or SpoilerOptions()
    if options.gives_nothing_away(show, genres):
        return ()
    judge = _Judge(
        duration_s=duration_s,
        weights=theme_weights(genres),
        turned=turning(sentences, duration_s=duration_s, levels=levels),
        options=options,
    )
    found = answers(sentences, vectors, similarity=options.answer_similarity, delay_s=options.answer_delay_s)
    judged = [judge.judged(sentence, answer) for sentence, answer in zip(sentences, found, strict=True)]
    risks, evidence = [risk for risk, _ in judged], [reasons for _, reasons in judged]
    return tuple(_spans(sentences, _with_aftermath(risks, options), evidence, ending=judge.ending, options=options))


@dataclass(frozen=True)
class _Judge:
    """What is known of the whole recording when a sentence is judged."""

    duration_s: float
    weights: Mapping[Theme, float]
    turned: Turning | None
    options: SpoilerOptions

    @property
    def ending(self) -> float:
        """When the ending begins."""
        return self.duration_s * (1 - self.options.ending_share)

    def judged(self, sentence: Sentence, answer: Answer | None) -> tuple[float, list[str]]:
        """The risk of a sentence in [0, 1], and what it rests on in plain words."""
        factor = _position_factor(sentence.middle / max(self.duration_s, 1e-9), self.options)
        words = list(revelations(sentence.text, self.weights))
        risks = [risk * factor for _, risk in words]
        reasons = [f'says "{quote}"' for quote, _ in words]
        if answer:
            risks.append(self.options.answer_risk * answer.share * factor)
            reasons.append(f'may answer "{answer.question.text}", {_ago(sentence.start - answer.question.end)}')
        if self.turned and sentence.start > self.turned.time:
            risks.append(self.options.resolution_risk * (0.5 + self.turned.fall / 2))
            reasons.append(f"comes after the strain of the story peaked at {_clock(self.turned.time)}")
        if sentence.end > self.ending:
            risks.append(self.options.ending_risk)
        return 1 - float(np.prod([1 - risk for risk in risks])), reasons


def _ago(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes before" if seconds >= 90 else f"{seconds:.0f} seconds before"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def _position_factor(position: float, options: SpoilerOptions) -> float:
    """What words count for at a position in [0, 1]: constant in the first half, then rising to 1 at the ending."""
    rise = (position - 0.5) / max(1e-9, 0.5 - options.ending_share)
    return options.early_factor + (1 - options.early_factor) * min(1.0, max(0.0, rise))


def _with_aftermath(risks: Sequence[float], options: SpoilerOptions) -> list[float]:
    """Each risk, or 0.8 of that of a revelation shortly before if that is more."""
    return [
        max(risk, *(0.8 * before for before in risks[max(0, place - options.aftermath) : place]), 0.0)
        for place, risk in enumerate(risks)
    ]


def _spans(
    sentences: Sequence[Sentence],
    risks: Sequence[float],
    evidence: Sequence[Sequence[str]],
    *,
    ending: float,
    options: SpoilerOptions,
) -> Iterator[SpoilerSpan]:
    """Runs of risky sentences; the ending is a run of its own."""
    run: list[int] = []
    for place, sentence in enumerate(sentences):
        opens_ending = sentence.end > ending and bool(run) and sentences[run[-1]].end <= ending
        if run and (risks[place] < options.min_risk or opens_ending):
            yield _span(sentences, risks, evidence, run, ending=ending)
            run = []
        if risks[place] >= options.min_risk:
            run.append(place)
    if run:
        yield _span(sentences, risks, evidence, run, ending=ending)


def _span(
    sentences: Sequence[Sentence],
    risks: Sequence[float],
    evidence: Sequence[Sequence[str]],
    run: Sequence[int],
    *,
    ending: float,
) -> SpoilerSpan:
    last = [sentences[place] for place in run]
    reasons = ["in the ending"] if last[-1].end > ending else []
    reasons += dict.fromkeys(reason for place in run for reason in evidence[place])
    risk = round(max(risks[place] for place in run), 3)
    return SpoilerSpan(last[0].start, max(s.end for s in last), risk=risk, evidence=tuple(reasons[:8]))
