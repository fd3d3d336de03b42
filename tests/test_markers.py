"""Intro, recap and outro on shows made for the purpose: where each lies is known, because it was put there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from film_maker import RATE, encode_film, scenery
from hypothesis import given, settings
from hypothesis import strategies as st
from media_factory import RATE_HZ, Samples, encode, music, noise
from test_ads import TALK
from text_model import text_encoder

from featurization.ads import find_ads
from featurization.decode import DecodeOptions, decode_audio
from featurization.fingerprints import HOP_S, picture_fingerprint, sound_fingerprint
from featurization.frames import decode_frames
from featurization.markers import MarkerOptions, Printed, around_markers, compare, find_markers
from featurization.media import Asset, AudioProfile, Fingerprint, LevelTrack, Marker, Sentence, Topic, Vector
from featurization.repetition import shared_stretches
from steps.marking import mark_shows
from steps.settings import Settings
from steps.store import Store
from steps.tables import ADS, ASSETS, FINGERPRINTS, LEVELS, MARKERS, PROFILES, SENTENCES, VECTORS

NEAR_S = 0.5  # what is asked of a start and an end
THEME, CLOSING = music(9, seed=1), music(7, seed=2)


def course(seed: int, seconds: float) -> Samples:
    """What only one episode has: a tune of its own under noise of its own."""
    return music(seconds, seed=seed, level=0.4) + noise(seconds, 0.01, seed=seed)


def joined(*parts: Samples) -> Samples:
    return np.concatenate(parts)


def part(sound: Samples, start: float, end: float) -> Samples:
    return sound[round(start * RATE_HZ) : round(end * RATE_HZ)]


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> list[Printed]:
    """Three episodes as MP3 of different rates and levels: a cold open before the theme, a recap in the third.

    first:  theme 0-9, course 9-79, closing 79-86
    second: cold open 0-6.3, theme 6.3-15.3, course, closing 85.3-92.3, afterword to 95
    third:  recap 2-13 (of 30-34 of the first, 40-43.5 and 60-63.5 of the second), theme 13-22, course, closing 92-99
    """
    folder = tmp_path_factory.mktemp("show")
    first = joined(THEME, course(11, 70), CLOSING)
    second = joined(course(12, 6.3), THEME, course(13, 70), CLOSING, course(14, 2.7))
    recap = [part(first, 30, 34), part(second, 40, 43.5), part(second, 60, 63.5)]
    third = joined(course(15, 2), *recap, THEME, course(16, 70), CLOSING)
    rates = (128_000, 64_000, 48_000)
    made = [(sound * 0.5**n, rate) for n, (sound, rate) in enumerate(zip((first, second, third), rates, strict=True))]
    return [
        printed(encode(folder / f"{n}.mp3", sound, bit_rate=rate), folder / str(n))
        for n, (sound, rate) in enumerate(made)
    ]


def printed(path: Path, scratch: Path) -> Printed:
    scratch.mkdir()
    pcm = decode_audio(path, scratch=scratch, options=DecodeOptions())
    return Printed(pcm.duration_s, (sound_fingerprint(pcm.blocks(block_s=7.0)),))


def markers_of(show: Sequence[Printed], number: int) -> list[Marker]:
    others = [compare(show[number], one, earlier=n < number) for n, one in enumerate(show) if n != number]
    return list(find_markers(show[number].duration_s, others))


def assert_near(found: Sequence[Marker], wanted: Sequence[tuple[str, float, float]]) -> None:
    assert [marker.kind for marker in found] == [kind for kind, _, _ in wanted]
    for marker, (_, start, end) in zip(found, wanted, strict=True):
        assert marker.start == pytest.approx(start, abs=NEAR_S)
        assert marker.end == pytest.approx(end, abs=NEAR_S)


def test_intro_and_outro_are_found_wherever_a_cold_open_puts_them(show: list[Printed]) -> None:
    assert_near(markers_of(show, 0), [("intro", 0, 9), ("outro", 79, 86)])
    assert_near(markers_of(show, 1), [("intro", 6.3, 15.3), ("outro", 85.3, 92.3)])


def test_what_an_earlier_episode_showed_is_the_recap(show: list[Printed]) -> None:
    assert_near(markers_of(show, 2), [("recap", 2, 13), ("intro", 13, 22), ("outro", 92, 99)])


def test_an_episode_alone_or_of_another_show_has_no_markers(show: list[Printed], tmp_path: Path) -> None:
    assert find_markers(show[0].duration_s, []) == ()
    stranger = printed(encode(tmp_path / "a.mp3", course(40, 60)), tmp_path / "a")
    assert markers_of([stranger, show[0], show[1]], 0) == []


def test_talk_over_the_theme_does_not_hide_it(tmp_path: Path) -> None:
    said = [THEME + np.pad(noise(3, 0.1, seed=n), (2 * RATE_HZ, len(THEME) - 5 * RATE_HZ)) for n in (1, 2)]
    show = [
        printed(encode(tmp_path / f"{n}.mp3", joined(course(n + 50, 4), theme, course(n + 60, 60))), tmp_path / str(n))
        for n, theme in enumerate(said)
    ]
    assert_near(markers_of(show, 0), [("intro", 4, 13)])


def test_an_advertisement_put_into_two_episodes_is_a_repeat(tmp_path: Path) -> None:
    spot = course(70, 8)
    sounds = [joined(course(71, 30), spot, course(72, 30)), joined(course(73, 42), spot, course(74, 20))]
    show = [printed(encode(tmp_path / f"{n}.mp3", s), tmp_path / str(n)) for n, s in enumerate(sounds)]
    assert_near(markers_of(show, 0), [("repeat", 30, 38)])
    assert_near(markers_of(show, 1), [("repeat", 42, 50)])


def test_an_episode_that_is_published_twice_is_not_all_repetition(tmp_path: Path) -> None:
    once = printed(encode(tmp_path / "a.mp3", course(80, 60)), tmp_path / "a")
    assert find_markers(60, [compare(once, once, earlier=True)], MarkerOptions(max_repeat_s=30)) == ()


def test_silence_is_like_nothing(tmp_path: Path) -> None:
    silent = np.zeros(20 * RATE_HZ, dtype=np.float32)
    sounds = [joined(silent, course(90 + n, 60), silent) for n in (0, 1)]
    show = [printed(encode(tmp_path / f"{n}.wav", s), tmp_path / str(n)) for n, s in enumerate(sounds)]
    assert markers_of(show, 0) == []
    assert not any(show[0].prints[0].codes[:300])


def test_pictures_alone_show_the_titles_of_a_silent_film(tmp_path: Path) -> None:
    titles = [picture for seed in (1, 2, 3) for picture in scenery(seed, 2 * RATE, speed=3)]
    films = []
    for number, cold in enumerate((0, 4)):
        scenes = [scenery(100 * (number + 1) + n, 2 * RATE, speed=2) for n in range(14)]
        before, after = scenes[: cold // 2], scenes[cold // 2 :]
        clip = [p for part_ in (*before, titles, *after) for p in part_]
        path = encode_film(tmp_path / f"{number}.mp4", clip, options={"crf": str(20 + 8 * number)})
        (tmp_path / str(number)).mkdir()
        footage = decode_frames(path, scratch=tmp_path / str(number))
        films.append(Printed(footage.end, (picture_fingerprint(footage),)))
    assert_near(markers_of(films, 0), [("intro", 0, 6)])
    assert_near(markers_of(films, 1), [("intro", 4, 10)])


def test_sound_of_no_length_has_no_codes() -> None:
    assert sound_fingerprint([]).codes == ()
    assert sound_fingerprint([np.zeros(100, dtype=np.float32)]).codes == ()


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=8))
def test_a_fingerprint_does_not_depend_on_how_the_sound_comes(cuts: list[int]) -> None:
    sound = course(5, 2)
    ends = np.cumsum(cuts)
    blocks = np.split(sound, ends[ends < len(sound)])
    assert sound_fingerprint(blocks) == sound_fingerprint([sound])


@settings(deadline=None)
@given(st.integers(0, 400), st.integers(60, 200), st.integers(0, 400), st.randoms(use_true_random=False))
def test_what_was_copied_is_found_where_it_was_put(at: int, length: int, there: int, random: object) -> None:
    drawn = np.random.default_rng(random.getrandbits(32))  # type: ignore[attr-defined]
    one, other = (drawn.integers(1, 2**32, 700, dtype=np.uint32) for _ in range(2))
    one[at : at + length] = other[there : there + length]
    prints = [Fingerprint("sound", HOP_S, 0.2, tuple(codes.tolist())) for codes in (one, other)]
    (found,) = shared_stretches(prints[0], prints[1], at_least_s=2.0)
    assert found.start == pytest.approx(at * HOP_S + 0.2, abs=NEAR_S)
    assert found.end == pytest.approx((at + length) * HOP_S + 0.2, abs=NEAR_S)
    assert found.there == pytest.approx(there * HOP_S + 0.2, abs=NEAR_S)


def test_chapters_are_cut_around_markers() -> None:
    topics = [Topic(0, 40, "Bees"), Topic(40, 90, "Honey")]
    markers = [Marker(5, 15, "intro", 1, 2), Marker(60, 70, "repeat", 1, 1), Marker(80, 90, "outro", 1, 2)]
    cut = [(t.start, t.end, t.title) for t in around_markers(topics, markers)]
    assert cut == [(0, 5, "Bees"), (5, 15, "Intro"), (15, 40, "Bees"), (40, 80, "Honey"), (80, 90, "Outro")]


def asset(name: str, published: str, duration_s: float) -> Asset:
    return Asset(
        asset_id=name * 16,
        sha256=name * 64,
        blob=f"blobs/{name}",
        size_bytes=1,
        duration_s=duration_s,
        kind="audio",
        container="mp3",
        codec="mp3",
        rate_hz=RATE_HZ,
        channels=1,
        title=name,
        source=f"/media/{name}.mp3",
        feed="https://example.org/feed.xml",
        published=published,
    )


def commit(store: Store, name: str, published: str, one: Printed) -> str:
    row = asset(name, published, one.duration_s)
    store.commit("Ingest/1", {ASSETS: {row.asset_id: [row]}, FINGERPRINTS: {row.asset_id: list(one.prints)}})
    return row.asset_id


def mark(asset_ids: list[str], store: Store) -> int:
    """Commit the markers; of how many episodes they changed."""
    changes = mark_shows(asset_ids, settings=Settings(), store=store)
    store.commit("Featurize/1", changes)
    return len(changes[MARKERS])


def test_a_new_episode_marks_those_that_waited_for_it(show: list[Printed], tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    first = commit(store, "a", "2026-01-01", show[0])
    assert mark([first], store) == 0
    second = commit(store, "b", "2026-01-08", show[1])
    third = commit(store, "c", "2026-01-15", show[2])
    assert mark([second, third], store) == 3
    kinds = {asset_id: [marker.kind for marker in rows] for asset_id, rows in store.read(MARKERS).items()}
    assert kinds == {
        first: ["intro", "outro"],
        second: ["intro", "outro"],
        third: ["recap", "intro", "outro"],
    }
    assert mark([third], store) == 0


def test_files_of_another_folder_are_another_show(show: list[Printed], tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    for name, folder, one in (("a", "one", show[0]), ("b", "two", show[1])):
        row = replace(asset(name, "", one.duration_s), feed="", source=f"/media/{folder}/{name}.mp3")
        store.commit("Ingest/1", {ASSETS: {row.asset_id: [row]}, FINGERPRINTS: {row.asset_id: list(one.prints)}})
    assert mark(["a" * 16, "b" * 16], store) == 0


def test_markers_do_not_overlap(show: list[Printed]) -> None:
    for number in range(3):
        assert all(a.end <= b.start for a, b in pairwise(markers_of(show, number)))


def test_what_is_repeated_speaks_for_an_advertisement(tmp_path: Path) -> None:
    said = [
        *TALK[:12],
        "Brightwater makes the kettle that listens.",
        "Order yours today from Brightwater.",
        *TALK[12:24],
    ]
    sentences = [Sentence(4.0 * n, 4.0 * n + 3.8, text, words=len(text.split())) for n, text in enumerate(said)]
    vectors = text_encoder().encode(said)
    drawn = np.random.default_rng(1)
    codes = [drawn.integers(1, 2**32, 2080, dtype=np.uint32) for _ in range(2)]
    codes[0][960:1120] = codes[1][900:1060]  # the two sentences, from 48 to 56 s
    store = Store(str(tmp_path / "store"))
    for name, own in zip("ab", codes, strict=True):
        row = asset(name, "2026-01-01", 104.0)
        rows = {
            ASSETS: row,
            FINGERPRINTS: Fingerprint("sound", HOP_S, 0.2, tuple(own.tolist())),
            PROFILES: AudioProfile(104.0, -16.0, 5.0, "mono", 100.0, 0.0, "test"),
            LEVELS: LevelTrack(0.1, (-20.0,) * 1040),
        }
        store.commit("Featurize/1", {table: {row.asset_id: [one]} for table, one in rows.items()})
    heard = {
        SENTENCES: sentences,
        VECTORS: [
            Vector(s.start, s.end, "sentence", "t", tuple(v.tolist())) for s, v in zip(sentences, vectors, strict=True)
        ],
        ADS: find_ads(sentences, vectors),
    }
    store.commit("Featurize/1", {table: {"a" * 16: rows} for table, rows in heard.items()})
    assert not heard[ADS]
    mark(["a" * 16], store)
    (ad,) = store.read(ADS)["a" * 16]
    assert "the same audio in other episodes" in ad.evidence
    assert ad.start <= 52 < ad.end
