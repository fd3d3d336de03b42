"""Settings: one TOML file becomes frozen option classes, checked before any work starts."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import Any, Literal

from annotation.examples import HeadOptions
from eval.off_policy import OffPolicyOptions
from eval.online import ExperimentOptions
from featurization.ads import AdOptions
from featurization.context import ContextOptions
from featurization.decode import DecodeOptions
from featurization.errors import ConfigError
from featurization.frames import FrameOptions
from featurization.image_tags import TagOptions
from featurization.keyframes import KeyframeOptions
from featurization.markers import MarkerOptions
from featurization.scenes import SceneOptions
from featurization.sentences import SentenceOptions
from featurization.shots import ShotOptions
from featurization.sound_vectors import SoundVectorOptions
from featurization.sounds import SoundOptions
from featurization.speakers import SpeakerOptions
from featurization.speech import SpeechOptions
from featurization.spoilers import SpoilerOptions
from featurization.text import TextOptions
from featurization.topics import TopicOptions
from featurization.transcribe import TranscribeOptions
from featurization.vision import VisionOptions
from ranking.candidates import CandidateOptions
from ranking.gates import GateOptions
from ranking.labels import LabelOptions
from ranking.lambdarank import LambdaRankOptions
from ranking.linear import LinearOptions
from ranking.neural import NeuralOptions
from ranking.prior import PriorOptions
from ranking.select import SelectOptions
from ranking.tune import TuneOptions
from steps.chunks import FanoutOptions
from steps.costs import PriceOptions
from steps.detectors.options import LearnAdsOptions, LearnOptions
from steps.events import EventOptions
from steps.golden.clips import GoldenOptions
from steps.intake.fetching import DownloadOptions
from steps.options import build
from steps.rendering.render import RenderOptions

KindName = Literal["lambdarank", "linear", "neural"]


@dataclass(frozen=True)
class IngestOptions:
    """How downloads are shared out."""

    threads: int = 4  # downloads at a time in one task
    items_per_task: int = 100


@dataclass(frozen=True)
class HearOptions:
    """Where words come from, and how much of a recording is worth recognising."""

    publisher_transcripts: bool = True  # use a transcript that carries times instead of recognising
    min_agreement: float = 0.75  # how well its cues must fit the speech (F1 of time), else it is not used
    middle_share: float = 1.0  # 0.8 leaves the likely intro and outro unrecognised and saves a fifth of the compute

    def __post_init__(self) -> None:
        if not 0 < self.middle_share <= 1:
            raise ValueError(f"middle_share must be above 0 and at most 1, got {self.middle_share}")


@dataclass(frozen=True)
class PublishOptions:
    """What is published beside the preview itself."""

    base_url: str = ""  # where the previews folder will be served; in the copy of the feed
    report_players: int = 20  # episodes of the report that carry a player; each weighs half a megabyte


@dataclass(frozen=True)
class TrainOptions:
    """What a training run tries, holds out and asks of a new ranker."""

    kinds: tuple[KindName, ...] = ("lambdarank", "linear", "neural")  # each is searched in a task of its own
    held_out: float = 0.25  # share of the shows that judge and do not teach
    min_shows: int = 5  # held-out shows without which nothing is replaced
    level: float = 0.95  # of the interval that must lie above zero
    curve: tuple[int, ...] = (5, 10, 20, 50, 100, 200, 500, 1000)  # golden episodes, for the learning curve

    def __post_init__(self) -> None:
        if not self.kinds:
            raise ValueError("kinds must name at least one kind of ranker")
        if not (0 < self.held_out < 1 and 0 < self.level < 1):
            raise ValueError(f"held_out and level must be between 0 and 1, got {self.held_out} and {self.level}")
        if self.min_shows < 2:
            raise ValueError(f"min_shows must be at least 2, got {self.min_shows}: one show says nothing of others")


@dataclass(frozen=True)
class AnnotateOptions:
    """When what a label's head says becomes a tag."""

    min_confidence: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.min_confidence <= 1:
            raise ValueError(f"min_confidence must be above 0 and at most 1, got {self.min_confidence}")


@dataclass(frozen=True)
class GarbageOptions:
    """What is kept although nothing needs it."""

    grace_h: float = 48.0  # younger files stay: a run may have written them just now
    keep_days: int = 0  # snapshots of as many days, and rankers; 0 keeps all
    keep_snapshots: int = 0  # as many of the newest, at least; 0 keeps all, unless keep_days says which

    def __post_init__(self) -> None:
        if self.grace_h < 24:
            raise ValueError(
                f"grace_h must be 24 or more, got {self.grace_h}: a run writes for hours before it commits"
            )
        if self.keep_days < 0 or self.keep_snapshots < 0 or self.keep_snapshots == 1:
            raise ValueError(
                "keep_days must be 0 or more, and keep_snapshots 0 (all), or 2 (one to roll back to) or more"
            )


@dataclass(frozen=True)
class Settings:
    """All options, one field per table of the TOML file. Defaults stand in the classes; the file only overrides."""

    ingest: IngestOptions = field(default_factory=IngestOptions)
    download: DownloadOptions = field(default_factory=DownloadOptions)
    fanout: FanoutOptions = field(default_factory=FanoutOptions)
    prices: PriceOptions = field(default_factory=PriceOptions)
    hear: HearOptions = field(default_factory=HearOptions)
    decode: DecodeOptions = field(default_factory=DecodeOptions)
    speech: SpeechOptions = field(default_factory=SpeechOptions)
    transcribe: TranscribeOptions = field(default_factory=TranscribeOptions)
    sounds: SoundOptions = field(default_factory=SoundOptions)
    speakers: SpeakerOptions = field(default_factory=SpeakerOptions)
    sentences: SentenceOptions = field(default_factory=SentenceOptions)
    text: TextOptions = field(default_factory=TextOptions)
    topics: TopicOptions = field(default_factory=TopicOptions)
    ads: AdOptions = field(default_factory=AdOptions)
    spoilers: SpoilerOptions = field(default_factory=SpoilerOptions)
    markers: MarkerOptions = field(default_factory=MarkerOptions)
    frames: FrameOptions = field(default_factory=FrameOptions)
    shots: ShotOptions = field(default_factory=ShotOptions)
    keyframes: KeyframeOptions = field(default_factory=KeyframeOptions)
    vision: VisionOptions = field(default_factory=VisionOptions)
    sound_vectors: SoundVectorOptions = field(default_factory=SoundVectorOptions)
    tags: TagOptions = field(default_factory=TagOptions)
    heads: HeadOptions = field(default_factory=HeadOptions)
    annotate: AnnotateOptions = field(default_factory=AnnotateOptions)
    context: ContextOptions = field(default_factory=ContextOptions)
    scenes: SceneOptions = field(default_factory=SceneOptions)
    candidates: CandidateOptions = field(default_factory=CandidateOptions)
    gates: GateOptions = field(default_factory=GateOptions)
    prior: PriorOptions = field(default_factory=PriorOptions)
    labels: LabelOptions = field(default_factory=LabelOptions)
    select: SelectOptions = field(default_factory=SelectOptions)
    tune: TuneOptions = field(default_factory=TuneOptions)
    train: TrainOptions = field(default_factory=TrainOptions)
    lambdarank: LambdaRankOptions = field(default_factory=LambdaRankOptions)
    linear: LinearOptions = field(default_factory=LinearOptions)
    neural: NeuralOptions = field(default_factory=NeuralOptions)
    learn_sounds: LearnOptions = field(default_factory=LearnOptions)
    learn_ads: LearnAdsOptions = field(default_factory=LearnAdsOptions)
    render: RenderOptions = field(default_factory=RenderOptions)
    publish: PublishOptions = field(default_factory=PublishOptions)
    golden: GoldenOptions = field(default_factory=GoldenOptions)
    events: EventOptions = field(default_factory=EventOptions)
    experiments: ExperimentOptions = field(default_factory=ExperimentOptions)
    off_policy: OffPolicyOptions = field(default_factory=OffPolicyOptions)
    garbage: GarbageOptions = field(default_factory=GarbageOptions)


def parse(text: str) -> dict[str, Any]:
    """The TOML tables of a config, checked; ConfigError says in one line what is wrong and what is known."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the config is not TOML: {error}") from error
    build(Settings, given)
    return given
