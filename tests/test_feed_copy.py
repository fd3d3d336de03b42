"""What the publisher wrote stays; what we add is valid, found again, replaced and never doubled."""

from __future__ import annotations

import json
import re

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from featurization.errors import SourceError
from featurization.media import Soundbite, Topic, TranscriptFile
from steps.feed_copies.annotate import NAMESPACE, Additions, annotate_feed, chapters_json

FOUND = Additions(
    soundbites=(Soundbite(61.2, 91.5, 'The "lamp" & <fire> – {nine} hours'),),
    transcripts=(TranscriptFile("https://cdn.example/a.vtt?x=1&y=2", "text/vtt", "en"),),
    chapters_url="https://cdn.example/a.chapters.json",
)
FEED = """<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet href="x.xsl"?>
<!-- by hand; <item> is not an item here -->
<rss version='2.0' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" >
  <channel>
    <title>Küste &amp; Meer</title>
    <item>
      <title><![CDATA[One <item> & two]]></title>
      <guid isPermaLink="false">tag:one</guid>
      <enclosure url="/a.mp3" length="1" type="audio/mpeg"/>
    </item>

    <item><guid><![CDATA[tag:two]]></guid><enclosure url="https://x.example/b.mp3?a=1&amp;b=2" /></item>
    <item/>
  </channel>
</rss>
"""


def parsed(data: bytes) -> list[etree._Element]:
    return etree.fromstring(data).findall(".//item")


def tags(item: etree._Element, name: str) -> list[etree._Element]:
    return item.findall(f"{{{NAMESPACE}}}{name}")


def test_additions_are_valid_and_only_additions() -> None:
    out = annotate_feed(FEED.encode(), {"tag:one": FOUND})
    first, second, _ = parsed(out)
    (bite,), (transcript,), (chapters,) = (tags(first, n) for n in ("soundbite", "transcript", "chapters"))
    assert (bite.get("startTime"), bite.get("duration")) == ("61.200", "30.300")
    assert bite.text == 'The "lamp" & <fire> – {nine} hours'
    assert transcript.get("url") == "https://cdn.example/a.vtt?x=1&y=2"
    assert (transcript.get("type"), transcript.get("language")) == ("text/vtt", "en")
    assert chapters.get("type") == "application/json+chapters"
    assert tags(second, "soundbite") == []
    removed = re.sub(r'\s*<podcast:\w+ [^>]*(?:/>|>[^<]*</podcast:soundbite>)| xmlns:podcast="[^"]*"', "", out.decode())
    assert removed == FEED
    assert '\n      <podcast:soundbite startTime="61.200"' in out.decode()


@pytest.mark.parametrize(
    ("key", "index"),
    [("tag:two", 1), ("https://x.example/b.mp3?a=1&b=2", 1), ("https://x.example/a.mp3", 0)],
)
def test_items_are_found_by_guid_and_by_enclosure(key: str, index: int) -> None:
    out = annotate_feed(FEED.encode(), {key: FOUND}, base_url="https://x.example/feed.xml")
    assert [len(tags(item, "soundbite")) for item in parsed(out)] == [int(i == index) for i in range(3)]


def test_nothing_found_changes_nothing() -> None:
    assert annotate_feed(FEED.encode(), {}) == FEED.encode()
    assert annotate_feed(FEED.encode(), {"tag:three": FOUND}) == FEED.encode()
    assert annotate_feed(FEED.encode(), {"tag:one": Additions()}) == FEED.encode()


def test_a_new_pick_replaces_the_old_one_and_an_empty_one_takes_it_back() -> None:
    once = annotate_feed(FEED.encode(), {"tag:one": FOUND, "tag:two": FOUND})
    moved = Additions(soundbites=(Soundbite(5, 35, "Elsewhere"),))
    again = annotate_feed(once, {"tag:one": moved})
    first, second, _ = parsed(again)
    assert [b.get("startTime") for b in tags(first, "soundbite")] == ["5.000"]
    assert tags(first, "transcript") == []
    assert len(tags(second, "soundbite")) == 1
    gone = annotate_feed(annotate_feed(again, {"tag:one": Additions()}), {"tag:two": Additions()})
    assert gone.decode().replace(f' xmlns:podcast="{NAMESPACE}"', "") == FEED


def test_what_the_publisher_has_already_is_not_added_and_the_own_prefix_is_used() -> None:
    feed = f"""<rss xmlns:pc="{NAMESPACE}"><channel><item><guid>tag:one</guid>
    <pc:soundbite startTime="61.2" duration="30.3">Mine</pc:soundbite>
    <pc:chapters url="https://own.example/c.json" type="application/json+chapters"/>
    <pc:transcript url="https://own.example/t.srt" type="application/srt"/></item></channel></rss>"""
    out = annotate_feed(feed.encode(), {"tag:one": FOUND})
    (item,) = parsed(out)
    assert [len(tags(item, n)) for n in ("soundbite", "chapters", "transcript")] == [1, 1, 2]
    assert b"<pc:transcript url=" in out and b"xmlns:podcast" not in out


def test_a_prefix_taken_by_something_else_is_left_alone() -> None:
    feed = '<rss xmlns:podcast="urn:other"><channel><item><guid>tag:one</guid></item></channel></rss>'
    out = annotate_feed(feed.encode(), {"tag:one": FOUND})
    assert len(tags(parsed(out)[0], "soundbite")) == 1
    assert b'xmlns:podcast="urn:other"' in out and annotate_feed(out, {"tag:one": FOUND}) == out


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-1", "utf-16", "cp1252"])
def test_every_encoding_keeps_its_bytes(encoding: str) -> None:
    named = encoding.removesuffix("-sig")
    original = FEED.replace('"UTF-8"', f'"{named}"').replace("tag:one", "tag:übung à").encode(encoding)
    out = annotate_feed(original, {"tag:übung à": FOUND})
    assert len(tags(parsed(out)[0], "soundbite")) == 1
    assert out.decode(encoding).startswith(original.decode(encoding)[:150])
    assert annotate_feed(out, {"tag:übung à": FOUND}) == out


def test_feeds_that_are_not_well_formed_are_edited_all_the_same() -> None:
    feed = (
        "junk before\n<rss version=2.0><channel><title>A & B</title><item><title>Fish & chips <br></title>"
        "<guid>tag:one</guid><podcast:person>Ada</podcast:person></item><item><guid>cut off"
    )
    out = annotate_feed(feed.encode(), {"tag:one": FOUND}).decode()
    assert out.index("Ada</podcast:person><podcast:soundbite ") < out.index("</item>")
    assert out.endswith("<item><guid>cut off")
    assert f'<rss version=2.0 xmlns:podcast="{NAMESPACE}">' in out


def test_atom_entries_are_items_too() -> None:
    feed = '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>urn:1</id></entry></feed>'
    out = annotate_feed(feed.encode(), {"urn:1": FOUND})
    entry = etree.fromstring(out)[0]
    assert len(tags(entry, "soundbite")) == 1


@pytest.mark.parametrize("text", ["<html><body>404</body></html>", "", "plain words", "{}"])
def test_what_is_no_feed_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="not a feed"):
        annotate_feed(text.encode(), {"tag:one": FOUND})


def test_chapters_follow_the_namespace() -> None:
    document = json.loads(chapters_json([Topic(60, 120.5, "Über"), Topic(0, 60, "")], title="Episode"))
    assert document == {
        "version": "1.2.0",
        "title": "Episode",
        "chapters": [
            {"startTime": 0, "endTime": 60, "title": "Part 1"},
            {"startTime": 60, "endTime": 120.5, "title": "Über"},
        ],
    }


XML_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ADDITIONS = st.builds(
    Additions,
    soundbites=st.lists(
        st.builds(
            lambda start, length, title: Soundbite(start, start + length, title),
            st.floats(0, 4000),
            st.floats(0.1, 60),
            XML_TEXT,
        ),
        max_size=3,
    ).map(tuple),
    transcripts=st.lists(st.builds(TranscriptFile, XML_TEXT, XML_TEXT, XML_TEXT), max_size=2).map(tuple),
    chapters_url=XML_TEXT,
)


@given(first=ADDITIONS, second=ADDITIONS)
def test_twice_is_once_and_the_last_word_counts(first: Additions, second: Additions) -> None:
    keyed = {"tag:one": first, "tag:two": second}
    once = annotate_feed(FEED.encode(), keyed)
    assert annotate_feed(once, keyed) == once
    assert len(parsed(once)) == 3
    swapped = {"tag:one": second, "tag:two": first}
    assert parsed_text(annotate_feed(once, swapped)) == parsed_text(annotate_feed(FEED.encode(), swapped))
    assert feedparser.parse(once)["entries"][0]["id"] == "tag:one"


def parsed_text(data: bytes) -> str:
    return data.decode().replace(f' xmlns:podcast="{NAMESPACE}"', "")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ['<a b="', "<!--", "<![CDATA[", "<rss><item>", "   ", "<?", "<guid>"])
def test_hostile_repetition_costs_linear_time(piece: str) -> None:
    feed = f"<rss><item><guid>tag:one</guid>{piece * 100_000}</item></rss>".encode()
    once = annotate_feed(feed, {"tag:one": FOUND})
    assert annotate_feed(once, {"tag:one": FOUND}) == once


@given(st.text(alphabet="<>/!-[]CDATA item&;\"'=?x\n", max_size=200))
def test_no_text_breaks_it(noise: str) -> None:
    feed = f"<rss>{noise}<item><guid>tag:one</guid></item></rss>".encode()
    once = annotate_feed(feed, {"tag:one": FOUND})
    assert annotate_feed(once, {"tag:one": FOUND}) == once
