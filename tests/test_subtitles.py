"""Subtitles in every format that films come with: what is said is kept, with its times, and nothing else."""

from __future__ import annotations

import textwrap
from itertools import pairwise
from pathlib import Path

import pytest
from media_factory import encode_video, mux_subtitles, tone

from featurization.cue_words import words_from_cues
from featurization.errors import MediaError
from featurization.media import Asset, Segment
from featurization.probe import probe
from featurization.subtitle_formats.counted import with_frame_rate
from featurization.subtitles import embedded_subtitles
from featurization.transcripts import parse_transcript, read_transcript
from steps.ingest import ingest_batch, list_source
from steps.intake.sidecars import find_sidecars
from steps.settings import Settings
from steps.store import Store

ASS_HEADER = textwrap.dedent("""\
    [Script Info]
    ; made for a test
    ScriptType: v4.00+

    [V4+ Styles]
    Format: Name, Fontname, Fontsize, PrimaryColour
    Style: Default,Arial,20,&H00FFFFFF
    Style: Signs,Arial,20,&H00FFFFFF

    [Events]
    Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
    """)


def ass(*events: str) -> bytes:
    return (ASS_HEADER + "\n".join(f"Dialogue: {event}" for event in events)).encode()


def said(data: bytes) -> list[tuple[float, float, str, str]]:
    cues = parse_transcript(data, media_type="x")
    return [(round(cue.start, 3), round(cue.end, 3), cue.text, cue.speaker) for cue in cues]


def texts(data: bytes) -> list[str]:
    return [cue.text for cue in parse_transcript(data, media_type="x")]


# ASS ------------------------------------------------------------------------------------------------------------------


def test_ass_is_read_without_its_styling():
    data = ass(
        r"0,0:00:01.00,0:00:02.50,Default,Ann,0,0,0,,{\i1\c&H00FF00&}Well{\i0},\Nthen & there",
        r"0,0:00:03.00,0:00:04.25,Default,,0,0,0,,One, two, three\htimes",
    )
    assert said(data) == [(1.0, 2.5, "Well, then & there", "Ann"), (3.0, 4.25, "One, two, three times", "")]
    assert read_transcript(data, media_type="x").format == "ass"


@pytest.mark.parametrize(
    "event",
    [
        r"0,0:00:05.00,0:00:06.00,Default,,0,0,0,,{\p1}m 0 0 l 100 0 100 100{\p0}",
        r"0,0:00:05.00,0:00:06.00,Default,,0,0,0,,{\pos(320,40)}GULL POINT 5 MILES",
        r"0,0:00:05.00,0:00:06.00,Signs,,0,0,0,,Closed",
        r"0,0:00:05.00,0:00:06.00,Default,,0,0,0,fx,{\k20}la",
        r"0,0:00:05.00,0:00:06.00,Default,,0,0,0,Banner;5,Breaking news",
        r"0,0:00:05.00,0:00:06.00,Default,,0,0,0,,[door creaks]",
        r"0,0:00:05.00,0:00:06.00,Default,,0,0,0,,",
    ],
    ids=["drawing", "placed sign", "sign style", "karaoke effect", "banner", "sound note", "empty"],
)
def test_what_nobody_says_is_left_out_of_ass(event):
    spoken = [f"0,0:00:0{n}.00,0:00:0{n}.90,Default,,0,0,0,,Line {n}" for n in range(3)]
    assert texts(ass(*spoken, event)) == ["Line 0", "Line 1", "Line 2"]


def test_comments_are_not_said_and_a_wholly_placed_file_is():
    placed = [rf"0,0:00:0{n}.00,0:00:0{n}.90,Default,,0,0,0,,{{\pos(10,{n})}}Line {n}" for n in range(3)]
    comment = b"\nComment: 0,0:00:05.00,0:00:06.00,Default,,0,0,0,,timing note"
    assert texts(ass(*placed) + comment) == ["Line 0", "Line 1", "Line 2"]


def test_karaoke_syllables_make_words_and_layers_say_a_line_once():
    line = r"0:00:01.00,0:00:03.00,Default,,0,0,0,,{\k20}Twin{\k30}kle {\kf25}star"
    assert texts(ass(f"0,{line}", f"1,{line}")) == ["Twinkle star"]


# TTML, SAMI and the others --------------------------------------------------------------------------------------------

TTML = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"
    xmlns:ttm="http://www.w3.org/ns/ttml#metadata" xmlns:tts="http://www.w3.org/ns/ttml#styling"
    {parameters}>
  <head><metadata><ttm:agent xml:id="ann" type="person"><ttm:name type="full">Ann</ttm:name></ttm:agent></metadata>
  </head>
  <body{body}><div>{lines}</div></body>
</tt>"""


def ttml(lines: str, *, parameters: str = "", body: str = "") -> bytes:
    return TTML.format(lines=lines, parameters=parameters, body=body).encode()


@pytest.mark.parametrize(
    ("begin", "end", "parameters", "expected"),
    [
        ("00:00:01.500", "00:00:02.750", "", (1.5, 2.75)),
        ("1.5s", "2750ms", "", (1.5, 2.75)),
        ("0.01h", "0.61m", "", (36.0, 36.6)),
        ("00:00:01:10", "00:00:02:20", 'ttp:frameRate="25"', (1.4, 2.8)),
        ("30f", "60f", 'ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"', (1.001, 2.002)),
        ("10000000t", "25000000t", 'ttp:tickRate="10000000"', (1.0, 2.5)),
    ],
)
def test_ttml_times_in_every_notation(begin, end, parameters, expected):
    data = ttml(f'<p begin="{begin}" end="{end}">Hello</p>', parameters=parameters)
    assert said(data) == [(*expected, "Hello", "")]


def test_ttml_nests_times_names_speakers_and_breaks_lines():
    lines = """
      <p begin="1s" dur="2s" ttm:agent="ann">Hello <span tts:fontStyle="italic">there</span>,<br/>
         you &amp; me</p>
      <p begin="4s" end="6s"><span begin="0s" end="1s">First</span> <span begin="1s">second</span></p>"""
    assert said(ttml(lines, body=' begin="10s"')) == [
        (11.0, 13.0, "Hello there, you & me", "Ann"),
        (14.0, 15.0, "First", ""),
        (15.0, 16.0, "second", ""),
    ]


def test_ttml_in_sequence_follows_on():
    lines = '<p dur="1s">One</p><p begin="0.5s" dur="1s">Two</p>'
    data = ttml(lines).replace(b"<div>", b'<div timeContainer="seq">')
    assert [(start, end) for start, end, *_ in said(data)] == [(0.0, 1.0), (1.5, 2.5)]


def test_ttml_opens_no_other_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    entity = f'<!DOCTYPE tt [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'.encode()
    data = entity + ttml('<p begin="1s" end="2s">Said &x;</p>').partition(b"?>")[2]
    assert "hidden" not in " ".join(texts(data))


def test_sami_gives_one_language_and_clears():
    data = b"""<SAMI><HEAD><STYLE TYPE="text/css"><!--
      .ENCC {Name: English; lang: en-US;} .FRCC {Name: Francais; lang: fr-FR;} --></STYLE></HEAD><BODY>
      <SYNC Start=1000><P Class=ENCC ID=Source>Ann<P Class=ENCC>Hello<br>there, my friend<P Class=FRCC>Salut
      <SYNC Start=2500><P Class=ENCC>&nbsp;<P Class=FRCC>&nbsp;
      <SYNC Start=4000><P Class=ENCC>Caf&eacute; &amp; cake</BODY></SAMI>"""
    assert said(data) == [(1.0, 2.5, "Hello there, my friend", ""), (4.0, 8.0, "Café & cake", "")]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("{1}{1}25.000\n{25}{50}Hello|there\n{75}{100}{y:i}Bye\n", "microdvd"),
        ("[10][20]Hello|there\n[30][40]/Bye\n", "mpl2"),
        (
            "[INFORMATION]\n[TITLE]x\n[END INFORMATION]\n[SUBTITLE]\n[COLF]&HFFFFFF,[STYLE]no\n"
            "00:00:01.00,00:00:02.00\nHello[br]there\n\n00:00:03.00,00:00:04.00\nBye\n",
            "subviewer",
        ),
        ("0:00:01.000,0:00:02.000\nHello\nthere\n\n0:00:03.000,0:00:04.000\nBye\n", "sbv"),
        (
            '<transcript><text start="1" dur="1">Hello there</text><text start="3" dur="1">Bye</text></transcript>',
            "ttml",
        ),
    ],
)
def test_the_lesser_formats(text, form):
    found = read_transcript(text.encode(), media_type="x")
    assert found.format == form
    assert [(cue.start, cue.end, cue.text) for cue in found.cues] == [(1.0, 2.0, "Hello there"), (3.0, 4.0, "Bye")]


def test_frames_need_a_rate():
    bare = "{50}{100}Hello\n"
    with pytest.raises(MediaError, match="how many make a second"):
        parse_transcript(bare.encode(), media_type="x")
    assert said(with_frame_rate(bare, 25.0).encode()) == [(2.0, 4.0, "Hello", "")]
    assert with_frame_rate(with_frame_rate(bare, 25.0), 30.0) == with_frame_rate(bare, 25.0)


@pytest.mark.parametrize(
    "data",
    [
        b"[Script Info]\n\x00\x01 nothing else",
        b"<tt xmlns='http://www.w3.org/ns/ttml'><body><p begin='x' end='y'>?</p>",
        b"<tt ",
        b"<SAMI><BODY></BODY></SAMI>",
        b"<SAMI><SYNC Start=999999999999999999999999><P>x",
        b"{1}{2}",
        b"[1][2]",
        b"\x00\x00\x01\xba VobSub",
    ],
)
def test_a_broken_file_is_one_line(data):
    try:
        parse_transcript(data, media_type="x")
    except MediaError as error:
        assert "\n" not in str(error)


# what any format may hold ---------------------------------------------------------------------------------------------

SRT = "1\n00:00:01,000 --> 00:00:02,000\n{}\n\n2\n00:00:03,000 --> 00:00:04,000\nGoodbye.\n"


@pytest.mark.parametrize(
    ("shown", "spoken"),
    [
        ("<i>It&#39;s</i> <font color='red'>late</font> &lt;3", "It's late <3"),
        (r"{\an8}Up here", "Up here"),
        ("[THUNDER] Run!", "Run!"),
        ("(SIGHS) Very well.", "Very well."),
        ("(sighs) Very well.", "Very well."),
        ("We (all of us) went.", "We (all of us) went."),
        ("♪ We sail tonight ♪", "We sail tonight"),
    ],
)
def test_markup_and_sound_notes_are_not_said(shown, spoken):
    assert texts(SRT.format(shown).encode())[0] == spoken


@pytest.mark.parametrize("shown", ["[door creaks]", "(GUNSHOT)", "♪", "- - -", "(wind howling)"])
def test_a_line_of_sounds_alone_is_left_out(shown):
    assert texts(SRT.format(shown).encode()) == ["Goodbye."]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_any_encoding(encoding):
    assert texts(SRT.format("Größe, déjà vu, œuvre").encode(encoding))[0] == "Größe, déjà vu, œuvre"


def test_lines_that_overlap_give_words_in_order():
    data = ass(
        "0,0:00:01.00,0:00:05.00,Default,Ann,0,0,0,,one two three four",
        "0,0:00:02.00,0:00:04.00,Default,Bob,0,0,0,,five six",
    )
    cues = parse_transcript(data, media_type="x")
    assert {cue.speaker for cue in cues} == {"Ann", "Bob"}
    words = words_from_cues(cues, [Segment(0.5, 6.0)])
    assert sorted(word.text for word in words) == sorted("one two three four five six".split())
    assert all(before.end <= after.start + 1e-9 for before, after in pairwise(words))


# beside a film and inside it ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode_video(tmp_path_factory.mktemp("film") / "plain.mp4", 10.0, tone(10.0))


@pytest.fixture
def subtitles(tmp_path: Path) -> dict[str, Path]:
    files = {
        "en.srt": SRT.format("Hello there").encode(),
        "de.vtt": b"WEBVTT\n\n00:01.000 --> 00:02.000\nHallo &amp; du\n",
        "fr.ass": ass(r"0,0:00:01.00,0:00:02.00,Default,Luc,0,0,0,,{\i1}Salut{\i0}, toi"),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return {name[:2]: tmp_path / name for name in files}


def test_tracks_inside_a_film_are_taken_out(film, subtitles, tmp_path):
    path = mux_subtitles(
        tmp_path / "film.mkv", film, (subtitles["en"], "eng"), (subtitles["de"], "ger"), (subtitles["fr"], "fre")
    )
    assert [(track.codec, track.language) for track in probe(path).subtitle_tracks] == [
        ("subrip", "en"),
        ("webvtt", "de"),
        ("ass", "fr"),
    ]
    found = {
        track.language: parse_transcript(track.webvtt, media_type="text/vtt") for track in embedded_subtitles(path)
    }
    assert [(cue.text, cue.speaker) for cue in found["en"]] == [("Hello there", ""), ("Goodbye.", "")]
    assert [(cue.text, cue.speaker) for cue in found["de"]] == [("Hallo & du", "")]
    assert [(cue.text, cue.speaker) for cue in found["fr"]] == [("Salut, toi", "Luc")]
    assert found["en"][0].start == pytest.approx(1.0, abs=0.05)
    assert found["en"][0].end == pytest.approx(2.0, abs=0.05)


def test_the_text_of_an_mp4_is_taken_out(film, subtitles, tmp_path):
    path = mux_subtitles(tmp_path / "film.mp4", film, (subtitles["en"], "eng"))
    (track,) = embedded_subtitles(path)
    assert (track.language, track.forced) == ("en", False)
    assert said(track.webvtt) == [(1.0, 2.0, "Hello there", ""), (3.0, 4.0, "Goodbye.", "")]


def test_a_film_without_subtitles_has_none(film):
    assert embedded_subtitles(film) == []


def test_a_sidecar_is_known_by_its_name(tmp_path):
    names = ["Film.srt", "Film.EN.vtt", "Film.pt-BR.ass", "Film.eng.sdh.SRT", "Film.en.forced.srt"]
    for name in [*names, "Film 2.srt", "Film.draft.srt", "Film.txt", "Other.srt"]:
        (tmp_path / name).write_text("x")
    found = [(path.name, language) for path, language in find_sidecars(tmp_path / "Film.mp4")]
    assert sorted(found) == [
        ("Film.EN.vtt", "en"),
        ("Film.en.forced.srt", "en"),
        ("Film.eng.sdh.SRT", "en"),
        ("Film.pt-BR.ass", "pt-BR"),
        ("Film.srt", ""),
    ]
    assert found[-1][0] == "Film.en.forced.srt"


def ingested(source: Path, store: Store) -> tuple[Asset, ...]:
    settings = Settings()
    listing = list_source(str(source), limit=0, settings=settings)
    done = ingest_batch(listing, (0, len(listing.items)), run="IngestMedia/1", settings=settings, store=store)
    assert all(one.asset for one in done), [one.problem for one in done]
    return tuple(one.asset for one in done if one.asset)


def test_subtitles_come_in_with_their_film(film, subtitles, tmp_path):
    folder, store = tmp_path / "films", Store(str(tmp_path / "store"))
    folder.mkdir()
    mux_subtitles(folder / "film.mkv", film, (subtitles["de"], "ger"))
    (folder / "film.en.srt").write_bytes(subtitles["en"].read_bytes())
    (folder / "film.sub").write_text("{10}{20}Counted\n")  # at the film's ten pictures a second
    (folder / "film.fr.ass").write_bytes(b"[Script Info]\nbroken")
    (asset,) = ingested(folder, store)
    found = [(file.type, file.language) for file in asset.transcripts]
    assert found == [("application/x-subrip", "en"), ("text/x-microdvd", ""), ("text/vtt", "de")]
    read = [said(store.files.read(file.blob))[0] for file in asset.transcripts]
    assert read[:2] == [(1.0, 2.0, "Hello there", ""), (1.0, 2.0, "Counted", "")]
    assert read[2][2] == "Hallo & du"
    assert asset.transcripts[2].url.endswith("film.mkv#track=2")
    listing = list_source(str(folder), limit=0, settings=Settings())
    assert listing.skipped == ()


@pytest.mark.parametrize(("spoken", "order"), [("", ["de", "en"]), ("eng", ["en", "de"])])
def test_the_spoken_language_comes_first(film, subtitles, tmp_path, spoken, order):
    tracks = (subtitles["de"], "ger"), (subtitles["en"], "eng")
    path = mux_subtitles(tmp_path / "film.mkv", film, *tracks, spoken=spoken)
    (asset,) = ingested(path, Store(str(tmp_path / "store")))
    assert [file.language for file in asset.transcripts] == order
