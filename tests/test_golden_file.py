"""Tables of golden clips as people keep them: what is read, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from featurization.errors import SourceError
from steps.golden.claims import Claim
from steps.golden.clips import RefusedClip
from steps.golden.file import COLUMNS, read_clips

HEADER = "asset_id,start,end,editor"
HOSTILE = (
    "",
    "a1",
    "10",
    "40",
    "1:20",
    "9" * 400,
    "nan",
    "-0",
    "١٢",
    "1e9",
    '"',
    "\0",
    "\x1b[2J",
    "ann",
    "🎙",
    "=1+1",
    "a,b",
)


def read(folder: Path, content: str | bytes, name: str = "clips.csv") -> tuple[list[Claim], list[RefusedClip]]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_clips(path)


def test_a_row_says_everything_that_a_column_can_say(tmp_path: Path):
    row = ["a1", "g1", "Night", "1:23.5", "0:01:53", "ann", "3", "The lamp", "AB" * 32, "10:00", "so, the lamp"]
    cells = ",".join(f'"{cell}"' for cell in row)
    (claim,), refused = read(tmp_path, f"{','.join(COLUMNS)}\n{cells}\n")
    assert refused == []
    assert claim == Claim(
        83.5,
        113.0,
        source="file",
        editor="ann",
        grade=3,
        title="The lamp",
        asset_id="a1",
        guid="g1",
        feed="Night",
        sha256="ab" * 32,
        duration_s=600.0,
        text="so, the lamp",
        place="clips.csv, row 1",
    )


def test_what_is_left_out_is_not_known_and_the_grade_is_the_best(tmp_path: Path):
    ((claim,), _) = read(tmp_path, f"{HEADER}\na1,10,40,ann\n")
    assert (claim.grade, claim.title, claim.sha256, claim.duration_s, claim.text) == (4, "", "", 0.0, "")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("83.5", 83.5),
        ("83", 83),
        ("83,5", 83.5),
        ("1:23.5", 83.5),
        ("0:01:23.5", 83.5),
        ("83:20", 5000),
        ("8.35e1", 83.5),
    ],
)
def test_times_are_read_as_people_write_them(tmp_path: Path, written: str, seconds: float):
    ((claim,), refused) = read(tmp_path, f"asset_id;start;end;editor\na1;{written};9000;ann\n")
    assert (claim.start, refused) == (seconds, [])


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\na1,10,40,Zoë\n".encode("utf-8-sig"),
        f"{HEADER}\na1,10,40,Zoë\n".encode("utf-16"),
        f"{HEADER}\r\na1,10,40,Zoë\r\n\r\n".encode("cp1252"),
        "Asset_ID;START;End; editor ;\n a1 ;10;40;Zoë;\n".encode(),
        "editor\tend\tstart\tasset_id\tmood\nZoë\t40\t10\ta1\thappy\n".encode(),
    ],
    ids=["byte order mark", "utf-16", "windows", "semicolons", "tabs"],
)
def test_encodings_delimiters_and_orders_of_columns(tmp_path: Path, content: bytes):
    ((claim,), refused) = read(tmp_path, content)
    assert (claim.asset_id, claim.start, claim.end, claim.editor, refused) == ("a1", 10.0, 40.0, "Zoë", [])


def test_unknown_columns_are_named_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    claims, refused = read(tmp_path, f"{HEADER},mood,stars\na1,10,40,ann,good,5\n")
    assert (len(claims), refused) == (1, [])
    assert "mood, stars" in caplog.text


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a1,x,40,ann", "start is 'x'"),
        ("a1,,40,ann", "start is ''"),
        ("a1,nan,40,ann", "start is 'nan'"),
        ("a1,10,inf,ann", "end is 'inf'"),
        ("a1,-1,40,ann", "start is '-1'"),
        ("a1,1:99,140,ann", "start is '1:99'"),
        ("a1,10,1e300,ann", "end is '1e300'"),
        ("a1,40,10,ann", "end (10 s) must be after start (40 s)"),
        ("a1,40,40,ann", "must be after start"),
        (",10,40,ann", "neither asset_id nor guid"),
        ("a1,10,40,", "no editor"),
        ("a1,10,40", "no editor"),
        ("a1,10,40,ann,5", "grade is '5'"),
        ("a1,10,40,ann,2.5", "grade is '2.5'"),
        ("a1,10,40,ann,good", "grade is 'good'"),
        ("a1,10,40,ann,4,beef", "sha256 is 'beef'"),
        ("a1,10,40,ann,4,,so, the lamp", "more cells than columns ('the lamp')"),
        (f"a1,10,40,ann,4,,{'lamp ' * 5000}", "24999 letters"),
    ],
)
def test_a_bad_row_is_refused_and_the_rest_goes_on(tmp_path: Path, row: str, says: str):
    claims, (refused,) = read(tmp_path, f"{HEADER},grade,sha256,text\n{row}\na2,10,40,bob\n")
    assert [claim.asset_id for claim in claims] == ["a2"]
    assert refused.reason == "malformed"
    assert refused.detail.startswith("clips.csv, row 1: ")
    assert says in refused.detail
    assert "\n" not in refused.detail


def test_a_refused_row_keeps_the_times_that_could_be_read(tmp_path: Path):
    _, (refused, other) = read(tmp_path, f"{HEADER},grade\na1,10,40,ann,9\na1,ten,40,ann,9\n")
    assert (refused.where, refused.editor, refused.start, refused.end) == ("a1", "ann", 10.0, 40.0)
    assert (other.start, other.end) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (HEADER.encode(), "no clips in it"),
        (b"a,b\n1,2\n", "missing column asset_id or guid, start, end, editor"),
        (b"guid,start,editor\n", "missing column end"),
        (b"asset_id,start,end,editor,end\n", "column end stands there twice"),
        (b"PK\x03\x04 a spreadsheet", "missing column"),
        (b"PAR1 but no more", "damaged Parquet"),
        (b'asset_id,start,end,editor\n"' + b"x" * 200_000, "damaged CSV"),
        (bytes(range(256)), "missing column"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, content: bytes, says: str):
    with pytest.raises(SourceError) as raised:
        read(tmp_path, content)
    assert says in str(raised.value)
    assert str(tmp_path / "clips.csv") in str(raised.value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from(HOSTILE), max_size=6), max_size=4), st.sampled_from(",;\t"))
def test_no_table_ends_in_a_traceback(tmp_path: Path, cells: list[list[str]], mark: str):
    lines = [mark.join(["asset_id", "start", "end", "editor", "grade"]), *(mark.join(row) for row in cells)]
    try:
        claims, refused = read(tmp_path, "\n".join(lines))
    except SourceError as error:
        assert "\n" not in str(error)
    else:
        assert all(claim.start < claim.end for claim in claims)
        assert not any("\n" in one.detail for one in refused)


@pytest.mark.parametrize("name", ["", "none.csv"])
def test_a_file_that_is_none(tmp_path: Path, name: str):
    with pytest.raises(SourceError, match="no such file"):
        read_clips(tmp_path / name)


def test_parquet_says_the_same(tmp_path: Path):
    columns = {
        "guid": ["g1", "g2", "g3"],
        "start": [10.0, float("nan"), 10.0],
        "end": [40.5, 40.0, None],
        "editor": ["ann", "ann", "bob"],
        "grade": [3.0, 3.0, 3.0],
    }
    pq.write_table(pa.table(columns), tmp_path / "clips.parquet")
    claims, refused = read_clips(tmp_path / "clips.parquet")
    assert [(c.guid, c.start, c.end, c.grade) for c in claims] == [("g1", 10.0, 40.5, 3)]
    assert [(r.where, r.detail.partition(": ")[2].partition(";")[0]) for r in refused] == [
        ("g2", "start is 'nan'"),
        ("g3", "end is ''"),
    ]
