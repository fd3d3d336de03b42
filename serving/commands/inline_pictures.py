"""Pictures between the lines of terminals that can show them: kitty's and iTerm's protocols."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

Protocol = Literal["", "kitty", "iterm"]
_HEIGHT = 96  # pixels
_GAP = 6
_CHUNK = 4096  # characters in one escape of kitty's protocol, at most


def protocol(environment: Mapping[str, str]) -> Protocol:
    """What the terminal understands, by what it says of itself; "" for no pictures."""
    if "KITTY_WINDOW_ID" in environment or environment.get("TERM") in ("xterm-kitty", "xterm-ghostty"):
        return "kitty"
    return "iterm" if environment.get("TERM_PROGRAM") in ("iTerm.app", "WezTerm") else ""


def strip(pictures: Sequence[bytes]) -> bytes:
    """Pictures side by side, from left to right, as one PNG."""
    from PIL import Image

    opened = [Image.open(io.BytesIO(data)).convert("RGB") for data in pictures]
    scaled = [image.resize((max(1, round(image.width * _HEIGHT / image.height)), _HEIGHT)) for image in opened]
    sheet = Image.new("RGBA", (sum(image.width + _GAP for image in scaled), _HEIGHT))
    left = 0
    for image in scaled:
        sheet.paste(image, (left, 0))
        left += image.width + _GAP
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def escaped(png: bytes, spoken: Protocol) -> str:
    """The picture as the terminal wants it. References: iterm2.com/documentation-images.html, kitty's graphics.rst."""
    text = base64.b64encode(png).decode()
    if spoken == "iterm":
        return f"\x1b]1337;File=inline=1;size={len(png)}:{text}\x07\n"
    return "".join(_kitty(text)) + "\n"


def _kitty(text: str) -> Iterator[str]:
    for first in range(0, len(text), _CHUNK):
        more = int(first + _CHUNK < len(text))
        control = f"a=T,f=100,m={more}" if first == 0 else f"m={more}"
        yield f"\x1b_G{control};{text[first : first + _CHUNK]}\x1b\\"
