"""The settings that both front doors work with: those of config/default.toml, as in the flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featurization.errors import ConfigError
from steps.options import build
from steps.settings import Settings, parse
from steps.store import ROOT

if TYPE_CHECKING:
    from search.nearest import Encoders


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


def configured_encoders() -> Encoders:
    """The encoders of queries that the settings name; nothing is loaded before it is asked."""
    from steps.corpus import query_encoders
    from steps.models import Models

    return query_encoders(Models(settings()))
