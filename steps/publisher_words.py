"""The publisher's own transcript as words, if it carries times and they fit what is heard."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from featurization.cue_words import agreement, words_from_cues
from featurization.errors import RushesError
from featurization.media import Asset, Segment, TranscriptFile, Word
from featurization.transcripts import parse_transcript
from steps.store import Store

log = logging.getLogger(__name__)
PUBLISHER = "publisher"  # begins the name of a transcript that was not recognised by us


def publisher_words(
    asset: Asset, spoken: Sequence[Segment], *, min_agreement: float, store: Store
) -> tuple[str, tuple[Word, ...]] | None:
    """Name and words of the first transcript that can be used, or None; a line says why one is not.

    `spoken` is where anybody speaks, `min_agreement` how well cues must fit that (F1 of time).
    """
    for file in asset.transcripts:
        if file.blob and _is_spoken(file, asset) and (words := _words(file, asset, spoken, min_agreement, store)):
            return f"{PUBLISHER} {file.type}", words
    return None


def _is_spoken(file: TranscriptFile, asset: Asset) -> bool:
    """Whether the transcript may be in the language that is spoken: a translation has its times, not its words."""
    languages = [tag.partition("-")[0].lower() for tag in (file.language, asset.language)]
    return not all(languages) or languages[0] == languages[1]


def _words(
    file: TranscriptFile, asset: Asset, spoken: Sequence[Segment], min_agreement: float, store: Store
) -> tuple[Word, ...]:
    try:
        cues = parse_transcript(store.files.read(file.blob), media_type=file.type)
    except RushesError as error:
        log.warning("%s: transcript not used: %s", asset.title, error)
        return ()
    agreed = agreement(cues, spoken)
    if agreed < min_agreement:
        log.warning("%s: transcript not used: only %.0f %% of it fits the sound", asset.title, 100 * agreed)
        return ()
    return words_from_cues(cues, spoken)
