"""Recognition with real weights on speech whose text and place are known."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from itertools import pairwise

import media_factory
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spoken_sample import RATE_HZ, excerpt

from featurization.errors import ModelError
from featurization.media import Segment, Word, overlap_s
from featurization.models import Registry, load_registry
from featurization.recognition.understanding import Guess, LanguageOptions, is_unknown
from featurization.recognition.whisper_output import BeliefOptions, Stretch, believed, is_repetitive, joined_words
from featurization.speech import Samples, detect_speech
from featurization.transcribe import TranscribeOptions, Transcriber, load_transcriber, transcribe

OPTIONS = TranscribeOptions(device="cpu", threads=2)


@pytest.fixture(scope="module")
def registry() -> Registry:
    registry = load_registry()
    for name in ("whisper-tiny.en", "whisper-tiny.en-openai"):
        registry.fetch(name)
    return registry


@pytest.fixture(scope="module")
def faster(registry: Registry) -> Transcriber:
    return load_transcriber(OPTIONS, registry)


@pytest.fixture(scope="module")
def openai(registry: Registry) -> Iterator[Transcriber]:
    yield load_transcriber(dataclasses.replace(OPTIONS, engine="openai-whisper"), registry)


def hear(samples: Samples, transcriber: Transcriber, speech: list[Segment] | None = None) -> tuple[Word, ...]:
    def read(span: Segment) -> Samples:
        assert span.duration <= 30
        return samples[round(span.start * RATE_HZ) : round(span.end * RATE_HZ)]

    speech = list(detect_speech([samples])) if speech is None else speech
    return transcribe(read, speech, transcriber=transcriber, options=OPTIONS)


@pytest.fixture(scope="module")
def heard(faster: Transcriber) -> tuple[Word, ...]:
    return hear(excerpt().samples, faster)


def tokens(text: str) -> list[str]:
    return re.sub(r"[^a-z0-9 ]", "", text.lower().replace("-", " ")).split()


def errors(reference: list[str], hypothesis: list[str]) -> int:
    """Levenshtein distance in words."""
    row = list(range(len(hypothesis) + 1))
    for i, expected in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, found in enumerate(hypothesis, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (expected != found))
    return row[-1]


def error_rate(words: tuple[Word, ...]) -> float:
    reference = tokens(" ".join(sentence.text for sentence in excerpt().sentences))
    return errors(reference, tokens(" ".join(word.text for word in words))) / len(reference)


def test_faster_whisper_hears_what_was_said(heard: tuple[Word, ...], faster: Transcriber) -> None:
    assert error_rate(heard) < 0.12
    assert faster.name == "faster-whisper/whisper-tiny.en"
    assert re.fullmatch(r"whisper-tiny\.en@[0-9a-f]{12}", faster.identity)


def test_openai_whisper_hears_the_same_from_the_same_weights(openai: Transcriber, heard: tuple[Word, ...]) -> None:
    words = hear(excerpt().samples, openai)
    assert error_rate(words) < 0.12
    assert openai.name == "openai-whisper/whisper-tiny.en-openai"
    ours, theirs = (tokens(" ".join(w.text for w in said)) for said in (heard, words))
    assert errors(ours, theirs) < 0.1 * len(ours)
    near = [abs(a.start - b.start) for a in heard for b in words if a.text == b.text and abs(a.start - b.start) < 1]
    assert np.median(near) < 0.1


def test_words_are_sane(heard: tuple[Word, ...]) -> None:
    speech = list(detect_speech([excerpt().samples]))
    assert all(word.duration >= 0.02 - 1e-9 and 0 < word.probability <= 1 for word in heard)
    assert all(left.end <= right.start for left, right in pairwise(heard))
    assert all(overlap_s(word, speech) == pytest.approx(word.duration) for word in heard)
    assert not any(" " in word.text for word in heard)


def test_sentence_edges_are_within_150_ms(heard: tuple[Word, ...]) -> None:
    starts = [min(abs(word.start - s.start) for word in heard) for s in excerpt().sentences]
    ends = [min(abs(word.end - s.end) for word in heard) for s in excerpt().sentences]
    assert sum(error <= 0.15 for error in starts + ends) >= 0.95 * len(starts + ends)


def test_long_pauses_keep_times_right(faster: Transcriber) -> None:
    """Two sentences a minute of silence apart share a pack, and are found where they are."""
    first, second = excerpt().sentences[:2]
    cut = [excerpt().samples[round(s.start * RATE_HZ) : round(s.end * RATE_HZ)] for s in (first, second)]
    words = hear(np.concatenate([cut[0], np.zeros(60 * RATE_HZ, np.float32), cut[1]]), faster)
    assert words[0].start < 0.15
    assert words[-1].end == pytest.approx(first.duration + 60 + second.duration, abs=0.15)
    assert not any(first.duration + 0.2 < word.middle < first.duration + 59.8 for word in words)


def test_the_same_sound_gives_the_same_words(faster: Transcriber, heard: tuple[Word, ...]) -> None:
    assert hear(excerpt().samples, faster) == heard


def test_music_and_silence_give_no_words(faster: Transcriber) -> None:
    music = media_factory.music(60, 3, rate_hz=RATE_HZ)
    assert hear(music, faster) == ()
    assert hear(np.zeros(60 * RATE_HZ, np.float32), faster) == ()


def test_music_and_silence_taken_for_speech_give_no_words(faster: Transcriber) -> None:
    """Even where voice activity was wrong the recogniser does not believe itself."""
    for samples in (media_factory.music(20, 5, rate_hz=RATE_HZ), np.zeros(20 * RATE_HZ, np.float32)):
        assert hear(samples, faster, [Segment(0, 20)]) == ()


def test_no_speech_gives_no_words_and_progress_reaches_the_end(faster: Transcriber) -> None:
    assert hear(np.zeros(0, np.float32), faster) == ()
    shares: list[float] = []
    first = excerpt().sentences[0]
    samples = excerpt().samples
    transcribe(
        lambda span: samples[round(span.start * RATE_HZ) : round(span.end * RATE_HZ)],
        [first.span],
        transcriber=faster,
        options=OPTIONS,
        progress=shares.append,
    )
    assert shares[-1] == pytest.approx(1)
    assert shares == sorted(shares)


def test_an_english_model_says_english(faster: Transcriber, openai: Transcriber) -> None:
    second = np.zeros(RATE_HZ, np.float32)
    assert (faster.detect_language(second), openai.detect_language(second)) == (
        Guess("en", 1.0),
        Guess("en", 1.0),
    )


def test_a_model_that_is_not_here_is_refused_with_the_way_out(registry: Registry) -> None:
    with pytest.raises(ModelError, match="unknown model 'tiny'"):
        load_transcriber(dataclasses.replace(OPTIONS, model="tiny"), registry)
    with pytest.raises(ModelError, match="rushes models fetch whisper-large-v3"):
        load_transcriber(dataclasses.replace(OPTIONS, model="whisper-large-v3"), registry)


@pytest.mark.parametrize("wrong", [{"pack_s": 31.0}, {"pack_s": 0.5}, {"pad_s": -0.1}, {"unheard_s": 0.0}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"pack_s|pad_s"):
        TranscribeOptions(**wrong)  # type: ignore[arg-type]


def test_parts_spelled_without_a_blank_join_the_word_before() -> None:
    heard = [(0.0, 0.5, " forty", 0.9), (0.5, 0.8, "-two", 0.6), (0.8, 1.0, " lines.", 1.0)]
    assert joined_words(heard, "en") == (Word(0.0, 0.8, "forty-two", 0.6), Word(0.8, 1.0, "lines.", 1.0))
    assert [word.text for word in joined_words([(0, 1, "你", 1.0), (1, 2, "好", 1.0)], "zh")] == ["你", "好"]


@given(no_speech=st.floats(0, 1), logprob=st.floats(-3, 0), probability=st.floats(0, 1))
def test_belief_follows_its_thresholds(no_speech: float, logprob: float, probability: float) -> None:
    word, options = Word(0, 1, "so", probability), BeliefOptions()
    silent = no_speech > options.no_speech and logprob < options.min_logprob
    kept = believed([Stretch((word,), "so", no_speech, logprob)], options)
    assert kept == (() if silent or probability < options.min_probability else (word,))


def test_text_that_repeats_itself_is_known_by_its_compression() -> None:
    options, sentence = BeliefOptions(), excerpt().sentences[0].text
    assert is_repetitive([Stretch((), "thank you very much " * 12, 0, 0)], options)
    assert not is_repetitive([Stretch((), sentence, 0, 0), Stretch((), sentence, 0, 0)], options)
    assert is_repetitive([Stretch((), "I am going to do this. ", 0, 0)] * 14, options)
    assert not is_repetitive([], options)


def telephone(samples: Samples) -> Samples:
    spectrum, hz = np.fft.rfft(samples), np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    return np.fft.irfft(np.where((hz > 300) & (hz < 3400), spectrum, 0), len(samples)).astype(np.float32)


def clipped(samples: Samples) -> Samples:
    return np.clip(samples * 4, -0.5, 0.5)


def faint(samples: Samples) -> Samples:
    """Peaks at -60 dB, as 16 bits hold them."""
    return (np.round(samples / np.abs(samples).max() * 32.767) / 32767).astype(np.float32)


@pytest.mark.parametrize(
    ("hurt", "allowed"), [(telephone, 0.3), (clipped, 0.3), (faint, 1.0)], ids=["telephone", "clipped", "faint"]
)
def test_damaged_speech_gives_words_inside_the_recording(
    hurt: Callable[[Samples], Samples], allowed: float, faster: Transcriber
) -> None:
    first, last = excerpt().sentences[1], excerpt().sentences[3]
    samples = hurt(excerpt().samples[round((first.start - 0.2) * RATE_HZ) : round((last.end + 0.2) * RATE_HZ)])
    words = hear(samples, faster)
    reference = tokens(" ".join(sentence.text for sentence in excerpt().sentences[1:4]))
    assert errors(reference, tokens(" ".join(word.text for word in words))) <= allowed * len(reference)
    assert all(0 <= a.start < a.end <= b.start < b.end <= len(samples) / RATE_HZ for a, b in pairwise(words))


def test_two_seconds_and_bursts_give_words_inside_the_recording_or_none(faster: Transcriber) -> None:
    start = round(excerpt().sentences[1].start * RATE_HZ)
    for word in hear(excerpt().samples[start : start + 2 * RATE_HZ], faster):
        assert 0 <= word.start < word.end <= 2.0
    rng = np.random.default_rng(1)
    claps = np.zeros(10 * RATE_HZ, np.float32)
    for at in rng.integers(0, len(claps) - 800, 300):
        claps[at : at + 800] += 0.2 * np.exp(-np.arange(800) / 80) * rng.standard_normal(800)
    assert hear(claps, faster) == ()


def test_speech_in_no_known_language_has_no_words(faster: Transcriber) -> None:
    """English played backwards is as foreign as it gets, and voice activity still takes it for speech."""
    backwards = excerpt().samples[::-1].copy()
    assert sum(span.duration for span in detect_speech([backwards])) > 20
    assert hear(backwards, faster) == ()


class Bilingual:
    """Hears the language that the sign of the first sample stands for, and doubts every other one."""

    name, identity = "test/bilingual", "bilingual@0"

    def __init__(self, sure: float = 0.9) -> None:
        self.sure = sure

    def detect_language(self, samples: Samples) -> Guess:
        return Guess("fr" if samples.max() > 0 else "en", self.sure)

    def words(self, samples: Samples, *, language: str) -> tuple[Word, ...]:
        spoken = self.detect_language(samples).language
        chance = 0.9 if language == spoken else 0.4
        return tuple(Word(n / 2, n / 2 + 0.4, f"{spoken}{n}", chance) for n in range(round(len(samples) / RATE_HZ * 2)))


def bilingual(transcriber: Bilingual, **options: object) -> list[str]:
    """The languages, in order, of what is heard in 20 s of English, a pause, and 20 s of French."""
    samples = np.concatenate([np.full(30 * RATE_HZ, -0.1), np.full(30 * RATE_HZ, 0.1)]).astype(np.float32)
    words = transcribe(
        lambda span: samples[round(span.start * RATE_HZ) : round(span.end * RATE_HZ)],
        [Segment(5, 25), Segment(35, 55)],
        transcriber=transcriber,
        options=dataclasses.replace(OPTIONS, **options),  # type: ignore[arg-type]
    )
    return list(dict.fromkeys(word.text[:2] for word in words))


def test_two_languages_in_one_recording_are_heard_each_in_its_own() -> None:
    assert bilingual(Bilingual()) == ["en", "fr"]


def test_a_language_that_nobody_is_sure_of_is_unknown() -> None:
    assert bilingual(Bilingual(sure=0.3)) == []
    assert bilingual(Bilingual(sure=0.3), language="en") == ["en", "fr"]


@given(packs=st.lists(st.tuples(st.integers(0, 30), st.floats(0, 1)), max_size=6))
def test_a_recording_is_unknown_by_the_share_of_its_doubtful_words(packs: list[tuple[int, float]]) -> None:
    options = LanguageOptions()
    heard = [[Word(0, 1, "so", chance)] * count for count, chance in packs]
    doubted = sum(count for count, chance in packs if count >= options.least_words and chance < options.doubt - 1e-9)
    if doubted == 0:
        assert not is_unknown(heard, options)
    if doubted and doubted == sum(count for count, _ in packs):
        assert is_unknown(heard, options)
