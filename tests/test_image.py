"""The image and the compose file: linted, and all that can run without Docker is run in a fresh folder.

`docker build` itself is not: what stands for it, and what was built by hand, is in docs/operations.md, "Images and
compose".
"""

from __future__ import annotations

import configparser
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from image_folder import ImageFolder, context, exec_form, lines, values
from locked_environment import locked_python
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from s3_server import S3Server

from steps.environment import pinned
from steps.store import ROOT

LOCK = ROOT / "config" / "requirements.lock"
PACKAGES = ("featurization", "ranking", "annotation", "eval", "search", "steps", "serving", "flows", "config")
BIN = Path(sys.executable).parent
COMPOSE: Mapping[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: Mapping[str, Any] = COMPOSE["services"]
RUNS = {stage: values("RUN", stage) for stage in ("packages", "models", "")}


def sh(command: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a command as the RUN of a Dockerfile does."""
    shell = ["/bin/sh", "-c", command]
    return subprocess.run(shell, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)


# lint ----------------------------------------------------------------------------------------------------------------


def test_hadolint_has_nothing_to_say():
    done = subprocess.run(
        [str(BIN / "hadolint"), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_base_is_pinned_and_every_stage_begins_with_it_or_with_another_stage():
    (base,) = values("ARG", "before")
    assert re.fullmatch(r"BASE=python:3\.11\.\d+-slim-\w+", base)
    stages = {line.stage for line in lines()} - {"before", ""}
    begun = {line.value.partition(" AS ")[0] for line in lines() if line.name == "FROM"}
    assert begun == {"${BASE}", "packages"}
    assert begun - {"${BASE}"} <= stages


def test_the_image_runs_as_a_user_that_kubernetes_knows_not_to_be_root():
    names = [line.name for line in lines() if line.stage == ""]
    assert names.index("USER") < names.index("CMD")
    assert not {"RUN", "COPY"} & set(names[names.index("USER") :])
    (user,) = values("USER")
    assert re.fullmatch(r"[1-9]\d*:0", user)
    assert f"useradd --uid {user.partition(':')[0]}" in RUNS[""][0]


def test_there_is_a_health_check_a_command_and_no_add():
    names = [line.name for line in lines()]
    assert (names.count("HEALTHCHECK"), names.count("CMD"), names.count("ADD")) == (1, 1, 0)


def test_every_argument_is_used_and_every_absolute_path_is_made():
    text = (ROOT / "Dockerfile").read_text()
    for line in lines():
        if line.name == "ARG":
            assert re.search(rf"\$\{{?{line.value.partition('=')[0]}\b", text), line.value
    for made in ("/data", "/home/rushes"):
        assert made in RUNS[""][0]


def test_profiles_name_the_arguments_that_there_are():
    wanted = {
        name for path in (ROOT / "config").glob("*.toml") for name in re.findall(r"--build-arg (\w+)", path.read_text())
    }
    assert wanted == {"VARIANT"}
    assert any(value.startswith("VARIANT=") for value in values("ARG", "packages"))


# what the build is sent ----------------------------------------------------------------------------------------------


def test_the_context_has_the_whole_product_and_nothing_else():
    sent = context()
    tracked = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(tracked.stdout.splitlines()) <= set(sent)
    assert {name.partition("/")[0] for name in sent} == {
        *PACKAGES,
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "setup.cfg",
    }
    assert not [name for name in sent if name.endswith(".pyc") or ".metaflow" in name]
    assert sum((ROOT / name).stat().st_size for name in sent) < 7_000_000  # of which weights and corpora are three


def test_secrets_are_neither_sent_nor_kept_by_git():
    assert ".env" not in context()
    assert subprocess.run(["git", "check-ignore", "-q", ".env"], cwd=ROOT, check=False).returncode == 0


# the packages --------------------------------------------------------------------------------------------------------


def closure(requirement: Requirement, seen: dict[str, Requirement]) -> Iterator[Requirement]:
    """All that a requirement brings, as the packages installed here say."""
    for extra in ("", *requirement.extras):
        for text in metadata.requires(requirement.name) or ():
            needed = Requirement(text)
            key = f"{canonicalize_name(needed.name)}{sorted(needed.extras)}{needed.specifier}"
            if key not in seen and (needed.marker is None or needed.marker.evaluate({"extra": extra})):
                seen[key] = needed
                yield needed
                yield from closure(needed, seen)


def test_the_lock_file_decides_every_package_that_the_image_installs():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    (extras,) = re.findall(r'--editable "\.\[([\w,]+)\]"', RUNS["packages"][1])
    declared = config["options"]["install_requires"].split("\n")
    declared += [line for extra in extras.split(",") for line in config["options.extras_require"][extra].split("\n")]
    seen: dict[str, Requirement] = {}
    wanted = [Requirement(line) for line in declared if line]
    wanted += [needed for requirement in wanted for needed in closure(requirement, seen)]
    locked = pinned(LOCK)
    for requirement in wanted:
        version = locked[canonicalize_name(requirement.name)].partition(";")[0].strip()
        assert requirement.specifier.contains(version), requirement
    names = {canonicalize_name(requirement.name) for requirement in wanted}
    assert {"boto3", "requests", "s3fs", "torch", "setuptools"} <= names  # the first two are Metaflow's in a task
    assert "pytest" not in names
    assert f"PIP_CONSTRAINT={LOCK.relative_to(ROOT)}" in values("ENV", "packages")


@pytest.mark.parametrize(
    ("variant", "status", "asked"),
    [
        ("cpu", 0, "install --no-deps --index-url https://download.pytorch.org/whl/cpu torch"),
        ("gpu", 0, "install torch nvidia-cublas-cu12==12.9.1.4"),
        ("tpu", 1, ""),
    ],
)
def test_the_variant_decides_which_torch_is_asked_for(tmp_path: Path, variant: str, status: int, asked: str):
    image = ImageFolder(tmp_path)
    pip, python = image.at("/opt/rushes/bin/pip"), tmp_path / "python"
    pip.parent.mkdir(parents=True)
    pip.write_text('#!/bin/sh\necho "$@"\n')  # what installs gigabytes says what it was asked for instead
    python.write_text("#!/bin/sh\n")
    pip.chmod(0o755)
    python.chmod(0o755)
    arguments = dict(value.split("=", 1) for value in values("ARG", "packages"))
    environment = {**arguments, "VARIANT": variant, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = sh(image.moved(RUNS["packages"][0]), env=environment)
    assert done.returncode == status
    assert done.stdout.strip() == (asked or "VARIANT is cpu or gpu, not tpu")


# the image, in a folder ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> ImageFolder:
    """All stages in one folder, with links to the locked packages that are installed here instead of new ones.

    The system's packages and the user are not made: that takes a root file system of its own.
    """
    made = ImageFolder(tmp_path_factory.mktemp("image"))
    for path in ("/data", "/home/rushes", "/tmp", "/opt/models"):
        made.at(path).mkdir(parents=True)
    locked_python(made.at("/opt/rushes"))
    made.copy_all("packages")
    made.copy_all("models")
    shutil.copytree(ROOT / ".models", made.at("/opt/models"), copy_function=os.link, dirs_exist_ok=True)
    fetched = sh(made.moved(RUNS["models"][0]), cwd=made.at("/srv/rushes"), env={"PATH": os.environ["PATH"]})
    assert fetched.returncode == 0, fetched.stdout
    shutil.rmtree(made.at("/srv/rushes"))
    made.copy_all("")
    # The packages of the folder have no pip of their own.
    pip = f"{sys.executable} -m pip --python {made.at('/opt/rushes/bin/python')}"
    installed = sh(
        made.moved(RUNS[""][1]).replace(str(made.at("/opt/rushes/bin/pip")), pip), cwd=made.at("/srv/rushes")
    )
    assert installed.returncode == 0, installed.stdout
    return made


def test_the_packages_fit_each_other(image: ImageFolder):
    check = RUNS["packages"][1].rpartition("&&")[2].split()[1:]
    command = [sys.executable, "-m", "pip", "--python", str(image.at("/opt/rushes/bin/python")), *check]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "No broken requirements found.\n")


def test_everything_needed_is_in_the_image_and_is_the_images_own(image: ImageFolder):
    script = "rushes doctor && python -c 'import serving; print(serving.__file__)'"
    done = sh(script, cwd=image.at("/home/rushes"), env=image.environment())
    assert "everything needed is here" in done.stdout, done.stdout
    assert done.stdout.splitlines()[-1] == str(image.at("/srv/rushes/serving/__init__.py"))


def test_a_task_unpacks_its_code_where_it_starts_and_runs_that(image: ImageFolder):
    """The commands with which Metaflow begins a task of Argo or Batch."""
    package = image.at("/tmp") / "job.tar"
    flow = str(image.at("/srv/rushes/flows/ingest_media.py"))
    saved = sh(f"python {flow} package save {package}", cwd=image.at("/home/rushes"), env=image.environment())
    assert saved.returncode == 0, saved.stdout
    begin = f"[ -n $METAFLOW_SKIP_INSTALL_DEPENDENCIES ] && mkdir metaflow && cd metaflow && tar xf {package}"
    paths = "PYTHONPATH=$PWD/.mf_code METAFLOW_EXTRACTED_ROOT=$PWD"
    run = f"{paths} python -c 'import featurization; print(featurization.__file__)'"
    started = ["bash", "-c", f"{begin} && {run}"]
    done = subprocess.run(
        started, cwd=image.at("/home/rushes"), env=image.environment(), capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == str(image.at("/home/rushes/metaflow/featurization/__init__.py")), done.stderr


class Serving:
    """The image's command at work, on a free port, and its health check."""

    def __init__(self, image: ImageFolder, **more: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        (command,), (check,) = values("CMD"), values("HEALTHCHECK")
        assert values("EXPOSE") == ["8000"]
        self._check = [part.replace("8000", port) for part in exec_form(check)]
        self._command = [part.replace("8000", port) for part in exec_form(command)]
        self._image, self._environment = image, image.environment(**more)

    def __enter__(self) -> Serving:
        (*_, workdir) = values("WORKDIR")
        self._workdir = self._image.at(workdir)
        program = shutil.which(self._command[0], path=self._environment["PATH"])
        assert program == str(self._image.at("/opt/rushes/bin/rushes"))
        self.process = subprocess.Popen([program, *self._command[1:]], cwd=self._workdir, env=self._environment)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def healthy(self) -> bool:
        python = shutil.which(self._check[0], path=self._environment["PATH"])
        assert python == str(self._image.at("/opt/rushes/bin/python"))
        done = subprocess.run([python, *self._check[1:]], env=self._environment, capture_output=True, check=False)
        return done.returncode == 0

    def becomes_healthy(self, within_s: float = 60) -> bool:
        until = time.monotonic() + within_s
        while time.monotonic() < until and self.process.poll() is None:
            if self.healthy():
                return True
            time.sleep(0.3)
        return False


def test_the_command_serves_the_health_check_sees_it_and_a_polite_signal_ends_it(image: ImageFolder):
    serving = Serving(image, RUSHES_READER_KEY="r", RUSHES_EDITOR_KEY="e")
    with serving:
        assert serving.becomes_healthy()
        serving.process.send_signal(signal.SIGTERM)
        assert serving.process.wait(timeout=20) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)
        assert not serving.healthy()


# compose -------------------------------------------------------------------------------------------------------------


def composed(service: str, environment: Mapping[str, str]) -> dict[str, str]:
    """A service's variables with those of .env put in, as compose does it."""
    return {name: _filled(str(value), environment) for name, value in SERVICES[service]["environment"].items()}


def _filled(text: str, environment: Mapping[str, str]) -> str:
    return re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: environment.get(found[1]) or found[2] or "", text)


def test_compose_is_valid_by_the_specification():
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(ROOT / "compose.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_others_images_are_pinned_and_ports_are_reached_from_this_machine_only():
    for name, service in SERVICES.items():
        image, tag = service["image"].split(":", 1)
        assert "latest" not in tag, name
        assert image == "rushes" or re.match(r"(v|RELEASE\.)\d", tag), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name


def test_what_waits_for_another_waits_for_something_that_comes():
    for name, service in SERVICES.items():
        for other, wish in service.get("depends_on", {}).items():
            if wish["condition"] == "service_healthy":
                assert "test" in SERVICES[other]["healthcheck"], (name, other)
            else:
                assert wish["condition"] == "service_completed_successfully"
                assert "restart" not in SERVICES[other], (name, other)


def test_every_secret_comes_from_the_environment_and_stands_in_the_example():
    text = (ROOT / "compose.yaml").read_text()
    asked = re.findall(r"\$\{(\w+)", text)
    example = dict(
        line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if re.match(r"\w", line)
    )
    assert set(asked) == set(example)
    required = set(re.findall(r"\$\{(\w+):\?", text))
    keys = {"RUSHES_READER_KEY", "RUSHES_EDITOR_KEY", "RUSHES_EVENT_SALT"}
    assert required == {"MINIO_USER", "MINIO_PASSWORD", *keys}
    assert {name for name in required if example[name]} <= {"MINIO_USER"}
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search("PASSWORD|SECRET|KEY|SALT", name) or str(value).startswith("${"), name


def test_volumes_are_declared_and_used():
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert used == set(COMPOSE["volumes"])


SECRETS = {
    "MINIO_USER": "testing",
    "MINIO_PASSWORD": "testing",
    "RUSHES_READER_KEY": "r",
    "RUSHES_EDITOR_KEY": "e",
    "RUSHES_EVENT_SALT": "s" * 16,
}


def test_the_bucket_is_made_however_often_it_is_asked_for_and_the_server_serves_a_store_in_it(
    image: ImageFolder, s3: S3Server
):
    environment = {**composed("bucket", SECRETS), "AWS_ENDPOINT_URL": s3.url}
    for _ in range(2):
        program, *arguments = SERVICES["bucket"]["command"]
        command = [str(image.at("/opt/rushes/bin") / program), *arguments]
        done = subprocess.run(
            command, env=image.environment(**environment), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert environment["RUSHES_STORE"].startswith("s3://rushes/")
    here = {"AWS_ENDPOINT_URL": s3.url, "RUSHES_INDEX": str(image.at("/data/index"))}  # in place of MinIO and Milvus
    with Serving(image, **{**composed("server", SECRETS), **here}) as serving:
        assert serving.becomes_healthy()


def test_a_flow_of_the_flow_service_runs(image: ImageFolder, s3: S3Server):
    flow, place = SERVICES["flow"], image.at(SERVICES["flow"]["working_dir"])
    assert flow["volumes"] == [f"runs:{flow['working_dir']}"]
    (example,) = re.findall(
        r"docker compose run --rm flow (\S+) run", (ROOT / "compose.yaml").read_text().split("name:")[0]
    )
    command = [str(image.at("/opt/rushes/bin") / flow["entrypoint"][0]), image.moved(example), "show"]
    environment = image.environment(**{**composed("flow", SECRETS), "AWS_ENDPOINT_URL": s3.url})
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Step" in done.stdout + done.stderr
