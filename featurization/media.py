"""The values that pass between stages: frozen, validated, in seconds.

Time is seconds as float, half-open [start, end), from presentation timestamps. Every class here that is stored
becomes one Parquet table whose schema is derived from its fields (`steps/tables.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

Permission = Literal["allowed", "forbidden", "unknown"]
Float32 = Annotated[float, "float32"]  # stored in four bytes
UInt32 = Annotated[int, "uint32"]  # likewise
SoundLabel = Literal["speech", "music", "noise", "silence"]
MarkerKind = Literal["intro", "recap", "outro", "repeat"]
Transition = Literal["start", "cut", "fade", "dissolve"]


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A span of media time, in seconds, half-open: [start, end)."""

    start: float
    end: float

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"segment must satisfy 0 <= start <= end, got {self.start}..{self.end}")

    @property
    def duration(self) -> float:
        return self.end - self.start

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2

    @property
    def span(self) -> Segment:
        """The bare span, without what a subclass adds."""
        return Segment(self.start, self.end)

    def __and__(self, other: Segment) -> Segment:
        start = max(self.start, other.start)
        return Segment(start, max(start, min(self.end, other.end)))

    def __or__(self, other: Segment) -> Segment:
        return Segment(min(self.start, other.start), max(self.end, other.end))

    def __contains__(self, time: float) -> bool:
        return self.start <= time < self.end

    def overlaps(self, other: Segment) -> bool:
        return self.start < other.end and other.start < self.end


def merge(segments: Iterable[Segment], *, max_gap_s: float = 0.0) -> list[Segment]:
    """Union of spans as a sorted, disjoint list; gaps of up to `max_gap_s` are closed."""
    merged: list[Segment] = []
    for segment in sorted(s.span for s in segments):
        if merged and segment.start <= merged[-1].end + max_gap_s:
            merged[-1] = merged[-1] | segment
        else:
            merged.append(segment)
    return merged


def overlap_s(segment: Segment, others: Iterable[Segment]) -> float:
    """Seconds of `segment` covered by the union of `others`."""
    return sum((segment & other).duration for other in merge(others))


def shares_half(one: Segment, other: Segment) -> bool:
    """Whether two spans share at least half of the shorter one: what is said of one then holds for the other."""
    common = (one & other).duration
    return common > 0 and common >= min(one.duration, other.duration) / 2


def gaps(segments: Sequence[Segment], within: Segment) -> list[Segment]:
    """What of `within` none of `segments` covers, in order."""
    free, start = [], within.start
    for segment in merge(segments):
        if segment.start > start:
            free.append(Segment(start, min(segment.start, within.end)))
        start = max(start, segment.end)
        if start >= within.end:
            return free
    free.append(Segment(start, within.end))
    return free


@dataclass(frozen=True, slots=True)
class Rights:
    """What may be done with an asset, and who says so. Unknown is a value of its own."""

    preview: Permission = "unknown"
    derivatives: Permission = "unknown"
    license: str = ""  # SPDX-like slug as stated by the source, e.g. "cc-by-nd-4.0"
    territories: tuple[str, ...] = ()  # ISO 3166-1 alpha-2; empty means no restriction was stated
    expires: str = ""  # ISO 8601 date; empty means no end was stated
    attribution: str = ""
    source: str = ""  # where the statement stands: "item podcast:license", "manifest", "config"


@dataclass(frozen=True, slots=True)
class Soundbite(Segment):
    """A clip that the publisher chose (podcast:soundbite)."""

    title: str = ""


@dataclass(frozen=True, slots=True)
class Chapter(Segment):
    """A chapter as published (podcast:chapters or ID3 CHAP)."""

    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class TranscriptFile:
    """A publisher's transcript: where it is, what it claims to be, and its copy in the store."""

    url: str
    type: str  # media type, e.g. "text/vtt"
    language: str = ""
    blob: str = ""  # store key of the fetched bytes; empty if it could not be fetched


@dataclass(frozen=True, slots=True)
class Asset:
    """One piece of media, identified by its bytes. Same bytes twice are one asset."""

    asset_id: str  # first 16 hex digits of the sha256
    sha256: str
    blob: str  # store key of the bytes
    size_bytes: int
    duration_s: float  # as decoded at ingest, not as the feed claims
    kind: Literal["audio", "video"]
    container: str
    codec: str
    rate_hz: int
    channels: int
    title: str
    source: str  # URL or path it came from
    show: str = ""
    guid: str = ""
    feed: str = ""
    link: str = ""
    author: str = ""
    description: str = ""
    published: str = ""  # ISO 8601
    language: str = ""
    season: int = 0
    episode: int = 0
    image: str = ""
    image_blob: str = ""
    explicit: bool = False
    categories: tuple[str, ...] = ()  # its own and those of its feed, as published
    persons: tuple[str, ...] = ()
    soundbites: tuple[Soundbite, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    transcripts: tuple[TranscriptFile, ...] = ()
    rights: Rights = field(default_factory=Rights)
    has_audio: bool = True
    width: int = 0  # pixels as shown: upright and square; 0 without pictures
    height: int = 0
    frame_rate: float = 0.0  # average pictures per second; times never come from it


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An input that could not become an asset, or an asset that could not be heard."""

    source: str
    reason: str  # stable slug, see errors.py
    detail: str  # one line a person understands, with the way out
    stage: Literal["ingest", "featurize", "publish"]
    title: str = ""


@dataclass(frozen=True, slots=True)
class AudioProfile:
    """What was measured of a whole recording, and which models listened."""

    duration_s: float
    loudness_lufs: float  # EBU R128 integrated; -70 for silence
    loudness_range_lu: float
    channels: Literal["mono", "split"]  # "split": the channels carry different speakers and were kept apart
    speech_s: float
    music_s: float
    transcript: str  # "publisher text/vtt", "faster-whisper/whisper-tiny.en", "none"
    models: tuple[str, ...] = ()  # "name@sha256[:12]" of every model used


@dataclass(frozen=True, slots=True)
class Word(Segment):
    """One recognised word. Lists of words are monotone and do not overlap within a channel."""

    text: str
    probability: float = 1.0
    channel: int = 0
    estimated: bool = False  # the time was interpolated, not heard


@dataclass(frozen=True, slots=True)
class Sentence(Segment):
    """A sentence rebuilt from words; edges lie in the pauses around it."""

    text: str
    speaker: str = ""
    probability: float = 1.0  # mean word probability
    words: int = 0
    complete: bool = True  # begins and ends where a sentence does, not at a cut in the recording
    channel: int = 0


@dataclass(frozen=True, slots=True)
class Turn(Segment):
    """One speaker talking. Turns of different speakers may overlap."""

    speaker: str  # "S1", "S2", … in order of first appearance
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Voice:
    """How a speaker of one recording sounds, as a unit vector in the space of one encoder."""

    speaker: str  # as in the turns
    spoken_s: float
    space: str  # the encoder's identity; voices of different spaces are never compared
    values: tuple[Float32, ...]


@dataclass(frozen=True, slots=True)
class SoundSpan(Segment):
    """Speech, music, noise or silence. Speech and music may overlap."""

    label: SoundLabel
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Topic(Segment):
    """A stretch about one subject, on sentence edges."""

    title: str
    keywords: tuple[str, ...] = ()


Delivery = Literal["", "host-read", "produced"]  # who speaks a message; empty if nobody looked


@dataclass(frozen=True, slots=True)
class AdSpan(Segment):
    """A sponsor message or promotion, with the words or marks that gave it away."""

    kind: Literal["sponsor", "self-promotion", "cross-promotion"]
    confidence: float
    evidence: tuple[str, ...] = ()
    delivery: Delivery = ""
    tier: Literal["cut", "review"] = "review"  # sure enough to cut it out, or only to keep it out of previews


@dataclass(frozen=True, slots=True)
class SpoilerSpan(Segment):
    """Where the story may be given away: risk in [0, 1] with its evidence."""

    risk: float
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shot(Segment):
    """A run of frames from one camera. Shots are in order and leave no gap; a gradual transition is cut in its middle.

    `transition` says how the shot begins; `fade_in_s` and `fade_out_s` how much of its ends is transition, not picture.
    """

    number: int  # 0, 1, … within the asset
    transition: Transition
    fade_in_s: float = 0.0
    fade_out_s: float = 0.0
    keyframes: tuple[float, ...] = ()  # seconds, the most telling one first
    thumbnails: tuple[str, ...] = ()  # store keys of the keyframes as WebP, in the same order
    brightness: float = 0.0  # mean luma, 0 (black) to 1
    contrast: float = 0.0  # standard deviation of luma, 0 to .5
    motion: float = 0.0  # mean absolute difference of neighbouring frames, 0 to 1
    confidence: float = 1.0  # of the transition
    speech: float = 0.0  # share of the shot in which somebody speaks
    music: float = 0.0  # share of the shot with music
    level_db: float = -80.0  # mean RMS level, dBFS


@dataclass(frozen=True, slots=True)
class FilmProfile:
    """What was measured of a whole film, and the sheet of small pictures to scrub through it."""

    frames: int
    damaged_packets: int  # left out because they did not decode
    sprite: str = ""  # store key of the sheet as WebP
    sprite_columns: int = 0
    tile_width: int = 0
    tile_height: int = 0
    tile_times: tuple[float, ...] = ()  # seconds, row by row
    models: tuple[str, ...] = ()  # "name@sha256[:12]" of every model and extractor used


@dataclass(frozen=True, slots=True)
class Scene(Segment):
    """A run of shots that belong together: shots [first, last)."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Tag(Segment):
    """What is seen or heard in a stretch of media. Tags are independent; several may hold at once."""

    label: str
    confidence: float  # calibrated probability, 0 to 1
    source: str  # what says so: an extractor or a head, with its version


@dataclass(frozen=True, slots=True)
class Vector(Segment):
    """What a stretch of media means, looks or sounds like, as a unit vector in the space of one encoder."""

    kind: str  # "sentence", "image", "sound", "fused", or the name of an extractor
    space: str  # the encoder's identity; vectors of different spaces are never compared
    values: tuple[Float32, ...]


@dataclass(frozen=True, slots=True)
class LevelTrack:
    """RMS levels of consecutive hops of a recording, in dBFS."""

    hop_s: float
    decibels: tuple[Float32, ...]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """32 bits for every `hop_s` seconds of sound or picture, the first of them at `lead_s`; 0: nothing to recognise."""

    kind: Literal["sound", "picture"]
    hop_s: float
    lead_s: float
    codes: tuple[UInt32, ...]


@dataclass(frozen=True, slots=True)
class Marker(Segment):
    """What an episode shares with others of its show: listeners and viewers skip it, and a preview leaves it out."""

    kind: MarkerKind
    confidence: float  # how alike, times the share of the compared episodes that have it
    episodes: int  # that have it too


@dataclass(frozen=True, slots=True)
class Hearing:
    """Everything known of one recording's sound: what `featurize` produces and `publish` reads."""

    profile: AudioProfile
    words: tuple[Word, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    turns: tuple[Turn, ...] = ()
    sounds: tuple[SoundSpan, ...] = ()
    topics: tuple[Topic, ...] = ()
    ads: tuple[AdSpan, ...] = ()
    spoilers: tuple[SpoilerSpan, ...] = ()
    markers: tuple[Marker, ...] = ()  # found later, by comparing with other episodes
