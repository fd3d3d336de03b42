"""Is what is installed here what the lock file says? Asked by tasks in an image, before they work."""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from featurization.errors import ConfigError

_MOST_NAMED = 5


def check_environment(root: Path) -> None:
    """ConfigError if this environment lacks packages that the lock file pins, or has others.

    `root` is where the code package was extracted; setup.cfg and config/requirements.lock travel in it.
    """
    compare(needed(root / "setup.cfg"), pinned(root / "config" / "requirements.lock"))


def needed(setup: Path) -> list[str]:
    """The packages that the product imports: `install_requires`, and what S3 takes."""
    config = configparser.ConfigParser()
    config.read(setup, encoding="utf-8")
    lines = [*config["options"]["install_requires"].split("\n"), *config["options.extras_require"]["s3"].split("\n")]
    return [canonicalize_name(Requirement(line).name) for line in lines if line]


def pinned(lock: Path) -> dict[str, str]:
    """Versions by package in a lock file."""
    lines = (line.partition("#")[0].strip() for line in lock.read_text(encoding="utf-8").splitlines())
    return {
        canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines) if version
    }


def compare(names: list[str], versions: Mapping[str, str]) -> None:
    """ConfigError if one of the packages `names` is not installed in its version, all that differ in one line."""
    if wrong := list(_wrong(names, versions)):
        more = f" and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
        raise ConfigError(
            f"this image does not fit the code: it {'; it '.join(wrong[:_MOST_NAMED])}{more}. "
            "Build it anew from this version's config/requirements.lock"
        )


def _wrong(names: list[str], versions: Mapping[str, str]) -> Iterator[str]:
    for name in names:
        want = versions.get(name)
        try:
            have = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield f"lacks {name} {want or ''}".rstrip()
            continue
        # A build for another accelerator, 2.13.0+cu126, is the same version.
        if want and Version(have).public != Version(want).public:
            yield f"has {name} {have} and not {want}"
