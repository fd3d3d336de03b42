"""What the words of one sentence give away, counted: the material of the word and risk features.

The word lists are English. In other languages questions, digits, names and keywords still count and the rest is 0,
so a clip is neither favoured nor punished for its language.
"""

from __future__ import annotations

import re
from enum import IntEnum, auto


class Cue(IntEnum):
    """Columns of the cue matrix: counts per sentence."""

    WORDS = 0
    QUESTION = auto()  # 1 if the sentence asks
    NAMES = auto()  # capitalised words that do not begin the sentence
    NUMBERS = auto()
    CURIOSITY = auto()  # wording that surprises or withholds
    ADDRESS = auto()  # speaks to the listener
    PRONOUNS = auto()  # third person: needs somebody to refer to
    UNRESOLVED = auto()  # those of them that come before the first name of the sentence
    DANGLING = auto()  # 1 if the first word leans on what was said before
    CAPITAL = auto()  # 1 if it begins with a capital letter or a digit
    STOP = auto()  # 1 if it ends with a full stop, question or exclamation mark
    GREETING = auto()
    OUTRO = auto()
    HOUSEKEEPING = auto()


_TOKEN = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(patterns)})\b", re.IGNORECASE)


_NUMBER_WORDS = _words(
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion half twice "
    "percent dozen"
)
_PRONOUNS = _words("he she it they him her them his hers its their theirs himself herself itself")
_DANGLING = _PRONOUNS | _words(
    "that this those these which so and but or nor because then also too exactly yes yeah yep no nope right okay ok "
    "well anyway however instead therefore otherwise either neither that's it's he's she's they're"
)
_NOT_NAMES = _words("i i'm i'd i'll i've")

_CURIOSITY = _phrases(
    r"secret(?:ly|s)?|myster(?:y|ies|ious)|strang(?:e|er|est|ely)|weird(?:est)?|bizarre|uncanny|haunt(?:ed|ing)",
    r"surpris(?:e|ed|ing|ingly)|shock(?:ed|ing)?|unbelievable|incredible|astonish(?:ed|ing)|unexpected(?:ly)?",
    r"never|nobody|no one|nothing|impossible|suddenly|forbidden|hidden|unknown|vanish(?:ed|es)?|disappear(?:ed|s)?",
    r"discover(?:ed|y)?|reveal(?:ed|s)?|truth|danger(?:ous)?|terrif(?:ied|ying)|afraid|scar(?:ed|y)|stolen|missing",
    r"worst|biggest|first time|only person|turned out|turns out|what if|guess what|here(?:'s| is) (?:the|what)",
    r"the thing is|the problem is|the question is|nobody knows|no idea|until (?:one|that) (?:day|night|morning)",
)
_ADDRESS = _phrases(r"you|your|yours|you(?:'re|'ve|'ll|'d)|imagine|picture this|think about|ask yourself")
_GREETING = _phrases(
    r"welcome back|welcome (?:to|everybody|everyone)|hello (?:and|again|everybody|everyone|listeners)",
    r"(?:hi|hey) (?:everybody|everyone|listeners|folks)|thanks for (?:joining|tuning|having me)|thank you for having",
    r"your host|joining (?:me|us)|(?:my|our) guest (?:today|this week)|you(?:'re| are) listening to|in today's episode",
    r"good (?:morning|evening|afternoon) (?:everybody|everyone)",
)
_OUTRO = _phrases(
    r"see you (?:next|again|soon|tomorrow|then)|(?:thanks|thank you)(?: \w+){0,2} for listening",
    r"until next (?:time|week)",
    r"(?:that(?:'s| is| was)|that's) (?:it|all) for|next (?:week|time|episode) (?:on|we)|goodbye|bye bye",
)
_HOUSEKEEPING = _phrases(
    r"subscribe|subscribing|rate and review|leave (?:us )?a (?:review|rating)|follow us|show notes|patreon|newsletter",
    r"(?:after|before) (?:the|this|a) (?:short |quick )?break|right after this|(?:be )?right back|our website",
    r"wherever you get your podcasts|link(?:s)? in the",
)


def words_of(text: str) -> list[str]:
    """Words of a text without punctuation, in order, as written; typographic apostrophes made plain."""
    return [token.replace("\u2019", "'") for token in _TOKEN.findall(text)]


def sentence_cues(text: str) -> list[int]:
    """Counts of one sentence, one per member of `Cue`, in its order."""
    words = words_of(text)
    lowered = [word.lower() for word in words]
    names = [index for index in range(1, len(words)) if _is_name(words[index])]
    pronouns = [index for index, word in enumerate(lowered) if word in _PRONOUNS]
    bare = text.strip().strip("\"'\u201c\u201d\u2018\u2019\u00ab\u00bb()[]")
    counts = {
        Cue.WORDS: len(words),
        Cue.QUESTION: bare.endswith(("?", "？")),
        Cue.NAMES: len(names),
        Cue.NUMBERS: sum(word in _NUMBER_WORDS or word[0].isdigit() for word in lowered),
        Cue.CURIOSITY: len(_CURIOSITY.findall(text)),
        Cue.ADDRESS: len(_ADDRESS.findall(text)),
        Cue.PRONOUNS: len(pronouns),
        Cue.UNRESOLVED: sum(not names or index < names[0] for index in pronouns),
        Cue.DANGLING: bool(lowered) and lowered[0] in _DANGLING,
        Cue.CAPITAL: bare[:1].isupper() or bare[:1].isdigit(),
        Cue.STOP: bare.endswith((".", "?", "!", "…", "。", "？", "！")),
        Cue.GREETING: bool(_GREETING.search(text)),
        Cue.OUTRO: bool(_OUTRO.search(text)),
        Cue.HOUSEKEEPING: bool(_HOUSEKEEPING.search(text)),
    }
    return [int(counts[cue]) for cue in Cue]


def _is_name(word: str) -> bool:
    return word[0].isupper() and word.lower() not in _NOT_NAMES
