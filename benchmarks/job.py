"""What a task gets: its data, its settings, a place to work and a place for its predictions."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from featurization.errors import SourceError
from steps.settings import Settings

NOWHERE = Path()  # the data of a task that was given none
SOUND_SUFFIXES = (".flac", ".wav", ".mp3", ".m4a", ".ogg", ".opus", ".mp4", ".mkv", ".webm")


@dataclass(frozen=True)
class Job:
    """One run of one task."""

    data: Path
    scratch: Path  # removed when the run ends
    config: Path
    settings: Settings
    predictions: Path | None = None
    repeat_to_h: float = 0.0  # hours; 0 takes the data as it is
    rows: int = 0  # how much a task makes that has no data
    dim: int = 0
    seeds: int = 0
    shots: tuple[int, ...] = ()
    golden: tuple[int, ...] = ()
    episodes: int = 0
    assets: tuple[int, ...] = ()

    @property
    def has_data(self) -> bool:
        """Whether a folder was given."""
        return self.data != NOWHERE

    def predict(self, name: str, text: str) -> None:
        """Write one prediction, if they are wanted."""
        if self.predictions:
            (self.predictions / name).write_text(text, encoding="utf-8")

    def truths(self, suffix: str) -> list[tuple[str, Path]]:
        """Name and path of each truth file NAME`suffix`, in order. Raises SourceError if there is none."""
        found = sorted(self.data.glob(f"*{suffix}"))
        if not found:
            raise SourceError(f"{self.data}: no file NAME{suffix} in it")
        return [(path.name.removesuffix(suffix), path) for path in found]

    def sound(self, name: str) -> Path:
        """The media file called `name`. Raises SourceError if there is none."""
        for suffix in SOUND_SUFFIXES:
            if (path := self.data / f"{name}{suffix}").is_file():
                return path
        raise SourceError(f"{self.data}: {name} has a truth file but no sound ({', '.join(SOUND_SUFFIXES)})")


def say(text: str) -> None:
    """Tell how far the run is; standard output is for the result."""
    print(text, file=sys.stderr, flush=True)


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Rows as the text of a CSV file."""
    lines = _Lines()
    writer = csv.DictWriter(lines, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return "".join(lines)


class _Lines(list[str]):
    """A list that a CSV writer can write to."""

    def write(self, line: str) -> None:
        self.append(line)
