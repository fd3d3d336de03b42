"""A picture, a sound or a clip that somebody asks with: told apart by its bytes, and refused in one line."""

from __future__ import annotations

import shutil
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from featurization.errors import MediaError, SearchError, UnreadableMedia
from featurization.extractor import Image
from featurization.media import Segment
from featurization.pcm import Samples

MAX_CLIP_S = 120.0
_MAX_PIXELS = 64_000_000
_LONGER_SIDE = 480  # as keyframes are seen
_STILLS = 8  # pictures that a clip is asked with
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")


@dataclass(frozen=True, eq=False)
class Sample:
    """What a file shows, or what it sounds like."""

    images: tuple[Image, ...] = ()
    sounds: tuple[Samples, ...] = ()


@contextmanager
def on_disk(file: BinaryIO) -> Iterator[Path]:
    """A stream as a file that lives as long as the context."""
    with tempfile.TemporaryDirectory(prefix="rushes-") as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as target:
            shutil.copyfileobj(file, target, 1 << 20)
        yield path


def read_sample(path: Path) -> Sample:
    """The picture, sound or film in a file. UnreadableMedia if it is none, SearchError if there is too much of it."""
    if (image := _picture(path)) is not None:
        return Sample(images=(image,))
    from featurization.probe import probe

    try:
        found = probe(path)
    except MediaError as error:
        raise UnreadableMedia("the file is no picture, sound or film; send JPEG, PNG, WebP, MP3, WAV, MP4 …") from error
    if found.duration_s > MAX_CLIP_S:
        raise SearchError(f"the clip lasts {found.duration_s:.0f} s, {MAX_CLIP_S:.0f} s are taken; send a part of it")
    with tempfile.TemporaryDirectory(prefix="rushes-") as folder:
        return Sample(
            images=_stills(path, Path(folder)) if found.has_video else (),
            sounds=(_sound(path, Path(folder)),) if found.has_audio else (),
        )


def _picture(path: Path) -> Image | None:
    """An upright RGB picture, small; None if the file is no picture at all."""
    from PIL import Image as Pictures
    from PIL import ImageOps, UnidentifiedImageError

    try:
        with Pictures.open(path, formats=_FORMATS) as opened:
            _checked(*opened.size)
            opened.draft("RGB", (2 * _LONGER_SIDE, 2 * _LONGER_SIDE))
            upright = ImageOps.exif_transpose(opened).convert("RGB")
            upright.thumbnail((_LONGER_SIDE, _LONGER_SIDE))
            return np.asarray(upright)
    except UnidentifiedImageError:
        return None
    except (Pictures.DecompressionBombError, Pictures.DecompressionBombWarning) as error:
        raise SearchError(_TOO_MANY) from error
    except (OSError, ValueError, SyntaxError, EOFError, struct.error) as error:  # what Pillow says of damaged pictures
        raise UnreadableMedia("the picture is damaged; save it again and send that") from error


_TOO_MANY = f"the picture has more than {_MAX_PIXELS / 1e6:.0f} megapixels; send a smaller one"


def _checked(width: int, height: int) -> None:
    if width * height > _MAX_PIXELS:
        raise SearchError(_TOO_MANY)


def _sound(path: Path, scratch: Path) -> Samples:
    from featurization.decode import decode_audio

    pcm = decode_audio(path, scratch=scratch)
    return pcm.read(Segment(0.0, min(MAX_CLIP_S, pcm.duration_s)))


def _stills(path: Path, scratch: Path) -> tuple[Image, ...]:
    """Pictures from the whole of a clip."""
    from featurization.frames import FrameOptions, decode_frames

    footage = decode_frames(path, scratch=scratch, options=FrameOptions())
    count = len(footage.still_times)
    chosen = np.unique(np.linspace(0, count - 1, min(_STILLS, count)).round().astype(int))
    return tuple(footage.still(int(index)) for index in chosen)
