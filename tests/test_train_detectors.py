"""From packages to weights on a corpus of seconds: music and noise are made, speech is the samples' own."""

from __future__ import annotations

import json
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from conftest import Workplace
from media_factory import music, noise
from spoken_sample import excerpt

from featurization.errors import ConfigError, SourceError
from featurization.media import Segment, overlap_s
from featurization.pcm import PCM_RATE_HZ
from steps.detectors import packages
from steps.detectors.clips import Library, gather, spoken_spans
from steps.detectors.damage import by_mp3, by_telephone, in_a_room, made_noise
from steps.detectors.mixtures import MixOptions, mix
from steps.detectors.recipe import load_recipe
from steps.detectors.registry import chosen, train_detector
from steps.detectors.sound_training import coverage, lesson_of
from steps.settings import Settings, build
from steps.store import Store

RECIPE = "\n".join(
    f'[[sources]]\npackage = "{kind}-{part}"\nkind = "{kind}"\n'
    f'members = ["*.wav"]\nlicence = "CC0-1.0"\nheld_out = {held}'
    for kind in ("music", "effects", "speech")
    for part, held in (("heard", "false"), ("judged", "true"))
)


def write_wav(path: Path, sound: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(PCM_RATE_HZ)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder whose sources are as if they had been downloaded, and a recipe beside it."""
    folder = tmp_path_factory.mktemp("corpus")
    sample = excerpt()
    said = [sample.samples[round(s.start * PCM_RATE_HZ) : round(s.end * PCM_RATE_HZ)] for s in sample.sentences]
    sounds = {
        "music": [music(8.0, seed, rate_hz=PCM_RATE_HZ) for seed in range(12)],
        "effects": [noise(1.0, 0.1, seed=seed, rate_hz=PCM_RATE_HZ) for seed in range(12)],
        "speech": said[:12],
    }
    for kind, made in sounds.items():
        for part, own in (("heard", made[:9]), ("judged", made[9:])):
            place = folder / "sources" / "packages" / f"{kind}-{part}"
            for number, sound in enumerate(own):
                write_wav(place / f"{number}.wav", sound)
            (place / ".sha256").write_text(f"{'0' * 63}1 {kind}-{part}_1_all.deb\n", encoding="utf-8")
    (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def library(corpus: Path) -> Library:
    return gather(load_recipe(corpus / "recipe.toml"), cache=corpus / "sources")


def test_what_judges_never_teaches(library: Library):
    kinds = ("music", "effects", "speech")
    taught, judged = ({k: set(library.of(k, held_out=held)) for k in kinds} for held in (False, True))
    assert all(taught[kind] == {f"{kind}-heard"} for kind in kinds)
    assert all(f"{kind}-judged" in judged[kind] for kind in kinds)
    assert library.digests["music-heard_1_all.deb"].endswith("1")


def test_speech_is_marked_where_somebody_speaks():
    said = excerpt().sentences[0]
    sound = excerpt().samples[round(said.start * PCM_RATE_HZ) : round(said.end * PCM_RATE_HZ)]
    padded = np.pad(sound, (PCM_RATE_HZ, 2 * PCM_RATE_HZ))
    spans = spoken_spans((padded * 32767).astype(np.int16))
    assert spans[0].start == pytest.approx(1.0, abs=0.1)
    assert spans[-1].end == pytest.approx(1.0 + said.duration, abs=0.1)


def test_a_mixture_says_what_is_in_it(library: Library):
    options = MixOptions(seconds=30.0, mp3=0.0, telephone=0.0, clipped=0.0)
    mixture = mix(library, np.random.default_rng(3), held_out=False, options=options)
    again = mix(library, np.random.default_rng(3), held_out=False, options=options)
    np.testing.assert_array_equal(mixture.samples, again.samples)
    assert mixture.duration_s == 30.0
    assert np.abs(mixture.samples).max() <= 1.1
    for spans in (mixture.speech, mixture.music, mixture.noise):
        assert all(0 <= span.start < span.end <= 30.0 for span in spans)
        assert all(a.end <= b.start for a, b in pairwise(spans))
    lesson = lesson_of(mixture)
    frames = len(lesson.target)
    assert lesson.mels.shape == (4 * frames, 64)
    assert lesson.voice.shape == (2 * frames,)
    assert lesson.target[:, 1].sum() * 0.064 == pytest.approx(sum(s.duration for s in mixture.music), abs=0.2)


def test_coverage_is_a_share_of_each_frame():
    np.testing.assert_allclose(coverage([Segment(0.032, 0.128)], 3), [0.5, 1.0, 0.0], atol=1e-6)


@pytest.mark.parametrize("kbps", [16, 64])
def test_a_codec_keeps_time(kbps: int):
    sound = excerpt().samples[: 4 * PCM_RATE_HZ]
    coded = by_mp3(sound, kbps)
    assert coded.shape == sound.shape
    shifts = np.arange(-800, 801)
    middle = sound[1000:-1000]
    likeness = [float(np.dot(middle, coded[1000 + shift : len(coded) - 1000 + shift])) for shift in shifts]
    assert abs(int(shifts[int(np.argmax(likeness))])) < 16  # a thousandth of a second


def test_rooms_and_telephones_change_the_sound_and_not_its_length():
    sound, drawn = excerpt().samples[: 2 * PCM_RATE_HZ], np.random.default_rng(1)
    assert in_a_room(sound, drawn).shape == sound.shape
    power = np.square(np.abs(np.fft.rfft(by_telephone(sound))))
    hz = np.fft.rfftfreq(len(sound), 1 / PCM_RATE_HZ)
    assert power[(hz < 150) | (hz > 5000)].sum() < 0.01 * power.sum()


@pytest.mark.parametrize("seed", range(12))
def test_made_noise_is_loud_and_finite(seed: int):
    sound = made_noise(1.3, np.random.default_rng(seed))
    assert len(sound) == round(1.3 * PCM_RATE_HZ)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() == pytest.approx(1, abs=1e-3)


def test_training_writes_weights_that_hear(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RUSHES_MODELS", str(corpus))
    options = {"recipe": str(corpus / "recipe.toml"), "programmes": 2, "judged": 1, "passes": 4, "batch": 4}
    settings = build(Settings, {"learn_sounds": options})
    trained = train_detector("sounds", settings=settings, store=Store(str(tmp_path)), seed=1)
    clips = trained.training["clips"]
    assert clips["speech"] == 9  # one voice, which teaches whole
    assert 5 <= clips["music"] == clips["effects"] <= 9  # of files, some judge
    assert set(trained.figures) >= {"speech", "music"}
    assert trained.figures != trained.in_use
    assert len(trained.weights) < 4e6
    assert 0.5 < trained.in_use["speech"]["f1"] <= 1


def test_the_flow_leaves_weights_figures_and_a_card(corpus: Path, tmp_path: Path):
    place = Workplace(tmp_path)
    quick = f"[learn_sounds]\nrecipe = '{corpus}/recipe.toml'\nprogrammes = 2\njudged = 1\npasses = 1\nbatch = 2\n"
    (place.folder / "quick.toml").write_text(quick, encoding="utf-8")
    command = ("--config", "config", "quick.toml", "run", "--only", "sounds", "--out", "trained")
    done = place.flow("train_detectors", *command, env={"RUSHES_MODELS": str(corpus)})
    assert done.returncode == 0, done.stdout
    assert "sounds: speech precision" in done.stdout
    facts = json.loads((place.folder / "trained" / "sounds.json").read_text(encoding="utf-8"))
    assert set(facts["held_out"]) >= {"speech", "music"}
    assert facts["run"].startswith("TrainDetectors/")
    assert len(facts["training"]["packages"]) == 6
    assert (place.folder / "trained" / "sounds.safetensors").stat().st_size < 4e6
    unknown = place.flow("train_detectors", "run", "--only", "smells")
    assert "unknown detector smells; known: sounds, ads" in unknown.stdout


def test_detectors_are_chosen_by_name():
    assert chosen("") == ["sounds", "ads"]
    assert chosen("ads, sounds") == ["ads", "sounds"]
    with pytest.raises(ConfigError, match="unknown detector smells"):
        chosen("smells")


def test_a_machine_without_apt_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="apt-get and dpkg-deb are missing; train on Debian or Ubuntu"):
        packages.fetch_package("wesnoth-1.16-music", cache=tmp_path / "cache")


def test_a_recipe_that_leaves_nobody_to_judge_is_refused(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RUSHES_MODELS", str(corpus))
    taught = RECIPE.split("[[sources]]")
    (tmp_path / "recipe.toml").write_text("[[sources]]".join(taught[:-1]), encoding="utf-8")
    settings = build(Settings, {"learn_sounds": {"recipe": str(tmp_path / "recipe.toml")}})
    with pytest.raises(ConfigError, match="no speech judges"):
        train_detector("sounds", settings=settings, store=Store(str(tmp_path)), seed=1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[sources]]\nkind = 'music'", "source 1 is incomplete"),
        ("[[sources]]\nsize = 1", "unknown key size"),
        ("][", "not a recipe"),
    ],
)
def test_a_recipe_that_is_none_is_refused_in_one_line(text: str, said: str, tmp_path: Path):
    (tmp_path / "recipe.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load_recipe(tmp_path / "recipe.toml")


def test_no_music_is_part_of_silence(library: Library):
    mixture = mix(library, np.random.default_rng(5), held_out=True, options=MixOptions(seconds=20.0, mp3=0.0))
    quiet = np.abs(mixture.samples) == 0
    for span in mixture.music:
        inside = quiet[round(span.start * PCM_RATE_HZ) : round(span.end * PCM_RATE_HZ)]
        assert inside.mean() < 0.2
    assert overlap_s(Segment(0, 20), list(mixture.masked)) <= 20
