"""Recognition: word errors, speed, and words made up, beside the bare engine on the same weights in the same run."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.bare_whisper import BareWhisper
from benchmarks.forced_alignment import word_truth
from benchmarks.job import Job, say
from benchmarks.listening import Listener
from benchmarks.made_sounds import make_music, make_silence
from benchmarks.processes import run_peer
from benchmarks.report import Measured
from eval.word_errors import WordErrors, rate_interval, word_errors
from eval.word_timing import WordTiming, word_timing
from featurization.errors import SourceError
from featurization.media import Word
from featurization.probe import probe
from steps.models import SPEECH_MODEL
from steps.truth.formats import read_csv

REFERENCES = "refs.csv"
ROOT = Path(__file__).resolve().parent.parent
SPEECHLESS_S = 60.0
PEER = "faster-whisper alone"
NOTES = (
    "wer: errors over words of the reference, pooled over files; both texts in lower case without punctuation, English "
    "figures spelled out, Mr. Mrs. Dr. in full (eval/word_errors.py)",
    "real_time_factor: wall seconds over seconds of sound; decoding and voice activity included, loading models not",
    "timing_median_s, timing_p90_s, timing_bias_s: how far starts and ends of words lie from NAME.words.csv beside the "
    "sound (start, end, text), else from forced alignment by pocketsphinx where that is installed and knows all words",
    "wer_interval: 95 % by bootstrap over files",
    "peak_mb: largest resident set of a process of its own that hears the largest file",
    "words_in_music, words_in_silence: words heard in 60 s of computed music and of digital silence",
    f"{PEER}: WhisperModel.transcribe(beam_size=1, vad_filter=True, condition_on_previous_text=False, "
    "word_timestamps=True), the rest at defaults, int8 on a CPU, the same folder of weights",
)

Hear = Callable[[Path], Sequence[Word]]


@dataclass
class Tally:
    """What one recogniser has done so far."""

    hear: Hear
    peak_mb: float
    seconds: float = 0.0
    recordings: list[WordErrors] = field(default_factory=list)
    timing: WordTiming = field(default_factory=WordTiming)

    def words(self, path: Path) -> Sequence[Word]:
        """The words of a file, on the clock."""
        started = time.perf_counter()
        words = self.hear(path)
        self.seconds += time.perf_counter() - started
        return words

    def judge(self, row: dict[str, str], words: Sequence[Word]) -> WordErrors:
        """Errors of one file, which also join the others."""
        found = " ".join(word.text for word in words)
        errors = word_errors(row["text"], found, language=row["language"] or "en")
        self.recordings.append(errors)
        return errors

    @property
    def errors(self) -> WordErrors:
        """Those of all files."""
        return sum(self.recordings, WordErrors())

    def time(self, row: dict[str, str], truth: Sequence[Word], words: Sequence[Word]) -> None:
        """Add where the words of one file lie to the pool."""
        self.timing += word_timing(truth, words, language=row["language"] or "en")

    def metrics(self, audio_s: float, made_up: dict[str, int]) -> dict[str, Any]:
        """The figures of this recogniser."""
        return {
            "wer": self.errors.rate,
            "wer_interval": dict(zip(("low", "high"), rate_interval(self.recordings), strict=True)),
            "timing_median_s": self.timing.median_s,
            "timing_p90_s": self.timing.quantile_s(0.9),
            "timing_bias_s": self.timing.bias_s,
            "real_time_factor": self.seconds / audio_s,
            "peak_mb": self.peak_mb,
            **made_up,
        }


def measure(job: Job) -> Measured:
    """Word errors over refs.csv. Predictions: FILE.json for each of its files."""
    rows = read_csv(job.data / REFERENCES, "file", "language", "text")
    if absent := [row["file"] for row in rows if not (job.data / row["file"]).is_file()]:
        raise SourceError(f"{job.data / REFERENCES}: {absent[0]} is not in that folder")
    if not rows:
        raise SourceError(f"{job.data / REFERENCES}: no rows in it")
    listener = Listener(job.scratch, job.settings)
    options = job.settings.transcribe
    weights = listener.models.registry.locate(options.model)
    peaks = _peaks_mb(job, weights, max((job.data / row["file"] for row in rows), key=lambda path: path.stat().st_size))
    ours = Tally(_ours(listener), peaks[0])
    bare = Tally(BareWhisper(weights, threads=options.threads).words, peaks[1])
    _ = listener.models.transcriber  # loaded before the clock runs
    files, audio_s = _compare(job, rows, ours, bare)
    made_up = [_made_up(job.scratch, tally.hear) for tally in (ours, bare)]
    return Measured(
        metrics=ours.metrics(audio_s, made_up[0]),
        peers={PEER: bare.metrics(audio_s, made_up[1])},
        counts={"files": len(rows), "audio_s": audio_s, **_counts(ours.errors), "timed_words": ours.timing.words},
        files=tuple(files),
        models=(options.model, SPEECH_MODEL),
        notes=NOTES,
        details={"engine": listener.models.transcriber.name},
    )


def _peaks_mb(job: Job, weights: Path, file: Path) -> tuple[float, float]:
    """The memory of a process that hears the largest file, ours and the bare engine's; not a number if one fails."""
    place: dict[str, Any] = {"folder": job.scratch, "environment": {**os.environ, "PYTHONPATH": str(ROOT)}}
    ours = run_peer("hearing_alone", str(job.config.resolve()), str(file.resolve()), **place)
    bare = run_peer("bare_whisper", str(weights.resolve()), str(file.resolve()), **place)
    return ours.get("peak_mb", math.nan), bare.get("peak_mb", math.nan)


def _ours(listener: Listener) -> Hear:
    def hear(path: Path) -> Sequence[Word]:
        with listener.recording(path) as recording:
            return recording.recognised

    return hear


def _compare(job: Job, rows: Sequence[dict[str, str]], ours: Tally, bare: Tally) -> tuple[list[dict[str, Any]], float]:
    """Both recognisers on every file, and how many seconds of sound that was."""
    files, audio_s = [], 0.0
    for number, row in enumerate(rows, start=1):
        path = job.data / row["file"]
        words, peer_words = ours.words(path), bare.words(path)
        errors, peer_errors = ours.judge(row, words), bare.judge(row, peer_words)
        truth = word_truth(path, row, job.scratch)
        ours.time(row, truth, words)
        bare.time(row, truth, peer_words)
        duration_s = float(row.get("duration_s") or 0) or probe(path).duration_s
        audio_s += duration_s
        job.predict(f"{row['file']}.json", _prediction(row["file"], words))
        text = " ".join(word.text for word in words)
        files.append({"file": row["file"], "wer": errors.rate, **_counts(errors), "peer_wer": peer_errors.rate})
        files[-1] |= {"duration_s": duration_s, "text": text}
        say(f"{number} of {len(rows)}: {row['file']}: wer {errors.rate:.3f}, {PEER} {peer_errors.rate:.3f}")
    return files, audio_s


def _counts(errors: WordErrors) -> dict[str, int]:
    return {
        "words": errors.words,
        "substituted": errors.substituted,
        "deleted": errors.deleted,
        "inserted": errors.inserted,
    }


def _made_up(scratch: Path, hear: Hear) -> dict[str, int]:
    """How many words are heard where nobody speaks."""
    music, silence = (
        make_music(scratch / "music.wav", SPEECHLESS_S),
        make_silence(scratch / "silence.wav", SPEECHLESS_S),
    )
    return {"words_in_music": len(hear(music)), "words_in_silence": len(hear(silence))}


def _prediction(file: str, words: Sequence[Word]) -> str:
    rows = [
        {"start": round(w.start, 3), "end": round(w.end, 3), "text": w.text, "probability": round(w.probability, 4)}
        for w in words
    ]
    return json.dumps({"file": file, "words": rows}, indent=1, ensure_ascii=False) + "\n"
