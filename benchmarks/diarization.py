"""Who speaks when: diarization error rate beside a naive pipeline on the same voice vectors."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.job import Job, say
from benchmarks.listening import Listener
from benchmarks.naive_hearing import naive_turns
from benchmarks.report import Measured
from eval.diarization_errors import DiarizationErrors, diarization_errors
from featurization.media import Turn
from steps.models import SPEAKER_MODEL, SPEECH_MODEL
from steps.recording import Recording
from steps.truth.figures import COLLAR_S, speaker_figures
from steps.truth.formats import TURNS, read_rttm, write_rttm

PEER = "VAD + clustering at defaults"
NOTES = (
    "der: missed, false alarm and confused speaker seconds over those of the reference, pooled over files, no collar, "
    "overlapped speech scored, speakers mapped so that most time agrees (eval/diarization_errors.py)",
    "der_collar: the same without 0.25 s on each side of every edge of the reference",
    "real_time_factor: wall seconds over seconds of sound; rushes with decoding and voice activity, the peer without "
    "decoding",
    f"{PEER}: Silero VAD with faster-whisper's defaults, Resemblyzer vectors of 1.6 s windows, scikit-learn's "
    "AgglomerativeClustering() (two clusters); a naive baseline",
)


@dataclass
class Tally:
    """What one diarizer has done so far."""

    exact: DiarizationErrors = field(default_factory=DiarizationErrors)
    forgiving: DiarizationErrors = field(default_factory=DiarizationErrors)
    seconds: float = 0.0

    def turns(self, find: Callable[[], Sequence[Turn]]) -> Sequence[Turn]:
        """What `find` gives, on the clock."""
        started = time.perf_counter()
        found = find()
        self.seconds += time.perf_counter() - started
        return found

    def judge(self, reference: Sequence[Turn], found: Sequence[Turn]) -> DiarizationErrors:
        """Errors of one recording without a collar, which are also added to the pool."""
        errors = diarization_errors(reference, found)
        self.exact += errors
        self.forgiving += diarization_errors(reference, found, collar_s=COLLAR_S)
        return errors

    def metrics(self, audio_s: float) -> dict[str, float]:
        """The figures of this diarizer."""
        return {**speaker_figures(self.exact, self.forgiving), "real_time_factor": self.seconds / audio_s}


def measure(job: Job) -> Measured:
    """Errors over all NAME.rttm. Predictions: NAME.rttm for each."""
    listener, ours, naive = Listener(job.scratch, job.settings), Tally(), Tally()
    _ = listener.models.speakers  # loaded before the clock runs
    files, audio_s = [], 0.0
    for name, truth in job.truths(TURNS):
        reference = read_rttm(truth)
        with listener.recording(job.sound(name)) as recording:
            found, peer = _both(recording, ours, naive)
            audio_s += recording.pcm.duration_s
        job.predict(f"{name}{TURNS}", write_rttm(name, found))
        errors, peer_errors = ours.judge(reference, found), naive.judge(reference, peer)
        files.append({"file": name, **_figures(errors, reference, found), "peer_der": peer_errors.rate})
        say(f"{name}: der {errors.rate:.3f}, {PEER} {peer_errors.rate:.3f}")
    return Measured(
        metrics=ours.metrics(audio_s),
        peers={PEER: naive.metrics(audio_s)},
        counts={"files": len(files), "audio_s": audio_s, "spoken_s": ours.exact.spoken_s},
        files=tuple(files),
        models=(SPEAKER_MODEL, SPEECH_MODEL),
        notes=NOTES,
    )


def _both(recording: Recording, ours: Tally, naive: Tally) -> tuple[Sequence[Turn], Sequence[Turn]]:
    """Our turns and the peer's."""
    found = ours.turns(lambda: recording.turns)
    samples, encoder = recording.pcm.read(recording.pcm.span), recording.models.speakers
    return found, naive.turns(lambda: naive_turns(samples, encoder))


def _figures(errors: DiarizationErrors, reference: Sequence[Turn], found: Sequence[Turn]) -> dict[str, Any]:
    return {
        "der": errors.rate,
        "spoken_s": errors.spoken_s,
        "missed_s": errors.missed_s,
        "false_alarm_s": errors.false_alarm_s,
        "confused_s": errors.confused_s,
        "speakers": len({turn.speaker for turn in reference}),
        "speakers_found": len({turn.speaker for turn in found}),
    }
