"""The settings that both front doors work with: those of config/default.toml, as in the flows."""

from __future__ import annotations

from featurization.errors import ConfigError
from steps.settings import Settings, build, parse
from steps.store import ROOT


def settings() -> Settings:
    """The checked settings. ConfigError says what is wrong with the file."""
    path = ROOT / "config" / "default.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: cannot be read ({error}); restore it, or leave it empty for the defaults"
        ) from error
    return build(Settings, parse(text))
