"""Speech, music, noise and silence, in frames of 10 ms, beside what is left over from voice activity."""

from __future__ import annotations

from benchmarks.job import Job, csv_text, say
from benchmarks.listening import Listener
from benchmarks.naive_hearing import naive_sounds
from benchmarks.report import Measured
from eval.sound_metrics import judge_sounds
from featurization.media import SoundSpan
from steps.models import SPEECH_MODEL
from steps.truth.figures import SoundMetrics, detection_figures, pooled_sounds, sound_figures
from steps.truth.formats import SOUND_COLUMNS, SOUNDS, read_sounds

PEER = "VAD and its complement"
NOTES = (
    "precision, recall and f1 of each label over frames of 10 ms, pooled over files; spans may overlap, so a frame may "
    "be speech and music (eval/sound_metrics.py); noise and silence only if the truth names them",
    f"{PEER}: Silero VAD with faster-whisper's defaults is speech; the rest is music above -45 dBFS and else silence; "
    "a naive baseline, no packaged detector of music being installed",
)


def measure(job: Job) -> Measured:
    """Frames over all NAME.sounds.csv. Predictions: NAME.sounds.csv for each."""
    listener = Listener(job.scratch, job.settings)
    files, audio_s = [], 0.0
    ours: list[SoundMetrics] = []
    naive: list[SoundMetrics] = []
    for name, path in job.truths(SOUNDS):
        truth = read_sounds(path)
        with listener.recording(job.sound(name)) as recording:
            found, pcm = recording.sounds, recording.pcm
            peer = naive_sounds(pcm.read(pcm.span))
        duration_s = max(pcm.duration_s, *(span.end for span in truth), 0.0)
        audio_s += duration_s
        judged = judge_sounds(truth, found, duration_s=duration_s)
        ours.append(judged)
        naive.append(judge_sounds(truth, peer, duration_s=duration_s))
        job.predict(f"{name}{SOUNDS}", csv_text(SOUND_COLUMNS, map(_row, found)))
        files.append(
            {"file": name, "duration_s": duration_s, **{label: detection_figures(m) for label, m in judged.items()}}
        )
        say(f"{name}: f1 of speech {judged['speech'].f1:.3f}, of music {judged['music'].f1:.3f}")
    pooled = pooled_sounds(ours)
    return Measured(
        metrics=sound_figures(pooled),
        peers={PEER: sound_figures(pooled_sounds(naive))},
        counts={"files": len(files), "audio_s": audio_s, **_frames(pooled)},
        files=tuple(files),
        models=(SPEECH_MODEL,),
        notes=NOTES,
    )


def _row(span: SoundSpan) -> dict[str, object]:
    return {"start": f"{span.start:.3f}", "end": f"{span.end:.3f}", "label": span.label}


def _frames(judged: SoundMetrics) -> dict[str, int]:
    """How many frames really carry each label."""
    return {f"{label}_frames": m.matched + m.false_negatives for label, m in judged.items()}
