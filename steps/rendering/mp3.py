"""Short clips to and from MP3: LAME through PyAV, gapless, the same bytes every time."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from featurization.media import Segment
from steps.rendering.cutting import Pcm, cut

Samples = NDArray[np.float32]

_FRAME = 1152  # samples in one MPEG-1 layer III frame
_WHOLE = Segment(0.0, 3600.0)


def decode_clip(data: bytes) -> Pcm:
    """A short encoded clip (up to one hour) as samples."""
    return cut(io.BytesIO(data), _WHOLE, name="preview")


def encode_mp3(samples: Samples, rate_hz: int, *, bit_rate: int) -> bytes:
    """(channels, time) as MP3 by LAME, gapless, without encoder name or timestamps."""
    out = io.BytesIO()
    layout = "mono" if samples.shape[0] == 1 else "stereo"
    with av.open(out, "w", format="mp3", options={"fflags": "+bitexact", "id3v2_version": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=rate_hz, layout=layout, format="fltp")
        stream.bit_rate, stream.time_base = bit_rate, Fraction(1, rate_hz)
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        for at in range(0, samples.shape[1], _FRAME):
            container.mux(stream.encode(_frame(samples, at, rate_hz, layout)))
        container.mux(stream.encode(None))
    return out.getvalue()


def _frame(samples: Samples, at: int, rate_hz: int, layout: str) -> av.AudioFrame:
    block = np.ascontiguousarray(samples[:, at : at + _FRAME])
    frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate_hz, at, Fraction(1, rate_hz)
    return frame
