"""Rows survive the way into Parquet and back."""

import io

import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from featurization.media import Asset, Rights, Segment, Soundbite, TranscriptFile, Word
from steps.tables import ASSETS, WORDS

EPISODE = Asset(
    asset_id="ab12",
    sha256="ab12" * 16,
    blob="blobs/ab/x.mp3",
    size_bytes=10,
    duration_s=61.5,
    kind="audio",
    container="mp3",
    codec="mp3",
    rate_hz=44100,
    channels=2,
    title="A title — with “quotes”",
    source="https://example.com/a.mp3",
    persons=("Ann (host)", "Ben (guest)"),
    soundbites=(Soundbite(1.0, 31.0, "the hook"),),
    transcripts=(TranscriptFile("https://example.com/a.vtt", "text/vtt"),),
    rights=Rights(preview="allowed", territories=("DE", "FR")),
)

words = st.builds(
    lambda start, length, text, probability: Word(start, start + length, text, probability),
    st.floats(0, 1e5),
    st.floats(0, 10),
    st.text(max_size=20),
    st.floats(0, 1),
)


def test_an_asset_with_all_it_carries_comes_back_equal():
    assert ASSETS.from_arrow(ASSETS.to_arrow({"ab12": [EPISODE]})) == {"ab12": (EPISODE,)}


def test_the_schema_puts_the_asset_first_and_follows_the_type():
    assert WORDS.schema.names == ["asset_id", "start", "end", "text", "probability", "channel", "estimated"]
    assert ASSETS.schema.names.count("asset_id") == 1


@given(st.dictionaries(st.text("0123456789abcdef", min_size=4, max_size=4), st.lists(words, min_size=1, max_size=4)))
def test_words_come_back_by_asset_in_order_through_parquet(by_asset: dict[str, list[Word]]):
    buffer = io.BytesIO()
    pq.write_table(WORDS.to_arrow(by_asset), buffer)
    assert WORDS.from_arrow(pq.read_table(buffer)) == {a: tuple(rows) for a, rows in by_asset.items()}


def test_a_stored_row_is_of_its_own_type():
    (stored,) = WORDS.from_arrow(WORDS.to_arrow({"a": [Word(0, 1, "x")]}))["a"]
    assert type(stored) is Word
    assert stored & Segment(0.5, 3) == Segment(0.5, 1)


def test_rows_that_are_in_arrow_already_join_the_others():
    words = {"b": (Word(0.0, 1.0, "two"), Word(1.0, 2.0, "three")), "a": (Word(0.0, 1.0, "one"),), "c": ()}
    mixed = {"a": words["a"], "b": WORDS.to_arrow({"b": words["b"]}), "c": WORDS.to_arrow({})}
    assert WORDS.to_arrow(mixed).equals(WORDS.to_arrow(words))
