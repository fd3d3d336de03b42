"""What is said where a story is given away, as data: each phrase with how telling it is, and of what it tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Theme = Literal["death", "crime", "contest", "reveal", "fate", "ending"]


@dataclass(frozen=True, slots=True)
class SpoilerCue:
    """A phrase, with the chance that it gives something away, were the position known to be an ending."""

    pattern: re.Pattern[str]
    weight: float
    theme: Theme


def _cue(theme: Theme, weight: float, *patterns: str) -> SpoilerCue:
    return SpoilerCue(re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)", re.IGNORECASE), weight, theme)


CUES = (
    _cue("reveal", 0.55, r"(?:it|he|she|they|that)? ?(?:all )?turn(?:s|ed) out(?: to be| that)?"),
    _cue(
        "crime",
        0.7,
        r"(?:the|her|his|their|real|actual) (?:killer|murderer|culprit|thief|murder weapon|traitor"
        r"|father|mother) (?:was|is|had been|turned)",
    ),
    _cue(
        "reveal",
        0.35,
        r"(?:person|man|woman|one|ones|people|boy|girl) (?:who|that) (?:\w+ ){1,5}(?:was|were|is)(?! (?:not|never))",
    ),
    _cue(
        "death",
        0.4,
        r"died|dies|was dead|were dead|is dead|passed away|did not survive|didn['’]t survive|didn['’]t make it",
        r"drowned|froze to death|(?:was|were|had been|got) killed|killed (?:him|her|them|himself|herself|the)",
    ),
    _cue(
        "crime",
        0.4,
        r"(?:was|were|had been|got) (?:murdered|shot|poisoned|hanged|executed|convicted"
        r"|acquitted|sentenced|arrested|found guilty)",
        r"(?:murdered|poisoned|betrayed|stabbed) (?:him|her|them|his|himself|herself|the)",
    ),
    _cue("crime", 0.5, r"confess(?:ed|es)|admitted (?:that|it|to)|plead(?:ed)? guilty|came clean"),
    _cue(
        "reveal",
        0.45,
        r"reveal(?:ed|s)|it was revealed|unmasked|the (?:big )?(?:twist|reveal|secret)(?: is| was)?",
    ),
    _cue(
        "reveal",
        0.5,
        r"the (?:answer|truth|solution|reason|explanation|mystery|culprit) (?:is|was|were|turned|had been)",
    ),
    _cue(
        "fate",
        0.55,
        r"(?:finally|eventually|in the end|at last),? (?:\w+ ){0,4}(?:won|found|solved|beat|beaten"
        r"|caught|defeated|escaped|married|died|did it|made it|learned|got)",
    ),
    _cue(
        "contest",
        0.5,
        r"(?:won|wins|lost|loses) (?:the|his|her|their) (?:\w+ )?(?:final|finals|championship"
        r"|title|race|election|match|game|case|war|prize|gold|cup)",
        r"(?:was|were) (?:crowned|relegated|knocked out|eliminated)",
    ),
    _cue(
        "reveal",
        0.5,
        r"(?:had|has) been (?:\w+ )?(?:all along|the whole time|alive|dead|lying)|all along"
        r"|the whole time|never (?:really )?existed",
    ),
    _cue(
        "ending",
        0.3,
        r"in the end|the ending|at the end of the (?:book|film|movie|season|story)|the final scene|last page",
    ),
    _cue(
        "reveal",
        0.55,
        r"(?:case|mystery|riddle|puzzle) (?:was|is|has been|had been) (?:\w+ )?(?:solved|closed|cracked)",
    ),
    _cue("reveal", 0.4, r"(?:was|were) (?:really|actually|in fact|secretly) (?:a|an|the|his|her|their|alive|dead)"),
    _cue(
        "fate",
        0.3,
        r"(?:ended up|wound up) (?:\w+ing|dead|alone|with|in prison|together)",
        r"(?:they|he|she) (?:never came back|lived|survived|got married|got divorced)",
    ),
    _cue("ending", 0.6, r"spoiler(?:s| alert| warning)?"),
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


def revelations(text: str, weights: Mapping[Theme, float]) -> Iterator[tuple[str, float]]:
    """(quote, risk) of each phrase of revelation; suppositions and questions count for half.

    `weights` multiplies the risk of themes; those that are not in it count as they are.
    """
    doubt = 0.5 if HYPOTHETICAL.search(text) else 1.0
    for cue in CUES:
        if match := cue.pattern.search(text):
            yield " ".join(match[0].split()), min(0.95, cue.weight * weights.get(cue.theme, 1.0)) * doubt
