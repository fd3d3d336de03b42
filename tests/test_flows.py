"""The flows as programs: their package travels, their config is checked, and how they end is honest."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import SAMPLES, Workplace
from locked_environment import locked_python
from media_factory import encode, silence, tone
from packaging.utils import canonicalize_name

from benchmarks.made_catalogue import make_catalogue, stock
from featurization.models import load_registry
from serving.commands.deploy_check.flow_sources import read_flows
from serving.commands.deploy_check.packages import check_package
from steps.environment import pinned
from steps.store import ROOT
from steps.tables import ASSETS, PROFILES, QUARANTINE

STEPS = {flow.name: (flow.file.name, set(flow.steps)) for flow in read_flows(ROOT / "flows")}
QUICK = """[tune]
trials = 1
folds = 2
[train]
kinds = ["linear"]
min_shows = 2
curve = [5]
"""


@dataclass(frozen=True)
class Elsewhere:
    """A code package, extracted where no repository is, and a Python that knows the lock file's packages alone."""

    folder: Path
    python: Path
    names: tuple[str, ...]

    def run(self, place: Workplace, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python in `place` as a task in an image would."""
        own = {"PYTHONPATH": str(self.folder / ".mf_code"), "METAFLOW_EXTRACTED_ROOT": str(self.folder)}
        image = {"RUSHES_MODELS": str(load_registry().folder), "METAFLOW_KUBERNETES_WORKLOAD": "1"}
        kept = {name: value for name, value in place.environment.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [str(self.python), *arguments],
            cwd=place.folder,
            env={**kept, **own, **image},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=280,
            check=False,
        )

    def flow(self, place: Workplace, flow: str, *arguments: str) -> None:
        """Run a flow, and see that each of its steps was done."""
        file, steps = STEPS[flow]
        done = self.run(place, str(self.folder / file), "--no-pylint", *arguments)
        ended = set(re.findall(r"/(\w+)/\d+ \(pid \d+\)\] Task finished successfully", done.stdout))
        assert ended == steps, done.stdout
        assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    place = Workplace(tmp_path_factory.mktemp("package"))
    package, folder = place.folder / "package.tgz", place.folder / "extracted"
    assert place.flow("ingest_media", "package", "save", str(package)).returncode == 0
    with tarfile.open(package) as archive:
        archive.extractall(folder, filter="data")
        names = tuple(archive.getnames())
    return Elsewhere(folder, locked_python(place.folder / "locked"), names)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one short file in it."""
    folder = tmp_path_factory.mktemp("sound")
    encode(folder / "tone.mp3", tone(3.0))
    return folder


def test_the_package_holds_the_code_and_nothing_else(elsewhere: Elsewhere):
    assert list(check_package("IngestMedia", elsewhere.names, 1, ROOT)) == []
    assert {file for file, _ in STEPS.values()} <= set(elsewhere.names)


def test_a_task_elsewhere_sees_the_package_and_the_lock_file_alone(elsewhere: Elsewhere, workplace: Workplace):
    (elsewhere.folder / "seen.py").write_text(
        "import json, pyarrow, metaflow, ranking.prior, serving.cli, steps.store\n"
        "from importlib import metadata\n"
        "modules = (metaflow, ranking.prior, serving.cli, steps.store)\n"
        "names = sorted({one.name for one in metadata.distributions()})\n"
        "print(json.dumps([pyarrow.__file__, [one.__file__ for one in modules], str(steps.store.ROOT), names]))\n"
    )
    library, modules, root, names = json.loads(elsewhere.run(workplace, str(elsewhere.folder / "seen.py")).stdout)
    assert Path(library).is_relative_to(elsewhere.python.parents[1])
    assert all(Path(module).is_relative_to(elsewhere.folder) for module in modules)
    assert root == str(elsewhere.folder)
    assert {canonicalize_name(name) for name in names} <= set(pinned(ROOT / "config" / "requirements.lock"))


def test_every_step_that_makes_previews_runs_from_the_package(elsewhere: Elsewhere, sound: Path, workplace: Workplace):
    elsewhere.flow(workplace, "IngestMedia", "run", "--source", str(sound))
    elsewhere.flow(workplace, "FeaturizeMedia", "run")
    elsewhere.flow(workplace, "PublishPreviews", "run")
    assert len(workplace.store.read(PROFILES)) == 1


def test_every_step_that_learns_runs_from_the_package(elsewhere: Elsewhere, workplace: Workplace):
    (workplace.folder / "quick.toml").write_text(QUICK)
    stock(workplace.store, make_catalogue(12, shows=6, candidates=40))
    elsewhere.flow(workplace, "TrainRanker", "--config", "config", "quick.toml", "run")
    elsewhere.flow(workplace, "EvaluateModels", "--config", "config", "quick.toml", "run")
    assert workplace.store.files.exists("training.html")


def test_a_task_in_an_image_of_another_version_says_so(elsewhere: Elsewhere, workplace: Workplace):
    lock = elsewhere.folder / "config" / "requirements.lock"
    kept = lock.read_text()
    lock.write_text(re.sub(r"(?m)^lightgbm==.*$", "lightgbm==0.1.0", kept))
    try:
        done = elsewhere.run(workplace, str(elsewhere.folder / "evaluate_models.py"), "--no-pylint", "run")
    finally:
        lock.write_text(kept)
    assert done.returncode == 1
    assert "this image does not fit the code: it has lightgbm" in done.stdout
    assert "Build it anew from this version's config/requirements.lock" in done.stdout
    assert "Traceback" not in done.stdout


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
