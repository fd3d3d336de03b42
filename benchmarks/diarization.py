"""Who speaks when: diarization error rate beside a naive pipeline on the same voice vectors, and pyannote's on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.job import Job, say
from benchmarks.listening import Listener
from benchmarks.naive_hearing import naive_turns
from benchmarks.pyannote_peer import PyannotePeer
from benchmarks.report import Measured
from eval.diarization_errors import DiarizationErrors, diarization_errors
from featurization.media import Turn
from featurization.speaker_encoder import SpeakerEncoder
from featurization.speakers import SEGMENTATION_MODEL, VOICE_MODEL
from steps.models import SPEECH_MODEL
from steps.spending import peak_mb
from steps.truth.figures import COLLAR_S, speaker_figures
from steps.truth.formats import TURNS, read_rttm, write_rttm

NAIVE, PYANNOTE = "VAD + clustering at defaults", "pyannote pipeline, packaged weights"
RESAMPLES = 2000
NOTES = (
    "der: missed, false alarm and confused speaker seconds over those of the reference, pooled over files, no collar, "
    "overlapped speech scored, speakers mapped so that most time agrees (eval/diarization_errors.py)",
    "der_collar: the same without 0.25 s on each side of every edge of the reference; low and high: 95 % of resamples "
    "of the files",
    "within_one: share of the files in which the number of speakers is right or one off",
    "real_time_factor: wall seconds over seconds of sound; rushes with decoding and voice activity, the peers without "
    "decoding, models loaded before",
    f"{NAIVE}: Silero VAD with faster-whisper's defaults, Resemblyzer vectors of 1.6 s windows, scikit-learn's "
    "AgglomerativeClustering() (two clusters); a naive baseline",
)


@dataclass
class Tally:
    """What one diarizer has done so far."""

    exact: list[DiarizationErrors] = field(default_factory=list)
    forgiving: list[DiarizationErrors] = field(default_factory=list)
    off: list[int] = field(default_factory=list)  # speakers found too many, per file
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
        self.exact.append(errors)
        self.forgiving.append(diarization_errors(reference, found, collar_s=COLLAR_S))
        self.off.append(len({turn.speaker for turn in found}) - len({turn.speaker for turn in reference}))
        return errors

    def metrics(self, audio_s: float) -> dict[str, float]:
        """The figures of this diarizer."""
        pooled = speaker_figures(sum(self.exact, DiarizationErrors()), sum(self.forgiving, DiarizationErrors()))
        low, high = _interval(self.forgiving)
        return {
            **pooled,
            "der_collar_low": low,
            "der_collar_high": high,
            "within_one": float(np.mean(np.abs(self.off) <= 1)),
            "real_time_factor": self.seconds / audio_s,
        }


def _interval(errors: Sequence[DiarizationErrors]) -> tuple[float, float]:
    """95 % of the pooled rates of resampled files."""
    drawn = np.random.default_rng(7).integers(len(errors), size=(RESAMPLES, len(errors)))
    rates = [sum((errors[k] for k in row), DiarizationErrors()).rate for row in drawn]
    low, high = np.quantile(rates, (0.025, 0.975))
    return float(low), float(high)


def measure(job: Job) -> Measured:
    """Errors over all NAME.rttm. Predictions: NAME.rttm for each."""
    listener = Listener(job.scratch, job.settings)
    _ = listener.models.diarizer  # loaded before the clock runs
    registry = listener.models.registry
    encoder, ours, naive = SpeakerEncoder(registry.locate(VOICE_MODEL)), Tally(), Tally()
    foreign = PyannotePeer.find(job.scratch, registry.locate(SEGMENTATION_MODEL))
    files, audio_s = [], 0.0
    for name, truth in job.truths(TURNS):
        reference = read_rttm(truth)
        with listener.recording(job.sound(name)) as recording:
            found = ours.turns(lambda recording=recording: recording.turns)
            samples = recording.pcm.read(recording.pcm.span)
            peer = naive.turns(lambda samples=samples: naive_turns(samples, encoder))
            audio_s += recording.pcm.duration_s
        if foreign:
            foreign.add(name, samples)
        job.predict(f"{name}{TURNS}", write_rttm(name, found))
        errors, peer_errors = ours.judge(reference, found), naive.judge(reference, peer)
        files.append({"file": name, **_figures(errors, reference, found), "peer_der": peer_errors.rate})
        say(f"{name}: der {errors.rate:.3f}, {NAIVE} {peer_errors.rate:.3f}")
    peak = peak_mb()
    peers = {NAIVE: naive.metrics(audio_s), **_pyannote(foreign, job, audio_s)}
    return Measured(
        metrics={**ours.metrics(audio_s), "peak_mb": peak},
        peers=peers,
        counts={"files": len(files), "audio_s": audio_s, "spoken_s": sum(e.spoken_s for e in ours.exact)},
        files=tuple(files),
        models=(*job.settings.speakers.models, SPEECH_MODEL),
        notes=(*NOTES, PyannotePeer.note(foreign)),
    )


def _pyannote(peer: PyannotePeer | None, job: Job, audio_s: float) -> Mapping[str, Mapping[str, float]]:
    """Its figures, if it is installed."""
    if peer is None:
        return {}
    tally = Tally()
    outcome = peer.run()
    for name, truth in job.truths(TURNS):
        tally.judge(read_rttm(truth), outcome.turns[name])
    tally.seconds = outcome.seconds
    return {PYANNOTE: {**tally.metrics(audio_s), "peak_mb": outcome.peak_mb}}


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
