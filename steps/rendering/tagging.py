"""Tags of a preview: what it is, whose it is, where it was cut from, and of a sound its cover."""

# mypy: allow-untyped-calls

from __future__ import annotations

import hashlib
import io
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mutagen.id3 import APIC, COMM, ID3, TALB, TIT2, TLAN, TLEN, TPE1, TXXX, WOAS
from mutagen.mp4 import MP4, MP4FreeForm
from PIL import Image, ImageDraw, ImageFont

from steps.files import explained

_COVER_PX = 600
_LATIN1, _UTF16, _FRONT = 0, 1, 3  # ID3v2.3 knows no UTF-8
_ISO_639 = (
    "ar:ara cs:ces da:dan de:deu el:ell en:eng es:spa fi:fin fr:fra he:heb hi:hin hu:hun id:ind it:ita ja:jpn "
    "ko:kor nb:nob nl:nld no:nor pl:pol pt:por ro:ron ru:rus sk:slk sv:swe th:tha tr:tur uk:ukr vi:vie zh:zho"
)
_LANGUAGES = dict(pair.split(":") for pair in _ISO_639.split())  # two letters to the three that ID3 wants


@dataclass(frozen=True, slots=True)
class PreviewTags:
    """What the tags say; empty strings are left out."""

    title: str
    show: str
    album: str
    duration_s: float
    asset_id: str
    source: str  # start and end of what was cut, several joined by ", "
    model: str
    run: str
    language: str = ""  # BCP 47, e.g. "en-GB"
    link: str = ""
    attribution: str = ""

    @property
    def provenance(self) -> str:
        return f"Cut from {self.asset_id}, {self.source}; model {self.model}; run {self.run}"

    @property
    def comment(self) -> str:
        return "\n".join(filter(None, [self.attribution, self.provenance]))


def tag_preview(path: Path, tags: PreviewTags, *, cover: bytes = b"") -> None:
    """Replace the tags of the MP3 at `path`; the file changes whole or not at all, and equal tags give equal bytes.

    `cover` is any picture Pillow reads; without one, or if it cannot be read, a cover is drawn from the names.
    """
    with _staged(path) as staged:
        _id3(tags, cover_jpeg(cover, title=tags.title, show=tags.show)).save(staged, v1=0, v2_version=3)


def tag_film(path: Path, tags: PreviewTags) -> None:
    """The same for an MP4, which still begins to play before it has arrived; its poster is a file of its own."""
    with _staged(path) as staged:
        film = MP4(staged)
        named = {"\xa9nam": tags.title, "\xa9ART": tags.show, "\xa9alb": tags.album, "\xa9cmt": tags.comment}
        film.update({name: [text] for name, text in named.items() if text})
        film["----:com.apple.iTunes:provenance"] = [MP4FreeForm(tags.provenance.encode())]
        film.save()


@contextmanager
def _staged(path: Path) -> Iterator[Path]:
    """A copy of the file at `path` that takes its place when all went well."""
    with explained(f"tagging {path}"):
        staged = path.with_name(f".part-{uuid.uuid4().hex}")
        try:
            shutil.copyfile(path, staged)
            yield staged
            staged.replace(path)
        finally:
            staged.unlink(missing_ok=True)


def cover_jpeg(picture: bytes, *, title: str, show: str) -> bytes:
    """`picture` as a square JPEG of at most 600 pixels, or a drawn cover if it is empty or unreadable."""
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            image = _square(opened.convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError):
        image = _drawn_cover(show or title)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def _id3(tags: PreviewTags, cover: bytes) -> ID3:
    language = _LANGUAGES.get(tags.language[:2].lower(), "und")
    id3 = ID3()
    id3.add(TIT2(encoding=_UTF16, text=[tags.title]))
    id3.add(COMM(encoding=_UTF16, lang=language, desc="", text=[tags.comment]))
    id3.add(TLEN(encoding=_LATIN1, text=[str(round(tags.duration_s * 1000))]))
    id3.add(TXXX(encoding=_UTF16, desc="provenance", text=[tags.provenance]))
    for frame, text in ((TPE1, tags.show), (TALB, tags.album), (TLAN, language if language != "und" else "")):
        if text:
            id3.add(frame(encoding=_UTF16, text=[text]))
    if tags.link:
        id3.add(WOAS(url=tags.link))
    id3.add(APIC(encoding=_LATIN1, mime="image/jpeg", type=_FRONT, desc="Cover", data=cover))
    return id3


def _square(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    cropped = image.crop((left, top, left + side, top + side))
    return cropped if side <= _COVER_PX else cropped.resize((_COVER_PX, _COVER_PX), Image.Resampling.LANCZOS)


def _drawn_cover(name: str) -> Image.Image:
    """Bars of a waveform in a colour of the show's own, over its initials."""
    digest = hashlib.sha256(name.encode()).digest()
    hue = digest[0] * 255 // 256
    image = Image.new("HSV", (_COVER_PX, _COVER_PX), (hue, 150, 92)).convert("RGB")
    draw = ImageDraw.Draw(image)
    bar = Image.new("HSV", (1, 1), (hue, 90, 215)).convert("RGB").getpixel((0, 0))
    for index, byte in enumerate(digest[1:21]):
        height = 12 + byte * 150 // 255
        x = 60 + index * 24
        draw.rounded_rectangle((x, 430 - height // 2, x + 13, 430 + height // 2), radius=6, fill=bar)
    initials = "".join(part[0] for part in name.split()[:2]).upper() or "?"
    draw.text((300, 200), initials, fill=(255, 255, 255), font=ImageFont.load_default(size=190), anchor="mm")
    return image
