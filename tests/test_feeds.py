"""Feeds as they are in the wild. Each test is one thing that real feeds do."""

from __future__ import annotations

import json
import time
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from featurization.errors import SourceError
from featurization.feeds.model import Enclosure, Feed, FeedItem, Person
from featurization.feeds.parse import parse_feed
from featurization.feeds.podcast_namespace import chapters_within, parse_chapters
from featurization.feeds.rights import license_slug, permissions
from featurization.feeds.text import iso_date, one_line, plain_text, seconds, whole_number
from featurization.media import Chapter, Soundbite

BASE = "https://example.org/shows/feed.xml"
SPACES = (
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:podcast="https://podcastindex.org/namespace/1.0" '
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:psc="http://podlove.org/simple-chapters"'
)


def rss(item: str = "", channel: str = "<title>Show</title>", *, spaces: str = SPACES) -> Feed:
    items = f"<item>{item}</item>" if item else ""
    return parse_feed(f"<rss version='2.0' {spaces}><channel>{channel}{items}</channel></rss>".encode(), base_url=BASE)


def only(item: str, channel: str = "<title>Show</title>", *, spaces: str = SPACES) -> FeedItem:
    (found,) = rss(item, channel, spaces=spaces).items
    return found


MP3 = '<enclosure url="https://cdn.example/1.mp3" type="audio/mpeg" length="1234"/>'


def test_an_ordinary_episode() -> None:
    feed = parse_feed(
        f"""<?xml version="1.0" encoding="UTF-8"?>
        <rss version="2.0" {SPACES}><channel>
          <title>Lamps &amp; Jars</title><link>https://example.org/</link><language>en-gb</language>
          <description>&lt;p&gt;All about &lt;b&gt;lamps&lt;/b&gt;.&lt;/p&gt;</description>
          <itunes:author>Ann Lee</itunes:author><itunes:explicit>no</itunes:explicit>
          <itunes:image href="cover.png"/>
          <itunes:category text="Arts"><itunes:category text="Design"/></itunes:category>
          <podcast:guid>show-1</podcast:guid><podcast:locked>yes</podcast:locked><podcast:medium>podcast</podcast:medium>
          <item><title>One</title><guid isPermaLink="false">ep-1</guid><link>https://example.org/1</link>{MP3}
            <pubDate>Mon, 18 Nov 2024 06:00:00 +0100</pubDate>
            <itunes:duration>1:02:03</itunes:duration><itunes:season>2</itunes:season><itunes:episode>7</itunes:episode>
            <itunes:episodeType>bonus</itunes:episodeType><itunes:explicit>true</itunes:explicit>
            <itunes:author>Bob</itunes:author><itunes:image href="/art/1.jpg"/>
          </item></channel></rss>""".encode(),
        base_url=BASE,
    )
    assert (feed.title, feed.link, feed.language, feed.author) == (
        "Lamps & Jars",
        "https://example.org/",
        "en-gb",
        "Ann Lee",
    )
    assert (feed.description, feed.guid, feed.locked, feed.explicit) == ("All about lamps.", "show-1", True, False)
    assert feed.image == "https://example.org/shows/cover.png"
    assert feed.categories == ("Arts", "Design")
    assert feed.items == (
        FeedItem(
            title="One",
            url="https://cdn.example/1.mp3",
            guid="ep-1",
            type="audio/mpeg",
            length_bytes=1234,
            duration_s=3723.0,
            link="https://example.org/1",
            author="Bob",
            published="2024-11-18T05:00:00+00:00",
            season=2,
            episode=7,
            episode_type="bonus",
            explicit=True,
            image="https://example.org/art/1.jpg",
        ),
    )


def test_an_atom_feed() -> None:
    feed = parse_feed(
        b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title><id>urn:a</id><icon>/i.png</icon>
        <author><name>Ann</name></author>
        <entry xml:base="https://other.example/x/"><title type="html">&lt;i&gt;T&lt;/i&gt;</title><id>urn:1</id>
          <published>2003-12-13T18:30:02Z</published><updated>2017-01-01T00:00:00Z</updated>
          <link rel="enclosure" href="a.mp3" type="audio/mpeg" length="4"/></entry></feed>""",
        base_url=BASE,
    )
    (item,) = feed.items
    assert (feed.title, feed.guid, feed.image) == ("A", "urn:a", "https://example.org/i.png")
    assert (item.title, item.guid, item.url) == ("T", "urn:1", "https://other.example/x/a.mp3")
    assert (item.published, item.author, item.length_bytes) == ("2003-12-13T18:30:02+00:00", "Ann", 4)


def test_podcasting_2_tags_that_repeat_are_all_there() -> None:
    item = only(
        f"""{MP3}<title>T</title>
        <podcast:season name="One">3</podcast:season><podcast:episode display="Ch.3">4.0</podcast:episode>
        <podcast:transcript url="t.vtt" type="text/VTT" language="es"/>
        <podcast:transcript url="/t.srt" type="application/srt"/>
        <podcast:transcript type="text/plain"/>
        <podcast:soundbite startTime="33.833" duration="60.0">Hook</podcast:soundbite>
        <podcast:soundbite startTime="0" duration="10"/><podcast:soundbite startTime="x" duration="10"/>
        <podcast:soundbite startTime="5" duration="-1"/>
        <podcast:person>Ann</podcast:person>
        <podcast:person role="Guest" group="Cast" href="p" img="i">Bob &amp; Co</podcast:person>
        <podcast:person> </podcast:person>
        <podcast:chapters url="ch.json" type="application/json+chapters"/>
        <podcast:value type="lightning"><podcast:valueRecipient name="x"/></podcast:value>"""
    )
    assert (item.season, item.episode) == (3, 4)
    assert [(t.url, t.type, t.language) for t in item.transcripts] == [
        ("https://example.org/shows/t.vtt", "text/vtt", "es"),
        ("https://example.org/t.srt", "application/srt", ""),
    ]
    assert item.soundbites == (Soundbite(33.833, 93.833, title="Hook"), Soundbite(0.0, 10.0))
    assert item.persons == (
        Person("Ann"),
        Person("Bob & Co", "guest", "cast", "https://example.org/shows/p", "https://example.org/shows/i"),
    )
    assert item.chapters_file is not None
    assert item.chapters_file.url == "https://example.org/shows/ch.json"


@pytest.mark.parametrize(
    "spaces",
    [
        "",
        'xmlns:itunes="http://www.itunes.com/DTDs/Podcast-1.0.dtd" '
        'xmlns:podcast="https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md"',
        'xmlns:itunes="http://wrong.example/" xmlns:podcast="http://wrong.example/2"',
    ],
    ids=["undeclared", "other case and address", "wrong"],
)
def test_prefixes_are_understood_whatever_they_are_bound_to(spaces: str) -> None:
    item = only(
        f'{MP3}<title>T</title><itunes:duration>60</itunes:duration><podcast:person role="host">Ann</podcast:person>'
        '<foo:bar baz:q="1">x</foo:bar><podcast:transcript url="t.vtt" type="text/vtt"/>',
        spaces=spaces,
    )
    assert item.duration_s == 60.0
    assert item.persons == (Person("Ann"),)
    assert len(item.transcripts) == 1


def test_another_prefix_for_a_known_namespace() -> None:
    spaces = 'xmlns:i="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:p="https://podcastindex.org/namespace/1.0"'
    item = only(f"{MP3}<i:duration>00:20:00</i:duration><p:person>Ann</p:person>", spaces=spaces)
    assert (item.duration_s, item.persons) == (1200.0, (Person("Ann"),))


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ('<?xml version="1.0" encoding="utf-8"?>', "utf-8"),
        ("", "utf-8"),
        ("", "utf-8-sig"),
        ('<?xml version="1.0" encoding="iso-8859-1"?>', "utf-8"),
        ('<?xml version="1.0" encoding="utf-8"?>', "cp1252"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?>', "latin-1"),
        ("", "latin-1"),
        ('<?xml version="1.0" encoding="no-such-thing"?>', "utf-8"),
        ('<?xml version="1.0" encoding="utf-16"?>', "utf-16"),
        ("", "utf-16-le"),
        ("", "utf-16-be"),
        ('\n\n  junk \n<?xml version="1.0" encoding="utf-8"?>\n', "utf-8"),
        ("<!-- a > b -->\n<?xml-stylesheet href='x'?><!DOCTYPE rss>", "utf-8"),
        ("\x00\x0b\x1f", "utf-8"),
    ],
)
def test_encodings_and_junk_in_front(head: str, encoding: str) -> None:
    text = f"{head}<rss><channel><title>Käse für Zoë</title><item>{MP3}</item></channel></rss>"
    feed = parse_feed(text.encode(encoding), base_url=BASE)
    assert (feed.title, len(feed.items)) == ("Käse für Zoë", 1)


def test_declared_by_the_transport_only() -> None:
    data = "<rss><channel><title>Привет</title></channel></rss>".encode("cp1251")
    assert parse_feed(data, base_url=BASE, charset="windows-1251").title == "Привет"


def test_markup_that_is_not_well_formed() -> None:
    data = f"""<rss><channel><title>Tom & Jerry &nbsp;&eacute; &bogus;</title><item><title>A < B</title>{MP3}
      <link>https://e.org/?a=1&b=2</link></item><item><title><![CDATA[C & D]]></title><guid><![CDATA[https://e.org/?a=1&b=2]]></guid>
      <enclosure url="https://e.org/2.mp3?a=1&b=2" type="audio/mpeg"/>""".encode()
    feed = parse_feed(data, base_url=BASE)
    assert feed.title == "Tom & Jerry é &bogus;"
    assert [item.url for item in feed.items] == ["https://cdn.example/1.mp3", "https://e.org/2.mp3?a=1&b=2"]
    assert (feed.items[1].title, feed.items[1].guid) == ("C & D", "https://e.org/?a=1&b=2")
    assert feed.items[0].title == "A < B"
    assert feed.items[0].link == "https://e.org/?a=1&b=2"


def test_no_guid_no_title_no_length() -> None:
    item = only('<enclosure url=" media/My%20Talk.mp3 "/>')
    assert item.url == item.guid == "https://example.org/shows/media/My%20Talk.mp3"
    assert (item.title, item.length_bytes, item.type) == ("My Talk", 0, "")


def test_a_guid_is_kept_verbatim_when_the_feed_moves() -> None:
    data = f"<rss xml:base='https://b.org/x/'><channel><item><guid>ep/1</guid>{MP3}</item></channel></rss>".encode()
    assert parse_feed(data, base_url=BASE).items == parse_feed(data, base_url="https://moved.example/").items
    assert parse_feed(data, base_url=BASE).items[0].guid == "ep/1"


def test_the_enclosure_every_player_uses_comes_first() -> None:
    item = only(
        """<title>T</title>
        <enclosure url="cover.jpg" type="image/jpeg"/><enclosure url="notes.pdf"/><enclosure length="3"/>
        <enclosure url="main.mp3" type="audio/mpeg" length="junk"/><enclosure url="main.ogg" type="audio/ogg"/>
        <media:content url="rss.mp3" type="audio/mpeg" fileSize="9"/><media:content url="x.png" medium="image"/>
        <podcast:alternateEnclosure type="video/mp4" length="7" title="Video">
          <podcast:source uri="v.mp4"/><podcast:source uri="ipfs://Qm"/></podcast:alternateEnclosure>
        <podcast:alternateEnclosure type="audio/opus"><podcast:source uri="low.opus"/></podcast:alternateEnclosure>
        <podcast:alternateEnclosure type="audio/mpeg" default="true"><podcast:source uri="def.mp3"/>
          <podcast:source uri="main.mp3"/></podcast:alternateEnclosure>"""
    )
    assert (item.url, item.type, item.length_bytes) == ("https://example.org/shows/main.mp3", "audio/mpeg", 0)
    names = [alternate.url.rpartition("/")[2] for alternate in item.alternates]
    assert names == ["main.ogg", "def.mp3", "rss.mp3", "low.opus", "v.mp4"]
    assert item.alternates[-1] == Enclosure("https://example.org/shows/v.mp4", "video/mp4", 7, "Video")


def test_only_an_alternate() -> None:
    item = only(
        '<podcast:alternateEnclosure type="audio/opus"><podcast:source uri="a.opus"/></podcast:alternateEnclosure>'
    )
    assert (item.url, item.type) == ("https://example.org/shows/a.opus", "audio/opus")


def test_a_live_item_does_not_pass_for_the_channel() -> None:
    live = f"<podcast:liveItem><title>LIVE</title><guid>live</guid>{MP3}</podcast:liveItem>"
    feed = rss(f"{MP3}<title>T</title>", f"<title>Show</title>{live}")
    assert (feed.title, feed.guid, len(feed.items)) == ("Show", "", 1)


def test_no_items_no_media_and_a_moved_feed() -> None:
    assert rss().items == ()
    assert only("<title>Text only</title>").url == ""
    moved = "<itunes:new-feed-url>https://new.example/f</itunes:new-feed-url>"
    assert rss("", moved).moved_to == "https://new.example/f"
    old = parse_feed(b"<rss><redirect><newLocation>\n http://n.example/</newLocation></redirect></rss>", base_url=BASE)
    assert old.moved_to == "http://n.example/"


def test_descriptions_are_text() -> None:
    markup = (
        "&lt;p&gt;One &amp;amp; two&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;ul&gt;&lt;li&gt;three&lt;/ul&gt;"
    )
    assert only(f"{MP3}<description>{markup}</description>").description == "One & two\nthree"
    full = "<description>short</description><content:encoded><![CDATA[<h1>The <em>whole</em></h1>]]></content:encoded>"
    assert only(MP3 + full).description == "The whole"


def test_what_an_item_does_not_say_its_channel_says() -> None:
    channel = """<title>S</title><itunes:author>ann@e.org (Ann Lee)</itunes:author>
      <itunes:explicit>yes</itunes:explicit>
      <itunes:image href="https://e.org/c.png"/><podcast:person>Ann</podcast:person>"""
    item = only(MP3, channel)
    assert (item.author, item.explicit, item.image, item.persons) == (
        "Ann Lee",
        True,
        "https://e.org/c.png",
        (Person("Ann"),),
    )
    assert not only(f"{MP3}<itunes:explicit>clean</itunes:explicit>", channel).explicit


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "an empty file"),
        (b" \n\t ", "an empty file"),
        (b"<!DOCTYPE html><html><head></head></html>", "a web page, not a feed; look for its RSS link"),
        (
            b'<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head></html>',
            "the page names this feed: /feed.xml",
        ),
        (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body/></html>', "a web page"),
        (b'{"version": "https://jsonfeed.org/version/1"}', "an empty file"),
        (b"just words", "an empty file"),
        (b"WEBVTT\n\n00:00 --> 00:01\n<v Ann>Hi", "its root element is <v>"),
        (b"<opml><body/></opml>", "its root element is <opml>"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a feed"),
        (b"<!DOCTYPE a [ <!ENTITY x 'y'>", "not a feed"),
        (b"<", "not a feed"),
    ],
)
def test_what_is_no_feed_is_one_line(data: bytes, says: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_feed(data, base_url=BASE)
    message = str(caught.value)
    assert message.startswith(f"{BASE}: ")
    assert "\n" not in message
    if b"words" not in data and b"jsonfeed" not in data:
        assert says in message


def test_entity_bombs_and_external_entities_are_not_read() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(12))
    secret = '<!ENTITY secret SYSTEM "file:///etc/hostname">'
    for place in (
        "{doctype}<rss><channel><title>{use}</title></channel></rss>",
        "<rss>{doctype}<channel>{use}</channel></rss>",
    ):
        text = place.format(doctype=f"<!DOCTYPE r [{entities}{secret}]>", use="&e11;&secret;")
        start = time.process_time()
        feed = parse_feed(text.encode(), base_url=BASE)
        assert len(feed.title) < 100
        assert time.process_time() - start < 1


def test_hostile_repetition_stays_quick() -> None:
    for piece in ("<![CDATA[", "<!DOCTYPE[", "<!--", "<a:b ", "&amp", "<item>", "<?xml ", "<p>&lt;script&gt;"):
        start = time.process_time()
        try:
            parse_feed(f"<rss><channel><title>{piece * 20_000}".encode(), base_url=BASE)
        except SourceError as error:
            assert "\n" not in str(error)
        assert time.process_time() - start < 5, piece


def test_five_thousand_items_take_seconds() -> None:
    note = "<p>Some <b>notes</b> on the <a href='https://e.org/x'>episode</a>.</p>" * 8
    items = "".join(
        f"<item><title>E{n}</title><guid>g{n}</guid><enclosure url='{n}.mp3' type='audio/mpeg'/>"
        f"<description><![CDATA[{note}]]></description><podcast:person>Ann</podcast:person></item>"
        for n in range(5000)
    )
    start = time.process_time()
    feed = parse_feed(f"<rss {SPACES}><channel>{items}</channel></rss>".encode(), base_url=BASE)
    assert time.process_time() - start < 15
    assert (len(feed.items), feed.items[-1].guid) == (5000, "g4999")


SCRAPS = st.sampled_from(
    """
    <rss>|<channel>|<item>|</item>|<title>|</title>|<guid>x|<![CDATA[|]]>|&|&#0;|&#x110000;|<|<!--|<!DOCTYPE|\x00|é
    <podcast:soundbite startTime='1' duration='nan'/>|<itunes:duration>inf</itunes:duration>|<a:b c:d='e'/>|<entry>
    <enclosure url='http://[bad'/>|<enclosure url='//x:y/z'/>|<pubDate>99 Foo 0000</pubDate>|<item rdf:about='x'>
    <podcast:chapters url='\u2028'/>|<media:content url='q' duration='-1'/>|<psc:chapters><psc:chapter start='x'/>
    <feed xmlns='http://www.w3.org/2005/Atom'>|<link href='http://[::1' rel='enclosure'/>|<media:thumbnail url='http://['/>
    <image><url>http://[</url></image>|<podcast:license url='http://['>x</podcast:license>|<link>http://[</link>
    """.replace("\n", "|").split("|")
)


@settings(max_examples=150, deadline=None)
@given(st.lists(SCRAPS, max_size=25))
def test_scraps_make_a_feed_or_one_line(scraps: list[str]) -> None:
    try:
        feed = parse_feed("".join(["<rss><channel>", *scraps]).encode(), base_url=BASE)
    except SourceError as error:
        assert "\n" not in str(error)
    else:
        assert all(item.duration_s >= 0 for item in feed.items)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("3600", 3600.0),
        ("60:00", 3600.0),
        ("1:00:00", 3600.0),
        (" 00:20:00 ", 1200.0),
        ("01:02:03.5", 3723.5),
        ("90.5", 90.5),
        ("1h 5m", 3900.0),
        ("PT1H5M10S", 3910.0),
        ("45 min", 2700.0),
        ("0", 0.0),
        ("00:00:00", 0.0),
        ("-5", 0.0),
        ("about an hour", 0.0),
        ("", 0.0),
        ("nan", 0.0),
        ("1e9", 0.0),
        ("3600000", 0.0),
        (":", 0.0),
    ],
)
def test_durations(text: str, length: float) -> None:
    assert seconds(text) == length


@settings(deadline=None)
@given(st.integers(1, 359_999))
def test_a_duration_reads_the_same_in_every_notation(length: int) -> None:
    hours, rest = divmod(length, 3600)
    minutes, secs = divmod(rest, 60)
    notations = (
        f"{length}",
        f"{length // 60}:{secs:02}",
        f"{hours}:{minutes:02}:{secs:02}",
        f"{hours}h{minutes}m{secs}s",
    )
    assert {seconds(text) for text in notations} == {float(length)}


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Wed, 27 Apr 2011 07:00:00 GMT", "2011-04-27T07:00:00+00:00"),
        ("Thu, 1 Apr 2021 08:00:00 EST", "2021-04-01T13:00:00+00:00"),
        ("2011-04-27T07:00:00+02:00", "2011-04-27T05:00:00+00:00"),
        ("2011-04-27", "2011-04-27T00:00:00+00:00"),
        ("Mittwoch, 27 April 2011 10:00:00 GMT", "2011-04-27T10:00:00+00:00"),
        ("Sept 5, 2020", "2020-09-05T00:00:00+00:00"),
        ("Wednesday, April 27, 2011", "2011-04-27T00:00:00+00:00"),
        ("1303887600", "2011-04-27T07:00:00+00:00"),
        ("Wed, 31 Feb 2011 07:00:00 GMT", ""),
        ("yesterday", ""),
        ("", ""),
        ("0001-01-01T00:00:00+14:00", ""),
    ],
)
def test_dates(text: str, date: str) -> None:
    assert iso_date(text) == date


def test_numbers() -> None:
    assert [whole_number(text) for text in ("7", " 7.0 ", "-1", "x", "", "99999999999", "²")] == [7, 7, 0, 0, 0, 0, 0]


def test_text_of_markup() -> None:
    markup = (
        '<p>A &amp; b<!-- <b>no</b> -->c</p><style>p{}</style> d --> <a title="x > y">link</a> 3 < 4 <br/>e <unclosed'
    )
    assert plain_text(markup) == "A & bc\nd --> link 3 < 4\ne <unclosed"
    assert one_line("<b>a</b>\n\n b") == "a b"


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="<&", exclude_categories=("Cs",))))
def test_text_without_markup_keeps_its_words(text: str) -> None:
    assert plain_text(text).split() == text.split()


@pytest.mark.parametrize(
    ("slug", "url", "tidy"),
    [
        ("cc-by-4.0", "", "cc-by-4.0"),
        ("CC BY-NC-ND 3.0", "", "cc-by-nc-nd-3.0"),
        ("cc by 4", "", "cc-by-4.0"),
        ("CC0", "", "cc0-1.0"),
        ("cc0-1.0", "", "cc0-1.0"),
        ("Public Domain", "", "pdm-1.0"),
        ("", "https://creativecommons.org/licenses/by-sa/4.0/deed.en", "cc-by-sa-4.0"),
        ("x", "http://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"),
        ("my-podcast-license-v1", "https://e.org/l.pdf", "my-podcast-license-v1"),
        ("ARR", "", "arr"),
    ],
)
def test_licence_names(slug: str, url: str, tidy: str) -> None:
    assert license_slug(slug, url) == tidy


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("cc-by-4.0", ("allowed", "allowed")),
        ("cc-by-sa-4.0", ("allowed", "allowed")),
        ("cc0-1.0", ("allowed", "allowed")),
        ("cc-by-nc-sa-4.0", ("allowed", "allowed")),
        ("cc-by-nd-4.0", ("unknown", "forbidden")),
        ("cc-by-nc-nd-4.0", ("unknown", "forbidden")),
        ("arr", ("unknown", "unknown")),
        ("all rights reserved", ("unknown", "unknown")),
        ("", ("unknown", "unknown")),
    ],
)
def test_what_licences_permit(slug: str, expected: tuple[str, str]) -> None:
    assert permissions(slug) == expected


def test_the_items_licence_overrides_the_channels() -> None:
    channel = """<title>S</title><copyright>(c) Ann</copyright>
      <podcast:license url="https://creativecommons.org/licenses/by/4.0/">cc-by-4.0</podcast:license>"""
    inherited = only(MP3, channel).rights
    assert (inherited.preview, inherited.derivatives, inherited.license) == ("allowed", "allowed", "cc-by-4.0")
    assert (inherited.source, inherited.attribution) == ("channel podcast:license", "(c) Ann")
    own = only(f"{MP3}<podcast:license>cc-by-nc-nd-4.0</podcast:license>", channel).rights
    assert (own.preview, own.derivatives, own.license) == ("unknown", "forbidden", "cc-by-nc-nd-4.0")
    assert own.source == "item podcast:license; non-commercial use only"


def test_other_ways_to_state_a_licence() -> None:
    cc = 'xmlns:creativeCommons="http://backend.userland.com/creativeCommonsRssModule"'
    url = "http://creativecommons.org/licenses/by-nd/3.0/"
    stated = only(f"{MP3}<creativeCommons:license>{url}</creativeCommons:license>", spaces=cc).rights
    assert (stated.license, stated.derivatives) == ("cc-by-nd-3.0", "forbidden")
    line = only(MP3, "<title>S</title><copyright>CC BY-ND 4.0</copyright>").rights
    assert (line.license, line.derivatives, line.source) == ("cc-by-nd-4.0", "forbidden", "copyright line")
    said = only(MP3, "<title>S</title><copyright>All rights reserved</copyright>").rights
    assert (said.preview, said.derivatives, said.license) == ("unknown", "unknown", "")


def test_chapters_in_the_feed() -> None:
    item = only(
        f"""{MP3}<itunes:duration>01:00:00</itunes:duration><psc:chapters version="1.2">
        <psc:chapter start="0" title="Intro"/><psc:chapter start="01:02.500" title="Link" href="x"/>
        <psc:chapter start="nonsense" title="No"/><psc:chapter start="00:10" title="Early"/></psc:chapters>"""
    )
    assert chapters_within(item.chapters, duration_s=3000.0) == (
        Chapter(0.0, 10.0, "Intro"),
        Chapter(10.0, 62.5, "Early"),
        Chapter(62.5, 3000.0, "Link", "https://example.org/shows/x"),
    )
    assert chapters_within(item.chapters, duration_s=62.0) == (
        Chapter(0.0, 10.0, "Intro"),
        Chapter(10.0, 62.0, "Early"),
    )


def test_chapters_as_json() -> None:
    entries = [
        {"startTime": 168, "title": "Two <b>bold</b>", "url": "https://e.org"},
        {"startTime": 0, "title": "One"},
        {"startTime": 170, "title": "hidden", "toc": False},
        {"startTime": "00:05:00"},
        {"startTime": -1, "title": "before"},
        {"startTime": None},
        {"startTime": float("inf")},
        {"title": "no time"},
        "junk",
        {"startTime": 9000, "title": "beyond the end"},
    ]
    data = b"\xef\xbb\xbf" + json.dumps({"version": "1.2.0", "chapters": entries}).encode()
    assert parse_chapters(data, duration_s=400.0) == (
        Chapter(0.0, 168.0, "One"),
        Chapter(168.0, 300.0, "Two bold", "https://e.org"),
        Chapter(300.0, 400.0, ""),
    )


@pytest.mark.parametrize("data", [b"", b"<html>", b"{}", b'{"chapters": 3}', b"7", b"[" * 100_000])
def test_chapters_that_are_none(data: bytes) -> None:
    with pytest.raises(SourceError, match="chapters"):
        parse_chapters(data)


@settings(deadline=None)
@given(st.lists(st.floats(0, 5000), max_size=20), st.floats(1, 5000))
@example([0.0, 0.0], 1.0)
def test_chapters_tile_the_media(starts: list[float], duration_s: float) -> None:
    data = json.dumps({"chapters": [{"startTime": start, "title": "t"} for start in starts]}).encode()
    chapters = parse_chapters(data, duration_s=duration_s)
    assert all(before.end == after.start for before, after in pairwise(chapters))
    assert not chapters or chapters[-1].end == duration_s
    assert chapters_within(chapters, duration_s=duration_s) == chapters
