"""The `rushes` command: what it prints for people and for scripts, how it fails, and how it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from media_factory import encode, tone
from rich.console import Console
from stocked_store import DRUM, HEARING, HOSTILE_TITLE, JAR, LAMP, LOST, ROPE, SOUND, preview, publish, stocked

from serving import cli
from serving.catalog import read_catalog
from serving.commands.demo import Demonstrated
from serving.commands.demo_summary import show_results, show_where
from serving.commands.stages import Stage, StageError, Stages
from steps.feed_copies.publish_copies import write_feed_copies
from steps.settings import Settings
from steps.store import ROOT, Store

Rushes = Callable[..., tuple[int, str, str]]
COMMANDS = (
    "demo",
    "doctor",
    "feed",
    "probe",
    "models",
    "assets",
    "experiments",
    "golden",
    "runs",
    "compare",
    "rankers",
    "rollback",
    "gc",
    "export",
    "search",
    "index",
    "serve",
)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    made = stocked(tmp_path / "store")
    monkeypatch.setenv("RUSHES_STORE", made.url)
    return made


@pytest.fixture
def rushes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rushes:
    """Run the command line in this process: exit status, standard output and standard error."""
    monkeypatch.delenv("COLUMNS", raising=False)  # make and test runners tell of terminals that nobody sees

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rushes", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    command = [sys.executable, "-m", "serving.cli", *arguments]
    shown = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, text=True, **shown)


# help and manners ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(rushes: Rushes, command: str):
    code, out, _ = rushes(command, "--help")
    assert code == 0
    assert "Examples" in out
    assert f"rushes {command}" in out.partition("Examples")[2]


def test_help_loads_nothing_heavy():
    heavy = {"torch", "transformers", "metaflow", "lightgbm", "scipy", "pyarrow", "fastapi", "av"}
    probe = f"import sys, serving.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_command_is_a_usage_error(rushes: Rushes):
    code, _, err = rushes("publsh")
    assert code == 2
    assert "publsh" in err


def test_a_reader_that_goes_away_is_no_error():
    with start("models", "list", "--json") as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 128 + signal.SIGPIPE


def test_an_error_is_one_line(rushes: Rushes, tmp_path: Path):
    code, out, err = rushes("feed", str(tmp_path / "none.xml"))
    assert (code, out) == (1, "")
    assert err.startswith("rushes: ")
    assert err.count("\n") == 1


# feed and probe -----------------------------------------------------------------------------------------------------


def test_feed_lists_what_an_ingest_would_make_and_makes_nothing(
    rushes: Rushes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RUSHES_STORE", str(tmp_path / "none"))
    code, out, _ = rushes("feed", str(ROOT / "samples" / "feed.xml"), "--json")
    listing = json.loads(out)
    assert code == 0
    assert (listing["kind"], listing["count"], listing["problems"]) == ("feed", 3, [])
    assert listing["items"][0]["title"] == "Nine Hours on Mount Harlow"
    assert not (tmp_path / "none").exists()
    _, out, _ = rushes("feed", str(ROOT / "samples" / "feed.xml"), "--limit", "1")
    assert "Nine Hours on Mount Harlow" in out
    assert "cc-by-nd-4.0: no preview" in out
    assert "Raven Rock" not in out


def test_probe_tells_each_file_and_exits_with_2_if_any_failed(rushes: Rushes, tmp_path: Path):
    good = encode(tmp_path / "tone.wav", tone(2.0))
    bad = tmp_path / "notes.mp3"
    bad.write_text("shopping list")
    code, out, _ = rushes("probe", str(good), "--json")
    assert (code, json.loads(out)[0]["duration_s"]) == (0, 2.0)
    code, out, _ = rushes("probe", str(good), str(bad), str(tmp_path / "none.mp3"), "--json")
    found = json.loads(out)
    assert code == 2
    assert [one["ok"] for one in found] == [True, False, False]
    assert [one["file"] for one in found] == [str(good), str(bad), str(tmp_path / "none.mp3")]
    assert {"error", "reason"} <= found[1].keys()
    code, out, err = rushes("probe", str(good), str(bad))
    assert code == 2
    assert "tone.wav" in out
    assert err.count("\n") == 1
    assert "notes.mp3" in err


# assets and export --------------------------------------------------------------------------------------------------


def test_assets_say_what_became_of_each(rushes: Rushes, store: Store):
    _, out, _ = rushes("assets", "--json")
    found = {entry["asset_id"]: entry for entry in json.loads(out)}
    states = {asset_id: entry["state"] for asset_id, entry in found.items()}
    assert states == {LAMP: "published", JAR: "refused", ROPE: "heard", DRUM: "ingested", LOST: "quarantined"}
    assert found[LOST]["reason"] == "gone.mp3: 404; ask its publisher"
    assert found[JAR]["reason"] == "rights: no derivatives"


def test_titles_cannot_steer_the_terminal(rushes: Rushes, store: Store):
    _, out, _ = rushes("assets")
    assert "\x1b" not in out
    assert "of [bold]Ash[/] Lane" in out


def test_an_empty_store_says_how_to_fill_it(rushes: Rushes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RUSHES_STORE", str(tmp_path / "none"))
    code, out, _ = rushes("assets")
    assert code == 0
    assert "ingest_media.py run --source" in out


def test_rttm_has_a_line_for_each_turn(rushes: Rushes, store: Store):
    _, out, _ = rushes("export", LAMP, "--format", "rttm")
    assert out.splitlines() == [
        f"SPEAKER {LAMP} 1 1.000 10.500 <NA> <NA> S1 1.00 <NA>",
        f"SPEAKER {LAMP} 1 12.000 10.500 <NA> <NA> S2 0.75 <NA>",
    ]


def test_captions_are_exported_with_their_times(rushes: Rushes, store: Store):
    _, vtt, _ = rushes("export", LAMP, "--format", "vtt")
    assert vtt.startswith("WEBVTT")
    assert "00:00:01.000 --> " in vtt
    assert "Who lit it &amp; why?" in vtt
    _, srt, _ = rushes("export", LAMP, "--format", "srt")
    assert srt.startswith("1\n00:00:01,000 --> ")
    assert "Who lit it & why?" in srt


def test_chapters_are_the_topics(rushes: Rushes, store: Store):
    _, out, _ = rushes("export", LAMP, "--format", "chapters")
    chapters = json.loads(out)["chapters"]
    assert [(c["startTime"], c["title"]) for c in chapters] == [(0.0, "The lamp"), (12.0, "The night")]


def test_label_studio_gets_one_task_with_regions(rushes: Rushes, store: Store):
    _, out, _ = rushes("export", LAMP, "--format", "label-studio")
    (task,) = json.loads(out)
    assert task["data"]["audio"] == f"https://night.example/{LAMP}.mp3"
    regions = task["predictions"][0]["result"]
    assert [(r["from_name"], r["value"]["labels"]) for r in regions] == [
        ("speaker", ["S1"]),
        ("speaker", ["S2"]),
        ("ad", ["sponsor"]),
        ("topic", ["topic"]),
        ("topic", ["topic"]),
    ]
    assert (regions[2]["value"]["start"], regions[2]["value"]["end"]) == (100.0, 130.0)
    assert len({r["id"] for r in regions}) == len(regions)


def test_json_has_everything_that_was_heard(rushes: Rushes, store: Store):
    _, out, _ = rushes("export", LAMP, "--format", "json")
    heard = json.loads(out)
    assert heard["asset"]["title"] == "The lamp"
    assert [w["text"] for w in heard["words"]] == [w.text for w in HEARING.words]
    assert heard["spoilers"][0]["risk"] == 1.0


@pytest.mark.parametrize("name", [LAMP, LAMP[:4], "The lamp", "the LAMP"])
def test_an_asset_is_named_by_id_beginning_or_title(rushes: Rushes, store: Store, name: str):
    code, out, _ = rushes("export", name, "--format", "rttm")
    assert code == 0
    assert LAMP in out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("aa", "names 2 assets"),
        ("zz", "`rushes assets`"),
        ("", "`rushes assets`"),
        (DRUM, "featurize_media.py run --assets cc04"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_line(rushes: Rushes, store: Store, name: str, said: str):
    code, out, err = rushes("export", name, "--format", "srt")
    assert (code, out) == (1, "")
    assert said in err
    assert err.count("\n") == 1
    assert "\x1b" not in err


def test_an_export_goes_to_a_file(rushes: Rushes, store: Store, tmp_path: Path):
    code, out, _ = rushes("export", LAMP, "--format", "rttm", "--out", str(tmp_path / "lamp.rttm"))
    assert (code, out) == (0, "")
    assert (tmp_path / "lamp.rttm").read_text().count("SPEAKER") == 2
    code, _, err = rushes("export", LAMP, "--format", "rttm", "--out", str(tmp_path / "no" / "lamp.rttm"))
    assert code == 1
    assert "--out" in err


# rollback -----------------------------------------------------------------------------------------------------------


def test_a_rollback_takes_everything_back_to_the_run_before(rushes: Rushes, store: Store):
    write_feed_copies(settings=Settings(), store=store)
    (feed,) = store.files.list("feeds")
    before = store.files.read(f"feeds/{feed}")
    rope = preview(store, b"the rope", start=12.0)
    publish(store, "PublishPreviews/4/join/3", {LAMP: preview(store, b"another take", start=6.5), ROPE: rope})
    write_feed_copies(settings=Settings(), store=store)
    assert store.files.read(f"previews/{LAMP}/preview.mp3") == b"another take"

    code, out, _ = rushes("rollback")

    assert code == 0
    assert "undid snapshot 4 (PublishPreviews/4)" in out
    assert store.files.read(f"previews/{LAMP}/preview.mp3") == SOUND
    assert store.files.list(f"previews/{ROPE}") == []
    assert store.files.read(f"feeds/{feed}") == before
    assert "The jar" in store.files.read("report.html").decode()
    assert read_catalog(store).previews.keys() == {LAMP, JAR}


def test_rolling_back_further_leaves_nothing_published(rushes: Rushes, store: Store):
    write_feed_copies(settings=Settings(), store=store)
    for _ in range(3):
        assert rushes("rollback")[0] == 0
    assert read_catalog(store).assets == {}
    assert store.files.list("feeds") == []
    assert all(store.files.list(f"previews/{asset_id}") == [] for asset_id in (LAMP, JAR))
    assert not store.files.exists("report.html")


def test_an_empty_store_cannot_be_rolled_back(rushes: Rushes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RUSHES_STORE", str(tmp_path / "none"))
    code, _, err = rushes("rollback")
    assert code == 1
    assert "nothing to roll back" in err


# models -------------------------------------------------------------------------------------------------------------


def test_models_are_listed_with_their_licences(rushes: Rushes):
    _, out, _ = rushes("models", "list", "--json")
    found = {model["name"]: model for model in json.loads(out)}
    assert found["silero-vad-v6"]["licence"] == "MIT"
    assert found["whisper-tiny.en"]["task"] == "speech recognition"
    assert "whisper-large-v3" in rushes("models")[1]


def test_fetching_what_is_here_fetches_nothing(rushes: Rushes):
    code, out, _ = rushes("models", "fetch", "silero-vad-v6")
    assert code == 0
    assert "already here" in out


def test_an_unknown_model_is_refused_before_anything_is_fetched(rushes: Rushes):
    code, out, err = rushes("models", "fetch", "silero-vad-v6", "whisper-enormous")
    assert (code, out) == (1, "")
    assert "known models" in err


# serve --------------------------------------------------------------------------------------------------------------


def test_serve_says_where_and_ends_quietly_on_interrupt(store: Store):
    with start("serve", "--port", "0", RUSHES_STORE=store.url) as process:
        assert process.stdout
        assert process.stderr
        address = process.stdout.readline().split()[4]
        assert address.startswith("http://127.0.0.1:")
        assert httpx.get(f"{address}/healthz").json()["status"] == "ok"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == ""
    assert process.returncode == 130


def test_a_port_in_use_is_one_line(rushes: Rushes, store: Store):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, out, err = rushes("serve", "--port", port)
    assert (code, out) == (1, "")
    assert f"127.0.0.1:{port}" in err
    assert "--port" in err


# demo ---------------------------------------------------------------------------------------------------------------


def shown_by(show: Callable[[Console], object]) -> str:
    page = io.StringIO()
    show(Console(file=page, width=160, highlight=False))
    return page.getvalue()


def test_the_demo_ends_with_what_was_published_and_where_it_is(store: Store):
    done = Demonstrated((LAMP, JAR), complete=True, seconds=1.0)
    store.files.write("report.html", b"<!doctype html>")
    results = shown_by(lambda console: show_results(done, read_catalog(store), console=console))
    assert "The lamp" in results
    assert "0:01 – 0:22" in results
    assert "energy, questions" in results
    assert "refused The jar: rights: no derivatives" in results
    log = Path(store.url) / "demo.log"
    places = shown_by(lambda console: show_where([LAMP], store, log=log, console=console))
    listed = [line.split()[-1] for line in places.splitlines() if "preview.mp3" in line or "report.html" in line]
    assert [Path(place).is_file() for place in listed] == [True, True]
    assert "serve" in places


def test_a_flow_that_fails_ends_the_demo_with_its_last_lines(store: Store, tmp_path: Path):
    stages = Stages(Console(file=io.StringIO()), store, tmp_path / "demo.log")
    with pytest.raises(StageError, match=r"no_such_flow failed with exit status 2; .*demo\.log") as failure:
        stages.run(Stage("None", "nothing", "no_such_flow", ()))
    assert "no_such_flow.py" in "\n".join(failure.value.last)


def test_hostile_titles_do_not_break_the_summary(store: Store):
    publish(store, "PublishPreviews/4/join/3", {DRUM: preview(store, b"drum")})
    done = Demonstrated((DRUM,), complete=True, seconds=1.0)
    assert "\x1b" in HOSTILE_TITLE
    assert "\x1b" not in shown_by(lambda console: show_results(done, read_catalog(store), console=console))
