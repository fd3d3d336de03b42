"""What must not be published is excluded, with a reason that has numbers; what is allowed is let through."""

from dataclasses import replace
from datetime import date

import pytest
from episode_factory import ASSET, clip, heard, say
from hypothesis import given
from hypothesis import strategies as st

from featurization.media import AdSpan, Rights, SoundSpan, SpoilerSpan
from ranking.gates import Exclusion, GateOptions, apply_gates, clock, refuse_asset, summarise

TALK = heard(say(*"abcdefghij", length_s=28.0, gap_s=2.0), duration_s=300.0)  # ten clips, one each half minute
CLIPS = [clip(TALK, k, k + 1) for k in range(10)]
TODAY = date(2026, 3, 1)


def excluded(options=None, **changes):
    """Which clips fail, and at which gates."""
    verdicts = apply_gates(CLIPS, replace(TALK, **changes), duration_s=300.0, options=options)
    return {v.candidate.first: [e.gate for e in v.exclusions] for v in verdicts if not v.passed}


def reason(**changes):
    verdicts = apply_gates(CLIPS[:1], replace(TALK, **changes), duration_s=300.0)
    return verdicts[0].exclusions[0].reason


def refusals(options=None, **rights):
    found = refuse_asset(replace(ASSET, rights=Rights(**rights)), TALK, today=TODAY, options=options)
    return [exclusion.reason for exclusion in found]


def test_clean_talk_passes_but_for_the_ending():
    assert excluded() == {8: ["spoiler"], 9: ["spoiler"]}  # from 255 s on
    assert excluded(GateOptions(spoiler_zone=0.0)) == {}


def test_any_touch_of_an_ad_excludes():
    ad = AdSpan(57.9, 60.1, "sponsor", 0.9, ("promo code",))
    assert excluded(ads=(ad,)).keys() == {1, 2, 8, 9}
    assert excluded(ads=(replace(ad, confidence=0.4),)).keys() == {8, 9}


def test_an_ad_in_the_room_for_breath_excludes():
    assert 1 in excluded(ads=(AdSpan(58.2, 59.0, "sponsor", 0.9),))
    assert 1 not in excluded(ads=(AdSpan(58.4, 59.0, "sponsor", 0.9),))


def test_a_second_of_music_excludes_and_less_does_not():
    assert 1 in excluded(sounds=(SoundSpan(40.0, 41.0, "music"),))
    assert 1 in excluded(sounds=(SoundSpan(40.0, 40.6, "music"), SoundSpan(45.0, 45.6, "music")))
    assert 1 not in excluded(sounds=(SoundSpan(40.0, 40.9, "music"),))
    assert 1 not in excluded(sounds=(SoundSpan(40.0, 50.0, "noise"),))


def test_music_at_the_cut_excludes_however_short():
    assert 1 in excluded(sounds=(SoundSpan(30.1, 30.3, "music"),))  # just inside
    assert 1 in excluded(sounds=(SoundSpan(58.1, 58.3, "music"),))  # just after the end
    assert 1 not in excluded(sounds=(SoundSpan(58.4, 59.6, "music"),))  # in the pause, out of reach


def test_in_a_film_music_excludes_talk_with_a_jingle_only():
    def failing(seconds, *, film, made_of="sentences"):
        hearing = replace(TALK, sounds=(SoundSpan(0.0, seconds, "music"),))
        clips = [replace(c, made_of=made_of) for c in CLIPS]
        verdicts = apply_gates(clips, hearing, duration_s=300.0, film=film)
        return [v.candidate.first for v in verdicts if any(e.gate == "music" for e in v.exclusions)]

    assert failing(45.0, film=True) == [0, 1]
    assert failing(45.0, film=True, made_of="shots") == []
    assert failing(160.0, film=True) == []  # scored: music in more than half of it
    assert failing(160.0, film=False) == [0, 1, 2, 3, 4, 5]


def test_a_film_need_not_speak_but_needs_time_and_rights():
    film = replace(ASSET, kind="video", duration_s=300.0)
    assert refuse_asset(film, heard(()), today=TODAY) == ()
    assert [e.gate for e in refuse_asset(replace(film, duration_s=10.0), heard(()), today=TODAY)] == ["length"]
    forbidden = replace(film, rights=Rights(preview="forbidden"))
    assert [e.gate for e in refuse_asset(forbidden, heard(()), today=TODAY)] == ["rights"]


def test_a_risky_span_excludes_and_a_mild_one_does_not():
    assert 3 in excluded(spoilers=(SpoilerSpan(100.0, 110.0, 0.6),))
    assert 3 not in excluded(spoilers=(SpoilerSpan(100.0, 110.0, 0.4),))


def test_reasons_say_how_much_and_where():
    assert reason(ads=(AdSpan(3.0, 7.2, "sponsor", 0.9, ("promo code",)),)) == '4.2 s of sponsor at 0:03 ("promo code")'
    assert reason(sounds=(SoundSpan(3.0, 7.2, "music"),)) == "4.2 s of music at 0:03"
    assert reason(sounds=(SoundSpan(27.9, 30.0, "music"),)) == "0.4 s of music at the cut at 0:28"
    assert reason(spoilers=(SpoilerSpan(9.0, 12.0, 0.8, ("it turned out",)),)) == (
        'spoiler risk 0.80 at 0:09 ("it turned out")'
    )
    last = apply_gates(CLIPS[8:9], TALK, duration_s=300.0)[0]
    assert last.exclusions == (Exclusion("spoiler", "ends at 4:28, in the last 15% of the episode (from 4:15)"),)


def test_clock_reads_as_people_write():
    assert [clock(s) for s in (3.9, 760.0, 3723.0)] == ["0:03", "12:40", "1:02:03"]


@pytest.mark.parametrize(
    ("rights", "said"),
    [
        ({"preview": "forbidden"}, "previews are forbidden"),
        (
            {"derivatives": "forbidden", "license": "cc-by-nd-4.0", "source": "item podcast:license"},
            "derivatives are forbidden, and a preview is one: cc-by-nd-4.0 (item podcast:license)",
        ),
        ({"preview": "allowed", "expires": "2026-02-28"}, "the rights ended on 2026-02-28"),
        ({"expires": "soon"}, "the rights end on 'soon', which is not a date (YYYY-MM-DD)"),
        (
            {"territories": ("DE", "FR")},
            "the rights cover DE, FR, previews appear in everywhere (set territory to publish in one country)",
        ),
    ],
)
def test_rights_that_forbid_are_named(rights, said):
    assert refusals(**rights) == [said]


def test_rights_that_allow_or_say_nothing_let_through():
    assert refusals(preview="allowed", derivatives="allowed", expires="2026-03-01") == []
    assert refusals() == []
    assert refusals(GateOptions(territory="de"), territories=("DE", "FR")) == []


def test_unknown_rights_are_refused_if_the_options_say_so():
    strict = GateOptions(unknown_rights="refuse")
    assert refusals(strict) == ["nobody states whether previews are allowed, and unknown_rights is refuse"]
    assert refusals(strict, preview="allowed") == []


def test_an_episode_without_speech_or_time_is_refused():
    def gates(hearing, duration_s=300.0):
        return [e.gate for e in refuse_asset(replace(ASSET, duration_s=duration_s), hearing, today=TODAY)]

    assert gates(TALK) == []
    assert gates(heard(())) == ["speech"]
    assert gates(heard(say("a", length_s=19.0))) == ["speech"]
    assert gates(heard(()), duration_s=5.0) == ["length"]


def test_the_summary_counts_clips_per_gate_with_examples():
    ads = tuple(AdSpan(30.0 * k + 5, 30.0 * k + 10, "sponsor", 0.9) for k in range(5))
    verdicts = apply_gates(CLIPS, replace(TALK, ads=ads), duration_s=300.0)
    ad, spoiler = summarise(verdicts, examples=2)
    assert (ad.gate, ad.excluded, ad.examples) == ("ad", 5, ("5.0 s of sponsor at 0:05", "5.0 s of sponsor at 0:35"))
    assert (spoiler.gate, spoiler.excluded) == ("spoiler", 2)
    assert summarise(apply_gates(CLIPS[:8], TALK, duration_s=300.0)) == ()


def test_a_zone_that_is_no_share_is_refused():
    with pytest.raises(ValueError, match="scored_share is a share"):
        GateOptions(scored_share=50.0)
    with pytest.raises(ValueError, match="spoiler_zone is a share"):
        GateOptions(spoiler_zone=15.0)


spans = st.tuples(st.floats(0, 290), st.floats(0, 20), st.floats(0, 1))
ads = spans.map(lambda t: AdSpan(t[0], t[0] + t[1], "sponsor", t[2]))
sounds = spans.map(lambda t: SoundSpan(t[0], t[0] + t[1], "music", t[2]))
spoilers = spans.map(lambda t: SpoilerSpan(t[0], t[0] + t[1], t[2]))


@given(st.lists(ads), st.lists(sounds), st.lists(spoilers), st.tuples(ads, sounds, spoilers))
def test_adding_a_span_never_lets_another_clip_through(some_ads, some_sounds, some_spoilers, added):
    ad, sound, spoiler = added
    before = excluded(ads=tuple(some_ads), sounds=tuple(some_sounds), spoilers=tuple(some_spoilers)).keys()
    after = excluded(ads=(*some_ads, ad), sounds=(*some_sounds, sound), spoilers=(*some_spoilers, spoiler)).keys()
    assert before <= after


@given(st.lists(ads), st.lists(sounds))
def test_what_passes_holds_no_ad_and_less_than_a_second_of_music(some_ads, some_sounds):
    verdicts = apply_gates(CLIPS, replace(TALK, ads=tuple(some_ads), sounds=tuple(some_sounds)), duration_s=300.0)
    for candidate in (v.candidate for v in verdicts if v.passed):
        assert not any(ad.confidence >= 0.5 and ad.overlaps(candidate) for ad in some_ads)
        heard_times = [t / 10 for t in range(int(candidate.start * 10), int(candidate.end * 10))]
        sure = [sound for sound in some_sounds if sound.confidence >= 0.5]
        assert sum(any(t in sound for sound in sure) for t in heard_times) <= 10 + len(sure)
