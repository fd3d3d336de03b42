"""What a sentence says, as numbers: telling phrases by family, and how it speaks to whom."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.ad_evidence.cues import ABOUT_ADS, CLOSER, NARRATED, OPENER, AdCue, CueHit
from featurization.ad_evidence.promotion_cues import PROMOTION_CUES
from featurization.ad_evidence.sponsor_cues import SITE, SPONSOR_CUES

Matrix = NDArray[np.float32]

CUES: tuple[AdCue, ...] = (*SPONSOR_CUES, *PROMOTION_CUES)
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(cue.family for cue in CUES))

_ASKING = (
    r"go|get|try|visit|head|check|use|enter|sign|join|call|text|download|order|start|save|subscribe|follow|click|tap|find"
    r"|learn|discover|shop|book|listen|rate|leave|give|tell|ask|search|switch|grab|upgrade|don't|just go|so go|and go"
)
_ASKED = (
    rf"^(?:so |and |just |now |please )?(?:{_ASKING})\b"
    rf"|[.,!?] (?:so |and |just )?(?:{_ASKING})\b"
)
_MEDIA = r"\b(?:apple podcasts?|spotify|youtube|instagram|twitter|facebook|tiktok|patreon|newsletter|discord)\b"
_TRADE = (
    r"\b(?:order|shipping|delivered|delivery|subscription|trial|app|customers?|members?|plans?|brand|products?|store"
    r"|shop|offer|deals?|discount|price|quality|premium|guarantee)\b"
)
_SPONSOR = r"\bsponsor\w*|\bsupport(?:ed|ing|s)? (?:for|by|comes)|\bpartner\w*|brought to you|\bad(?:s|vert\w*)?\b"
_NEED = (
    r"\b(?:whether you|if you(?:['’](?:re|ve)| are| have| want| need| run| own)|when you|no matter|looking for"
    r"|ready to|imagine|ever wonder\w*|tired of|introducing|meet)\b"
)
_PRAISE = (
    r"\b(?:best|easiest|fastest|perfect|favou?rite|amazing|delicious|comfortable|fresh|simple|simply|easy"
    r"|award.winning|trusted|leading|number one|#1)\b"
)


@dataclass(frozen=True, slots=True)
class WordFeature:
    """A column: what it counts, as a number from 0 to about 1."""

    name: str
    value: Callable[[str], float]


def _has(pattern: str, *, flags: int = re.IGNORECASE) -> Callable[[str], float]:
    compiled = re.compile(pattern, flags)
    return lambda text: float(bool(compiled.search(text)))


def _share(pattern: str) -> Callable[[str], float]:
    """Matches a word of the sentence."""
    compiled = re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)
    return lambda text: min(1.0, 3 * len(compiled.findall(text)) / max(4, len(text.split())))


def _length(text: str) -> float:
    return min(1.5, float(np.log1p(len(text.split()))) / 3)


SPOKEN: tuple[WordFeature, ...] = (
    WordFeature("opens a message", lambda text: float(bool(OPENER.search(text)))),
    WordFeature("returns to the show", lambda text: float(bool(CLOSER.search(text)))),
    WordFeature("is about advertising", lambda text: float(bool(ABOUT_ADS.search(text)))),
    WordFeature("tells of the past", lambda text: float(bool(NARRATED.search(text)))),
    WordFeature("site", _has(rf"(?<!\w){SITE}|\bwww\b")),
    WordFeature("slash", _has(r"\bslash \w+|\w\.\w{2,4}/\w+")),
    WordFeature("code", _has(r"\bcode\b")),
    WordFeature("code in capitals", _has(r"\b(?=\w*\d)[A-Z]{2,}\d+\b|\bcode,? [\"“']?[A-Z]{3,}\b", flags=0)),
    WordFeature("price", _has(r"[$£€] ?\d|\b(?:dollars?|pounds?|euros?|bucks|cents|rupees|quid)\b")),
    WordFeature("share", _has(r"\d ?%|\bper ?cent\b")),
    WordFeature("free", _has(r"\bfree\b")),
    WordFeature("off", _has(r"\boff (?:your|the|all|any|every|an?|when|at|with|for|on)\b")),
    WordFeature("number", _has(r"\d")),
    WordFeature("speaks to you", _share(r"you|your|yours|you'(?:re|ll|ve|d)|you’(?:re|ll|ve|d)|yourself")),
    WordFeature("speaks of I", _share(r"i|i'(?:m|ve|d|ll)|i’(?:m|ve|d|ll)|me|my|myself")),
    WordFeature("speaks of us", _share(r"we|us|our|ours|we'(?:re|ve|ll|d)|we’(?:re|ve|ll|d)")),
    WordFeature("speaks of others", _share(r"he|she|him|her|his|hers|they|them|their")),
    WordFeature("past tense", _share(r"was|were|had|did|said|went|came|got|thought|knew|told|took|\w{3,}ed")),
    WordFeature("hesitates", _share(r"um|uh|like|you know|i mean|kind of|sort of|yeah|well|i think|right|hmm|oh")),
    WordFeature("asks to act", _has(_ASKED)),
    WordFeature("asks a question", _has(r"\?")),
    WordFeature("exclaims", _has(r"!")),
    WordFeature("listeners", _has(r"\b(?:listeners?|viewers|audience)\b")),
    WordFeature("podcast", _has(r"\b(?:podcasts?|show|episodes?)\b")),
    WordFeature("names a medium", _has(_MEDIA)),
    WordFeature("trade", _has(_TRADE)),
    WordFeature("sponsor", _has(_SPONSOR)),
    WordFeature("need", _has(_NEED)),
    WordFeature("praises", _has(_PRAISE)),
    WordFeature("length", _length),
)  # fmt: skip
NAMES: tuple[str, ...] = (*(f"family {family}" for family in FAMILIES), *(feature.name for feature in SPOKEN))


def cue_hits(text: str) -> list[CueHit]:
    """The telling phrases of a sentence, with their words."""
    found = ((cue, cue.pattern.search(text)) for cue in CUES)
    return [CueHit(" ".join(m[0].split()), cue.weight, cue.family, cue.kind) for cue, m in found if m]


def word_features(texts: Sequence[str], hits: Sequence[Sequence[CueHit]]) -> Matrix:
    """What is said, (sentence, len(NAMES)): the strongest phrase of each family, then the columns of SPOKEN."""
    columns = {family: place for place, family in enumerate(FAMILIES)}
    matrix = np.zeros((len(texts), len(NAMES)), dtype=np.float32)
    for row, (text, found) in enumerate(zip(texts, hits, strict=True)):
        for hit in found:
            if (column := columns.get(hit.family)) is not None:
                matrix[row, column] = max(matrix[row, column], hit.weight)
        matrix[row, len(FAMILIES) :] = [feature.value(text) for feature in SPOKEN]
    return matrix
