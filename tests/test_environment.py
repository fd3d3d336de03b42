"""Whether an image fits the code: told before work, in one line."""

from __future__ import annotations

import configparser
from importlib import metadata
from pathlib import Path

import pytest
from conftest import Workplace
from packaging.requirements import Requirement

from featurization.errors import ConfigError
from steps.environment import check_environment, compare, needed, pinned
from steps.store import ROOT

FAILS = """
import sys
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
from project_flow import told_plainly
@told_plainly
def hear(self):
    import no_such_library
try:
    hear(SimpleNamespace())
except Exception as error:
    print(type(error).__name__, error)
"""


def test_this_environment_fits():
    check_environment(ROOT)


def test_what_the_product_needs_is_declared_and_pinned():
    names = set(needed(ROOT / "setup.cfg"))
    assert {"lightgbm", "metaflow", "pyarrow", "s3fs"} <= names
    assert not {"pytest", "hypothesis", "ruff"} & names
    assert names <= pinned(ROOT / "config" / "requirements.lock").keys()
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    declared = {Requirement(line).name.lower() for line in config["options"]["install_requires"].split("\n") if line}
    assert declared <= names


def test_a_lock_file_is_read_without_its_comments(tmp_path: Path):
    (tmp_path / "lock").write_text("# all\nNum_Py==2.1.0  # arrays\n\nscipy==1.16\n")
    assert pinned(tmp_path / "lock") == {"num-py": "2.1.0", "scipy": "1.16"}


def test_what_lacks_and_what_differs_is_one_line():
    have = metadata.version("packaging")
    compare(["packaging"], {"packaging": have})
    compare(["packaging"], {"packaging": f"{have}+cu126"})
    compare(["packaging"], {})
    with pytest.raises(ConfigError) as refused:
        compare(["packaging", "no-such-thing"], {"packaging": "0.1", "no-such-thing": "3.0"})
    assert f"it has packaging {have} and not 0.1; it lacks no-such-thing 3.0. Build it anew" in str(refused.value)
    assert "\n" not in str(refused.value)
    with pytest.raises(ConfigError, match=r"it lacks e 1 and 2 more\. Build"):
        compare(list("abcdefg"), dict.fromkeys("abcdefg", "1"))


def test_a_step_whose_import_fails_says_so(workplace: Workplace):
    done = workplace.python("-c", FAILS, str(ROOT / "flows"))
    assert "Refused the step hear cannot import what it needs (No module named 'no_such_library')" in done.stdout
    assert "Traceback" not in done.stdout
