"""Where each word of a known text is spoken: read from a file beside the sound, else aligned by pocketsphinx.

Forced alignment with the packaged English model of pocketsphinx (BSD-2-Clause) lies within 10 to 35 ms, in the median,
of the known edges of synthesised speech. A text with a word that its dictionary lacks is not aligned.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from eval.spoken_numbers import spell_numbers
from featurization.decode import decode_audio
from featurization.media import Segment, Word
from steps.truth.formats import WORDS, read_csv

_FRAME_S = 0.01


def word_truth(path: Path, row: dict[str, str], scratch: Path) -> tuple[Word, ...]:
    """The words of a file with their times; empty if nobody knows them.

    NAME.words.csv (start, end, text) beside NAME.wav is believed; English texts are aligned if pocketsphinx is there.
    """
    known = path.with_name(path.stem + WORDS)
    if known.is_file():
        rows = read_csv(known, "start", "end", "text")
        return tuple(Word(float(r["start"]), float(r["end"]), r["text"]) for r in rows)
    return aligned(path, row["text"], scratch) if row["language"] in ("", "en") else ()


def aligned(path: Path, text: str, scratch: Path) -> tuple[Word, ...]:
    """The words of `text` where they are spoken in a file; empty without pocketsphinx or with a word unknown to it."""
    try:
        from pocketsphinx import Config, Decoder
    except ImportError:
        return ()
    decoder = Decoder(Config(lm=None, loglevel="FATAL"))
    tokens = re.findall(r"[a-z']+", spell_numbers(text.lower().replace("’", "'")))
    if not tokens or any(decoder.lookup_word(token) is None for token in tokens):
        return ()
    pcm = decode_audio(path, scratch=scratch)
    samples = pcm.read(Segment(0.0, pcm.duration_s))
    decoder.set_align_text(" ".join(tokens))
    decoder.start_utt()
    decoder.process_raw((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    found = [one for one in decoder.seg() or () if not one.word.startswith(("<", "["))]
    said = (one.word.partition("(")[0] for one in found)
    return tuple(
        Word(one.start_frame * _FRAME_S, (one.end_frame + 1) * _FRAME_S, text)
        for one, text in zip(found, said, strict=True)
    )
