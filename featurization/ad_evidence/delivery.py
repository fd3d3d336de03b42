"""Who delivers a message: the host, or a produced spot that was put in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from featurization.ad_evidence.beside_words import BesideWords
from featurization.media import Delivery

FIRST_PERSON = re.compile(
    r"(?<!\w)(?:i|i['’](?:m|ve|d|ll)|me|my|mine|we['’]ve|our (?:listeners|show))(?!\w)", re.IGNORECASE
)
DISCLAIMER = re.compile(
    r"(?:terms|conditions|restrictions)[\w ]* apply|member fdic|see (?:site|store|website)|all rights reserved"
    r"|not available in|paid for by|drink responsibly|side effects|ask your doctor|available now|only in theaters",
    re.IGNORECASE,
)
SHARE = 0.5  # of a message's sentences


def delivery_of(texts: Sequence[str], beside: BesideWords, run: range) -> Delivery:
    """Produced if another voice or a bed of music carries it; by its words where the sound says neither."""
    bed = beside.bed[run.start : run.stop].mean()
    stranger = beside.stranger[run.start : run.stop].mean()
    if max(bed, stranger) > SHARE:
        return "produced"
    text = " ".join(texts)
    personal = len(FIRST_PERSON.findall(text))
    return "produced" if not personal or (DISCLAIMER.search(text) and personal < len(texts) * SHARE) else "host-read"
