"""The report is complete in itself, to scale, safe with any feed's text, and small for large runs."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from lxml import html as lxml_html
from pages import EVIL, Balance, text_of

from featurization.media import (
    AdSpan,
    Asset,
    AudioProfile,
    Hearing,
    Rights,
    Segment,
    SoundSpan,
    SpoilerSpan,
    Topic,
    Turn,
)
from steps.reporting.episode_card import EpisodeReport
from steps.reporting.player import PreviewFile
from steps.reporting.preview_page import PageOptions, RunFacts, report_html
from steps.reporting.timeline_scale import GUTTER, PLOT, clock
from steps.reporting.timeline_svg import ScoredSpan, timeline_svg


def hearing(duration_s: float = 300.0, *, turns: int = 6) -> Hearing:
    each = duration_s / turns
    return Hearing(
        AudioProfile(duration_s, -18, 5, "mono", duration_s, 20, "faster-whisper/tiny.en", ("tiny.en@123456789abc",)),
        turns=tuple(Turn(i * each, (i + 0.9) * each, f"S{1 + i % 2}") for i in range(turns)),
        sounds=(SoundSpan(0, 0.1 * duration_s, "music"), SoundSpan(0, duration_s, "speech")),
        topics=(Topic(0, duration_s / 2, "The lamp", ("lamp",)), Topic(duration_s / 2, duration_s, "The boat")),
        ads=(AdSpan(0.5 * duration_s, 0.6 * duration_s, "sponsor", 0.9, ("promo code",)),),
        spoilers=(SpoilerSpan(0.85 * duration_s, duration_s, 0.8, ("in the end",)),),
    )


def asset(asset_id: str = "0123456789abcdef", link: str = "https://example.org/e") -> Asset:
    return Asset(
        asset_id=asset_id,
        sha256="0" * 64,
        blob="",
        size_bytes=1,
        duration_s=300,
        kind="audio",
        container="mp3",
        codec="mp3",
        rate_hz=44_100,
        channels=2,
        title="t",
        source="s",
        show="Gull Rock",
        link=link,
        rights=Rights("allowed", "allowed", "cc-by-4.0", source="item podcast:license"),
    )


def published(title: str = "The lamp", *, asset_id: str = "0123456789abcdef", data: bytes = b"mp3!") -> EpisodeReport:
    return EpisodeReport(
        title=title,
        outcome="published",
        asset=asset(asset_id),
        hearing=hearing(),
        levels=np.full(3000, -20.0, dtype=np.float32),
        picks=(Segment(120.0, 150.0),),
        text="Then it went out.",
        before="That was the plan.",
        after="They rowed.",
        score=1.25,
        candidates=(ScoredSpan(120.0, 150.0, 1.25), ScoredSpan(30.0, 60.0, 0.5)),
        runners_up=(ScoredSpan(30.0, 60.0, 0.5, "Have you ever?"),),
        contributions=(("opens with a hook", 0.5), ("long pauses", -0.25)),
        gates=(("overlaps an ad", 31),),
        preview=PreviewFile("previews/a/preview.mp3", 30.5, -16.04, -1.2, data=data),
        model="prior@1",
        code_version="0.1.0",
    )


def test_a_published_episode_shows_everything_an_editor_asks() -> None:
    page = report_html([published()], title="Previews", run="publish_previews/7", facts=RunFacts(1.5, 540))
    shown = text_of(page)
    for said in (
        "publish_previews/7",
        "1published",
        "1.5 hof media",
        "0.100 xof real time",
        "02:00 to 02:30",
        "30.5 s",
        "\N{MINUS SIGN}16.0 LUFS",
        "\N{MINUS SIGN}1.2 dBTP",
        "… That was the plan. Then it went out. They rowed. …",
        "opens with a hook+0.50",
        "long pauses\N{MINUS SIGN}0.25",
        "Have you ever?",
        "overlaps an ad31",
        "prior@1",
        "tiny.en@123456789abc",
        "item podcast:license",
    ):
        assert said in shown, said
    (player,) = lxml_html.fromstring(page).findall(".//audio")
    assert base64.b64decode(player.get("src").removeprefix("data:audio/mpeg;base64,")) == b"mp3!"


@pytest.mark.parametrize("outcome", ["refused", "quarantined"])
def test_without_a_preview_the_reason_stands_in_overview_and_card(outcome: str) -> None:
    episode = EpisodeReport(title="The jar", outcome=outcome, reason="rights forbid derivatives")  # type: ignore[arg-type]
    page = report_html([episode], title="Previews", run="r/1")
    assert text_of(page).count("rights forbid derivatives") == 2
    assert "<audio" not in page


def test_nothing_is_fetched_and_nothing_runs() -> None:
    evil = published(EVIL, data=b"")
    page = report_html([evil], title=EVIL, run=EVIL, facts=RunFacts(note=EVIL))
    tree = lxml_html.fromstring(page)
    assert tree.findall(".//script") == [] and tree.findall(".//img") == []
    assert tree.findtext(".//h1") == EVIL and tree.findtext(".//h2/a") == EVIL
    loaded = [e.get("src") for e in tree.iter() if isinstance(e.tag, str) and e.get("src")]
    assert loaded == ["previews/a/preview.mp3"]
    assert not re.search(r"@import|url\(|<link", page)


def test_only_web_addresses_become_links() -> None:
    episode = EpisodeReport(title="t", outcome="refused", asset=asset(link="javascript:alert(1)"))
    assert "javascript:" not in report_html([episode], title="t", run="r")


def test_spans_lie_to_scale() -> None:
    svg = ET.fromstring(str(timeline_svg(300.0, hearing=hearing(), picks=[Segment(150, 180)])))
    rects = {r.get("class"): r for r in svg.iter() if r.tag.endswith("rect") and r.get("class") != "track"}
    assert float(rects["ad"].get("x", 0)) == pytest.approx(GUTTER + PLOT / 2, abs=0.1)
    assert float(rects["ad"].get("width", 0)) == pytest.approx(PLOT / 10, abs=0.1)
    assert float(rects["pick"].get("x", 0)) == pytest.approx(GUTTER + PLOT / 2 - 1, abs=0.1)
    names = [t.text for t in svg.iter() if t.tag.endswith("text")]
    assert {"Speakers", "Topics", "Music", "Ads", "Spoilers", "The lamp", "The boat"} == set(names[:7])
    assert "Candidates" not in names


def test_the_best_candidate_is_highest_and_the_pick_stands_out() -> None:
    candidates = [ScoredSpan(10, 40, 0.1), ScoredSpan(100, 130, 0.9), ScoredSpan(200, 230, 0.5)]
    svg = ET.fromstring(str(timeline_svg(300.0, hearing=hearing(), candidates=candidates, picks=candidates[1:2])))
    dots = [c for c in svg.iter() if c.tag.endswith("circle")]
    assert [d.get("class") for d in dots] == ["candidate", "candidate chosen", "candidate"]
    low, high, middle = (float(d.get("cy", 0)) for d in dots)
    assert high < middle < low


def test_ten_hours_cost_no_more_than_ten_minutes() -> None:
    long = hearing(36_000, turns=9_000)
    candidates = [ScoredSpan(s, s + 30, s % 7) for s in np.arange(0, 35_000, 3.0)]
    levels = np.full(360_000, -20.0, dtype=np.float32)
    picture = timeline_svg(36_000, hearing=long, levels=levels, candidates=candidates)
    assert len(picture) < 300_000
    assert "9:00:00" in picture


def test_two_hundred_episodes_are_one_page_with_few_players() -> None:
    episodes = [published(f"Episode {i}", asset_id=f"{i:016x}", data=bytes(1000)) for i in range(200)]
    page = report_html(episodes, title="Previews", run="r/1", options=PageOptions(players=5, open_cards=10))
    tree = lxml_html.fromstring(page)
    assert len(tree.findall(".//audio")) == 5
    assert len(tree.findall(".//section[@id]")) == 200
    assert len(tree.findall(".//details//section")) == 190
    assert len(page) < 6_000_000
    anchors = {a.get("href") for a in tree.findall(".//td/a")}
    assert anchors == {f"#a-{i:016x}" for i in range(200)}


def test_the_page_is_well_formed_and_the_same_every_time() -> None:
    episodes = [published(), EpisodeReport(title=EVIL, outcome="quarantined", reason=EVIL)]
    page = report_html(episodes, title="t", run="r")
    assert page == report_html(episodes, title="t", run="r")
    assert Balance.of(page) == []
    assert "nothing to publish" in report_html([], title="t", run="r")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "00:00"), (59.6, "01:00"), (3599.7, "1:00:00"), (36_605, "10:10:05")]
)
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown
