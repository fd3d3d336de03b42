"""Sources as users name them: addresses, feeds, files, folders and manifests."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feed_server import FeedServer, Page, feed_server

from featurization.errors import ConfigError, SourceError
from featurization.feeds.model import FeedItem
from featurization.media import Rights
from steps.intake.fetching import DownloadOptions, open_client
from steps.intake.listing import Listing, listing_json
from steps.intake.resolve import resolve
from steps.intake.sniff import sniff

OPTIONS = DownloadOptions(backoff_s=0.01, stall_s=2.0, attempts=2, document_max_bytes=2_000_000)
MP3 = b"\xff\xfb\x90\x64" + bytes(2000)


@pytest.fixture(scope="module")
def server() -> Iterator[FeedServer]:
    with feed_server() as running:
        yield running


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with open_client(OPTIONS) as opened:
        yield opened


def feed(*items: str) -> bytes:
    inside = "".join(f"<item>{item}</item>" for item in items)
    return f"<rss version='2.0'><channel><title>Show</title><language>en</language>{inside}</channel></rss>".encode()


def episode(name: str, published: str = "") -> str:
    date = f"<pubDate>{published}</pubDate>" if published else ""
    return f"<title>{name}</title><guid>{name}</guid>{date}<enclosure url='{name}.mp3' type='audio/mpeg'/>"


def urls(listing: Listing) -> list[str]:
    return [item.location for item in listing.items]


def test_a_feed_is_listed_newest_first_and_no_media_is_fetched(server: FeedServer, client: httpx.Client) -> None:
    body = feed(
        episode("old", "Mon, 01 Jan 2018 00:00:00 GMT"),
        episode("undated"),
        episode("new", "2024-01-01T00:00:00Z"),
        "<title>Text</title>",
        episode("old", "Mon, 01 Jan 2018 00:00:00 GMT"),
    )
    url = server.add("/shows/feed.xml", Page(body, type="text/html"))
    listing = resolve(url, limit=None, client=client, options=OPTIONS)
    assert (listing.kind, listing.title) == ("feed", "Show")
    assert urls(listing) == [server.url(f"/shows/{name}.mp3") for name in ("new", "old", "undated")]
    assert {(item.show, item.feed, item.language) for item in listing.items} == {("Show", url, "en")}
    assert [(problem.reason, problem.title) for problem in listing.problems] == [("no-media", "Text")]
    assert urls(resolve(url, limit=1, client=client, options=OPTIONS)) == [server.url("/shows/new.mp3")]
    assert not [path for path, _ in server.requests if path.endswith(".mp3")]


def test_relative_addresses_follow_redirects(server: FeedServer, client: httpx.Client) -> None:
    server.add("/there/f", Page(feed(episode("a"))))
    url = server.add("/moved", Page(status=301, location="/there/f"))
    assert urls(resolve(url, limit=None, client=client, options=OPTIONS)) == [server.url("/there/a.mp3")]


def test_a_feed_from_the_web_reads_nothing_on_this_disk(
    server: FeedServer, client: httpx.Client, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.mp3"
    secret.write_bytes(MP3)
    body = f"""<rss xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><title>S</title>
      <item><title>bad</title><enclosure url="{secret.as_uri()}" type="audio/mpeg"/></item>
      <item><title>worse</title><enclosure url="../../../etc/passwd" type="audio/mpeg"/></item>
      <item xml:base="file:///etc/"><title>base</title><enclosure url="passwd" type="audio/mpeg"/></item>
      <item><title>mixed</title><enclosure url="{secret.as_uri()}" type="audio/mpeg"/>
        <podcast:alternateEnclosure type="audio/mpeg"><podcast:source uri="ok.mp3"/></podcast:alternateEnclosure>
        <podcast:transcript url="{secret.as_uri()}" type="text/vtt"/><podcast:chapters url="file:///etc/passwd"/>
        <podcast:transcript url="t.vtt" type="text/vtt"/><image><url>file:///etc/passwd</url></image></item>
    </channel></rss>""".encode()
    listing = resolve(server.add("/evil", Page(body)), limit=None, client=client, options=OPTIONS)
    assert urls(listing) == [server.url("/etc/passwd"), server.url("/ok.mp3")]
    assert [(problem.title, problem.reason) for problem in listing.problems] == [
        ("bad", "refused"),
        ("base", "refused"),
    ]
    item = listing.items[1].item
    assert ([t.url for t in item.transcripts], item.chapters_file, item.image) == ([server.url("/t.vtt")], None, "")


def test_a_local_feed_reads_its_own_folder_and_the_web(client: httpx.Client, tmp_path: Path) -> None:
    show = tmp_path / "show"
    (show / "audio").mkdir(parents=True)
    (tmp_path / "outside.mp3").write_bytes(MP3)
    (show / "link.mp3").symlink_to(tmp_path / "outside.mp3")
    body = feed(
        "<title>in</title><enclosure url='audio/My%20Talk.mp3'/>",
        "<title>web</title><enclosure url='https://cdn.example/x.mp3'/>",
        "<title>out</title><enclosure url='../outside.mp3'/>",
        "<title>absolute</title><enclosure url='/etc/passwd'/>",
        "<title>linked</title><enclosure url='link.mp3'/>",
    )
    (show / "whatever.dat").write_bytes(body)
    listing = resolve(str(show / "whatever.dat"), limit=None, client=client, options=OPTIONS)
    assert urls(listing) == [str((show / "audio" / "My Talk.mp3").resolve()), "https://cdn.example/x.mp3"]
    assert [problem.title for problem in listing.problems] == ["out", "absolute", "linked"]
    assert all("move the file there" in problem.detail for problem in listing.problems)
    (show / "feed.xml.gz").write_bytes(gzip.compress(body))
    assert len(resolve(str(show / "feed.xml.gz"), limit=None, client=client, options=OPTIONS).items) == 2


def test_an_item_carries_the_categories_of_its_feed(client: httpx.Client, tmp_path: Path) -> None:
    head = b"<category>Education</category><category>Courses</category><item>"
    body = feed("<enclosure url='https://cdn.example/x.mp3'/>").replace(b"<item>", head, 1)
    (tmp_path / "feed.xml").write_bytes(body)
    (entry,) = resolve(str(tmp_path / "feed.xml"), limit=None, client=client, options=OPTIONS).items
    assert entry.categories == ("Education", "Courses")


def test_a_feed_without_episodes_says_so(server: FeedServer, client: httpx.Client) -> None:
    (problem,) = resolve(server.add("/empty", Page(feed())), limit=None, client=client, options=OPTIONS).problems
    assert (problem.reason, problem.detail) == (
        "no-items",
        "the feed has no episodes; check that it is the right address",
    )
    moved = b"<rss><redirect><newLocation>https://new.example/f</newLocation></redirect></rss>"
    (problem,) = resolve(server.add("/moved2", Page(moved)), limit=None, client=client, options=OPTIONS).problems
    assert "it moved to https://new.example/f" in problem.detail


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (Page(status=404), "not there (404)"),
        (Page(b"<html><body>Hello"), "a web page, not a feed"),
        (Page(b""), "an empty file"),
        (Page(status=302, location="/bad"), "redirects, probably a loop"),
        (Page(b"<rss>" + b" " * 3_000_000), "larger than the limit"),
        (Page(b"<rss>", failures=[500, 500]), "answers 500"),
    ],
)
def test_a_feed_that_cannot_be_read_is_one_line(
    server: FeedServer, client: httpx.Client, page: Page, says: str
) -> None:
    url = server.add("/bad", page)
    with pytest.raises(SourceError) as caught:
        resolve(url, limit=None, client=client, options=OPTIONS)
    assert url in str(caught.value)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_address_of_media_is_one_item(server: FeedServer, client: httpx.Client) -> None:
    url = server.add("/talks/My%20Talk.mp3", Page(b"ID3" + bytes(5_000_000), type="audio/mpeg"))
    listing = resolve(url, limit=None, client=client, options=OPTIONS)
    assert (listing.kind, listing.title, urls(listing)) == ("file", "My Talk", [url])


def test_a_folder_is_read_by_content(client: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    for name, data in {
        "b/2.mp3": MP3,
        "a.x": MP3,
        "text.mp3": b"not media",
        "notes.txt": b"hello",
        "art.jpg": b"\xff\xd8\xff\xe0" + bytes(20),
        ".hidden.mp3": MP3,
        ".git/1.mp3": MP3,
        "empty.wav": b"",
    }.items():
        (tmp_path / name).write_bytes(data)
    listing = resolve(str(tmp_path), limit=None, client=client, options=OPTIONS)
    names = ["a.x", "b/2.mp3", "empty.wav", "text.mp3"]
    assert (listing.kind, listing.title) == ("folder", tmp_path.name)
    assert urls(listing) == [str((tmp_path / name).resolve()) for name in names]
    assert listing.skipped == (".git", ".hidden.mp3", "art.jpg", "notes.txt")
    assert len(resolve(str(tmp_path), limit=2, client=client, options=OPTIONS).items) == 2


def test_a_media_file(client: httpx.Client, tmp_path: Path) -> None:
    path = tmp_path / "My talk.bin"
    path.write_bytes(MP3)
    (item,) = resolve(str(path), limit=None, client=client, options=OPTIONS).items
    assert item.item == FeedItem(title="My talk", url=str(path.resolve()), length_bytes=len(MP3))


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("nothing", None, "no such file or folder"),
        ("example.org/feed", None, "no such file or folder"),
        ("x.txt", b"hello", "a text file, neither feed, media nor manifest"),
        ("x.xml", b"", "an empty file"),
        ("x.html", b"<!doctype html><p>", "a web page"),
        ("x.xml", b"<?xml version='1.0'?><opml/>", "root element is <opml>"),
        ("x.csv", b"", "an empty file"),
        ("x.csv", b"1,2\n", "unknown column 1, 2"),
        ("x.parquet", b"PAR1 but not really", "damaged Parquet"),
    ],
)
def test_other_files_are_one_line(
    client: httpx.Client, tmp_path: Path, name: str, data: bytes | None, says: str
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError) as caught:
        resolve(str(tmp_path / name), limit=None, client=client, options=OPTIONS)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_address_without_https_is_recognised(client: httpx.Client) -> None:
    with pytest.raises(SourceError, match=r"write https://example\.org/feed"):
        resolve("example.org/feed", limit=None, client=client, options=OPTIONS)
    with pytest.raises(SourceError, match="only http and https"):
        resolve("ftp://example.org/feed", limit=None, client=client, options=OPTIONS)


def test_a_limit_below_one_is_refused(client: httpx.Client, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="limit is 0"):
        resolve(str(tmp_path), limit=0, client=client, options=OPTIONS)


@pytest.mark.parametrize("mark", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_a_csv_manifest(client: httpx.Client, tmp_path: Path, mark: str) -> None:
    (tmp_path / "a.mp3").write_bytes(MP3)
    header = ["Path", "title", "show", "guid", "language", "published", "preview", "license", "territories", "expires"]
    row = ["a.mp3", "Eine Ü", "S", "g", "de", "2024-05-06", "allowed", "CC BY-ND 4.0", "de at", "2030-12-31"]
    path = tmp_path / "list.txt"
    path.write_text("\ufeff" + "\r\n".join(mark.join(cells) for cells in (header, row, [""] * 10)) + "\r\n", "utf-8")
    (entry,) = resolve(str(path), limit=None, client=client, options=OPTIONS).items
    assert (entry.show, entry.language) == ("S", "de")
    assert entry.item == FeedItem(
        title="Eine Ü",
        url=str((tmp_path / "a.mp3").resolve()),
        guid="g",
        published="2024-05-06T00:00:00+00:00",
        rights=Rights("allowed", "forbidden", "cc-by-nd-4.0", ("DE", "AT"), "2030-12-31", "", "manifest"),
    )


def test_a_parquet_manifest(client: httpx.Client, tmp_path: Path) -> None:
    table = pa.table(
        {"url": ["https://e.org/a.mp3", "https://e.org/b.mp3"], "derivatives": [True, None], "title": ["A", None]}
    )
    pq.write_table(table, tmp_path / "list")
    listing = resolve(str(tmp_path / "list"), limit=None, client=client, options=OPTIONS)
    assert (listing.kind, urls(listing)) == ("manifest", ["https://e.org/a.mp3", "https://e.org/b.mp3"])
    assert listing.items[0].item.rights.derivatives == "allowed"
    assert (listing.items[1].item.title, listing.items[1].item.rights) == ("b", Rights())


def test_a_bad_row_does_not_sink_the_manifest(client: httpx.Client, tmp_path: Path) -> None:
    lines = [
        "url,preview,published,expires,territories",
        "https://e.org/ok.mp3,yes,,,",
        "missing.mp3,,,,",
        "file:///etc/passwd,,,,",
        ",allowed,,,",
        "https://e.org/1.mp3,perhaps,,,",
        "https://e.org/2.mp3,,someday,,",
        "https://e.org/3.mp3,,,never,",
        "https://e.org/4.mp3,,,,Germany",
        f"{'x' * 5000}.mp3,,,,",
    ]
    (tmp_path / "list.csv").write_text("\n".join(lines))
    listing = resolve(str(tmp_path / "list.csv"), limit=None, client=client, options=OPTIONS)
    assert urls(listing) == ["https://e.org/ok.mp3"]
    assert [problem.detail.partition(":")[0] for problem in listing.problems] == [
        f"list.csv, row {n}" for n in range(2, 10)
    ]
    assert {problem.reason for problem in listing.problems} == {"bad-row"}


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("path,colour", "unknown column colour; known columns: path, url, title"),
        ("title,show", 'no column "path" or "url"'),
        ("path,path", "a column stands there twice"),
    ],
)
def test_a_manifest_with_other_columns_is_refused(client: httpx.Client, tmp_path: Path, header: str, says: str) -> None:
    (tmp_path / "list.csv").write_text(f"{header}\na,b\n")
    with pytest.raises(SourceError, match=says):
        resolve(str(tmp_path / "list.csv"), limit=None, client=client, options=OPTIONS)


def test_a_listing_is_plain_json(server: FeedServer, client: httpx.Client) -> None:
    item = (
        episode("a", "2024-01-01T00:00:00Z")
        + "<podcast:soundbite startTime='1' duration='2'/><podcast:person>Ann</podcast:person>"
    )
    url = server.add("/json", Page(feed(item, "<title>Text</title>")))
    plain = listing_json(resolve(url, limit=None, client=client, options=OPTIONS))
    assert json.loads(json.dumps(plain)) == plain
    assert (plain["kind"], plain["title"], plain["count"], len(plain["problems"])) == ("feed", "Show", 1, 1)
    (listed,) = plain["items"]
    assert listed["guid"] == "a"
    assert listed["soundbites"] == [{"start": 1.0, "end": 3.0, "title": ""}]
    assert listed["persons"][0]["name"] == "Ann"
    assert listed["rights"]["preview"] == "unknown"


def test_the_same_folder_lists_the_same_whatever_order_it_was_written_in(client: httpx.Client, tmp_path: Path) -> None:
    listings = []
    for order in (1, -1):
        folder = tmp_path / str(order) / "f"
        folder.mkdir(parents=True)
        for name in ("a.mp3", "b.mp3", "c.txt")[::order]:
            (folder / name).write_bytes(MP3 if name.endswith("mp3") else b"text")
        listing = resolve(os.path.relpath(folder), limit=None, client=client, options=OPTIONS)
        listings.append(([Path(url).name for url in urls(listing)], listing.skipped))
    assert listings[0] == listings[1]


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", "empty"),
        (b"ID3\x04", "media"),
        (MP3, "media"),
        (b"RIFF\x00\x00\x00\x00WAVE", "media"),
        (b"RIFF\x00\x00\x00\x00WEBP", "binary"),
        (b"\x00\x00\x00\x20ftypM4A ", "media"),
        (b"\xff\xfeh\x00i\x00", "text"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?>", "feed"),
        ("<rss>".encode("utf-16"), "feed"),
        (b"<!DOCTYPE html>", "page"),
        (b"PAR1", "parquet"),
        (b"path,title\n", "text"),
        (b"\x89PNG\r\n\x1a\n\x00", "binary"),
    ],
)
def test_bytes_say_what_they_are(head: bytes, kind: str) -> None:
    assert sniff(head) == kind
