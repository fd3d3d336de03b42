"""`rushes search`: what it prints for people and for scripts, and how it refuses."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image as Pictures
from searchable_store import ENCODERS, HILL, SEA, TALK, encoded, picture, searchable

from search.open_index import open_index
from serving import cli
from serving.commands import search as search_command
from serving.commands.inline_pictures import escaped, protocol, strip
from steps.index import publish
from steps.store import Store

Rushes = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("search-cli") / "store"
    made = searchable(folder)
    with closing(open_index(str(folder / "index"))) as index:
        publish(made, index, run="test", spaces={})
    return made


@pytest.fixture
def rushes(store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rushes:
    """Run the command in this process, with encoders that need no models: status, standard output, standard error."""
    monkeypatch.setenv("RUSHES_STORE", store.url)
    monkeypatch.delenv("RUSHES_INDEX", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(search_command, "configured_encoders", lambda: ENCODERS)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rushes", "search", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_words_and_pictures_are_searched_together(rushes: Rushes):
    code, out, _ = rushes("red")
    assert code == 0
    assert "Said: nothing matches" in out
    assert "Seen: 2" in out
    line = next(line for line in out.splitlines() if f"{SEA}-0001" in line)
    assert line.split()[0] == "00:00:06.000"
    assert "3.0 s" in line
    assert "The sea" in line


def test_a_line_is_shown_with_its_words_and_why(rushes: Rushes):
    code, out, _ = rushes('"the harbour"', "--in", "dialogue")
    line = next(line for line in out.splitlines() if "00:00:10.000" in line)
    assert (code, "At night the harbour sings." in line, "1.00" in line) == (0, True, True)
    assert "says “the harbour”" in line
    assert "Seen" not in out


def test_json_is_what_the_service_says(rushes: Rushes):
    code, out, _ = rushes("flour", "--json", "--in", "dialogue")
    found = json.loads(out)
    assert (code, set(found)) == (0, {"dialogue", "notes"})
    (hit,) = found["dialogue"]["items"]
    assert (hit["asset_id"], hit["timecode"], hit["text"]) == (TALK, "00:00:00.000", "Bread needs flour and time.")


def test_moments_are_known_by_their_form(rushes: Rushes):
    _, out, _ = rushes("says:harbour tag:night sound:music")
    assert "Moments: 1" in out
    assert "00:00:12.500" in out


def test_shots_like_a_shot_a_picture_and_by_tag(rushes: Rushes, tmp_path: Path):
    alike = json.loads(rushes("--like", f"{SEA}-0000", "--json", "--min-confidence", "0")[1])
    assert alike["shots"]["items"][0]["id"] == f"{SEA}-0003"
    photo = tmp_path / "photo.png"
    photo.write_bytes(encoded(picture("green"), "PNG"))
    assert f"{HILL}-0000" in rushes("--image", str(photo))[1]
    _, out, _ = rushes("--tag", "night", "--min-duration", "6s")
    assert "Seen: 1" in out
    assert f"{SEA}-0002" in out


def test_an_asset_is_named_by_its_beginning(rushes: Rushes):
    found = json.loads(rushes("red", "--in", "pictures", "--asset", HILL[:6], "--json")[1])
    assert [hit["id"] for hit in found["shots"]["items"]] == [f"{HILL}-0002"]


def test_nothing_matches_is_said_plainly(rushes: Rushes):
    code, out, err = rushes("zeppelin", "--in", "dialogue")
    assert (code, out.strip(), err) == (0, "Said: nothing matches", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the query is empty"),
        (["x" * 1001], "1000 are allowed"),
        (["harbour", "--in", "moments"], "is no condition"),
        (["red", "--min-duration", "five"], "is no duration"),
        (["--like", "nothing"], "no shot"),
        (["--image", "/nowhere.png"], "no such file"),
        (["red", "--asset", "zz"], "no asset"),
        (["bang", "--in", "sounds"], "with a sound"),
    ],
)
def test_what_cannot_be_asked_is_one_line(rushes: Rushes, arguments: list[str], said: str):
    code, out, err = rushes(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("rushes: ")
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_a_file_that_is_no_picture_is_one_line(rushes: Rushes, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"hello")
    code, _, err = rushes("--image", str(tmp_path / "a.png"))
    assert (code, "no picture, sound or film" in err) == (1, True)


def test_an_empty_store_says_what_to_do(rushes: Rushes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("RUSHES_STORE", str(tmp_path / "none"))
    code, out, err = rushes("harbour")
    assert (code, "nothing matches" in out) == (0, True)
    assert "featurize_media" in err


def test_thumbnails_are_written_as_terminals_want_them():
    png = strip([encoded(picture("red"), "WEBP"), encoded(picture("green"), "WEBP")])
    with Pictures.open(io.BytesIO(png)) as sheet:
        assert sheet.height == 96
        assert sheet.getpixel((10, 48))[0] > 200 > sheet.getpixel((sheet.width - 20, 48))[0]
    assert base64.b64decode(escaped(png, "iterm").partition(":")[2].rstrip("\x07\n")) == png
    chunks = re.findall("\x1b_G([^;]*);([^\x1b]*)\x1b\\\\", escaped(bytes(9000), "kitty"))
    assert [control for control, _ in chunks] == ["a=T,f=100,m=1", "m=1", "m=0"]
    assert base64.b64decode("".join(text for _, text in chunks)) == bytes(9000)


@pytest.mark.parametrize(
    ("environment", "spoken"),
    [
        ({}, ""),
        ({"TERM": "xterm-256color"}, ""),
        ({"KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm"),
    ],
)
def test_terminals_say_what_they_understand(environment: dict[str, str], spoken: str):
    assert protocol(environment) == spoken


def test_help_has_examples(rushes: Rushes):
    code, out, _ = rushes("--help")
    assert code == 0
    assert "says:harbour tag:night sound:music" in out.partition("Examples")[2]
