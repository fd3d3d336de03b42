"""What was said, as one long row of words: exact phrases, words and misspelt words are found in it.

Case, accents and punctuation do not count: "Café's" is `cafes`. Scripts that write without spaces are taken letter
by letter, so that a part of a sentence is a phrase there too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Codes = NDArray[np.int32]
Rows = NDArray[np.int64]
_NO_CODES = np.empty(0, np.int32)


def normalised(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Texts as words in lower case with one space between, without accents and punctuation."""
    plain = pc.utf8_normalize(pc.utf8_lower(texts), form="NFKD")
    plain = pc.replace_substring(plain, "ß", "ss")
    plain = pc.replace_substring_regex(plain, r"['’ʼ`\x{0300}-\x{036F}\x{0591}-\x{05C7}\x{064B}-\x{065F}]+", "")
    plain = pc.utf8_normalize(plain, form="NFKC")  # marks that make other letters, as in Japanese, are joined again
    plain = pc.replace_substring_regex(plain, r"([\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}])", r" \1 ")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(plain, r"[^\p{L}\p{N}\p{M}]+", " "))


def words_of(text: str) -> list[str]:
    """The words of one text, normalised."""
    return str(normalised(pa.array([text]))[0]).split()


def allowed_edits(word: str) -> int:
    """How many letters may be wrong: none in up to 2, one in up to 5, else two (as Lucene's `AUTO` fuzziness)."""
    return 0 if len(word) <= 2 else 1 if len(word) <= 5 else 2


@dataclass(frozen=True, eq=False)
class Spoken:
    """Words by number, each with the row of the sentence that it is in."""

    vocabulary: tuple[str, ...]
    words: Codes  # all words that were said, in order
    rows: Rows  # (words,) which sentence each is in
    sentences: int

    @classmethod
    def of(cls, texts: pa.Array | pa.ChunkedArray) -> Spoken:
        """The words of sentences, in their order."""
        if not len(texts):
            return cls((), _NO_CODES, np.empty(0, np.int64), 0)
        split = pc.split_pattern(normalised(texts), " ")
        said, rows = pc.list_flatten(split), pc.list_parent_indices(split)
        real = pc.not_equal(said, "")  # a sentence of punctuation alone is one empty word
        coded = _whole(said.filter(real)).dictionary_encode()
        words = coded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
        return cls(tuple(coded.dictionary.to_pylist()), words, _whole(rows.filter(real)).to_numpy(), len(texts))

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        return {word: number for number, word in enumerate(self.vocabulary)}

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """What finding a word says: log(1 + sentences / sentences with it)."""
        pairs = np.unique(self.words.astype(np.int64) * max(1, self.sentences) + self.rows)
        counts = np.bincount(pairs // max(1, self.sentences), minlength=len(self.vocabulary))
        return np.log1p(self.sentences / np.maximum(1, counts))

    def codes(self, words: Sequence[str]) -> list[int | None]:
        """The number of each word, None where it was never said."""
        return [self.numbers.get(word) for word in words]

    def similar(self, word: str) -> dict[int, float]:
        """Words that a misspelling of `word` may mean, with their likeness: 1 is the word itself."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        edits = allowed_edits(word)
        found = process.extract(word, self.vocabulary, scorer=OSA.distance, score_cutoff=edits, limit=None)
        return {number: 1 - distance / max(len(word), 1) for _, distance, number in found}

    def phrase(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """First and last row of every place where the words follow each other, sentence ends or not."""
        codes = self.codes(words)
        count = len(self.words) - len(codes) + 1
        if not codes or None in codes or count < 1:
            return []
        places = np.flatnonzero(self.words[:count] == codes[0])
        for step, code in enumerate(codes[1:], start=1):
            places = places[self.words[places + step] == code]
        return list(zip(self.rows[places].tolist(), self.rows[places + len(codes) - 1].tolist(), strict=True))

    def holding(self, codes: Sequence[int]) -> Rows:
        """Rows with any of these words, ascending."""
        return np.unique(self.rows[np.isin(self.words, np.array(codes, np.int32))])

    def in_row(self, row: int) -> Codes:
        """The words of a sentence."""
        first, last = np.searchsorted(self.rows, [row, row + 1])
        return self.words[first:last]


def _whole(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
