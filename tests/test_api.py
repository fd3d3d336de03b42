"""The REST service, asked over HTTP by a real server: contents, limits, ranges, and what it must refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from live_server import served
from stocked_store import DRUM, HEARING, JAR, LAMP, LOST, ROPE, SENTENCE_TEXTS, SOUND, preview, publish, stocked

from steps.feed_copies.publish_copies import write_feed_copies
from steps.settings import Settings
from steps.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = stocked(tmp_path_factory.mktemp("api") / "store")
    write_feed_copies(settings=Settings(), store=made)
    made.files.write("report.html", b"<!doctype html><title>Podcast previews</title>")
    return made


@pytest.fixture(scope="module")
def client(store: Store) -> Iterator[httpx.Client]:
    with served(store) as client:
        yield client


def test_health_names_the_snapshot(client: httpx.Client):
    assert client.get("/healthz").json() == {"status": "ok", "version": "0.1.0", "snapshot": 3, "generation": 0}


def test_assets_are_listed_newest_first_with_their_states(client: httpx.Client):
    page = client.get("/assets").json()
    assert page["total"] == 5
    assert [(hit["asset_id"], hit["state"]) for hit in page["items"]] == [
        (LAMP, "published"),
        (JAR, "refused"),
        (ROPE, "heard"),
        (DRUM, "ingested"),
        (LOST, "quarantined"),
    ]
    assert page["items"][1]["reason"] == "rights: no derivatives"


def test_lists_have_pages_and_filters(client: httpx.Client):
    page = client.get("/assets", params={"limit": 2, "offset": 1}).json()
    assert [hit["asset_id"] for hit in page["items"]] == [JAR, ROPE]
    assert page["total"] == 5
    assert client.get("/assets", params={"offset": 99}).json()["items"] == []
    lost = client.get("/assets", params={"state": "quarantined"}).json()
    assert [hit["reason"] for hit in lost["items"]] == ["gone.mp3: 404; ask its publisher"]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=many", "offset=-1", "state=lost"])
def test_what_is_out_of_range_is_refused_in_one_line(client: httpx.Client, query: str):
    answer = client.get(f"/assets?{query}")
    assert answer.status_code == 422
    assert answer.json()["reason"] == "invalid"
    assert answer.json()["detail"].startswith(query.partition("=")[0] + ":")


def test_an_asset_is_described_without_where_its_bytes_are_kept(client: httpx.Client):
    found = client.get(f"/assets/{JAR}").json()
    assert found["rights"]["license"] == "cc-by-nd-4.0"
    assert found["profile"]["loudness_lufs"] == -16.0
    assert found["state"] == "refused"
    assert "blob" not in found
    assert client.get(f"/assets/{DRUM}").json()["profile"] is None


def test_a_timeline_has_every_kind_of_span(client: httpx.Client):
    found = client.get(f"/assets/{LAMP}/timeline").json()
    assert [sentence["text"] for sentence in found["sentences"]] == list(SENTENCE_TEXTS)
    assert [turn["speaker"] for turn in found["turns"]] == ["S1", "S2"]
    assert found["ads"][0] == {
        "start": 100.0,
        "end": 130.0,
        "kind": "sponsor",
        "confidence": 0.9,
        "evidence": ['says "promo code"'],
        "delivery": "",
        "tier": "review",
    }
    assert len(found["words"]) == len(HEARING.words)
    assert {len(found[name]) for name in ("sounds", "topics")} == {2}
    assert found["spoilers"][0]["risk"] == 1.0


def test_previews_are_hits_with_a_timecode_and_a_reason_why(client: httpx.Client):
    page = client.get("/previews").json()
    assert page["total"] == 1
    (hit,) = page["items"]
    assert (hit["asset_id"], hit["title"], hit["start"], hit["end"]) == (LAMP, "The lamp", 1.0, 22.5)
    assert hit["timecode"] == "00:00:01.000"
    assert hit["why"] == ["energy", "questions"]
    assert client.get(hit["audio"]).content == SOUND


def test_refusals_are_listed_with_their_reason(client: httpx.Client):
    (hit,) = client.get("/previews", params={"status": "refused"}).json()["items"]
    assert (hit["asset_id"], hit["reason"], hit["start"], hit["audio"]) == (JAR, "rights: no derivatives", None, None)


def test_a_preview_says_what_preview_json_says(client: httpx.Client):
    found = client.get(f"/previews/{LAMP}").json()
    assert found["contributions"] == {"questions": 0.5, "energy": 1.25, "pause_share": -0.25}
    assert found["gates"] == [{"gate": "ad", "excluded": 2, "examples": ["30.0 s of sponsor at 1:40"]}]
    assert found["moments"] == [{"start": 1.0, "end": 22.5}]
    assert (found["loudness_lufs"], found["true_peak_dbtp"]) == (-16.0, -1.4)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("preview.mp3", "audio/mpeg"), ("preview.vtt", "text/vtt; charset=utf-8"), ("waveform.svg", "image/svg+xml")],
)
def test_files_of_a_preview_come_with_their_types(client: httpx.Client, name: str, media_type: str):
    answer = client.get(f"/previews/{LAMP}/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type


def test_a_player_can_seek(client: httpx.Client):
    answer = client.get(f"/previews/{LAMP}/preview.mp3", headers={"Range": "bytes=4-11"})
    assert answer.status_code == 206
    assert answer.content == SOUND[4:12]
    assert answer.headers["content-range"] == f"bytes 4-11/{len(SOUND)}"


def test_a_head_request_gives_the_length_alone(client: httpx.Client):
    answer = client.head(f"/previews/{LAMP}/preview.mp3")
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, str(len(SOUND)), b"")


def test_the_annotated_feed_is_served_and_points_at_files_that_are_there(client: httpx.Client, store: Store):
    (name,) = store.files.list("feeds")
    answer = client.get(f"/feeds/{name}")
    assert answer.headers["content-type"].startswith("application/rss+xml")
    assert b"soundbite" in answer.content
    assert f"../previews/{LAMP}/".encode() in answer.content


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/assets/ffff",
        f"/assets/{ROPE}x",
        f"/assets/{DRUM}/timeline",
        "/previews/ffff",
        f"/previews/{ROPE}",
        f"/previews/{JAR}/preview.mp3",
        f"/previews/{LAMP}/preview.wav",
        "/feeds/nothing.xml",
    ],
)
def test_what_is_not_there_is_said_as_json(client: httpx.Client, path: str):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["reason"] == "not-found"
    assert answer.json()["detail"].endswith((".", *"abcdefghijklmnopqrstuvwxyz"))


@pytest.mark.parametrize(
    "path",
    [
        f"/previews/{LAMP}/..%2F..%2Freport.html",
        f"/previews/{LAMP}/%2Fetc%2Fpasswd",
        f"/previews/..%2F..%2F{LAMP}/preview.mp3",
        "/feeds/..%2Freport.xml",
        "/feeds/%2e%2e%2f%2e%2e%2fetc%2fpasswd.xml",
        "/assets/..%2F..%2Fsnapshots",
    ],
)
def test_no_address_leads_out_of_the_store(client: httpx.Client, path: str):
    answer = client.get(path)
    assert answer.status_code in (404, 422)
    assert set(answer.json()) == {"type", "title", "status", "reason", "detail"}


def test_nothing_can_be_written(client: httpx.Client):
    for method in ("POST", "PUT", "DELETE"):
        answer = client.request(method, f"/previews/{LAMP}")
        assert (answer.status_code, answer.json()["reason"]) == (405, "refused")


def test_the_front_page_is_the_report(client: httpx.Client):
    assert "Podcast previews" in client.get("/report").text


def test_the_description_covers_every_address(client: httpx.Client):
    described = client.get("/openapi.json").json()
    assert {"/healthz", "/assets", "/assets/{asset_id}/timeline", "/previews/{asset_id}"} <= set(described["paths"])
    assert "AssetPage" in described["components"]["schemas"]


def test_metrics_count_the_store_and_the_requests(store: Store):
    with served(store) as client:
        client.get(f"/assets/{LAMP}")
        client.get("/assets/ffff")
        lines = client.get("/metrics").text.splitlines()
    assert 'rushes_assets{state="published"} 1.0' in lines
    assert 'rushes_previews{status="refused"} 1.0' in lines
    assert "rushes_snapshot 3.0" in lines
    assert 'rushes_requests_total{path="/assets/{asset_id}",status="200"} 1.0' in lines
    assert 'rushes_requests_total{path="/assets/{asset_id}",status="404"} 1.0' in lines


def test_a_new_run_is_seen_at_once(tmp_path: Path):
    store = stocked(tmp_path / "store")
    with served(store) as client:
        assert client.get(f"/previews/{LAMP}/preview.mp3").content == SOUND
        publish(store, "PublishPreviews/4/join/3", {LAMP: preview(store, b"another take", start=6.5)})
        assert client.get(f"/previews/{LAMP}").json()["start"] == 6.5
        assert client.get(f"/previews/{LAMP}/preview.mp3").content == b"another take"
        assert client.get("/healthz").json()["snapshot"] == 4


def test_an_empty_store_has_a_front_page_with_the_way_on(tmp_path: Path):
    with served(Store(str(tmp_path / "none"))) as client:
        assert "ingest_media.py" in client.get("/report").text
        assert client.get("/assets").json() == {"total": 0, "offset": 0, "items": []}
    assert not (tmp_path / "none").exists()


def test_a_store_that_cannot_be_read_is_said(tmp_path: Path):
    store = stocked(tmp_path / "store")
    (tmp_path / "store" / "snapshots" / "00000003.json").unlink()
    (tmp_path / "store" / "snapshots" / "00000003.json").mkdir()
    with served(Store(store.url)) as client:
        answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["reason"] == "store"


def test_a_store_that_is_no_folder_is_served_too():
    with served(stocked("memory://served")) as client:
        answer = client.get(f"/previews/{LAMP}/preview.mp3")
    assert (answer.content, answer.headers["content-type"]) == (SOUND, "audio/mpeg")
