import random
from fractions import Fraction

import av
import pytest
from media_factory import encode, encode_video, music, silence, stereo, tone

from featurization.errors import EmptyMedia, MediaError, UnreadableMedia
from featurization.probe import probe


@pytest.mark.parametrize(
    ("suffix", "container", "codec", "rate_hz"),
    [
        (".mp3", "mp3", "mp3", 44_100),
        (".m4a", "mp4", "aac", 44_100),
        (".wav", "wav", "pcm_s16le", 44_100),
        (".flac", "flac", "flac", 44_100),
        (".opus", "ogg", "opus", 48_000),
        (".ogg", "ogg", "opus", 48_000),
        (".mkv", "matroska", "aac", 44_100),
    ],
)
def test_what_was_written_is_what_is_found(tmp_path, suffix, container, codec, rate_hz):
    path = encode(
        tmp_path / f"a{suffix}", stereo(tone(2.5), tone(2.5)), tags={"title": "A  title", "artist": "Someone"}
    )
    found = probe(path)
    assert (found.container, found.codec, found.rate_hz, found.channels) == (container, codec, rate_hz, 2)
    assert found.duration_s == pytest.approx(2.5, abs=0.03)
    assert (found.kind, found.has_video, found.has_audio) == ("audio", False, True)
    assert (found.title, found.artist) == ("A title", "Someone")
    assert found.size_bytes == path.stat().st_size
    assert found.bit_rate == pytest.approx(8 * found.size_bytes / 2.5, rel=0.02)


def test_the_extension_means_nothing(tmp_path):
    path = encode(tmp_path / "a.wav", tone(1.0)).rename(tmp_path / "a.mp3")
    assert probe(path).container == "wav"


def test_a_film_is_video_and_its_sound_is_described(tmp_path):
    found = probe(encode_video(tmp_path / "film.mp4", 2.0, tone(2.0)))
    assert (found.kind, found.codec, found.has_video) == ("video", "aac", True)
    assert found.duration_s == pytest.approx(2.0, abs=0.1)


def test_a_cut_file_has_the_duration_of_what_is_left(tmp_path):
    whole = encode(tmp_path / "whole.mp3", music(8.0)).read_bytes()
    cut = tmp_path / "cut.mp3"
    cut.write_bytes(whole[: len(whole) // 2])
    assert probe(cut).duration_s == pytest.approx(4.0, abs=0.1)


def test_embedded_chapters_are_read(tmp_path):
    path = tmp_path / "book.mp3"
    chapters = [(0, 1500, "One"), (1500, 3000, "Two"), (2500, 9500, "Past the end"), (9000, 9500, "Beyond")]
    with av.open(str(encode(tmp_path / "plain.mp3", tone(3.0)))) as source, av.open(str(path), "w") as target:
        target.set_chapters(
            [
                {"id": n, "start": start, "end": end, "time_base": Fraction(1, 1000), "metadata": {"title": title}}
                for n, (start, end, title) in enumerate(chapters)
            ]
        )
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    found = [(chapter.start, chapter.end, chapter.title) for chapter in probe(path).chapters]
    assert found[:2] == [(0.0, 1.5, "One"), (1.5, 3.0, "Two")]
    assert found[2:] == [(2.5, pytest.approx(3.0, abs=0.06), "Past the end")]


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", EmptyMedia, "empty file"),
        (b"<!doctype html><html><body>Not found</body></html>", UnreadableMedia, "web page"),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", UnreadableMedia, "playlist"),
        (b"Just some words, named .mp3.\n" * 400, UnreadableMedia, "text"),
        (b"RIFF\x00\x00\x00\x00WAVE", UnreadableMedia, "not media"),
        (random.Random(3).randbytes(20_000), UnreadableMedia, "not media"),
    ],
    ids=["empty", "html", "playlist", "text", "header only", "random bytes"],
)
def test_what_is_no_media_says_so_in_one_line(tmp_path, content, error, words):
    path = tmp_path / "episode.mp3"
    path.write_bytes(content)
    with pytest.raises(error) as caught:
        probe(path)
    assert words in str(caught.value)
    assert str(caught.value).startswith("episode.mp3: ")
    assert "\n" not in str(caught.value)


def test_missing_and_folder_are_unreadable(tmp_path):
    for path in (tmp_path / "missing.mp3", tmp_path):
        with pytest.raises(UnreadableMedia, match="cannot be read"):
            probe(path)


def test_a_silent_film_is_a_film(tmp_path):
    found = probe(encode_video(tmp_path / "mute.mp4", 1.5))
    assert (found.kind, found.has_audio, found.has_video) == ("video", False, True)
    assert (found.codec, found.video_codec, found.rate_hz, found.channels) == ("mpeg4", "mpeg4", 0, 0)
    assert (found.width, found.height, found.frame_rate) == (64, 48, 10.0)
    assert found.duration_s == pytest.approx(1.5, abs=0.01)


def test_zero_length_sound_is_empty(tmp_path):
    with pytest.raises(MediaError) as caught:
        probe(encode(tmp_path / "nothing.wav", silence(0.0)))
    assert caught.value.reason in ("empty", "unreadable")


def test_encrypted_media_is_called_encrypted(tmp_path):
    path = tmp_path / "locked.mp4"
    keys = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
        "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
    }
    clear = encode(tmp_path / "clear.m4a", tone(1.0))
    with av.open(str(clear)) as source, av.open(str(path), "w", options=keys) as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    with pytest.raises(UnreadableMedia, match="encrypted"):
        probe(path)


@pytest.mark.parametrize("suffix", [".mp3", ".m4a", ".wav", ".flac", ".opus"])
def test_any_damage_gives_a_result_or_one_line(tmp_path, suffix):
    clean = encode(tmp_path / f"clean{suffix}", music(1.0)).read_bytes()
    chance = random.Random(suffix)
    for trial in range(25):
        broken = bytearray(clean[: chance.randrange(1, len(clean))] if trial % 2 else clean)
        for _ in range(chance.randrange(1, 40)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        path = tmp_path / f"broken{suffix}"
        path.write_bytes(broken)
        try:
            assert probe(path).duration_s < 60 * 60
        except MediaError as error:
            assert "\n" not in str(error)
