"""Like sounds lie together: on voices, bands, noises and tones whose kind is known because it was asked for."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from media_factory import music, noise, tone
from spoken_sample import episode_samples
from torch import nn

from featurization.errors import ModelError
from featurization.media import Segment
from featurization.models import load_registry
from featurization.pcm import PCM_RATE_HZ, Samples
from featurization.sound_encoders.audioset_networks import VggIsh, YamNet
from featurization.sound_encoders.made_sounds import made_sounds
from featurization.sound_vectors import (
    WINDOW_S,
    PooledFrames,
    SoundEncoder,
    SoundVectorOptions,
    load_sound_encoder,
)
from steps.store import ROOT

EPISODE = ROOT / "samples" / "episodes" / "03-nine-hours-on-mount-harlow.mp3"
NETWORKS = {"yamnet": (YamNet, "yamnet.pth"), "vggish": (VggIsh, "vggish_orig.pth")}


@cache
def whisper() -> SoundEncoder:
    registry = load_registry()
    registry.fetch("whisper-tiny.en")
    return load_sound_encoder(SoundVectorOptions(), registry)


def kinds_of_sound() -> dict[str, list[Samples]]:
    """Three of each kind, 3 s long."""
    voice = episode_samples(EPISODE, PCM_RATE_HZ)
    return {
        "speech": [voice[at * PCM_RATE_HZ : (at + 3) * PCM_RATE_HZ] for at in (30, 45, 60)],
        "music": [music(3, seed=seed, rate_hz=PCM_RATE_HZ) for seed in range(3)],
        "noise": [noise(3, level=level, seed=9, rate_hz=PCM_RATE_HZ) for level in (0.03, 0.1, 0.2)],
        "tone": [tone(3, hz, rate_hz=PCM_RATE_HZ) for hz in (500, 600, 700)],
    }


def test_every_sound_is_nearest_to_one_of_its_kind():
    sounds = kinds_of_sound()
    labels = [kind for kind, some in sounds.items() for _ in some]
    vectors = whisper().encode_sounds([sound for some in sounds.values() for sound in some])
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -1)
    assert [labels[nearest] for nearest in likeness.argmax(axis=1)] == labels


def test_vectors_are_unit_rows():
    vectors = whisper().encode_sounds([noise(seconds, rate_hz=PCM_RATE_HZ) for seconds in (0.01, 0.5, 2, 12)])
    assert vectors.shape == (4, whisper().dim) == (4, 768)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert whisper().encode_sounds([]).shape == whisper().encode_track(lambda _: noise(1), []).shape == (0, 768)


def test_silence_has_one_vector_whatever_its_length():
    silent = [np.zeros(length, np.float32) for length in (0, 1, 16_000, 200_000)]
    vectors = whisper().encode_sounds([*silent, np.full(400, np.nan, np.float32)])
    np.testing.assert_allclose(vectors @ vectors.T, 1, atol=1e-5)
    assert (vectors @ whisper().encode_sounds([tone(3, rate_hz=PCM_RATE_HZ)]).T).max() < 0.9


def test_a_span_of_a_track_is_heard_as_if_it_were_alone():
    sounds = [noise(3, rate_hz=PCM_RATE_HZ), music(3, rate_hz=PCM_RATE_HZ), tone(3, rate_hz=PCM_RATE_HZ)]
    track, asked = np.concatenate(sounds), list[Segment]()

    def read(span: Segment) -> Samples:
        asked.append(span)
        return track[round(span.start * PCM_RATE_HZ) : round(span.end * PCM_RATE_HZ)]

    spans = [Segment(0.0, 3.0), Segment(3.0, 6.0), Segment(6.0, 9.0), Segment(0.0, 9.0), Segment(4.0, 4.0)]
    in_track = whisper().encode_track(read, spans)
    np.testing.assert_allclose(in_track[:3], whisper().encode_sounds(sounds), atol=1e-4)
    np.testing.assert_allclose(in_track[4], whisper().encode_sounds([track[:0]])[0], atol=1e-4)
    assert max(span.duration for span in asked) <= WINDOW_S


def test_the_background_is_varied_and_always_the_same():
    background = whisper().background()
    assert len(background) == len(made_sounds())
    assert np.quantile(background @ background.T, 0.5) < 0.3
    for first, again in zip(made_sounds(), made_sounds(), strict=True):
        np.testing.assert_array_equal(first, again)
        assert np.abs(first).max() <= 1


def test_other_weights_are_another_space():
    class Frames:
        def __init__(self, identity: str) -> None:
            self.identity = identity

        def frames(self, samples: Samples) -> Samples:
            return samples[:, None]

    assert len({PooledFrames("a", Frames(identity)).space for identity in ("x@1", "x@2", "x@1")}) == 2


# YAMNet and VGGish, with random weights ------------------------------------------------------------------------------


def save_weights(name: str, folder: Path) -> Path:
    """A checkpoint of the real architecture where it is looked for, whose features vary with the sound."""
    network, file = NETWORKS[name]
    torch.manual_seed(0)
    made = network()
    for module in made.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    (folder / name).mkdir()
    torch.save(made.state_dict(), folder / name / file)
    return folder / name / file


def test_yamnet_hears_with_weights_that_a_user_brings(tmp_path: Path):
    save_weights("yamnet", tmp_path)
    encoder = load_sound_encoder(SoundVectorOptions(encoder="yamnet"), replace(load_registry(), folder=tmp_path))
    sounds = [np.zeros(0, np.float32), tone(0.3, rate_hz=PCM_RATE_HZ), noise(7, rate_hz=PCM_RATE_HZ)]
    vectors = encoder.encode_sounds(sounds)
    assert vectors.shape == (3, 2048) == (3, encoder.dim)
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(vectors, np.concatenate([encoder.encode_sounds([s]) for s in sounds]), atol=1e-4)
    assert encoder.space.startswith("yamnet@")
    assert encoder.space != whisper().space


def test_vggish_gives_128_numbers_a_patch():
    with torch.inference_mode():
        assert VggIsh().eval()(torch.zeros(2, 1, 96, 64)).shape == (2, 128)


@pytest.mark.parametrize("name", NETWORKS)
def test_missing_weights_say_where_they_are_to_be_had_and_put(name: str, tmp_path: Path):
    with pytest.raises(ModelError, match=r"put https://github\.com/") as caught:
        load_sound_encoder(SoundVectorOptions(encoder=name), replace(load_registry(), folder=tmp_path))  # type: ignore[arg-type]
    assert str(tmp_path / name / NETWORKS[name][1]) in str(caught.value)


def test_other_bytes_are_refused_in_one_line(tmp_path: Path):
    save_weights("yamnet", tmp_path).write_bytes(b"not weights")
    encoder = load_sound_encoder(SoundVectorOptions(encoder="yamnet"), replace(load_registry(), folder=tmp_path))
    with pytest.raises(ModelError, match="not the weights of yamnet") as caught:
        encoder.encode_sounds([noise(1, rate_hz=PCM_RATE_HZ)])
    assert "\n" not in str(caught.value)


def test_without_whisper_the_way_to_get_it_is_named(tmp_path: Path):
    with pytest.raises(ModelError, match=r"rushes models fetch whisper-tiny\.en"):
        load_sound_encoder(SoundVectorOptions(), replace(load_registry(), folder=tmp_path))
