"""Where a story may be given away: the ending, words of revelation, and answers to questions raised earlier."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.media import Sentence, SpoilerSpan

# phrase → chance that it gives something away, were the position known to be an ending
PHRASES = tuple(
    (re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE), weight)
    for pattern, weight in (
        (r"(?:it|he|she|they|that)? ?(?:all )?turn(?:s|ed) out(?: to be| that)?", 0.55),
        (
            r"(?:the|her|his|their|real|actual) (?:killer|murderer|culprit|thief|murder weapon|traitor"
            r"|father|mother) (?:was|is|had been|turned)",
            0.7,
        ),
        (
            r"(?:person|man|woman|one|ones|people|boy|girl) (?:who|that) (?:\w+ ){1,5}(?:was|were"
            r"|is)(?! (?:not|never))",
            0.35,
        ),
        (
            r"(?:died|dies|was dead|were dead|is dead|passed away|did not survive|didn['’]t survive"
            r"|didn['’]t make it|drowned|froze to death)",
            0.4,
        ),
        (
            r"(?:was|were|had been|got) (?:killed|murdered|shot|poisoned|hanged|executed|convicted"
            r"|acquitted|sentenced|arrested|found guilty)",
            0.4,
        ),
        (r"(?:killed|murdered|poisoned|betrayed|stabbed) (?:him|her|them|his|himself|herself|the)", 0.4),
        (r"confess(?:ed|es)|admitted (?:that|it|to)|plead(?:ed)? guilty|came clean", 0.5),
        (r"reveal(?:ed|s)|it was revealed|unmasked|the (?:big )?(?:twist|reveal|secret)(?: is| was)?", 0.45),
        (r"the (?:answer|truth|solution|reason|explanation|mystery|culprit) (?:is|was|were|turned|had been)", 0.5),
        (
            r"(?:finally|eventually|in the end|at last),? (?:\w+ ){0,4}(?:won|found|solved|beat|beaten"
            r"|caught|defeated|escaped|married|died|did it|made it|learned|got)",
            0.55,
        ),
        (
            r"(?:won|wins|lost|loses) (?:the|his|her|their) (?:\w+ )?(?:final|finals|championship"
            r"|title|race|election|match|game|case|war|prize|gold|cup)",
            0.5,
        ),
        (
            r"(?:had|has) been (?:\w+ )?(?:all along|the whole time|alive|dead|lying)|all along"
            r"|the whole time|never (?:really )?existed",
            0.5,
        ),
        (
            r"(?:in the end|the ending|at the end of the (?:book|film|movie|season|story)"
            r"|the final scene|last page)",
            0.3,
        ),
        (r"(?:case|mystery|riddle|puzzle) (?:was|is|has been|had been) (?:\w+ )?(?:solved|closed|cracked)", 0.55),
        (r"(?:was|were) (?:really|actually|in fact|secretly) (?:a|an|the|his|her|their|alive|dead)", 0.4),
        (
            r"(?:ended up|wound up) (?:\w+ing|dead|alone|with|in prison|together)|(?:they|he"
            r"|she) (?:never came back|lived|survived|got married|got divorced)",
            0.3,
        ),
        (r"spoiler(?:s| alert| warning)?", 0.6),
    )
)
HYPOTHETICAL = re.compile(
    r"(?<!\w)(?:if|maybe|perhaps|might have|could have|would have|what if|suspect(?:ed)?)(?!\w)|\?", re.IGNORECASE
)
RIDDLE = re.compile(
    r"\?[\"'”’)]*$|nobody knew|no one knew|never (?:found|knew|explained|solved)|mystery"
    r"|wondered|strange(?:r|st)?(?!\w)|vanished"
    r"|disappeared|missing|the question",
    re.IGNORECASE,
)
SETTLED = re.compile(
    r"(?<!\w)(?:because|so (?:he|she|it|they|that)|was|were|had|it['’]s|did|finally|never"
    r"|that is (?:how|why)|that['’]s (?:how|why)|therefore)(?!\w)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SpoilerOptions:
    """How position, words and resolution add up to a risk."""

    ending_share: float = 0.15  # last share of the recording that counts as the ending
    ending_risk: float = 0.6  # risk of any sentence in the ending
    early_factor: float = 0.6  # what words count for in the first half; they count fully in the ending
    answer_similarity: float = 0.4  # cosine to an earlier question from which a sentence may answer it
    answer_risk: float = 0.35  # risk added by the best possible answer
    answer_delay_s: float = 45.0  # an answer this soon belongs to the conversation, not to the story
    min_risk: float = 0.3  # spans below it are not reported
    aftermath: int = 1  # sentences after a revelation that share its risk, as they draw the conclusion


def find_spoilers(
    sentences: Sequence[Sentence],
    vectors: NDArray[np.float32],
    *,
    duration_s: float,
    options: SpoilerOptions | None = None,
) -> tuple[SpoilerSpan, ...]:
    """Disjoint spans in order on sentence edges, with the highest risk in each and what it rests on.

    `vectors` are the unit vectors of the sentences, (n, dim); `duration_s` is the length of the recording. The ending
    is one span, whatever is said in it; the same words are a lower risk the earlier they come.
    """
    options = options or SpoilerOptions()
    ending = duration_s * (1 - options.ending_share)
    answers = _answered(sentences, vectors, options)
    risks, evidence = [], []
    for sentence, (likeness, question) in zip(sentences, answers, strict=True):
        words = list(_revelations(sentence.text))
        factor = _position_factor(sentence.middle / max(duration_s, 1e-9), options)
        parts = [weight * factor for _, weight in words]
        parts += [likeness * factor] if likeness else []
        parts += [options.ending_risk] if sentence.end > ending else []
        risks.append(1 - float(np.prod([1 - part for part in parts])))
        answer = [f'may answer "{question}"'] if likeness else []
        evidence.append([*(f'says "{quote}"' for quote, _ in words), *answer])
    return tuple(_spans(sentences, _with_aftermath(risks, options), evidence, ending=ending, options=options))


def _position_factor(position: float, options: SpoilerOptions) -> float:
    """What words count for at a position in [0, 1]: constant in the first half, then rising to 1 at the ending."""
    rise = (position - 0.5) / max(1e-9, 0.5 - options.ending_share)
    return options.early_factor + (1 - options.early_factor) * min(1.0, max(0.0, rise))


def _revelations(text: str) -> Iterator[tuple[str, float]]:
    """(quote, weight) of each phrase of revelation; suppositions and questions count for half."""
    doubt = 0.5 if HYPOTHETICAL.search(text) else 1.0
    for pattern, weight in PHRASES:
        if match := pattern.search(text):
            yield " ".join(match[0].split()), weight * doubt


def _answered(
    sentences: Sequence[Sentence], vectors: NDArray[np.float32], options: SpoilerOptions
) -> list[tuple[float, str]]:
    """For each sentence, the risk that it answers an earlier riddle, and that riddle; (0, "") if it answers none."""
    riddles = np.array([place for place, s in enumerate(sentences) if RIDDLE.search(s.text)], dtype=np.intp)
    asked = np.array([sentences[place].end for place in riddles])
    found: list[tuple[float, str]] = []
    for sentence, vector in zip(sentences, vectors, strict=True):
        earlier = int(np.searchsorted(asked, sentence.start - options.answer_delay_s))
        if not earlier or RIDDLE.search(sentence.text) or not SETTLED.search(sentence.text):
            found.append((0.0, ""))
            continue
        likeness = vectors[riddles[:earlier]] @ vector
        best = int(likeness.argmax())
        over = (float(likeness[best]) - options.answer_similarity) / (1 - options.answer_similarity)
        question = sentences[riddles[best]].text
        found.append((options.answer_risk * min(1.0, 0.5 + over), question) if over > 0 else (0.0, ""))
    return found


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
