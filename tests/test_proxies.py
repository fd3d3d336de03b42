"""Media that browsers cannot play: told by what is in it, copied once, whole or not at all, and followed to the end."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from fastapi.testclient import TestClient
from film_maker import encode_film, plain, scenery
from live_server import served
from media_factory import encode, encode_video, stereo, tone
from stocked_store import asset

from featurization.decode import decode_audio
from featurization.errors import UnreadableMedia
from featurization.media import Asset, Segment
from featurization.pcm import PCM_RATE_HZ
from featurization.probe import Probe, probe
from serving.api import create_app
from steps import proxies
from steps.garbage import delete_garbage, find_garbage
from steps.proxies import FOLDER, playable, plays, proxy, proxy_key
from steps.rendering.mp4 import AAC_FRAME
from steps.rendering.pictures import pictures
from steps.settings import GarbageOptions
from steps.store import Store
from steps.tables import ASSETS

if TYPE_CHECKING:
    from playwright.sync_api import Page

PLAYED = [("mp4", "h264", "aac", "yuv420p"), ("mp4", "h264", "", "yuv420p"), ("webm", "vp9", "opus", "yuv420p10le")]
PLAYED += [("mp3", "", "mp3", ""), ("mp4", "", "aac", ""), ("ogg", "", "opus", ""), ("wav", "", "pcm_s16le", "")]
REFUSED = [
    ("matroska", "h264", "aac", "yuv420p"),
    ("avi", "mpeg4", "mp3", "yuv420p"),
    ("mp4", "hevc", "aac", "yuv420p"),
]
REFUSED += [
    ("mp4", "h264", "ac3", "yuv420p"),
    ("mp4", "h264", "aac", "yuv422p10le"),
    ("mp4", "prores", "", "yuv422p10le"),
]
REFUSED += [
    ("asf", "", "wmav2", ""),
    ("mp4", "", "alac", ""),
    ("mpeg", "mpeg2video", "mp2", "yuv420p"),
    ("mp4", "", "", ""),
]
RED, BLUE = (200, 30, 30), (30, 30, 200)


@pytest.mark.parametrize("file", PLAYED, ids="-".join)
def test_what_browsers_play(file: tuple[str, str, str, str]):
    assert plays(*file)


@pytest.mark.parametrize("file", REFUSED, ids="-".join)
def test_what_not_all_browsers_play(file: tuple[str, str, str, str]):
    assert not plays(*file)


def test_a_file_is_judged_by_what_is_in_it_and_not_by_its_name(tmp_path: Path):
    assert playable(encode(tmp_path / "a.mp3", tone(0.5)))
    assert playable(encode(tmp_path / "a.m4a", tone(0.5)))
    assert playable(encode_film(tmp_path / "a.mp4", plain(RED, 10)))
    assert playable(encode_film(tmp_path / "a.webm", plain(RED, 10), codec="libvpx"))
    assert not playable(encode_film(tmp_path / "a.mkv", plain(RED, 10)))
    assert not playable(encode_video(tmp_path / "a.avi", 1.0, tone(1.0)))
    named = tmp_path / "really-matroska.mp4"
    named.write_bytes((tmp_path / "a.mkv").read_bytes())
    assert not playable(named)


def kept(store: Store, media: Path) -> Asset:
    """The file as an asset of the store."""
    sha256, found = hashlib.sha256(media.read_bytes()).hexdigest(), probe(media)
    facts = {"kind": found.kind, "duration_s": found.duration_s, "blob": store.put_blob(media, sha256)}
    made = asset(sha256[:16], media.name, **facts)
    store.commit("IngestMedia/1", {ASSETS: {made.asset_id: [made]}})
    return made


def copied(store: Store, media: Path, folder: Path) -> tuple[Path, Probe]:
    """The copy of a file, and what it is."""
    target = folder / f"copy-of-{media.name}"
    target.write_bytes(store.files.read(proxy(kept(store, media), store)))
    return target, probe(target)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def film(path: Path, codec: str, sound: str, rate: int = 48_000, pixels: str = "yuv420p", start_s: float = 0.0) -> Path:
    """Two seconds of red, two of blue; a tone of 440 Hz until the cut, then one of 880 Hz."""
    heard = np.concatenate([tone(2.0, 440.0, rate_hz=rate), tone(2.0, 880.0, rate_hz=rate)])
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25)
        video.width, video.height, video.pix_fmt = 160, 90, pixels
        audio = container.add_stream(sound, rate=rate, layout="mono")
        resampler = av.AudioResampler(format=audio.codec_context.format, layout="mono", rate=rate, frame_size=1152)
        for index, picture in enumerate([*plain(RED, 50), *plain(BLUE, 50)]):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index + round(start_s * 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        block = av.AudioFrame.from_ndarray(heard[None], format="flt", layout="mono")
        block.sample_rate, block.pts = rate, round(start_s * rate)
        for ready in [*resampler.resample(block), *resampler.resample(None)]:
            container.mux(audio.encode(ready))
        container.mux(audio.encode(None))
    return path


FILMS = [
    ("mkv", "libx264", "ac3", "yuv420p", 0.0),
    ("mpg", "mpeg2video", "mp2", "yuv420p", 0.0),
    ("avi", "mpeg4", "libmp3lame", "yuv420p", 0.0),
    ("mov", "prores_ks", "pcm_s16le", "yuv422p10le", 0.0),
    ("mkv", "libx264", "flac", "yuv420p10le", 7.0),
]


@pytest.mark.parametrize(("suffix", "codec", "sound", "pixels", "start_s"), FILMS, ids=str)
def test_a_film_is_copied_with_its_times(
    store: Store, tmp_path: Path, suffix: str, codec: str, sound: str, pixels: str, start_s: float
):
    made, found = copied(store, film(tmp_path / f"a.{suffix}", codec, sound, pixels=pixels, start_s=start_s), tmp_path)
    assert (found.container, found.video_codec, found.codec) == ("mp4", "h264", "aac")
    assert playable(made)
    assert (found.width, found.height) == (160, 90)
    assert found.duration_s == pytest.approx(4.0, abs=0.1)
    shades = [(p.start, p.frame.to_ndarray(format="rgb24").mean((0, 1))) for p in pictures(made, Segment(0.0, 3.9))]
    turned = next(time for time, (red, _, blue) in shades if blue > red)
    assert turned == pytest.approx(2.0, abs=0.05)
    pcm = decode_audio(made, scratch=tmp_path)
    before, after = (pitch(pcm.read(Segment(*span)), PCM_RATE_HZ) for span in ((0.5, 1.9), (2.1, 3.5)))
    assert (before, after) == (pytest.approx(440, abs=5), pytest.approx(880, abs=5))


def pitch(samples: np.ndarray, rate_hz: int) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate_hz / len(samples))


def test_a_copy_plays_before_it_has_arrived_and_is_no_larger_than_it_must(store: Store, tmp_path: Path):
    made, found = copied(store, encode_film(tmp_path / "a.mkv", scenery(1, 10, (1080, 1920))), tmp_path)
    data = made.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert (found.width, found.height, found.has_audio) == (1280, 720, False)


def test_sound_is_copied_on_both_channels_over_its_whole_length(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(proxies, "STRETCH", 16 * AAC_FRAME)  # a third of a second is in memory at once
    seconds = 8.0
    source = encode(tmp_path / "a.mka", stereo(tone(seconds, 440.0), tone(seconds, 660.0)))
    made, found = copied(store, source, tmp_path)
    assert (found.container, found.codec, found.kind, found.channels) == ("mp4", "aac", "audio", 2)
    assert found.duration_s == pytest.approx(seconds, abs=0.1)
    pcm = decode_audio(made, scratch=tmp_path)
    joint = pcm.read(Segment(seconds - 6, seconds - 1))
    loud = np.sqrt(np.mean(joint.reshape(50, -1) ** 2, axis=1))
    assert loud.min() > 0.9 * loud.max()


def test_a_copy_is_made_once(store: Store, tmp_path: Path):
    one = kept(store, encode_film(tmp_path / "a.mkv", plain(RED, 10)))
    key = proxy(one, store)
    made = store.files.modified(key)
    assert (proxy(one, store), store.files.modified(key)) == (proxy_key(one), made)


def test_what_is_stopped_halfway_leaves_nothing(store: Store, tmp_path: Path):
    one = kept(store, encode_film(tmp_path / "a.mkv", plain(RED, 50)))

    def stop(share: float) -> None:
        if share > 0.5:
            raise CancelledError

    with pytest.raises(CancelledError):
        proxy(one, store, told=stop)
    assert list(store.files.walk(FOLDER)) == []
    shares: list[float] = []
    proxy(one, store, told=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0, abs=0.01)


def broken(store: Store, tmp_path: Path) -> Asset:
    """A film of which nothing is left but its name and its size."""
    one = kept(store, encode_film(tmp_path / "broken.mkv", plain(RED, 10)))
    damaged = replace(one, blob=store.put_bytes(bytes(5000), ".mkv"))
    store.commit("IngestMedia/2", {ASSETS: {one.asset_id: [damaged]}})
    return damaged


def test_broken_media_is_told_in_one_sentence(store: Store, tmp_path: Path):
    with pytest.raises(UnreadableMedia, match=r"^broken\.mkv: no copy that browsers play can be made; re-encode it"):
        proxy(broken(store, tmp_path), store)


def test_a_copy_stays_as_long_as_its_asset(store: Store, tmp_path: Path):
    one, other = (kept(store, encode_film(tmp_path / f"{n}.mkv", plain(RED, 10 + n))) for n in (1, 2))
    keys = [proxy(one, store), proxy(other, store)]
    store.commit("IngestMedia/9", {ASSETS: {other.asset_id: []}})
    delete_garbage(find_garbage(store, GarbageOptions(), now=time.time() + 30 * 86_400), store)
    assert [store.files.exists(key) for key in keys] == [True, False]


# over HTTP ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(store: Store) -> Iterator[TestClient]:
    with TestClient(create_app(store, {}), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        yield client


def awaited(client: TestClient, one: Asset) -> tuple[list[float], object]:
    """What is said of the copy until it is there, and the answer then."""
    shares = []
    for _ in range(600):
        answer = client.get(f"/studio/media/{one.asset_id}", follow_redirects=False)
        if answer.status_code != 202:
            return shares, answer
        shares.append(answer.json()["progress"])
        time.sleep(0.05)
    raise AssertionError("the copy was never made")


def test_what_plays_is_played_as_it_is(client: TestClient, store: Store, tmp_path: Path):
    one = kept(store, encode(tmp_path / "a.mp3", tone(1.0)))
    answer = client.get(f"/studio/media/{one.asset_id}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, f"/assets/{one.asset_id}/media")
    assert client.get(f"/studio/media/{one.asset_id}").content == (tmp_path / "a.mp3").read_bytes()
    assert client.get(f"/studio/media/{one.asset_id}/copy").status_code == 404
    assert client.get("/studio/media/nothing").status_code == 404


def test_what_does_not_play_is_made_while_one_waits(client: TestClient, store: Store, tmp_path: Path):
    one = kept(store, encode_film(tmp_path / "a.mkv", plain(RED, 50)))
    shares, answer = awaited(client, one)
    assert shares[0] == 0.0
    assert shares == sorted(shares)
    assert answer.headers["location"] == f"/studio/media/{one.asset_id}/copy"
    part = client.get(answer.headers["location"], headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content, part.headers["content-type"]) == (206, b"ftyp", "video/mp4")


def test_what_cannot_be_made_playable_says_so(client: TestClient, store: Store, tmp_path: Path):
    answer = client.get(f"/studio/media/{broken(store, tmp_path).asset_id}")
    assert answer.status_code == 415
    assert "not media" in answer.json()["detail"]


def test_a_server_that_stops_leaves_no_half_copy(store: Store, tmp_path: Path):
    one = kept(store, encode_film(tmp_path / "a.mkv", scenery(1, 80, (720, 1280))))
    begun = time.monotonic()
    with TestClient(create_app(store, {}), base_url="http://127.0.0.1") as client:
        assert client.get(f"/studio/media/{one.asset_id}").status_code == 202
        time.sleep(0.2)
    assert time.monotonic() - begun < 10
    assert list(store.files.walk(FOLDER)) == []


def test_a_browser_plays_the_copy(page: Page, store: Store, tmp_path: Path):
    one = kept(store, film(tmp_path / "a.mkv", "mpeg2video", "ac3"))
    proxy(one, store)
    with served(store) as client:
        page.goto(f"{client.base_url}/livez")
        page.set_content(f'<video src="{client.base_url}/studio/media/{one.asset_id}#t=2.5" muted></video>')
        page.wait_for_function("document.querySelector('video').readyState >= 2")
        seen = page.evaluate(
            "() => { const film = document.querySelector('video'); const canvas = document.createElement('canvas');"
            "const paint = canvas.getContext('2d'); paint.drawImage(film, 0, 0);"
            "return [film.duration, film.currentTime, ...paint.getImageData(80, 45, 1, 1).data]; }"
        )
    assert seen[:2] == [pytest.approx(4.0, abs=0.1), pytest.approx(2.5, abs=0.05)]
    assert seen[4] > 150 > seen[2]  # blue
