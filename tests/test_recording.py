"""What a recording gives, when it is computed, and from what."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import SAMPLES
from media_factory import encode, stereo
from spoken_sample import RATE_HZ, episode_samples

from featurization.ads import AdOptions
from featurization.media import Asset, TranscriptFile
from steps.models import Models
from steps.recording import Recording
from steps.settings import HearOptions, Settings
from steps.store import Store

UNTIL_S = 60.0
EPISODE = "02-the-jar-in-the-cold-barn.mp3"


def opening() -> np.ndarray:
    """The first minute of a sample episode, (time,) at 16 kHz."""
    return episode_samples(SAMPLES / "episodes" / EPISODE)[: round(UNTIL_S * RATE_HZ)]


def asset_of(path: Path, store: Store, **more: Any) -> Asset:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    facts = {"kind": "audio", "container": "wav", "codec": "pcm", "rate_hz": RATE_HZ, "channels": 1, "title": path.stem}
    blob = store.put_blob(path, sha256)
    size = path.stat().st_size
    return Asset(sha256[:16], sha256, blob, size, UNTIL_S, source=str(path), **{**facts, **more})


@pytest.fixture(scope="module")
def models() -> Models:
    return Models(Settings())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(str(tmp_path_factory.mktemp("recordings") / "store"))


@pytest.fixture(scope="module")
def mono(store: Store, models: Models, tmp_path_factory: pytest.TempPathFactory) -> Asset:
    """A minute of talk that has been heard once."""
    path = tmp_path_factory.mktemp("media") / "minute.wav"
    encode(path, opening(), RATE_HZ)
    asset = asset_of(path, store)
    with hear(asset, store, models) as recording:
        recording.compute()
    return asset


def hear(asset: Asset, store: Store, models: Models, settings: Settings | None = None) -> Recording:
    return Recording(asset, store=store, settings=settings or models.settings, models=models)


def computed(recording: Recording) -> set[str]:
    """Extractors that took time; what was kept only takes reading."""
    return {name for name, spent in recording.cache.meter.spent.items() if spent.wall_s}


def test_hearing_again_decodes_nothing(mono: Asset, store: Store, models: Models):
    with hear(mono, store, models) as recording:
        recording.compute()
        assert recording.hearing.sentences
        assert computed(recording) == set()


def test_a_renamed_file_is_the_same_recording(mono: Asset, store: Store, models: Models):
    with hear(replace(mono, title="Other", source="/elsewhere.wav"), store, models) as recording:
        recording.compute()
        assert computed(recording) == set()


def test_another_ad_option_recognises_nothing_again(mono: Asset, store: Store, models: Models):
    settings = Settings(ads=AdOptions(min_confidence=0.9))
    with hear(mono, store, models, settings) as recording:
        assert recording.ads is not None
        assert computed(recording) == set()


def test_the_middle_alone_is_recognised_when_asked(mono: Asset, store: Store, models: Models):
    settings = Settings(hear=HearOptions(middle_share=0.5))
    with hear(mono, store, models, settings) as recording:
        words = recording.transcript[1]
        assert computed(recording) == {"decode", "words"}
    assert words
    assert all(word.start >= 15 and word.end <= 45 for word in words)


def test_two_stores_hold_the_same_bytes(mono: Asset, store: Store, models: Models, tmp_path: Path):
    other = Store(str(tmp_path / "store"))
    with store.local(mono.blob) as path:
        other.put_blob(path, mono.sha256)
    with hear(mono, other, models) as recording:
        recording.compute()
    root, other_root = Path(store.url) / "features", tmp_path / "store" / "features"
    made = {p.relative_to(other_root): p.read_bytes() for p in other_root.rglob("*.*") if p.is_file()}
    assert len(made) >= 7
    assert all((root / name).read_bytes() == data for name, data in made.items())


VTT = "WEBVTT\n\n" + "\n\n".join(
    f"00:00:{start:06.3f} --> 00:00:{end:06.3f}\nThis is not what was said at all."
    for start, end in ((0.5, 6.5), (57.0, 59.5))
)


def test_a_transcript_that_does_not_fit_the_sound_is_not_used(mono: Asset, store: Store, models: Models):
    blob = store.put_bytes(VTT.encode(), ".vtt")
    asset = replace(mono, transcripts=(TranscriptFile("https://example.com/a.vtt", "text/vtt", blob=blob),))
    with hear(asset, store, models) as recording:
        assert recording.profile.transcript == "faster-whisper/whisper-tiny.en"


def test_a_transcript_that_fits_spares_the_recogniser(
    mono: Asset, store: Store, models: Models, truth: Mapping[str, Any]
):
    said = [s for s in truth[EPISODE]["sentences"] if s["end"] < UNTIL_S]
    cues = (f"{clock(s['start'])} --> {clock(s['end'])}\n{s['text']}" for s in said)
    blob = store.put_bytes(("WEBVTT\n\n" + "\n\n".join(cues)).encode(), ".vtt")
    asset = replace(mono, transcripts=(TranscriptFile("https://example.com/a.vtt", "text/vtt", blob=blob),))
    with hear(asset, store, models) as recording:
        assert recording.profile.transcript == "publisher text/vtt"
        assert [s.text for s in recording.sentences] == [s["text"] for s in said]
        assert all(abs(s.start - t["start"]) < 0.15 for s, t in zip(recording.sentences, said, strict=True))


def clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"00:{int(minutes):02}:{rest:06.3f}"


def test_channels_with_a_speaker_each_are_heard_apart(
    store: Store, models: Models, truth: Mapping[str, Any], tmp_path: Path
):
    samples = opening()
    names = list(dict.fromkeys(turn["speaker"] for turn in truth[EPISODE]["speakers"]))
    sides = [np.zeros_like(samples), np.zeros_like(samples)]
    turns = [turn for turn in truth[EPISODE]["speakers"] if turn["end"] < UNTIL_S]
    for turn in turns:
        part = slice(round(turn["start"] * RATE_HZ), round(turn["end"] * RATE_HZ))
        sides[names.index(turn["speaker"])][part] = samples[part]
    encode(tmp_path / "apart.wav", stereo(*sides), RATE_HZ)
    with hear(asset_of(tmp_path / "apart.wav", store, channels=2), store, models) as recording:
        hearing = recording.hearing
    assert hearing.profile.channels == "split"
    assert {word.channel for word in hearing.words} == {0, 1}
    for turn in turns:
        middle = (turn["start"] + turn["end"]) / 2
        assert {w.channel for w in hearing.words if middle in w} <= {names.index(turn["speaker"])}
    by_channel = {channel: {s.speaker for s in hearing.sentences if s.channel == channel} - {""} for channel in (0, 1)}
    assert by_channel[0]
    assert by_channel[1]
    assert not by_channel[0] & by_channel[1]


def test_speech_in_an_unknown_language_is_said_and_has_no_transcript(
    store: Store, models: Models, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    encode(tmp_path / "backwards.wav", opening()[::-1].copy(), RATE_HZ)
    with hear(asset_of(tmp_path / "backwards.wav", store), store, models) as recording:
        assert recording.transcript[1] == ()
        assert recording.profile.transcript == "none"
    assert 'set model = "whisper-base" under [transcribe]' in caplog.text


def test_an_open_show_has_no_spoilers(mono: Asset, store: Store, models: Models):
    with hear(mono, store, models) as closed, hear(replace(mono, categories=("News",)), store, models) as open_show:
        assert closed.spoilers
        assert open_show.spoilers == ()
