"""Ads: a small corpus of reads and near-misses in many styles, set into talk, found sentence by sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from text_model import text_encoder

from featurization.ad_evidence.show_notes import sponsors_in
from featurization.ads import AdContext, find_ads, judge_sentences
from featurization.media import AdSpan, Chapter, Sentence, SoundSpan

TALK = (
    "The expedition left the harbour in the middle of June, with eleven men and forty dogs.",
    "Nobody on board had been that far north before.",
    "The captain kept a diary, and that diary is why we know anything at all.",
    "In the second week the ice closed in around the hull.",
    "They could hear the timber groan all night.",
    "Did they think about turning back?",
    "They did, but by then there was no open water behind them.",
    "So they took the sledges and went on foot towards the coast.",
    "The dogs were the first to notice that something was following them.",
    "It was a bear, and it stayed with them for nine days.",
    "The cook wrote that he stopped sleeping altogether.",
    "On the tenth day they saw smoke over the ridge.",
    "Let me ask you about the maps, because they were wrong, weren't they?",
    "Completely wrong, the coast was drawn forty miles too far to the west.",
    "Every sailor who trusted that chart ended up in the same bay.",
    "And nobody corrected it for sixty years.",
    "The museum still has the original, with his notes in the margin.",
    "You can see the exact place where the pencil broke.",
    "What did the families know at home?",
    "They got one letter, carried by a whaling ship.",
    "It said that all was well, and it was already four months old.",
    "By the time they read it, two of the men were dead.",
    "The winter that followed was the coldest on record.",
    "They lived in a hut made of driftwood and whale bone.",
    "The carpenter carved a chess set, and we still have most of the pieces.",
    "In spring a hunter found them by the smell of the fire.",
)

READS: dict[str, tuple[str, ...]] = {
    "host read with code": (
        "Let's take a moment to thank the people who make this possible.",
        "This episode is brought to you by Lumenary, the reading lamp that follows the sun.",
        "I put one on my desk in March, and my eyes no longer hurt in the evening.",
        "Go to lumenary.com slash north and use code LIGHT20 for twenty percent off your first lamp.",
        "That's lumenary.com slash north.",
        "And now back to the show.",
    ),
    "mattress": (
        "I used to wake up at three in the morning and stare at the ceiling.",
        "Then I got a Driftwell mattress, and I honestly sleep like a child.",
        "It arrives in a box, you try it for a hundred nights, and shipping is free.",
        "Right now our listeners get three hundred dollars off at driftwell.com.",
        "Driftwell, wake up somewhere better.",
    ),
    "public radio": (
        "Support for this podcast comes from Hallmark Tools, makers of hand planes since 1921.",
        "Learn more at hallmarktools.com.",
    ),
    "software": (
        "We want to tell you about our sponsor, Ledgerly.",
        "If you run a small business you know how long invoices take.",
        "Ledgerly sends them for you, chases the late ones, and files your taxes.",
        "Sign up for a free trial, no credit card required, at ledgerly dot io slash ice.",
    ),
    "insurance with terms": (
        "Switching your car insurance could save you hundreds.",
        "Northgate customers who switched saved an average of four hundred dollars last year.",
        "Get a quote today at northgate.com.",
        "Coverage not available in all states, terms and conditions apply.",
    ),
    "friends at": (
        "Speaking of cold mornings, our friends at Kettle and Crane sent us a new roast.",
        "It tastes of plum and dark chocolate, and I finished the bag in four days.",
        "Their subscription comes to your door every two weeks, and you can cancel any time.",
        "Mention our show at checkout and they will throw in a mug.",
    ),
    "meal kit": (
        "Okay, dinner.",
        "You get home, you are tired, and there is nothing in the fridge.",
        "With Pantryfox you get fresh ingredients and recipes that take twenty minutes.",
        "Use promo code POLAR for ten free meals across five boxes.",
        "Tell them we sent you.",
        "All right, where were we?",
    ),
    "vpn": (
        "Before we continue, a quick word from today's sponsor.",
        "Every time you use the wifi in a café, strangers may be reading along.",
        "Tunnelbird encrypts your connection with one click.",
        "Get four extra months free with the exclusive link in the description.",
        "There is a thirty day money back guarantee, so you have nothing to lose.",
    ),
    "short spot": (
        "This portion of the show is supported by Brightwater, the bank that answers the phone.",
        "Brightwater, member FDIC.",
    ),
    "therapy": (
        "You know, after this kind of winter anybody would need somebody to talk to.",
        "Openroom matches you with a licensed therapist in under two days.",
        "I have been using it since the autumn and it changed how I argue with my brother.",
        "Visit openroom.com today and get ten percent off your first month.",
    ),
    "self promotion": (
        "If you enjoy the show, please rate and review us wherever you get your podcasts.",
        "It really helps new people to find us.",
        "You can also support us on our Patreon, where members get two extra episodes a month.",
    ),
    "cross promotion": (
        "If you like this podcast, you might love the new show from the team behind Deep Water.",
        "It's called Salt Roads, and it follows the traders who crossed the desert by night.",
        "Listen to Salt Roads wherever you get your podcasts, new episodes every Tuesday.",
    ),
    "merch": (
        "We have new shirts in our merch store, and they are very warm.",
        "Follow us on Instagram to see the designs.",
    ),
    "job site": (
        "Hiring is hard, I know it from our own little company.",
        "Rolecall puts your opening in front of the right people before they even look.",
        "Four out of five employers get a good candidate within a day.",
        "Try it for free at rolecall.com slash expedition, that's rolecall.com slash expedition.",
    ),
}  # fmt: skip

NEAR_MISSES: dict[str, tuple[str, ...]] = {
    "about advertising": (
        "The company more or less invented advertising on the radio.",
        "Every programme was sponsored by a soap or a cigarette, and the actors read the message themselves.",
        "By 1950 brands paid more for a minute of airtime than for a house.",
    ),
    "sponsors a child": ("I sponsor a child in Kenya, and she writes to me every Christmas.", "She is nine now."),
    "company in passing": ("He worked for Microsoft for eleven years before he bought the boat.", "He hated it."),
    "programming": (
        "We use code review for every change, and we use code generation for the rest.",
        "If the code fails at checkout the order is lost, so we test that code first.",
    ),
    "promo codes as a subject": (
        "Economists studied how promo codes changed the way people shop.",
        "Shops found that a discount of ten percent hardly moves anybody.",
        "What moves them is the feeling of having found it themselves.",
    ),
    "history of a discount": (
        "In 1931 the shop gave twenty percent off to anybody who paid in cash.",
        "Three months later it was bankrupt.",
    ),
    "church sponsor": ("The voyage was sponsored by the Royal Society, which wanted the star charts.",),
    "bill sponsor": ("The senator who sponsored the bill never read it.", "He told me so himself."),
    "brought to you": ("Coffee was brought to you by a waiter in white gloves, even in the storm.",),
    "free": ("The slaves were free at last, and nobody had told them for two years.", "That free month was the worst."),
    "subscribe to a theory": ("I don't subscribe to the theory that he was mad.", "He was cold and hungry."),
    "review": ("The critics left a review that ended his career.", "He never sang in public again."),
    "websites": ("In 1999 everybody bought a domain, and pets.com was the famous one.", "It lasted two years."),
    "patreon as a subject": ("Many illustrators live from Patreon now, which was unthinkable.", "Some earn nothing."),
    "code of conduct": ("The Morse code she used was her own, and nobody else could read it.", "It saved her life."),
    "off": ("Half of the crew was off duty, and fifty percent of them were asleep.",),
}  # fmt: skip


@dataclass(frozen=True)
class Episode:
    """Sentences, and which of them belong to an ad."""

    sentences: tuple[Sentence, ...]
    is_ad: tuple[bool, ...]


def spoken(texts: Sequence[str], *, speaker: str = "S1") -> tuple[Sentence, ...]:
    """Sentences at fifteen characters a second with pauses of 0.4 s."""
    sentences, clock = [], 0.0
    for text in texts:
        end = clock + len(text) / 15
        sentences.append(Sentence(clock, end, text, speaker, words=len(text.split())))
        clock = end + 0.4
    return tuple(sentences)


def set_into_talk(read: Sequence[str], *, ad: bool, at: int) -> Episode:
    before, after = TALK[:at], TALK[at:]
    marks = [False] * len(before) + [ad] * len(read) + [False] * len(after)
    return Episode(spoken([*before, *read, *after]), tuple(marks))


def marked(episode: Episode, ads: Sequence[AdSpan]) -> tuple[bool, ...]:
    return tuple(any(ad.start <= s.middle < ad.end for ad in ads) for s in episode.sentences)


EPISODES = {
    name: set_into_talk(read, ad=ad, at=8 + place % 9)
    for ad, reads in ((True, READS), (False, NEAR_MISSES))
    for place, (name, read) in enumerate(reads.items())
}


@cache
def corpus_vectors() -> dict[str, NDArray[np.float32]]:
    texts = [*TALK, *(text for read in (*READS.values(), *NEAR_MISSES.values()) for text in read)]
    return dict(zip(texts, text_encoder().encode(texts), strict=True))


def vectors_of(sentences: Sequence[Sentence]) -> NDArray[np.float32]:
    known = corpus_vectors()
    return np.stack([known[s.text] if s.text in known else text_encoder().encode([s.text])[0] for s in sentences])


@cache
def found_in(episode: Episode) -> tuple[AdSpan, ...]:
    return find_ads(episode.sentences, vectors_of(episode.sentences))


@pytest.mark.parametrize("name", READS)
def test_every_read_is_found_with_evidence(name):
    episode = EPISODES[name]
    (ad,) = found_in(episode)
    assert ad.evidence
    assert 0.5 <= ad.confidence <= 1
    covered = [mark for mark, true in zip(marked(episode, [ad]), episode.is_ad, strict=True) if true]
    assert sum(covered) >= len(covered) / 2


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_a_near_miss_is_no_ad(name):
    assert found_in(EPISODES[name]) == ()


def test_sentences_of_ads_are_recalled_and_little_else():
    pairs = [pair for e in EPISODES.values() for pair in zip(marked(e, found_in(e)), e.is_ad, strict=True)]
    hits = sum(found and true for found, true in pairs)
    assert hits / sum(true for _, true in pairs) >= 0.9
    assert hits / sum(found for found, _ in pairs) >= 0.95


@pytest.mark.parametrize(
    ("name", "kind"),
    [("mattress", "sponsor"), ("merch", "self-promotion"), ("cross promotion", "cross-promotion")],
)
def test_kinds(name, kind):
    assert [ad.kind for ad in found_in(EPISODES[name])] == [kind]


def test_spans_start_and_end_with_sentences_and_quote_the_words():
    episode = EPISODES["host read with code"]
    (ad,) = found_in(episode)
    inside = [s for s, true in zip(episode.sentences, episode.is_ad, strict=True) if true]
    assert (ad.start, ad.end) == (inside[0].start, inside[-1].end)
    assert 'says "use code LIGHT20"' in ad.evidence


def test_a_chapter_that_is_called_an_ad_is_one():
    sentences = spoken(TALK)
    chapters = [Chapter(0.0, 20.0, "The ad that changed the world"), Chapter(20.0, 45.0, "Sponsor: Brightwater")]
    (ad,) = find_ads(sentences, vectors_of(sentences), AdContext(chapters=chapters))
    assert ad.evidence == ('chapter "Sponsor: Brightwater"',)
    assert {ad.start, ad.end} <= {edge for s in sentences for edge in (s.start, s.end)}
    assert 20.0 - 5 <= ad.start <= 25.0


def test_an_ad_lies_within_its_chapter_however_much_the_talk_around_praises_something():
    before = (
        "You want me to wait twelve hours for one loaf.",
        "The slow loaf tastes better, because the enzymes have time to cut the starch into sugar.",
        "Stretch the dough gently, fold it like a letter, and wait until it trembles when you move the bowl.",
        "After the break I will tell you about a jar that made a whole village tremble.",
    )
    message = (
        "This episode is sponsored by Quiet Badger, the mattress for people who wake up early.",
        "It has three layers of natural wool, so you stay cool in July and warm in January.",
        "You can try it for 100 nights, and if you do not love it, they will take it back.",
    )
    after = ("Now tell me about the contest, because I heard there was a scandal.",)
    sentences = spoken([*TALK[:12], *before, *message, *after, *TALK[12:]])
    inside = sentences[16:19]
    start, end = inside[0].start - 0.2, inside[-1].end + 0.2
    chapters = [
        Chapter(0.0, start, "Time and temperature"),
        Chapter(start, end, "Sponsor: Quiet Badger"),
        Chapter(end, sentences[-1].end, "The contest"),
    ]
    (ad,) = find_ads(sentences, vectors_of(sentences), AdContext(chapters=chapters))
    assert (ad.start, ad.end) == (inside[0].start, inside[-1].end)


def test_a_sponsor_of_the_show_notes_is_recognised_when_spoken():
    read = ("I have been sleeping under a Nordwool blanket.", "It is on nord wool dot com, and the code is ice nine.")
    episode = set_into_talk(read, ad=True, at=12)
    vectors = vectors_of(episode.sentences)
    notes = "<p>With thanks to our sponsor Nordwool: <a href='https://nordwool.com/'>here</a>, code ICENINE</p>"
    without = judge_sentences(episode.sentences, vectors).probabilities
    with_notes = judge_sentences(episode.sentences, vectors, AdContext(description=notes)).probabilities
    inside = np.array(episode.is_ad)
    assert (with_notes[inside] > without[inside]).all()
    assert with_notes[inside].min() > 0.8


def test_links_of_the_show_itself_are_no_sponsors():
    notes = "Read more at https://ourshow.example.com\nSponsored by Acme Foods: use code SOUP at acmefoods.com"
    sponsors = sponsors_in(notes)
    assert (sponsors.codes, sponsors.sites, sponsors.names) == ({"soup"}, {"acmefoods"}, {"acme foods"})


def test_a_bed_of_music_marks_the_whole_read():
    read = (
        "I never thought a chair could matter.",
        "My back was stiff and the mornings were slow.",
        "Then I sat down.",
        "Visit sitwell.com and use code CHAIR at checkout.",
    )
    episode = set_into_talk(read, ad=True, at=12)
    inside = [s for s, true in zip(episode.sentences, episode.is_ad, strict=True) if true]
    bed = SoundSpan(inside[0].start, inside[-1].end, "music")
    assert (
        marked(episode, find_ads(episode.sentences, vectors_of(episode.sentences), AdContext(sounds=[bed])))
        == episode.is_ad
    )


def test_nothing_said_no_ads():
    assert find_ads((), np.zeros((0, 384), np.float32)) == ()
