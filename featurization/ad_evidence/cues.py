"""What is said in sponsor messages and promotions, as data: each phrase with how telling it is.

A weight is the probability that a passage with this phrase alone is an advertisement. Phrases of one family say the
same thing, so only the strongest counts; families add up (noisy or).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["sponsor", "self-promotion", "cross-promotion"]
KINDS: tuple[Kind, ...] = ("sponsor", "self-promotion", "cross-promotion")


@dataclass(frozen=True, slots=True)
class AdCue:
    """A phrase that gives an advertisement away."""

    pattern: re.Pattern[str]
    weight: float
    family: str
    kind: Kind = "sponsor"


@dataclass(frozen=True, slots=True)
class CueHit:
    """A cue found in a sentence, with the words that matched."""

    quote: str
    weight: float
    family: str
    kind: Kind = field(default="sponsor")

    @property
    def evidence(self) -> str:
        return f'says "{self.quote}"'


def cue(pattern: str, weight: float, family: str, kind: Kind = "sponsor") -> AdCue:
    """A cue whose pattern matches at the start of a word, whatever its case."""
    return AdCue(re.compile(rf"(?<!\w)(?:{pattern})", re.IGNORECASE), weight, family, kind)


SHOW = r"(?:show|podcast|episode|program|programme|series|channel|newsletter|video|hour|season)"

OPENER = re.compile(
    r"(?:take|taking) a (?:moment|minute|second|quick|short|brief|little)[\w ]*?(?:to (?:thank"
    r"|tell|talk about|hear)|break|from)"
    r"|(?:quick|short|brief|commercial|little) (?:ad )?(?:break|word|message)"
    r"|(?:word|message) from (?:our|today['’]s)|before we (?:go on|continue|get (?:back|into"
    r"|started|going)|begin|start|dive)[\w ]*,"
    r"|pause (?:here |for a )|thank (?:our|today['’]s) (?:sponsor|partner)|(?:i|we) (?:want"
    r"|have|need) to tell you about"
    r"|(?:let me|i['’]d like to|let['’]s) (?:tell you|talk|thank)[\w ]* (?:about|sponsor|partner)|speaking of ",
    re.IGNORECASE,
)
CLOSER = re.compile(
    r"(?:(?:now|and|so|okay|ok|alright|all right|right|anyway),? )*(?:let['’]s |we['’]re "
    r"|we are |welcome |getting |get )?(?:get |go |jump |dive )?"
    r"(?:back|return)(?: now)?,? (?:to|with) (?:the |our |this "
    r"|today['’]s )?(?:\w+ ){0,2}(?:show|episode|story|conversation|interview|program"
    r"|programme|podcast|discussion)"
    r"|(?:and|okay|ok|alright|all right)?,? ?we(?:['’]re| are) back\b|(?:now|and) back to"
    r"|^(?:[\w’']+,? ){0,3}(?:welcome back|where were we)",
    re.IGNORECASE,
)
ABOUT_ADS = re.compile(
    r"\b(?:advertising|advertisers?|advertisements?|marketing|marketers?|commercials"
    r"|ad (?:industry|agency|agencies|men|business)"
    r"|influencers?|brands|slogans?|jingles?|sponsorships?|consumers)\b",
    re.IGNORECASE,
)
NARRATED = re.compile(
    r"\b(?:in (?:the )?(?:18|19|20)\d0?\d?s?|back then|at the time|years ago|in those days"
    r"|used to|(?:was|were|had been) (?:sponsored|brought)"
    r"|(?:they|he|she|company|companies|stores?|shops?|brands?) (?:would |had |was "
    r"|were )?(?:offered|gave|sold|promised|printed|ran|asked|sponsored))\b",
    re.IGNORECASE,
)
CHAPTER = re.compile(
    r"^\W*(?:ads?|advert(?:isement)?s?|sponsors?|sponsor (?:break|message|read|spot)s?"
    r"|sponsored(?: (?:segment|message|content|by\b.*))?|promos?"
    r"|(?:commercial|ad)(?: break)?s?|(?:mid|pre|post)-?roll|(?:a )?(?:word"
    r"|message) from our sponsors?|our sponsors?|thanks to our sponsors?"
    r"|(?:ads?|sponsors?|promo|advertisement)\s*[:–—-].*|.*[(\[](?:ad|sponsor|sponsored|advertisement)[)\]])\W*$",
    re.IGNORECASE,
)
