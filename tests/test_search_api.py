"""The search service as a real process, on Milvus Lite in a folder and on a Milvus server: answers and refusals."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import wave
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from index_factory import milvus_server
from searchable_store import HILL, SEA, TALK, encoded, picture, searchable, tone_at

from search.open_index import open_index
from serving.body_limit import MAX_UPLOAD_BYTES
from steps.event_log import read_log
from steps.feedback import GOLDEN_CLIPS, LABELS
from steps.index import publish
from steps.store import Store

HERE = Path(__file__).parent


@contextmanager
def served(store: Store, address: str, **environment: str) -> Iterator[httpx.Client]:
    """A client of a server process over the store and the index."""
    command = [sys.executable, str(HERE / "search_server.py"), store.url]
    inherited = {name: value for name, value in os.environ.items() if name != "RUSHES_EDITOR_KEY"}
    paths = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH", "")]))
    environment = {**inherited, "RUSHES_INDEX": address, "PYTHONPATH": paths, **environment}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = int(process.stdout.readline())
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                yield client
        finally:
            process.terminate()
            process.wait(20)


def index_at(address: str, store: Store) -> None:
    with closing(open_index(address)) as index:
        publish(store, index, run="FeaturizeMedia/1", spaces={})


@dataclass(frozen=True)
class Place:
    store: Store
    address: str
    client: httpx.Client


@pytest.fixture(scope="module", params=["folder", "server"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp(request.param)
    store = searchable(folder / "store")
    if request.param == "folder":
        index_at(str(folder / "index"), store)
        with served(store, str(folder / "index")) as client:
            yield Place(store, str(folder / "index"), client)
        return
    with milvus_server(folder / "milvus") as address:
        index_at(address, store)
        with served(store, address) as client:
            yield Place(store, address, client)


@pytest.fixture
def client(place: Place) -> httpx.Client:
    return place.client


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [hit["id"] for hit in answer.json()["items"]]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and sentence of a problem, checked for its form."""
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert set(said) == {"type", "title", "status", "reason", "detail"}
    assert said["status"] == answer.status_code
    assert "\n" not in said["detail"]
    return answer.status_code, said["detail"]


# shots --------------------------------------------------------------------------------------------------------------


def test_shots_by_tag_and_duration(client: httpx.Client):
    assert ids(client.get("/shots?tag=night&min_duration=5s")) == [f"{SEA}-0002", f"{HILL}-0000"]
    assert ids(client.get("/shots?tag=night&min_duration=6s")) == [f"{SEA}-0002"]
    assert ids(client.get("/shots?tag=night&tag=boat")) == []
    assert ids(client.get("/shots?tag=boat&min_confidence=0.1&max_duration=10s")) == [f"{SEA}-0000"]


def test_shots_by_words_with_everything_a_hit_must_say(client: httpx.Client):
    page = client.get("/shots", params={"q": "red", "asset": SEA}).json()
    (hit,) = page["items"]
    assert (page["total"], page["more"], page["next"]) == (1, False, None)
    assert (hit["id"], hit["asset_id"], hit["title"]) == (f"{SEA}-0001", SEA, "The sea")
    assert (hit["start"], hit["end"], hit["timecode"]) == (6.0, 9.0, "00:00:06.000")
    assert 0.5 <= hit["confidence"] <= 1
    assert hit["why"][0].startswith("similarity 1.00")


def test_shots_like_a_shot(client: httpx.Client):
    assert ids(client.get(f"/shots?like={SEA}-0000&min_confidence=0"))[0] == f"{SEA}-0003"


def test_vectors_and_filters_go_together(client: httpx.Client):
    assert ids(client.get("/shots?q=blue&min_duration=10s")) == [f"{SEA}-0003"]
    assert ids(client.get("/shots?q=blue&tag=boat")) == [f"{SEA}-0000"]
    assert ids(client.get("/shots?q=red&show=night")) == [f"{HILL}-0002"]
    assert ids(client.get("/shots?q=red&until=2023")) == [f"{HILL}-0002"]


def test_nothing_matches_is_an_answer(client: httpx.Client):
    page = client.get("/shots?q=white").json()
    assert (page["total"], page["items"], page["notes"]) == (0, [], ["nothing matches"])


def test_one_shot_and_its_picture(client: httpx.Client):
    shot = client.get(f"/shots/{HILL}-0001").json()
    assert (shot["number"], shot["transition"], shot["start"]) == (1, "cut", 5.0)
    answer = client.get(shot["thumbnail"])
    assert answer.headers["content-type"] == "image/webp"
    assert answer.content == encoded(picture("yellow"), "WEBP")


def test_pages_by_cursor(client: httpx.Client):
    whole, walked, cursor = ids(client.get("/shots")), [], ""
    while cursor is not None:
        page = client.get("/shots", params={"limit": 3, "cursor": cursor})
        walked += ids(page)
        cursor = page.json()["next"]
    assert walked == whole
    assert len(whole) == 7


def test_hits_by_title(client: httpx.Client):
    page = client.get("/shots?group=title").json()
    assert [(group["title"], group["total"]) for group in page["groups"]] == [("The sea", 4), ("The hill", 3)]


# words and moments --------------------------------------------------------------------------------------------------


def test_dialogue_with_words_and_times(client: httpx.Client):
    page = client.get("/dialogue", params={"q": '"the harbour"'}).json()
    (hit,) = page["items"]
    assert (hit["asset_id"], hit["start"], hit["speaker"], hit["confidence"]) == (SEA, 10.0, "S1", 1.0)
    matched = [(word["text"], word["start"]) for word in hit["words"] if word["matched"]]
    assert matched == [("the", 11.6), ("harbour", pytest.approx(12.4))]


def test_dialogue_by_words_and_meaning(client: httpx.Client):
    page = client.get("/dialogue?q=flour").json()
    assert [hit["asset_id"] for hit in page["items"]] == [TALK]
    assert {"says flour", "number 1 by words"} <= set(page["items"][0]["why"])
    assert [hit["start"] for hit in client.get("/dialogue?q=dough&mode=meaning").json()["items"]] == [0.0]


def test_dialogue_by_speaker_and_language(client: httpx.Client):
    assert {h["asset_id"] for h in client.get("/dialogue?q=harbour&speaker=S2").json()["items"]} == {TALK}
    assert {h["asset_id"] for h in client.get("/dialogue?q=harbour&language=en-gb").json()["items"]} == {TALK}


def test_moments_typed_and_as_parameters(client: httpx.Client):
    typed = client.get("/moments", params={"q": "says:harbour tag:night sound:music"}).json()
    assert [(hit["start"], hit["end"]) for hit in typed["items"]] == [(12.5, 14.0)]
    assert [part["layer"] for part in typed["items"][0]["evidence"]] == ["says", "tag", "sound"]
    assert client.get("/moments?says=harbour&tag=night&sound=music").json()["items"] == typed["items"]


# what is sent -------------------------------------------------------------------------------------------------------


def test_a_search_with_words(client: httpx.Client):
    found = client.post("/search", json={"text": "red"}).json()
    assert {hit["id"] for hit in found["shots"]["items"]} == {f"{SEA}-0001", f"{HILL}-0002"}
    assert found["dialogue"]["total"] == 0
    only = client.post("/search", json={"text": "harbour", "in": "dialogue"}).json()
    assert only["shots"] is None
    assert only["dialogue"]["total"] == 4  # three that say it, and one that speaks of ships


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_a_search_with_a_picture(client: httpx.Client, form: str):
    found = client.post("/search", files={"file": ("green", encoded(picture("green"), form))}).json()
    assert [hit["id"] for hit in found["shots"]["items"]] == [f"{HILL}-0000"]


def test_a_search_with_a_sound(client: httpx.Client):
    found = client.post("/search", files={"file": ("a.wav", wav(tone_at(1000.0)))}).json()
    assert {hit["shot"] for hit in found["sounds"]["items"]} == {f"{SEA}-0001", f"{HILL}-0002"}


def test_a_search_with_a_clip(client: httpx.Client, tmp_path: Path):
    pytest.importorskip("featurization.frames")
    from colour_films import colour_film

    film = colour_film(tmp_path / "clip.mp4", [("green", 2.0)])
    found = client.post("/search", files={"file": film.read_bytes()}, data={"min_confidence": "0"}).json()
    assert found["shots"]["items"][0]["id"] == f"{HILL}-0000"


def wav(samples: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((samples * 32_000).astype("<i2").tobytes())
    return buffer.getvalue()


# media --------------------------------------------------------------------------------------------------------------


def test_media_are_served_by_range(client: httpx.Client):
    answer = client.get(f"/assets/{SEA}/media", headers={"Range": "bytes=10-19"})
    assert (answer.status_code, answer.content) == (206, bytes(range(10, 20)))
    assert answer.headers["content-type"] == "video/mp4"


def test_a_timeline_shows_what_is_seen(client: httpx.Client):
    found = client.get(f"/assets/{SEA}/timeline").json()
    assert [(shot["id"], shot["start"]) for shot in found["shots"]][:2] == [(f"{SEA}-0000", 0.0), (f"{SEA}-0001", 6.0)]
    assert [tag["label"] for tag in found["tags"]] == ["night", "boat", "boat"]
    assert found["scenes"][1] == {"start": 20.0, "end": 32.0, "first": 3, "last": 4}
    assert "thumbnails" not in found["shots"][0]


# refusals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/dialogue?q=", "q: "),
        ("/dialogue?q=%20%20", "empty"),
        ("/dialogue?q=%3F%3F", "no words"),
        ("/dialogue", "q: "),
        (f"/dialogue?q={'x' * 1001}", "1000"),
        ("/dialogue?q=a&mode=loud", "mode: "),
        ("/shots?min_duration=five", "min_duration: "),
        ("/shots?min_duration=1m1m", "is no duration"),
        ("/shots?min_duration=9s&max_duration=3s", "no shot lasts"),
        ("/shots?min_confidence=nan", "min_confidence: "),
        ("/shots?min_confidence=inf", "min_confidence: "),
        ("/shots?limit=0", "limit: "),
        ("/shots?limit=1e3", "limit: "),
        ("/shots?offset=999999", "offset: "),
        ("/shots?cursor=abc", "cursor"),
        ("/shots?q=red&like=x", "one of text, like"),
        ("/shots?q=red&by=sentences", "look for them in dialogue"),
        ("/shots?since=yesterday", "since: "),
        ("/moments?q=harbour", "is no condition"),
        ("/moments", "at least one thing"),
        ("/moments?q=weather:rain", "no layer 'weather'"),
    ],
)
def test_bad_questions_are_refused_in_one_line(client: httpx.Client, path: str, said: str):
    status, detail = refusal(client.get(path))
    assert status == 422
    assert said in detail


@pytest.mark.parametrize(
    "path",
    [
        "/shots/nothing",
        f"/shots/{SEA}-9999",
        "/shots?like=nothing",
        "/shots?asset=ffff",
        "/shots?q=red&by=weather",
        "/dialogue?q=harbour&asset=ffff",
        f"/shots/{SEA}-9999/thumbnail.webp",
        "/assets/ffff/media",
        f"/assets/{SEA}/sprite.webp",
    ],
)
def test_what_is_not_there_is_said(client: httpx.Client, path: str):
    assert refusal(client.get(path))[0] == 404


def test_a_query_of_ten_thousand_characters_is_refused(client: httpx.Client):
    status, detail = refusal(client.post("/search", json={"text": "harbour " * 1250}))
    assert (status, "1000" in detail) == (422, True)


def test_a_query_in_another_language_is_answered(client: httpx.Client):
    assert client.get("/dialogue", params={"q": "где гавань"}).json()["total"] == 0
    assert client.get("/dialogue", params={"q": '"ペン"'}).json()["total"] == 1


@pytest.mark.parametrize(
    "body", ["{", "[]", '{"text": ""}', '{"text": "a", "limit": NaN}', '{"text": "a", "colour": 1}']
)
def test_a_body_that_is_no_search_is_refused(client: httpx.Client, body: str):
    answer = client.post("/search", content=body, headers={"Content-Type": "application/json"})
    assert refusal(answer)[0] == 422


def test_what_is_no_picture_is_refused(client: httpx.Client):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.txt", "hello" * 100)
    for content in (archive.getvalue(), b"", b"hello", encoded(picture("red"), "PNG")[:60]):
        status, detail = refusal(client.post("/search", files={"file": ("photo.png", content, "image/png")}))
        assert status == 415, detail


def test_a_picture_of_too_many_pixels_is_refused(client: httpx.Client):
    bomb = encoded(np.zeros((20_000, 20_000), np.uint8), "PNG")
    assert len(bomb) < 2_000_000
    assert refusal(client.post("/search", files={"file": bomb})) == (
        422,
        "the picture has more than 64 megapixels; send a smaller one",
    )


def test_an_upload_that_promises_too_much_is_refused_unread(client: httpx.Client):
    head = "POST /search HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x"
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=20) as connection:
        connection.sendall(f"{head}\r\nContent-Length: {2**31}\r\n\r\n--x\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_an_upload_without_a_length_is_counted(client: httpx.Client):
    sent = 0

    def flood() -> Iterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        while sent < 2 * 1024**3:
            sent += 1 << 20
            yield bytes(1 << 20)

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    with suppress(httpx.TransportError):  # the server may answer and close while we are still sending
        assert refusal(client.post("/search", content=flood(), headers=headers))[0] == 413
    assert sent < 2 * MAX_UPLOAD_BYTES


def test_json_may_not_be_large(client: httpx.Client):
    assert refusal(client.post("/search", json={"text": "a" * 2_000_000}))[0] == 413
    assert refusal(client.post("/labels", json=[{"label": "a" * 2_000_000}]))[0] == 413


def test_other_bodies_are_refused(client: httpx.Client):
    assert refusal(client.post("/search", content="harbour"))[0] == 415
    assert refusal(client.post("/search", files={"picture": b"x"}))[0] == 422
    broken = client.post("/search", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert refusal(broken)[0] == 400


# feedback -----------------------------------------------------------------------------------------------------------


def test_labels_are_kept_once(place: Place):
    label = {"asset_id": SEA, "start": 9, "end": 20, "label": "storm", "who": "ada", "shot": f"{SEA}-0002"}
    first = place.client.post("/labels", json=label)
    assert first.status_code == 201
    (added,) = first.json()["added"]
    assert place.client.post("/labels", json=[label, {**label, "holds": False}]).json()["known"] == [added]
    kept = [row for rows in place.store.read(LABELS).values() for row in rows]
    assert sorted((row.asset, row.label, row.holds, row.who, row.end) for row in kept) == [
        (SEA, "storm", False, "ada", 20.0),
        (SEA, "storm", True, "ada", 20.0),
    ]
    assert all(row.when.startswith("20") for row in kept)


def test_golden_clips_and_events_are_kept(place: Place):
    clip = {"id": "g1", "asset_id": TALK, "start": 1, "end": 31, "who": "ada", "grade": 3}
    assert place.client.post("/golden-clips", json=clip).json() == {"added": ["g1"], "known": []}
    assert place.client.post("/golden-clips", json=clip).json() == {"added": [], "known": ["g1"]}
    (row,) = next(iter(place.store.read(GOLDEN_CLIPS).values()))
    assert (row.asset, row.start, row.end, row.grade, row.source) == (TALK, 1.0, 31.0, 3, "studio")
    verdict = {**clip, "id": "g2", "grade": 0, "source": "verdict"}
    assert place.client.post("/golden-clips", json=verdict).json()["added"] == ["g2"]
    assert {row.source for rows in place.store.read(GOLDEN_CLIPS).values() for row in rows} == {"studio", "verdict"}
    play = {"asset_id": TALK, "kind": "play", "position_s": 2}
    assert len(place.client.post("/events", json=[play, play]).json()["added"]) == 2
    assert read_log(place.store)["kind"].to_pylist() == ["play", "play"]


@pytest.mark.parametrize(
    ("path", "row"),
    [
        ("/labels", {"asset_id": "ffff", "start": 0, "end": 1, "label": "a"}),
        ("/labels", {"asset_id": SEA, "start": 2, "end": 1, "label": "a"}),
        ("/labels", {"asset_id": SEA, "start": 1, "end": 1, "label": "a"}),
        ("/labels", {"asset_id": SEA, "start": 0, "end": 99, "label": "a"}),
        ("/labels", {"asset_id": SEA, "start": 0, "end": 1, "label": " "}),
        ("/labels", {"asset_id": SEA, "start": 0, "end": 1}),
        ("/golden-clips", {"asset_id": SEA, "start": 0, "end": 1, "grade": 5}),
        ("/events", {"asset_id": SEA, "kind": "dance"}),
        ("/events", []),
    ],
)
def test_feedback_that_cannot_be_is_refused(client: httpx.Client, path: str, row: object):
    assert refusal(client.post(path, json=row))[0] == 422


def test_pages_of_other_sites_may_not_write(client: httpx.Client):
    label = {"asset_id": SEA, "start": 9, "end": 20, "label": "storm"}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
    ):
        assert refusal(client.post("/labels", json=label, headers=headers))[0] == 403
    own = {"Origin": str(client.base_url).rstrip("/")}
    assert client.post("/labels", json=label, headers=own).status_code == 201


def test_with_a_key_only_its_holders_write(tmp_path: Path):
    store = searchable(tmp_path / "store")
    label = {"asset_id": SEA, "start": 9, "end": 20, "label": "storm"}
    with served(store, str(tmp_path / "index"), RUSHES_EDITOR_KEY="s3cret") as client:
        assert refusal(client.post("/labels", json=label))[0] == 401
        wrong, right = ({"Authorization": f"Bearer {key}"} for key in ("guess", "s3cret"))
        assert refusal(client.post("/labels", json=label, headers=wrong))[0] == 401
        assert client.post("/labels", json=label, headers=right).status_code == 201


# the index changes --------------------------------------------------------------------------------------------------


def test_without_an_index_words_are_found_and_pictures_say_what_to_do(tmp_path: Path):
    store = searchable(tmp_path / "store")
    with served(store, str(tmp_path / "index")) as client:
        page = client.get("/dialogue?q=harbour").json()
        assert page["total"] == 3
        assert "index rebuild" in page["notes"][0]
        status, detail = refusal(client.get("/shots?q=red"))
        assert (status, "index rebuild" in detail) == (503, True)
        assert "index rebuild" in client.post("/search", json={"text": "harbour"}).json()["notes"][0]
        index_at(str(tmp_path / "index"), store)
        assert len(ids(client.get("/shots?q=red"))) == 2


def test_a_new_run_is_seen_and_feedback_disturbs_nobody(tmp_path: Path):
    from steps.tables import TAGS

    store = searchable(tmp_path / "store")
    with served(store, str(tmp_path / "index")) as client:
        cursor = client.get("/shots?limit=2").json()["next"]
        client.post("/labels", json={"asset_id": SEA, "start": 9, "end": 20, "label": "storm"})
        assert client.get("/shots", params={"limit": 2, "cursor": cursor}).status_code == 200
        store.commit("FeaturizeMedia/2", {TAGS: {SEA: []}})
        assert ids(client.get("/shots?tag=night")) == [f"{HILL}-0000"]
        assert "new media came in" in refusal(client.get("/shots", params={"limit": 2, "cursor": cursor}))[1]
