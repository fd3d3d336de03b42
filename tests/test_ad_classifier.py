"""The classifier of ads: what it makes of hard texts, of evidence beside words, and how it learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_ads import TALK, set_into_talk, spoken, vectors_of

from featurization.ad_evidence.beside_words import beside_words
from featurization.ad_evidence.decision import CourseOptions, smoothed
from featurization.ad_evidence.delivery import delivery_of
from featurization.ad_evidence.surroundings import surroundings
from featurization.ad_evidence.words import NAMES, cue_hits, word_features
from featurization.ad_network import FEATURES, load_ad_network
from featurization.ads import AdContext, AdOptions, find_ads, judge_sentences
from featurization.errors import ModelError, SourceError
from featurization.media import Segment, SoundSpan
from steps.detectors import ads as detector
from steps.detectors.ad_corpus import Excerpt, excerpt, read_corpus, spliced, with_sentences_merged
from steps.detectors.ad_training import learn_member
from steps.detectors.options import LearnAdsOptions
from steps.settings import Settings
from steps.store import Store

MARKETING = (
    "Welcome back, today we talk about how small podcasts earn money.",
    "Most hosts think that advertising is the only way, and it isn't.",
    "A sponsor pays by the thousand listeners, so a small show gets very little.",
    "What works for them is to ask their audience directly.",
    "Listeners who pay are fewer, and they stay for years.",
    "The brands that I spoke to all said the same thing about host reads.",
    "They believe a host who has used the thing more than any spot.",
    "And what do they pay for that?",
    "Between eighteen and fifty dollars for a thousand downloads.",
    "That is less than radio, and it is going up every year.",
)
NEWS = (
    "The company said on Monday that it would close two of its plants.",
    "Eleven hundred people will lose their work before the summer.",
    "Its shares fell by nine percent in the morning.",
    "Analysts had expected a better quarter.",
    "The union called the decision a disgrace.",
)
GERMAN = (
    "Das Schiff verließ den Hafen im Juni mit elf Männern an Bord.",
    "Der Kapitän führte ein Tagebuch, und deshalb wissen wir davon.",
    "Im zweiten Winter war das Eis dicker als je zuvor.",
    "Niemand hatte damit gerechnet, dass sie zurückkommen.",
)
READ = (
    "This episode is brought to you by Lumenary, the reading lamp that follows the sun.",
    "I put one on my desk in March, and my eyes no longer hurt in the evening.",
    "Go to lumenary.com slash north and use code LIGHT20 for twenty percent off your first lamp.",
    "That's lumenary.com slash north.",
)


def unit_vectors(count: int, *, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 384)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("talk", [MARKETING, NEWS, GERMAN], ids=["podcast marketing", "news of a company", "German"])
def test_talk_of_companies_and_of_advertising_is_talk(talk):
    sentences = spoken([*TALK[:6], *talk, *TALK[6:12]])
    assert [ad for ad in find_ads(sentences, vectors_of(sentences)) if ad.tier == "cut"] == []


@pytest.mark.parametrize(
    "said",
    [
        [text.upper() for text in READ],
        [text.lower().replace(".com", " dot com").replace(",", "").rstrip(".") for text in READ],
    ],
    ids=["capitals", "no punctuation"],
)
def test_a_read_is_found_however_it_is_written(said):
    episode = set_into_talk(said, ad=True, at=12)
    (ad,) = find_ads(episode.sentences, vectors_of(episode.sentences))
    inside = [s for s, true in zip(episode.sentences, episode.is_ad, strict=True) if true]
    assert abs(ad.start - inside[0].start) < 6
    assert abs(ad.end - inside[-1].end) < 6
    assert ad.kind == "sponsor"


def test_one_sentence():
    sentence = spoken(["This episode is brought to you by Lumenary, use code LIGHT20 for twenty percent off."])
    (ad,) = find_ads(sentence, vectors_of(sentence))
    assert (ad.start, ad.end) == (sentence[0].start, sentence[0].end)


def test_ten_thousand_sentences():
    texts = [f"The keeper wrote line {n} of the logbook by the light of the lamp." for n in range(10_000)]
    judged = judge_sentences(spoken(texts), unit_vectors(len(texts)))
    assert judged.probabilities.shape == (10_000,)
    assert np.isfinite(judged.probabilities).all()


def test_doubtful_ads_are_to_be_reviewed_and_sure_ones_may_be_cut():
    episode = set_into_talk(READ, ad=True, at=12)
    vectors = vectors_of(episode.sentences)
    (ad,) = find_ads(episode.sentences, vectors, options=AdOptions(cut_confidence=0.5))
    assert ad.tier == "cut"
    (ad,) = find_ads(episode.sentences, vectors, options=AdOptions(cut_confidence=1.0))
    assert ad.tier == "review"


def test_what_other_episodes_have_too_is_likelier_an_ad():
    sentences = spoken(TALK)
    vectors = vectors_of(sentences)
    again = Segment(sentences[5].start, sentences[8].end)
    alone = judge_sentences(sentences, vectors).probabilities
    repeated = judge_sentences(sentences, vectors, AdContext(repeated=[again])).probabilities
    assert (repeated[5:9] > alone[5:9]).all()


def test_a_bed_counts_only_where_talk_has_none():
    sentences = spoken(TALK)
    under_one = SoundSpan(sentences[3].start, sentences[3].end, "music")
    under_all = SoundSpan(sentences[0].start, sentences[-1].end, "music")
    assert np.flatnonzero(beside_words(sentences, sounds=[under_one]).bed).tolist() == [3]
    assert not beside_words(sentences, sounds=[under_all]).bed.any()


def test_a_spot_by_another_voice_is_produced_and_a_personal_one_is_read_by_the_host():
    sentences = spoken(TALK)
    other = [replace(s, speaker="S9") if place == 4 else s for place, s in enumerate(sentences)]
    assert delivery_of([other[4].text], beside_words(other), range(4, 5)) == "produced"
    assert delivery_of(["I use it every day.", "My dog loves it."], beside_words(sentences), range(2)) == "host-read"
    assert delivery_of(["Terms and conditions apply."], beside_words(sentences), range(1)) == "produced"


def test_features_say_what_the_sentence_says():
    texts = ["Use code LIGHT20 at checkout.", "He was cold."]
    table = word_features(texts, [cue_hits(text) for text in texts])
    column = {name: table[:, place].tolist() for place, name in enumerate(NAMES)}
    assert column["code"] == [1, 0]
    assert column["family checkout"][0] > 0
    assert column["speaks of others"][1] > 0
    assert table.shape[1] + surroundings(unit_vectors(2), np.zeros(2, np.float32)).shape[1] == FEATURES


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=30))
def test_the_smoothed_course_is_a_distribution_at_each_sentence(odds):
    log_odds = np.array([[0.0, value, value - 1, value - 2] for value in odds])
    course = smoothed(log_odds, np.zeros(len(odds)))
    assert course.sum(axis=1) == pytest.approx(1)


def test_one_doubtful_sentence_among_sure_ones_is_carried_along():
    alone = smoothed(np.array([[0.0, -1.5]] * 5), np.zeros(5))
    among = smoothed(np.array([[0.0, 5], [0, 5], [0, -1.5], [0, 5], [0, 5]]), np.zeros(5))
    assert alone[2, 1] < 0.5 < among[2, 1]


def test_without_any_stickiness_the_course_is_what_each_sentence_says():
    free = CourseOptions(begins=0.5, ends=0.5, rarity=0.0)
    odds = np.array([[0.0, 2.0], [0.0, -1.0], [0.0, 0.5]])
    assert smoothed(odds, np.zeros(3), free)[:, 1] == pytest.approx(1 / (1 + np.exp(-odds[:, 1])), abs=0.03)


def test_other_files_are_no_weights(tmp_path):
    (tmp_path / "ads.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="not the weights of the ad classifier"):
        load_ad_network(tmp_path / "ads.safetensors")


def written(folder: Path, name: str, rows: list[tuple[str, str]]) -> None:
    lines = "".join(f'{label},"{sentence}"\n' for label, sentence in rows)
    (folder / f"{name}.csv").write_text(f"label,sentence\n{lines}", encoding="utf-8")


def test_a_corpus_with_an_unknown_label_is_refused(tmp_path):
    written(tmp_path, "one", [("advert", "Buy it.")])
    with pytest.raises(SourceError, match="unknown label advert"):
        read_corpus(tmp_path, lambda texts: unit_vectors(len(texts)), cache=tmp_path / "cache")


def made_excerpt(name: str, states: list[int]) -> Excerpt:
    texts = [f"Sentence {n} of {name}." for n in range(len(states))]
    return excerpt(name, np.array(states), texts, unit_vectors(len(states)))


def test_splicing_keeps_every_sentence_with_its_label():
    corpus = [made_excerpt("a", [0, 0, 1, 1, 0] * 8), made_excerpt("b", [0] * 30)]
    known = {text: state for one in corpus for text, state in zip(one.texts, one.states, strict=True)}
    messages = [message for one in corpus for message in one.messages()]
    assert [message.states.tolist() for message in messages] == [[1, 1]] * 8
    rng = np.random.default_rng(1)
    for _ in range(20):
        made = spliced(corpus, messages, rng)
        assert all(known[text] == state for text, state in zip(made.texts, made.states, strict=True))
        assert " ".join(with_sentences_merged(made, rng).texts) == " ".join(made.texts)


def test_training_writes_weights_that_can_be_judged(tmp_path):
    corpus, out = tmp_path / "corpus", tmp_path / "out"
    corpus.mkdir()
    for number in range(12):
        talk = [("O", text) for text in TALK[number : number + 8]]
        written(corpus, f"show-{number}", [*talk, *(("sponsor", text) for text in READ), *talk[::-1]])
    settings = Settings()
    settings = replace(
        settings, learn_ads=replace(settings.learn_ads, corpus=str(corpus), rounds=8, batch=3, rate=2e-2)
    )
    store = Store(str(tmp_path / "store"))
    facts = detector.train(tmp_path / "cache", out=out, settings=settings, store=store, seed=3)
    assert facts["files"] == 12
    assert facts["sentences"]["sponsor"] == 48
    figures = detector.judge(out / detector.WEIGHTS, tmp_path / "cache", settings=settings, store=store, seed=3)
    assert figures["average precision"] > 2 * figures["share of ads"]
    with pytest.raises(SourceError, match=r"no NAME\.csv"):
        read_corpus(tmp_path / "out", lambda texts: unit_vectors(len(texts)), cache=tmp_path / "cache")


def test_the_same_seed_gives_the_same_network():
    corpus = [made_excerpt("a", [0, 0, 1, 1, 0] * 4), made_excerpt("b", [0] * 20)]
    options = LearnAdsOptions(rounds=2, batch=2)
    first, again = (learn_member(corpus, options, seed=3).state_dict() for _ in range(2))
    assert all(bool((first[name] == again[name]).all()) for name in first)
