"""Sponsors named in an episode's description, and whether a sentence speaks of them."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from featurization.ad_evidence.cues import CueHit

SPONSORED = re.compile(
    r"sponsor|brought to you|promo|\bcode\b|% off|percent off|\bad(?:vert\w*)?:|partners?:|free trial|discount",
    re.IGNORECASE,
)
CODE = re.compile(r"\bcode\W{1,3}([A-Z0-9]{3,}|[A-Z][A-Za-z]*\d+)\b", re.IGNORECASE)
DOMAIN = re.compile(
    r"\b(?:https?://)?(?:www\.)?([a-z0-9-]{4,})\.(?:com|org|net|io|co|fm|app|shop|store|health)\b", re.IGNORECASE
)
NAME = re.compile(
    r"(?i:sponsor(?:s|ed by)?|brought to you by|partners?|thanks to)[\s:]+([A-Z][\w&'’-]+(?: [A-Z][\w&'’-]+){0,3})"
)
MIN_SQUEEZED = 5  # letters a code or site needs to be looked for regardless of blanks


@dataclass(frozen=True, slots=True)
class Sponsors:
    """What the show notes give away about their sponsors, in lower case."""

    codes: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def spoken_in(self, text: str) -> list[CueHit]:
        """Cues for each code, site or sponsor's name that the sentence speaks, however it is spaced."""
        lowered, squeezed = text.lower(), re.sub(r"[^a-z0-9]", "", text.lower())
        found = [(code, 0.5, "code") for code in sorted(self.codes) if _speaks(code, lowered, squeezed)]
        found += [(site, 0.5, "site in notes") for site in sorted(self.sites) if _speaks(site, lowered, squeezed)]
        found += [(name, 0.35, "name in notes") for name in sorted(self.names) if _has_word(name, lowered)]
        return [CueHit(f"{word}, a sponsor's in the show notes", weight, family) for word, weight, family in found]


def sponsors_in(description: str) -> Sponsors:
    """Codes, sites and names from the lines of a description that speak of sponsors or discounts."""
    text = html.unescape(re.sub(r"<(?:br|/p|/li|/div)[^>]*>", "\n", description))
    text = re.sub(r"<a\b[^>]*href=[\"']([^\"']*)[\"'][^>]*>", r" \1 ", text)
    lines = [re.sub(r"<[^>]*>", " ", line) for line in re.split(r"\n|(?<=[.!?])\s+(?=[A-Z])", text)]
    lines = [line for line in lines if SPONSORED.search(line)]
    return Sponsors(
        codes=frozenset(code.lower() for line in lines for code in CODE.findall(line) if not code.islower()),
        sites=frozenset(site.lower().replace("-", "") for line in lines for site in DOMAIN.findall(line)),
        names=frozenset(name.lower() for line in lines for name in NAME.findall(line)),
    )


def _speaks(term: str, lowered: str, squeezed: str) -> bool:
    return term in squeezed if len(term) >= MIN_SQUEEZED else _has_word(term, lowered)


def _has_word(term: str, lowered: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(term)}(?!\w)", lowered) is not None
