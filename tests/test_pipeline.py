"""From the sample feed to published previews, by the flows, against the truth file."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyloudnorm
import pytest
from conftest import SAMPLES, Workplace
from mutagen.id3 import ID3
from scipy.signal import resample_poly

from featurization.feeds.parse import parse_feed
from featurization.media import Asset, Segment, overlap_s
from steps.previews import PREVIEWS, Preview
from steps.tables import ADS, ASSETS, SENTENCES, SOUNDS, TURNS, WORDS

EDGE_S = 0.150
FORBIDDEN = "Nine Hours on Mount Harlow"


def by_title(place: Workplace) -> dict[str, tuple[Asset, Preview, dict[str, Any]]]:
    truth = json.loads((SAMPLES / "truth.json").read_text())
    previews = place.store.read(PREVIEWS)
    assets = [rows[0] for rows in place.store.read(ASSETS).values()]
    episodes = [asset for asset in assets if asset.kind == "audio"]
    return {a.title: (a, previews[a.asset_id][0], truth[Path(a.source).name]) for a in episodes}


def permitted(place: Workplace) -> list[tuple[Asset, Preview, dict[str, Any]]]:
    return [found for title, found in by_title(place).items() if title != FORBIDDEN]


def spans(rows: list[Mapping[str, float]]) -> list[Segment]:
    return [Segment(row["start"], row["end"]) for row in rows]


def decoded(data: bytes) -> tuple[np.ndarray, int]:
    """Samples (time, channels) in [-1, 1] and the rate of an encoded clip."""
    with av.open(io.BytesIO(data)) as container:
        resampler = av.AudioResampler(format="fltp")
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray() for frame in frames], axis=1).T, frames[0].sample_rate


def test_the_permitted_episodes_have_previews_and_the_forbidden_one_has_none(published: Workplace):
    found = by_title(published)
    assert len(found) == 3
    asset, preview, _ = found[FORBIDDEN]
    assert preview.status == "refused"
    assert "cc-by-nd-4.0" in preview.reason
    assert published.store.files.list(f"previews/{asset.asset_id}") == []
    assert {p.status for _, p, _ in permitted(published)} == {"published"}


def test_previews_contain_no_ad_no_music_and_nothing_of_the_ending(published: Workplace):
    for asset, preview, true in permitted(published):
        for moment in preview.moments:
            assert overlap_s(moment, spans(true["ads"])) == 0
            assert overlap_s(moment, spans(true["music"] + true["music_bed"])) == 0
            assert overlap_s(moment, spans(true["spoilers"])) == 0
            assert moment.end < 0.85 * asset.duration_s


def test_previews_start_and_end_where_sentences_do(published: Workplace):
    for _, preview, true in permitted(published):
        for moment in preview.moments:
            assert min(abs(moment.start - s["start"]) for s in true["sentences"]) < EDGE_S
            assert min(abs(moment.end - s["end"]) for s in true["sentences"]) < EDGE_S


def test_previews_are_about_as_long_as_asked(published: Workplace):
    assert all(20 <= sum(m.duration for m in preview.moments) <= 40 for _, preview, _ in permitted(published))


def test_loudness_and_peak_are_on_target_by_independent_meters(published: Workplace):
    for asset, preview, _ in permitted(published):
        samples, rate = decoded(published.store.files.read(f"previews/{asset.asset_id}/preview.mp3"))
        measured = pyloudnorm.Meter(rate).integrated_loudness(samples)
        peak = 20 * np.log10(np.abs(resample_poly(samples, 8, 1, axis=0)).max())
        assert measured == pytest.approx(-16, abs=0.5)
        assert preview.loudness_lufs == pytest.approx(measured, abs=0.1)
        assert peak <= -1.0


def test_the_published_sound_is_the_chosen_moment_of_the_original(published: Workplace):
    for asset, preview, _ in permitted(published):
        cut, rate = decoded(published.store.files.read(f"previews/{asset.asset_id}/preview.mp3"))
        whole, whole_rate = decoded((SAMPLES / "episodes" / Path(asset.source).name).read_bytes())
        assert rate == whole_rate
        start = round(preview.moments[0].start * rate)
        original = whole[start : start + 5 * rate, 0]
        lead = round(0.5 * rate)  # the breath before the first word is shorter
        scores = [float(np.dot(original, cut[at : at + len(original), 0])) for at in range(0, lead, 4)]
        best = 4 * int(np.argmax(scores))
        copy = cut[best : best + len(original), 0]
        assert np.corrcoef(original, copy)[0, 1] > 0.95
        assert best / rate < 0.2


def test_preview_json_says_what_others_script_against(published: Workplace):
    for asset, preview, _ in permitted(published):
        said = json.loads(published.store.files.read(f"previews/{asset.asset_id}/preview.json"))
        assert said["asset_id"] == asset.asset_id
        assert said["title"] == asset.title
        assert (said["start"], said["end"]) == (preview.moments[0].start, preview.moments[-1].end)
        assert sum(said["contributions"].values()) == pytest.approx(said["score"], abs=1e-3)
        assert said["model"].startswith("prior@")
        assert said["run"].startswith("PublishPreviews/")
        assert {"text", "loudness_lufs", "true_peak_dbtp", "gates"} <= said.keys()
        assert any(gate["gate"] == "ad" and gate["excluded"] > 0 for gate in said["gates"])


def test_tags_name_the_show_the_source_the_model_and_the_run(published: Workplace):
    for asset, preview, _ in permitted(published):
        tags = ID3(io.BytesIO(published.store.files.read(f"previews/{asset.asset_id}/preview.mp3")))
        assert tags["TIT2"].text == [asset.title]
        assert tags["TPE1"].text == ["The Lantern Hour"]
        assert preview.model in str(tags["TXXX:provenance"])
        assert preview.run in str(tags["TXXX:provenance"])
        assert tags.getall("APIC")


def test_what_was_heard_agrees_with_the_truth(published: Workplace):
    ads, sounds, turns = (published.store.read(table) for table in (ADS, SOUNDS, TURNS))
    for asset, _, true in by_title(published).values():
        found = [s for s in sounds[asset.asset_id] if s.label == "music"]
        for music in spans(true["music"] + true["music_bed"]):
            assert overlap_s(music, found) > 0.9 * music.duration
        assert sum(s.duration for s in found) < 1.15 * sum(m.duration for m in spans(true["music"] + true["music_bed"]))
        for ad in spans(true["ads"]):
            assert overlap_s(ad, ads[asset.asset_id]) > 0.95 * ad.duration
        assert len({turn.speaker for turn in turns[asset.asset_id]}) == 2


def test_no_word_is_heard_in_music(published: Workplace):
    words = published.store.read(WORDS)
    for asset, _, true in by_title(published).values():
        for music in spans(true["music"]):
            assert [w.text for w in words[asset.asset_id] if w.middle in music] == []


def test_the_publishers_transcript_is_used_where_there_is_one(published: Workplace):
    words, sentences = published.store.read(WORDS), published.store.read(SENTENCES)
    estimated = {
        asset.title: all(w.estimated for w in words[asset.asset_id]) for asset, _, _ in by_title(published).values()
    }
    assert [title for title, all_estimated in estimated.items() if all_estimated] == ["The Lamp on Raven Rock"]
    assert all(sentences.values())


def test_the_copy_of_the_feed_gains_soundbites_and_loses_nothing(published: Workplace):
    (name,) = published.store.files.list("feeds")
    copy = published.store.files.read(f"feeds/{name}")
    before = parse_feed((SAMPLES / "feed.xml").read_bytes(), base_url="file:///samples/feed.xml")
    after = parse_feed(copy, base_url="file:///samples/feed.xml")
    previews = {asset.guid: preview for asset, preview, _ in by_title(published).values()}
    for old, new in zip(before.items, after.items, strict=True):
        assert set(old.soundbites) <= set(new.soundbites)
        assert set(old.transcripts) <= set(new.transcripts)
        starts = [bite.start for bite in new.soundbites]
        for moment in previews[old.guid].moments:
            assert any(abs(moment.start - start) < 0.01 for start in starts)


def test_a_second_run_computes_nothing_and_changes_nothing(published: Workplace):
    before = published.store.current()
    files = {p: p.read_bytes() for p in (published.folder / "store" / "previews").rglob("*") if p.is_file()}
    assert "in 0 s" in published.flow("featurize_media", "run", "--assets", "all").stdout
    again = published.flow("publish_previews", "run", "--assets", "all")
    assert again.returncode == 0, again.stdout
    assert published.store.current().tables == before.tables
    assert {p: p.read_bytes() for p in files} == files


def test_the_card_is_one_page_with_players_and_no_link_to_elsewhere(published: Workplace):
    cards = (published.folder / ".metaflow" / "mf.cards" / "PublishPreviews").rglob("*.html")
    page = min(cards, key=lambda card: card.stat().st_mtime).read_text()
    assert page.count("<audio") == 2
    assert "data:audio/mpeg;base64," in page
    assert FORBIDDEN in page
    assert 'src="http' not in page
