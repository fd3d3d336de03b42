"""Late answers to early questions: what a sentence resolves of that which was raised before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.media import Sentence
from featurization.spoiler_evidence.cues import RIDDLE, SETTLED


@dataclass(frozen=True, slots=True)
class Answer:
    """How much a sentence looks like the answer to an earlier one: 0.5, barely, to 1."""

    share: float
    question: Sentence


def answers(
    sentences: Sequence[Sentence], vectors: NDArray[np.float32], *, similarity: float, delay_s: float
) -> Iterator[Answer | None]:
    """For each sentence, the earlier question or riddle that it may answer, if any.

    `vectors` are the unit vectors of the sentences, (n, dim): an answer is one by its cosine to a question that was
    asked at least `delay_s` before; nearer ones belong to the conversation.
    """
    riddles = np.array([place for place, s in enumerate(sentences) if RIDDLE.search(s.text)], dtype=np.intp)
    asked = np.array([sentences[place].end for place in riddles])
    for sentence, vector in zip(sentences, vectors, strict=True):
        earlier = int(np.searchsorted(asked, sentence.start - delay_s))
        if not earlier or RIDDLE.search(sentence.text) or not SETTLED.search(sentence.text):
            yield None
            continue
        likeness = vectors[riddles[:earlier]] @ vector
        best = int(likeness.argmax())
        over = (float(likeness[best]) - similarity) / (1 - similarity)
        yield Answer(min(1.0, 0.5 + over), sentences[riddles[best]]) if over > 0 else None
