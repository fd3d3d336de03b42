"""A store whose content is known, filled by the steps that fill real ones: two shows' worth of every state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from episode_factory import ASSET, heard, say

from featurization.media import (
    AdSpan,
    Asset,
    Chapter,
    Hearing,
    LevelTrack,
    Quarantined,
    Rights,
    Segment,
    SoundSpan,
    SpoilerSpan,
    Topic,
    Turn,
    Vector,
)
from steps.choose import CANDIDATES
from steps.ingest import FEEDS, FeedDocument
from steps.previews import PREVIEWS, GateCount, Preview
from steps.publish import PUBLISHED, Published, commit_previews
from steps.staging import Staging
from steps.store import Store, Writes
from steps.tables import (
    ADS,
    ASSETS,
    LEVELS,
    PROFILES,
    QUARANTINE,
    SENTENCES,
    SOUNDS,
    SPOILERS,
    TOPICS,
    TURNS,
    VECTORS,
    WORDS,
)

LAMP, JAR, ROPE, DRUM = "aa01" * 4, "aa02" * 4, "bb03" * 4, "cc04" * 4
LOST = "dd05" * 4  # a source that never became an asset
HOSTILE_TITLE = "The \x1b[31mdrum\x1b[0m\nof [bold]Ash[/] Lane"
SOUND = b"ID3 the lamp, thirty seconds of it"
FEED = b"""<rss version="2.0"><channel><title>Night</title>
<item><guid>lamp</guid><title>The lamp</title></item>
</channel></rss>"""

SENTENCE_TEXTS = ("We found a lamp.", "Who lit it & why?", "Nobody knows.", "It burned all night.")
HEARING: Hearing = replace(
    heard(say(*SENTENCE_TEXTS, start=1.0)),
    turns=(Turn(1.0, 11.5, "S1"), Turn(12.0, 22.5, "S2", 0.75)),
    sounds=(SoundSpan(1.0, 22.5, "speech"), SoundSpan(0.0, 2.0, "music", 0.5)),
    topics=(Topic(0.0, 12.0, "The lamp", ("lamp",)), Topic(12.0, 600.0, "The night")),
    ads=(AdSpan(100.0, 130.0, "sponsor", 0.9, ('says "promo code"',)),),
    spoilers=(SpoilerSpan(510.0, 600.0, 1.0, ("the ending",)),),
)


def asset(asset_id: str, title: str, **facts: object) -> Asset:
    """An asset of the show Night with these facts."""
    known = replace(ASSET, asset_id=asset_id, sha256=asset_id * 4, title=title, show="Night", language="en")
    return replace(
        known, source=f"https://night.example/{asset_id}.mp3", feed="https://night.example/feed.xml", **facts
    )


ASSETS_BY_ID = {
    LAMP: asset(LAMP, "The lamp", guid="lamp", published="2024-03-04", chapters=(Chapter(0.0, 60.0, "One"),)),
    JAR: asset(JAR, "The jar", published="2024-02-04", rights=Rights(derivatives="forbidden", license="cc-by-nd-4.0")),
    ROPE: asset(ROPE, "The rope", published="2024-01-04"),
    DRUM: asset(DRUM, HOSTILE_TITLE, published="2023-12-04"),
}
PROBLEM = Quarantined(
    "https://night.example/gone.mp3", "unreachable", "gone.mp3: 404; ask its publisher", "ingest", "Gone"
)


def stocked(place: Path | str) -> Store:
    """The lamp is published, the jar refused, the rope heard, the drum ingested, and one source is lost."""
    store = Store(str(place))
    document = FeedDocument("https://night.example/feed.xml", store.put_bytes(FEED, ".xml"), "Night")
    store.commit(
        "IngestMedia/1/join/3",
        {
            ASSETS: {asset_id: [one] for asset_id, one in ASSETS_BY_ID.items()},
            QUARANTINE: {LOST: [PROBLEM]},
            FEEDS: {"ee" * 8: [document]},
        },
    )
    store.commit("FeaturizeMedia/2/join/3", hearing_tables(LAMP, JAR, ROPE))
    publish(store, "PublishPreviews/3/join/3", {LAMP: preview(store, SOUND), JAR: refusal()})
    return store


def hearing_tables(*asset_ids: str) -> Writes:
    """The same hearing for each asset."""
    rows = {
        PROFILES: [HEARING.profile],
        WORDS: HEARING.words,
        SENTENCES: HEARING.sentences,
        TURNS: HEARING.turns,
        SOUNDS: HEARING.sounds,
        TOPICS: HEARING.topics,
        ADS: HEARING.ads,
        SPOILERS: HEARING.spoilers,
        LEVELS: [LevelTrack(0.1, (-20.0,) * 6000)],
        VECTORS: [Vector(s.start, s.end, "sentence", "test", (1.0, 0.0)) for s in HEARING.sentences],
    }
    return {table: dict.fromkeys(asset_ids, content) for table, content in rows.items()}


def preview(store: Store, sound: bytes, *, start: float = 1.0) -> Preview:
    """A published preview of the lamp whose sound is these bytes."""
    made = {"preview.mp3": (sound, ".mp3"), "preview.vtt": (b"WEBVTT\n", ".vtt"), "waveform.svg": (b"<svg/>", ".svg")}
    return Preview(
        status="published",
        title="The lamp",
        recipe="r1",
        run="PublishPreviews/3",
        model="prior",
        code="rushes 0.1.0",
        moments=(Segment(start, 22.5),),
        score=1.5,
        contributions={"questions": 0.5, "energy": 1.25, "pause_share": -0.25},
        text=" ".join(SENTENCE_TEXTS),
        gates=(GateCount("ad", 2, ("30.0 s of sponsor at 1:40",)),),
        considered=12,
        duration_s=22.0,
        loudness_lufs=-16.0,
        true_peak_dbtp=-1.4,
        files={name: store.put_bytes(data, suffix) for name, (data, suffix) in made.items()},
    )


def refusal() -> Preview:
    """The jar's licence forbids a preview."""
    return Preview(
        "refused", "The jar", "r2", "PublishPreviews/3", "prior", "rushes 0.1.0", reason="rights: no derivatives"
    )


def publish(store: Store, run: str, previews: dict[str, Preview]) -> None:
    """Commit these previews as the flow does, and put their files in place."""
    staging = Staging(store, run, PUBLISHED)
    outcomes = [Published(asset_id, run, preview.status) for asset_id, preview in previews.items()]
    for outcome in outcomes:
        staging.keep(outcome.asset_id, outcome, {PREVIEWS: [previews[outcome.asset_id]], CANDIDATES: []})
    commit_previews([list(previews)], outcomes, died="", run=run, store=store)
