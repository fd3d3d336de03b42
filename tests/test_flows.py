"""The flows as programs: their package travels, their config is checked, and how they end is honest."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pytest
from conftest import SAMPLES, Workplace
from media_factory import encode, silence, tone

from featurization.models import load_registry
from steps.store import ROOT
from steps.tables import ASSETS, QUARANTINE

FLOWS = sorted(p.stem for p in (ROOT / "flows").glob("*.py") if p.stem != "project_flow")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one short file in it."""
    folder = tmp_path_factory.mktemp("sound")
    encode(folder / "tone.mp3", tone(3.0))
    return folder


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_runs_from_its_code_package_alone(name: str, workplace: Workplace, sound: Path):
    package = workplace.folder / "package.tgz"
    assert workplace.flow(name, "package", "save", str(package)).returncode == 0
    elsewhere = workplace.folder / "elsewhere"
    with tarfile.open(package) as archive:
        names = archive.getnames()
        archive.extractall(elsewhere, filter="data")
    assert not [n for n in names if n.endswith((".mp3", ".wav", ".png")) or n.startswith(("tests/", "samples/"))]
    assert {"steps/store.py", "config/default.toml", "config/models.toml"} <= set(names)
    arguments = ["--source", str(sound)] if name == "ingest_media" else []
    shown = "import steps.store; print('root', steps.store.ROOT)"
    env = {"PYTHONPATH": str(elsewhere), "RUSHES_MODELS": str(load_registry().folder)}
    assert str(elsewhere) in workplace.python("-c", shown, env=env).stdout
    done = workplace.python(str(elsewhere / f"{name}.py"), "run", *arguments, env=env)
    if name == "train_ranker":  # which needs something to learn from
        assert "there is no golden clip to learn from" in done.stdout
        assert "Traceback" not in done.stdout
    else:
        assert done.returncode == 0, done.stdout
        assert "Done!" in done.stdout


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("[transcribe]\nmodl = 'x'", "unknown key modl in [transcribe]; known keys: engine, model"),
        ("[gates]\nspoiler_zone = 2.0", "[gates]: spoiler_zone is a share of the episode"),
        ("[prior.weights]\nloudness = 1.0", "no feature is called loudness; known:"),
        ("transcribe = ", "the config is not TOML"),
    ],
)
def test_a_wrong_config_is_refused_before_any_work(config: str, said: str, workplace: Workplace):
    (workplace.folder / "wrong.toml").write_text(config)
    done = workplace.flow("featurize_media", "--config", "config", "wrong.toml", "run")
    assert done.returncode != 0
    assert said in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout
    assert "Workflow starting" not in done.stdout


def test_an_unknown_model_is_refused_before_any_asset_is_touched(workplace: Workplace):
    (workplace.folder / "wrong.toml").write_text("[transcribe]\nmodel = 'whisper-huge'")
    done = workplace.flow("featurize_media", "--config", "config", "wrong.toml", "run")
    assert done.returncode == 1
    assert "unknown model 'whisper-huge'; known models: " in done.stdout
    assert "Traceback" not in done.stdout


def test_weights_with_other_bytes_than_pinned_are_refused(workplace: Workplace):
    models = workplace.folder / "models"
    for path in (load_registry().folder / "minilm-l6-v2").iterdir():
        target = models / "minilm-l6-v2" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(path) if path.suffix == ".safetensors" else shutil.copy(path, target)
    for name in ("whisper-tiny.en", "resemblyzer"):
        (models / name).symlink_to(load_registry().folder / name)
    (models / "minilm-l6-v2" / "config.json").write_text("{}")
    done = workplace.flow("featurize_media", "run", env={"RUSHES_MODELS": str(models)})
    assert done.returncode == 1
    assert "minilm-l6-v2" in done.stdout
    assert "sha256" in done.stdout
    assert "rushes models fetch minilm-l6-v2" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nowhere.xml", "no such file or folder"),
        ("http://127.0.0.1:9/feed.xml", "127.0.0.1:9"),
        (str(SAMPLES / "README.md"), "neither feed, media nor manifest"),
    ],
)
def test_a_source_that_cannot_be_read_is_one_clear_line(source: str, said: str, workplace: Workplace):
    (workplace.folder / "quick.toml").write_text("[download]\nattempts = 1")
    done = workplace.flow("ingest_media", "--config", "config", "quick.toml", "run", "--source", source)
    assert done.returncode == 1
    assert said in done.stdout
    assert "Traceback" not in done.stdout
    assert workplace.store.current().number == 0


def test_a_broken_file_is_quarantined_and_the_rest_goes_on(workplace: Workplace):
    folder = workplace.folder / "media"
    folder.mkdir()
    encode(folder / "good.mp3", tone(2.0))
    encode(folder / "quiet.wav", silence(2.0))
    (folder / "text.mp3").write_text("this is not sound")
    (folder / "empty.mp3").write_bytes(b"")
    shutil.copy(folder / "good.mp3", folder / "same-bytes.mp3")
    done = workplace.flow("ingest_media", "run", "--source", str(folder))
    assert done.returncode == 3, done.stdout
    assert len(workplace.store.read(ASSETS)) == 2
    reasons = {rows[0].title: rows[0].reason for rows in workplace.store.read(QUARANTINE).values()}
    assert reasons == {"text": "unreadable", "empty": "empty"}
    assert "quarantined: text: " in done.stdout
    assert "Traceback" not in done.stdout


def test_what_is_mended_leaves_the_quarantine(workplace: Workplace):
    folder = workplace.folder / "media"
    folder.mkdir()
    (folder / "episode.mp3").write_text("an error page")
    assert workplace.flow("ingest_media", "run", "--source", str(folder)).returncode == 3
    encode(folder / "episode.mp3", tone(2.0))
    assert workplace.flow("ingest_media", "run", "--source", str(folder)).returncode == 0
    assert workplace.store.read(QUARANTINE) == {}
    assert len(workplace.store.read(ASSETS)) == 1
