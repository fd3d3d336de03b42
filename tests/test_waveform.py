"""Bars stand where the sound is, in both kinds of picture; tags say where a preview came from."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from media_factory import encode, silence, tone
from mutagen.mp3 import MP3
from PIL import Image

from featurization.errors import StoreError
from steps.rendering.mp3 import decode_clip
from steps.rendering.tagging import PreviewTags, cover_jpeg, tag_preview
from steps.rendering.waveform import WaveformOptions, bar_heights, preview_levels, waveform_png, waveform_svg

TAGS = PreviewTags(
    title="The lamp – part 1",
    show="Gull Rock",
    album="Gull Rock: previews",
    duration_s=3.5,
    asset_id="0123456789abcdef",
    source="61.20–64.70 s",
    model="prior@1",
    run="publish/7",
    language="en-GB",
    link="https://example.org/lamp",
    attribution="CC BY 4.0, Gull Rock",
)


def test_levels_of_a_clip_are_those_of_its_tone(tmp_path: Path) -> None:
    data = encode(tmp_path / "in.wav", np.concatenate([silence(1), tone(1, level=0.5)])).read_bytes()
    levels = preview_levels(data, hop_s=0.1)
    assert len(levels) == 20
    assert levels[2] < -90
    assert levels[15] == pytest.approx(-9.03, abs=0.1)


def test_bars_are_high_where_it_is_loud_and_flat_where_it_is_not() -> None:
    levels = np.full(36_000 * 10, -100.0, dtype=np.float32)  # ten hours
    levels[180_000:270_000] = -20.0
    heights = bar_heights(levels, 40)
    assert heights[20:30].min() > 0.999
    assert heights[:20].max() == heights[30:].max() == 0.0
    assert bar_heights(np.zeros(0, dtype=np.float32), 5).tolist() == [0.0] * 5
    assert len(bar_heights(levels[:3], 40)) == 40


def test_svg_is_well_formed_and_emphasis_parts_the_bars() -> None:
    svg = ET.fromstring(waveform_svg(np.full(50, -20.0, np.float32), emphasis=(0.25, 0.5), label='a "b" <c> & d'))
    muted, bright = (path.attrib["d"].count("M") for path in svg)
    bars = WaveformOptions().bars
    assert muted + bright == bars
    assert bright == pytest.approx(bars / 4, abs=1)
    assert svg.attrib["aria-label"] == 'a "b" <c> & d'


def test_png_shows_loud_bars_tall_on_a_transparent_ground() -> None:
    levels = np.concatenate([np.full(50, -100.0), np.full(50, -12.0)]).astype(np.float32)
    image = np.asarray(Image.open(io.BytesIO(waveform_png(levels, options=WaveformOptions(width=400, height=80)))))
    opaque = image[:, :, 3] > 128
    assert image.shape == (80, 400, 4)
    assert opaque[:, :190].sum(axis=0).max() <= 6
    assert opaque[:, 210:].sum(axis=0).max() >= 76
    assert waveform_png(levels) == waveform_png(levels)


def test_tags_say_what_it_is_and_where_it_came_from_and_change_no_sound(tmp_path: Path) -> None:
    path = encode(tmp_path / "p.mp3", tone(1), tags={"title": "old"})
    before = decode_clip(path.read_bytes())
    tag_preview(path, TAGS)
    once = path.read_bytes()
    tag_preview(path, TAGS)
    assert path.read_bytes() == once
    np.testing.assert_array_equal(decode_clip(once).samples, before.samples)
    tags = MP3(path).tags
    assert tags["TIT2"] == ["The lamp – part 1"]
    assert (tags["TPE1"], tags["TALB"], tags["TLEN"]) == (["Gull Rock"], ["Gull Rock: previews"], ["3500"])
    assert tags.getall("COMM")[0].lang == "eng"
    assert "0123456789abcdef, 61.20–64.70 s; model prior@1; run publish/7" in str(tags.getall("COMM")[0])
    assert Image.open(io.BytesIO(tags.getall("APIC")[0].data)).size == (600, 600)


def test_a_given_cover_is_squared_and_a_broken_one_is_replaced() -> None:
    red = io.BytesIO()
    Image.new("RGBA", (1400, 900), (255, 0, 0, 255)).save(red, "PNG")
    cover = Image.open(io.BytesIO(cover_jpeg(red.getvalue(), title="t", show="s")))
    assert (cover.size, cover.format) == ((600, 600), "JPEG")
    assert cover.getpixel((300, 300))[0] > 250  # type: ignore[index]
    drawn = cover_jpeg(b"", title="t", show="Gull Rock")
    assert cover_jpeg(b"not a picture", title="t", show="Gull Rock") == drawn
    assert cover_jpeg(red.getvalue()[:200], title="t", show="Gull Rock") == drawn
    assert cover_jpeg(b"", title="t", show="Cold Barn") != drawn


def test_a_missing_file_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="tagging"):
        tag_preview(tmp_path / "none.mp3", TAGS)
    assert list(tmp_path.iterdir()) == []
