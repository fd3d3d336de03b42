"""`python -m benchmarks TASK DATA_DIR --out FILE.json`: one task, measured, as JSON and as a short table."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from benchmarks.job import NOWHERE, Job
from benchmarks.report import Clock, Measured, short_table, write_report
from featurization.errors import ConfigError, RushesError, SourceError
from steps import settings
from steps.store import ROOT

TASKS = {
    "asr": "word errors beside the bare engine: audio + refs.csv (file, language, duration_s, text)",
    "diarization": "who speaks when: NAME.flac or .wav + NAME.rttm",
    "sounds": "speech, music, noise and silence: audio + NAME.sounds.csv (start, end, label)",
    "shots": "shot transitions: NAME.mp4 + NAME.transitions.csv (type, start_frame, end_frame); truth may be missing",
    "ads": "sentences of ads: NAME.csv (label, sentence), any label but O is an ad; no folder: the corpus, held out",
    "tags": "tags from few examples: pictures + labels.csv (file, label) (--shots, --seeds)",
    "pipeline": "ingest, featurize and publish a folder of media: time, memory, orchestration",
    "search": "no folder: made vectors, beside exact search: recall, latency, clients at once (--rows, --dim)",
    "studio": "no folder: made shots served to a real browser: query to tiles, key to kept judgement (--rows)",
    "scale": "no folder: made catalogues of growing sizes through store and flows: time, memory, bytes (--assets)",
    "ranking": "golden_clips.csv (asset_id, start, end, editor) over assets in the store; no folder: made catalogues",
}
WITHOUT_DATA = ("search", "studio", "scale")
DATA_OPTIONAL = ("ads", "ranking")
EXAMPLES = """
examples:
  python -m benchmarks asr data/asr --out asr.json --predictions predictions/asr
  python -m benchmarks diarization data/meetings --out diarization.json
  python -m benchmarks pipeline samples/episodes --out pipeline.json
  python -m benchmarks pipeline samples/episodes --repeat-to 10 --out ten-hours.json
  python -m benchmarks search --rows 100000 --dim 512 --out search.json
  python -m benchmarks studio --rows 20000 --out studio.json
  python -m benchmarks scale --assets 10 100 1000 10000 --out scale.json
  python -m benchmarks tags data/pictures --shots 1,5,25 --seeds 10 --out tags.json
  python -m benchmarks ranking --out ranking.json
  RUSHES_STORE=.rushes-demo python -m benchmarks ranking data/golden --out ranking.json --predictions picks
"""
BAD_INPUT = 2


def parser() -> argparse.ArgumentParser:
    """The command line."""
    tasks = "\n".join(f"  {name:<12} {what}" for name, what in TASKS.items())
    parsed = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"Measure one task on a folder of data.\n\ntasks, and what is in their folder:\n{tasks}",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parsed.add_argument("task", metavar="TASK", help="one of those above")
    parsed.add_argument(
        "data", metavar="DATA_DIR", type=Path, nargs="?", help="folder with the inputs and the truth about them"
    )
    parsed.add_argument("--out", metavar="FILE.json", type=Path, required=True, help="where the figures go")
    parsed.add_argument("--predictions", metavar="DIR", type=Path, help="where to write what was found, per input")
    parsed.add_argument(
        "--config", metavar="FILE", type=Path, default=ROOT / "config" / "default.toml", help="settings of the run"
    )
    parsed.add_argument(
        "--repeat-to",
        metavar="HOURS",
        type=float,
        default=0.0,
        help="pipeline: measure one file of so many hours, made by repeating the folder's sound",
    )
    parsed.add_argument("--rows", type=_at_least(100), default=20_000, help="search, studio: rows to make (20000)")
    parsed.add_argument("--dim", type=_at_least(2), default=512, help="search: their dimensions (512)")
    parsed.add_argument("--seeds", type=_at_least(1), default=10, help="ranking, tags: draws to make (10)")
    parsed.add_argument("--shots", type=_numbers, default=(1, 5, 25), help="tags: positives that teach (1,5,25)")
    parsed.add_argument(
        "--golden", type=_at_least(2), nargs="+", default=[10, 50, 200], help="ranking: episodes that teach (10 50 200)"
    )
    parsed.add_argument(
        "--episodes", type=_at_least(2), default=1000, help="ranking: episodes in the training that is timed (1000)"
    )
    parsed.add_argument(
        "--assets", type=_at_least(2), nargs="+", default=[10, 100, 1000], help="scale: sizes (10 100 1000)"
    )
    return parsed


def _at_least(smallest: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < smallest:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least {smallest}")
        return int(text)

    return number


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(sorted({_at_least(1)(part.strip()) for part in text.split(",")}))


def run(arguments: argparse.Namespace, scratch: Path) -> Measured:
    """Measure and write the report. Raises RushesError for what the caller has to put right."""
    if arguments.task not in TASKS:
        raise ConfigError(f"unknown task {arguments.task!r}; known tasks: {', '.join(TASKS)}")
    data = _data(arguments.task, arguments.data)
    job = Job(
        data=data,
        scratch=scratch,
        config=arguments.config,
        settings=settings.build(settings.Settings, settings.parse(_text(arguments.config))),
        predictions=arguments.predictions,
        repeat_to_h=arguments.repeat_to,
        rows=arguments.rows,
        dim=arguments.dim,
        seeds=arguments.seeds,
        shots=arguments.shots,
        golden=tuple(sorted(set(arguments.golden))),
        episodes=arguments.episodes,
        assets=tuple(sorted(set(arguments.assets))),
    )
    for folder in filter(None, (arguments.out.parent, arguments.predictions)):
        folder.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    measured: Measured = import_module(f"benchmarks.{arguments.task}").measure(job)
    write_report(arguments.out, arguments.task, job.data, measured, clock)
    return measured


def _data(task: str, folder: Path | None) -> Path:
    """The folder that a task reads; what has no data is given none."""
    if task in WITHOUT_DATA:
        if folder is not None:
            raise ConfigError(f"{task} makes what it measures; leave out {folder}")
        return NOWHERE
    if folder is None and task in DATA_OPTIONAL:
        return NOWHERE
    if folder is None:
        raise ConfigError(f"{task} needs DATA_DIR: {TASKS[task]}")
    if not folder.is_dir():
        raise SourceError(f"{folder}: no such folder")
    return folder if folder != NOWHERE else folder.resolve()


def _text(config: Path) -> str:
    try:
        return config.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{config}: cannot be read ({error}); give a TOML file") from error


def main() -> None:
    """Measure what the command line asks for; exit status 2 and one line if that cannot be done."""
    arguments = parser().parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="rushes-bench-") as folder:
            measured = run(arguments, Path(folder))
    except (RushesError, OSError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)
    print(short_table(arguments.task, measured))
    print(f"all figures: {arguments.out}")


if __name__ == "__main__":
    main()
