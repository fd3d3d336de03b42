"""Keywords: the words and names a text is about, by counting alone."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

TOKEN = re.compile(r"[\w-]+(?:\.[a-z]{2,})+|[^\W\d_]+(?:[’'-][^\W\d_]+)*|\d+(?:[.,]\d+)*|[^\w\s]")
POSSESSIVE = re.compile(r"['’]s?$")
MIN_LETTERS = 3
PHRASE_WORDS = (2, 3)
PHRASE_BONUS = 0.6  # for each word after the first: a phrase tells more than its words
NAME_BONUS = 1.5  # names tell more of an episode than common nouns
STOP_WORDS = frozenset(
    """
    a able about above across actually after afterwards again against ago ahead all almost alone along already also
    although always am among an and another any anybody anymore anyone anything anyway anywhere apart are aren't
    around as ask asked at away back be became because become becomes been before began begin behind being believe
    below besides best better between beyond big bit both bring brought but by came can can't cannot certain certainly
    come comes coming could couldn't course day days definitely did didn't different do does doesn't doing don't done
    down during each early eight either else end enough especially even ever every everybody everyone everything
    exactly example except fact far feel feels felt few fifth find fine first five for found four from full gave get
    gets getting give given go goes going gone gonna good got gotta great guess guy guys had hadn't half happen
    happened happens hard has hasn't have haven't having he he'd he'll he's hear heard hello help her here here's hers
    herself hey hi him himself his hold how however hundred i i'd i'll i'm i've idea if important in indeed instead
    into is isn't it it'll it's its itself just keep kept kind knew know known knows large last late later least left
    less let let's like little long look looked looking looks lot lots love made make makes making many matter may
    maybe me mean means meant might mine moment month months more most mostly much must my myself name named near
    nearly need needed never new next nice nine no nobody none nor not nothing now nowhere number of off often oh ok
    okay old on once one ones only onto or other others otherwise our ours ourselves out outside over own part past
    people perhaps person place please point possible pretty probably put question quite rather read real really
    reason right said same saw say saying says second see seem seemed seems seen seven several shall she she'd she'll
    she's should shouldn't show side simply since single six small so some somebody somehow someone something
    sometimes somewhere soon sort sound speak start started still stop story stuff such sure take taken takes taking
    talk talked talking tell ten than thank thanks that that'll that's the their theirs them themselves then there
    there's therefore these they they'd they'll they're they've thing things think thinking third this those though
    thought thousand three through thus time times to today together told tomorrow tonight too took toward towards
    tried true try trying turn turned twelve twenty two uh um under understand until up upon us use used using usually
    very want wanted wants was wasn't way ways we we'd we'll we're we've week weeks welcome well went were weren't
    what what's whatever when where whether which while who who's whole whom whose why will with within without won't
    word words work would wouldn't wow wrong yeah year years yes yesterday yet you you'd you'll you're you've your
    yours yourself
    """.split()
)


def keywords(texts: Sequence[str], *, limit: int) -> tuple[str, ...]:
    """The at most `limit` terms that `texts` (the sentences of one episode) are most about, best first."""
    return topic_keywords([texts], limit=limit)[0] if texts else ()


def topic_keywords(groups: Sequence[Sequence[str]], *, limit: int) -> list[tuple[str, ...]]:
    """The terms that tell each group of sentences from the others, best first.

    Class-based TF-IDF (Grootendorst 2022): frequency in the group times log(1 + mean group size / frequency overall).
    Terms are content words and phrases of up to three, as most often written; a phrase replaces its words.
    """
    spellings: dict[str, Counter[str]] = {}
    counts = [Counter(_terms(texts, spellings)) for texts in groups]
    overall: Counter[str] = sum(counts, Counter())
    mean_size = overall.total() / max(1, len(groups))
    written = {term: max(forms, key=lambda form: (forms[form], form)) for term, forms in spellings.items()}

    def weight(term: str, count: int) -> float:
        named = NAME_BONUS if written[term][:1].isupper() else 1.0
        return named * count * (1 + PHRASE_BONUS * term.count(" ")) * math.log(1 + mean_size / overall[term])

    chosen = []
    for group in counts:
        kept = {term: count for term, count in group.items() if _is_term(term, overall[term], written[term])}
        ranked = sorted(kept, key=lambda term: (-weight(term, kept[term]), term))
        chosen.append(tuple(written[term] for term in _distinct(ranked, group, limit=limit)))
    return chosen


def _terms(texts: Iterable[str], spellings: dict[str, Counter[str]]) -> Iterator[str]:
    """Content words and phrases in lower case; how each was written is counted in `spellings`."""
    for text in texts:
        for run in _content_runs(text):
            for size in (1, *PHRASE_WORDS):
                for start in range(len(run) - size + 1):
                    form = " ".join(run[start : start + size])
                    spellings.setdefault(form.lower(), Counter())[form] += 1
                    yield form.lower()


def _content_runs(text: str) -> Iterator[list[str]]:
    """Runs of neighbouring words that carry meaning, without possessive endings."""
    run: list[str] = []
    for token in [*_uncapitalised(TOKEN.findall(text)), "."]:
        word = POSSESSIVE.sub("", token)
        if {word.lower(), token.lower()} & STOP_WORDS or len(word) < MIN_LETTERS or not word[0].isalpha():
            yield run
            run = []
        else:
            run.append(word)


def _uncapitalised(tokens: Sequence[str]) -> list[str]:
    """Tokens of a sentence, the first with a small letter unless a name seems to begin there."""
    if not tokens or (len(tokens) > 1 and tokens[1][:1].isupper()) or not tokens[0][1:].islower():
        return list(tokens)
    return [tokens[0][:1].lower() + tokens[0][1:], *tokens[1:]]


def _is_term(term: str, count: int, written: str) -> bool:
    """A phrase counts if it comes back or is a name; a single word always does."""
    return " " not in term or count > 1 or all(part[:1].isupper() for part in written.split())


def _distinct(ranked: Sequence[str], counts: Counter[str], *, limit: int) -> list[str]:
    """The best terms, without those that mostly occur inside a chosen phrase or are the plural of a chosen word."""
    chosen: list[str] = []
    for term in ranked:
        if len(chosen) == limit:
            break
        if not any(_covers(other, term, counts) for other in chosen):
            chosen.append(term)
    return chosen


def _covers(other: str, term: str, counts: Counter[str]) -> bool:
    short, long = sorted((other, term), key=len)
    if long in (short + "s", short + "es"):
        return True
    inside = f" {short} " in f" {long} "
    return inside and (len(other) < len(term) or 2 * counts[other] >= counts[term])
