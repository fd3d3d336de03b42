"""Downloads against a real server that behaves as podcast hosts do."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from feed_server import FeedServer, Page, feed_server

from featurization.errors import StoreError, UnreachableMedia
from steps.intake.download import download, fetch_document
from steps.intake.fetching import DownloadOptions, Validators, open_client
from steps.intake.partial import partial_file

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = DownloadOptions(backoff_s=0.01, stall_s=2.0, timeout_s=20.0)
MEDIA = b"ID3" + bytes(range(256)) * 4000


@pytest.fixture(scope="module")
def server() -> Iterator[FeedServer]:
    with feed_server() as running:
        yield running


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with open_client(OPTIONS) as opened:
        yield opened


def test_a_file_is_named_by_its_bytes(server: FeedServer, client: httpx.Client, tmp_path: Path) -> None:
    url = server.add(
        "/ok.mp3", Page(MEDIA, type="audio/mpeg; x=y", etag='"v1"', last_modified="Mon, 01 Jan 2024 00:00:00 GMT")
    )
    got = download(url, to=tmp_path / "new", client=client, options=OPTIONS)
    assert got.path.read_bytes() == MEDIA
    assert got.path.name == got.sha256 == hashlib.sha256(MEDIA).hexdigest()
    assert (got.size_bytes, got.etag, got.content_type, got.final_url) == (len(MEDIA), '"v1"', "audio/mpeg", url)
    assert got.last_modified == "Mon, 01 Jan 2024 00:00:00 GMT"
    assert list((tmp_path / "new").iterdir()) == [got.path]
    assert server.asked("/ok.mp3")[0]["user-agent"].startswith("rushes/")


@pytest.mark.parametrize("known", [Validators(etag='"v1"'), Validators(last_modified="Mon, 01 Jan 2024 00:00:00 GMT")])
def test_what_has_not_changed_is_not_fetched(
    server: FeedServer, client: httpx.Client, tmp_path: Path, known: Validators
) -> None:
    url = server.add("/same.mp3", Page(MEDIA, etag='"v1"', last_modified="Mon, 01 Jan 2024 00:00:00 GMT"))
    got = download(url, to=tmp_path, client=client, options=OPTIONS, known=known)
    assert got.not_modified
    assert not list(tmp_path.iterdir())
    assert fetch_document(url, client=client, options=OPTIONS, known=known).not_modified


def test_what_has_changed_is_fetched(server: FeedServer, client: httpx.Client, tmp_path: Path) -> None:
    url = server.add("/changed.mp3", Page(MEDIA, etag='"v2"'))
    got = download(url, to=tmp_path, client=client, options=OPTIONS, known=Validators(etag='"v1"'))
    assert not got.not_modified
    assert got.etag == '"v2"'


def test_a_cut_body_is_continued(server: FeedServer, client: httpx.Client, tmp_path: Path) -> None:
    url = server.add("/cut.mp3", Page(MEDIA, etag='"v1"', cuts=[300_000, 200_000]))
    got = download(url, to=tmp_path, client=client, options=OPTIONS)
    assert got.path.read_bytes() == MEDIA
    asked = [headers.get("range") for headers in server.asked("/cut.mp3")]
    assert asked == [None, "bytes=300000-", "bytes=500000-"]
    assert server.asked("/cut.mp3")[1]["if-range"] == '"v1"'


def test_a_cut_body_without_proof_of_sameness_starts_over(
    server: FeedServer, client: httpx.Client, tmp_path: Path
) -> None:
    url = server.add("/noproof.mp3", Page(MEDIA, etag='W/"weak"', cuts=[300_000]))
    got = download(url, to=tmp_path, client=client, options=OPTIONS)
    assert got.path.read_bytes() == MEDIA
    assert [h.get("range") for h in server.asked("/noproof.mp3")] == [None, None]


def test_a_server_that_ignores_ranges_sends_the_whole(server: FeedServer, client: httpx.Client, tmp_path: Path) -> None:
    url = server.add("/noranges.mp3", Page(MEDIA, etag='"v1"', ranges=False, cuts=[300_000]))
    assert download(url, to=tmp_path, client=client, options=OPTIONS).path.read_bytes() == MEDIA


def test_the_next_run_goes_on_where_a_killed_one_stopped(
    server: FeedServer, client: httpx.Client, tmp_path: Path
) -> None:
    once = replace(OPTIONS, attempts=1)
    page = Page(MEDIA, etag='"v1"', cuts=[300_000])
    url = server.add("/killed.mp3", page)
    with pytest.raises(UnreachableMedia, match="try again later"):
        download(url, to=tmp_path, client=client, options=once)
    assert download(url, to=tmp_path, client=client, options=once).path.read_bytes() == MEDIA
    assert server.asked("/killed.mp3")[-1]["range"] == "bytes=300000-"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_changed_between_tries_is_not_spliced(
    server: FeedServer, client: httpx.Client, tmp_path: Path
) -> None:
    url = server.add("/ads.mp3", Page(MEDIA, etag='"monday"', cuts=[300_000]))
    with pytest.raises(UnreachableMedia):
        download(url, to=tmp_path, client=client, options=replace(OPTIONS, attempts=1))
    server.add("/ads.mp3", Page(MEDIA[::-1], etag='"tuesday"'))
    assert download(url, to=tmp_path, client=client, options=OPTIONS).path.read_bytes() == MEDIA[::-1]


def test_everything_but_the_name_was_there_already(server: FeedServer, client: httpx.Client, tmp_path: Path) -> None:
    url = server.add("/renamed.mp3", Page(MEDIA, etag='"v1"', type="audio/mpeg"))
    with partial_file(tmp_path, url) as part:
        assert part.begin(200, httpx.Headers({"ETag": '"v1"', "Content-Type": "audio/mpeg"}))
        part.write(MEDIA)
    got = download(url, to=tmp_path, client=client, options=OPTIONS)
    assert (got.sha256, got.content_type) == (hashlib.sha256(MEDIA).hexdigest(), "audio/mpeg")
    assert server.asked("/renamed.mp3")[0]["range"] == f"bytes={len(MEDIA)}-"


def test_two_runs_at_once_do_not_mix_their_bytes(server: FeedServer, client: httpx.Client, tmp_path: Path) -> None:
    url = server.add("/twice.mp3", Page(MEDIA, etag='"v1"'))
    with partial_file(tmp_path, url) as other:
        other.begin(200, httpx.Headers({"ETag": '"v1"'}))
        other.write(b"half of ")
        assert download(url, to=tmp_path, client=client, options=OPTIONS).path.read_bytes() == MEDIA
        other.write(b"another")
        assert other.finish().read_bytes() == b"half of another"


@pytest.mark.parametrize("failures", [[500], [503, 502], [429]])
def test_passing_faults_are_tried_again(
    server: FeedServer, client: httpx.Client, tmp_path: Path, failures: list[int]
) -> None:
    url = server.add("/flaky.mp3", Page(MEDIA, failures=list(failures)))
    assert download(url, to=tmp_path, client=client, options=OPTIONS).size_bytes == len(MEDIA)


def test_retry_after_is_obeyed_up_to_the_longest_wait(server: FeedServer, client: httpx.Client, tmp_path: Path) -> None:
    url = server.add("/busy.mp3", Page(MEDIA, failures=[429], headers={"Retry-After": "3600"}))
    start = time.monotonic()
    download(url, to=tmp_path, client=client, options=replace(OPTIONS, max_wait_s=0.3))
    assert 0.3 <= time.monotonic() - start < 3


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (Page(status=404), "not there (404)"),
        (Page(status=403), "refuses access (403)"),
        (Page(status=418), "answers 418"),
        (Page(status=500), "answers 500 (tried 4 times); try again later"),
        (Page(status=302, location="/broken"), "redirects, probably a loop"),
        (Page(status=302, location="file:///etc/passwd"), "cannot be fetched"),
        (Page(b"<rss>" * 1000, length=5005), "tried 4 times"),
        (Page(b"<rss>" * 1000, headers={"Content-Encoding": "gzip"}), "tried 4 times"),
    ],
)
def test_what_cannot_be_had_is_one_line(
    server: FeedServer, client: httpx.Client, tmp_path: Path, page: Page, says: str
) -> None:
    url = server.add("/broken", page)
    for get in (
        lambda: download(url, to=tmp_path, client=client, options=OPTIONS),
        lambda: fetch_document(url, client=client, options=OPTIONS),
    ):
        with pytest.raises(UnreachableMedia) as caught:
            get()
        assert says in str(caught.value)
        assert url in str(caught.value)
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_no_server_and_no_host(client: httpx.Client, tmp_path: Path) -> None:
    options = replace(OPTIONS, attempts=2)
    for url in ("http://127.0.0.1:9/x.mp3", "http://nowhere.invalid/x.mp3", "http://127.0.0.1:999999/", "http://[bad"):
        with pytest.raises(UnreachableMedia, match="http://"):
            download(url, to=tmp_path, client=client, options=options)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x.mp3", "ipfs://Qm"])
def test_other_schemes_are_refused(client: httpx.Client, tmp_path: Path, url: str) -> None:
    for get in (
        lambda: download(url, to=tmp_path, client=client, options=OPTIONS),
        lambda: fetch_document(url, client=client, options=OPTIONS),
    ):
        with pytest.raises(UnreachableMedia, match="only http and https"):
            get()


def test_passwords_are_not_shown(server: FeedServer, client: httpx.Client, tmp_path: Path) -> None:
    url = server.url("/nothing").replace("http://", "http://user:secret@")
    with pytest.raises(UnreachableMedia) as caught:
        download(url, to=tmp_path, client=client, options=OPTIONS)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("page", [Page(MEDIA), Page(MEDIA, packed=True)], ids=["announced", "discovered"])
def test_too_large(server: FeedServer, client: httpx.Client, tmp_path: Path, page: Page) -> None:
    url = server.add("/large.mp3", page)
    options = replace(OPTIONS, max_bytes=100_000, document_max_bytes=100_000)
    with pytest.raises(UnreachableMedia, match=r"larger than the limit of 100,000 bytes"):
        download(url, to=tmp_path, client=client, options=options)
    text = server.add("/large.txt", Page(b"<rss>" + MEDIA[3:], packed=page.packed))
    with pytest.raises(UnreachableMedia, match="larger than the limit"):
        fetch_document(text, client=client, options=options)
    assert not list(tmp_path.iterdir())


def test_a_trickle_is_given_up(server: FeedServer, client: httpx.Client, tmp_path: Path) -> None:
    url = server.add("/drip.mp3", Page(MEDIA[:200], drip_s=0.05))
    start = time.monotonic()
    with pytest.raises(UnreachableMedia, match="too slow"):
        download(url, to=tmp_path, client=client, options=replace(OPTIONS, timeout_s=0.4))
    assert time.monotonic() - start < 2


def test_a_silent_server_is_given_up(server: FeedServer, tmp_path: Path) -> None:
    url = server.add("/stall.mp3", Page(MEDIA, stall_s=1.0))
    options = replace(OPTIONS, stall_s=0.2, attempts=2)
    with open_client(options) as client, pytest.raises(UnreachableMedia, match=r"no answer within 0\.2 s"):
        download(url, to=tmp_path, client=client, options=options)


def test_compressed_media_is_unpacked(server: FeedServer, client: httpx.Client, tmp_path: Path) -> None:
    url = server.add("/packed.mp3", Page(MEDIA, packed=True, etag='"v1"', cuts=[1000]))
    assert download(url, to=tmp_path, client=client, options=OPTIONS).path.read_bytes() == MEDIA


def test_redirects_are_followed(server: FeedServer, client: httpx.Client, tmp_path: Path) -> None:
    end = server.add("/end.mp3", Page(MEDIA))
    for number in range(5):
        server.add(f"/hop{number}", Page(status=302, location=f"/hop{number + 1}" if number < 4 else "/end.mp3"))
    assert download(server.url("/hop0"), to=tmp_path, client=client, options=OPTIONS).final_url == end


def test_local_files_are_hashed_in_place(client: httpx.Client, tmp_path: Path) -> None:
    path = tmp_path / "mine.mp3"
    path.write_bytes(MEDIA)
    got = download(str(path), to=tmp_path / "unused", client=client, options=OPTIONS)
    assert (got.path, got.sha256, got.size_bytes) == (path, hashlib.sha256(MEDIA).hexdigest(), len(MEDIA))
    assert not (tmp_path / "unused").exists()
    for missing in (tmp_path / "none.mp3", tmp_path):
        with pytest.raises(UnreachableMedia, match="cannot be read"):
            download(str(missing), to=tmp_path, client=client, options=OPTIONS)
    with pytest.raises(UnreachableMedia, match="larger"):
        download(str(path), to=tmp_path, client=client, options=replace(OPTIONS, max_bytes=10))


def test_a_full_disk_is_a_store_error_and_the_next_run_goes_on(
    server: FeedServer, client: httpx.Client, tmp_path: Path
) -> None:
    url = server.add("/disk.mp3", Page(MEDIA, etag='"v1"'))
    program = f"""
import resource
from pathlib import Path
from featurization.errors import StoreError
from steps.intake.download import download
from steps.intake.fetching import DownloadOptions, open_client
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
options = DownloadOptions()
with open_client(options) as client:
    try:
        download({url!r}, to=Path({str(tmp_path)!r}), client=client, options=options)
    except StoreError as error:
        print(error)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert "no space left; free some and run again" in ran.stdout
    assert ran.stdout.count("\n") == 1
    assert download(url, to=tmp_path, client=client, options=OPTIONS).path.read_bytes() == MEDIA
    assert server.asked("/disk.mp3")[-1]["range"].startswith("bytes=")


def test_a_folder_that_cannot_be_made(server: FeedServer, client: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        download(server.add("/a.mp3", Page(MEDIA)), to=tmp_path / "file" / "x", client=client, options=OPTIONS)


def test_documents(server: FeedServer, client: httpx.Client, tmp_path: Path) -> None:
    text = "<rss>ä</rss>".encode("latin-1")
    url = server.add("/feed", Page(text, type="text/xml; charset=ISO-8859-1", etag='"f"'))
    got = fetch_document(url, client=client, options=OPTIONS)
    assert (got.data, got.content_type, got.charset, got.etag, got.media) == (
        text,
        "text/xml",
        "iso-8859-1",
        '"f"',
        False,
    )
    packed = server.add("/feed.xml.gz", Page(gzip.compress(text)))
    assert fetch_document(packed, client=client, options=OPTIONS).data == text
    (tmp_path / "feed.xml.gz").write_bytes(gzip.compress(text))
    assert fetch_document(str(tmp_path / "feed.xml.gz"), client=client, options=OPTIONS).data == text


def test_a_gzip_bomb_stays_folded(server: FeedServer, client: httpx.Client) -> None:
    url = server.add("/bomb.gz", Page(gzip.compress(bytes(20_000_000))))
    with pytest.raises(UnreachableMedia, match="larger than the limit"):
        fetch_document(url, client=client, options=replace(OPTIONS, document_max_bytes=1_000_000))


@pytest.mark.parametrize("type_", ["audio/mpeg", "application/octet-stream"])
def test_media_is_recognised_and_not_read(server: FeedServer, client: httpx.Client, type_: str) -> None:
    url = server.add("/media", Page(MEDIA, type=type_))
    got = fetch_document(url, client=client, options=replace(OPTIONS, document_max_bytes=len(MEDIA) + 1))
    assert (got.media, got.data) == (True, b"")
