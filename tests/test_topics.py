"""Topics and keywords on talk whose subjects change at known places."""

import numpy as np
import pytest
from text_model import text_encoder

from featurization.keywords import keywords, topic_keywords
from featurization.media import AdSpan, Chapter, Sentence
from featurization.topics import TopicOptions, depth_scores, find_topics

BREAD = (
    "The dough has to rest for nine hours.", "Flour, water and salt are all a loaf needs.",
    "A sourdough starter is a colony of yeast.", "You knead until the gluten holds.",
    "The oven must be very hot.", "Steam gives the crust its shine.", "Rye flour makes a heavy loaf.",
    "The baker scores the dough with a razor.", "Good bread sings when it cools.", "Yeast turns sugar into gas.",
)  # fmt: skip
STARS = (
    "A neutron star weighs more than the sun.", "The telescope looks at the galaxy for ten nights.",
    "Light from that galaxy left before the dinosaurs.", "Astronomers measure the redshift of each star.",
    "Black holes bend the light of stars behind them.", "The moon hides the faint galaxies.",
    "A supernova outshines its galaxy.", "Planets dim their star when they pass.",
    "The mirror of the telescope is ten metres wide.", "Radio waves cross the dust between stars.",
)  # fmt: skip
FOOTBALL = (
    "The striker scored in the last minute.", "Their goalkeeper saved two penalties.",
    "The coach changed the defence at half time.", "Fans sang until the referee blew the whistle.",
    "The league table is very close.", "A red card decided the match.", "The midfielder passes without looking.",
    "They lost the cup on penalties.", "The stadium was sold out.", "The team trains twice a day.",
)  # fmt: skip


def talk(*parts: tuple[str, ...]) -> tuple[Sentence, ...]:
    """Sentences of five seconds with a second between."""
    texts = [text for part in parts for text in part]
    return tuple(Sentence(n * 6.0, n * 6.0 + 5.0, text) for n, text in enumerate(texts))


def vectors_of(sentences: tuple[Sentence, ...]) -> np.ndarray:
    return text_encoder().encode([sentence.text for sentence in sentences])


def test_borders_lie_where_the_subject_changes():
    sentences = talk(BREAD, STARS, FOOTBALL)
    topics = find_topics(sentences, vectors_of(sentences), options=TopicOptions(min_length_s=30.0))
    assert [topic.start for topic in topics] == pytest.approx([0.0, 60.0, 120.0], abs=6.1)
    assert "galaxy" in topics[1].keywords
    assert {"dough", "flour", "loaf", "yeast"} & set(topics[0].keywords)


def test_topics_cover_all_sentences_on_their_edges():
    sentences = talk(BREAD, STARS)
    topics = find_topics(sentences, vectors_of(sentences))
    assert {topic.start for topic in topics} <= {sentence.start for sentence in sentences}
    assert {topic.end for topic in topics} <= {sentence.end for sentence in sentences}
    assert (topics[0].start, topics[-1].end) == (0.0, sentences[-1].end)


def test_one_subject_is_one_topic_and_nothing_is_none():
    short = talk(BREAD[:3])
    assert len(find_topics(short, vectors_of(short))) == 1
    assert find_topics((), np.zeros((0, 384), np.float32)) == ()


def test_chapters_win_and_move_to_the_nearest_sentence():
    sentences = talk(BREAD, STARS)
    chapters = [Chapter(0.0, 58.0, "  Bread "), Chapter(58.0, 90.0, "Stars"), Chapter(90.2, 130.0, "More stars")]
    topics = find_topics(sentences, vectors_of(sentences), chapters=chapters)
    assert [(topic.start, topic.title) for topic in topics] == [(0.0, "Bread"), (60.0, "Stars"), (90.0, "More stars")]


def test_talk_before_the_first_chapter_is_titled_by_its_keywords():
    sentences = talk(BREAD, STARS)
    first, second = find_topics(sentences, vectors_of(sentences), chapters=[Chapter(60.0, 120.0, "Stars")])
    assert second.title == "Stars"
    assert first.title and first.title != "Stars"


def test_an_ad_makes_no_keywords():
    sentences = talk(BREAD, ("Harborfinch coffee is here.", "Harborfinch coffee, code RAVEN."), BREAD[::-1])
    ad = AdSpan(60.0, 71.0, "sponsor", 0.9)
    with_ad, without = (find_topics(sentences, vectors_of(sentences), ads=ads) for ads in ((), (ad,)))
    assert any("arborfinch" in term for topic in with_ad for term in topic.keywords)
    assert not any("arborfinch" in term for topic in without for term in topic.keywords)


def test_a_valley_is_as_deep_as_the_climbs_on_both_sides():
    depths = depth_scores(np.array([0.8, 0.5, 0.2, 0.4, 0.9]), smoothing=0)
    np.testing.assert_allclose(depths, [0.0, 0.0, (0.8 - 0.2) + (0.9 - 0.2), 0.0, 0.0])


def test_keywords_are_names_and_things_not_filler():
    texts = ["You know, I think Arthur Grant kept the lighthouse.", "Well, Arthur Grant was really alone there.",
             "The lighthouse lamp was burning, and the lamp was warm."]  # fmt: skip
    found = keywords(texts, limit=3)
    assert found[0] == "Arthur Grant"
    assert set(found) <= {"Arthur Grant", "lamp", "lighthouse", "lighthouse lamp"}
    assert keywords([], limit=3) == keywords(["and so it was"], limit=3) == ()


def test_a_word_of_every_group_tells_none_apart():
    first, second = topic_keywords([["Bread and yeast and radio."], ["Stars and planets and radio."]], limit=2)
    assert "radio" not in {*first, *second}
