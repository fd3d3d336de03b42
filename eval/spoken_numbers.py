"""Figures as English speakers say them, so that "42" and "forty-two" are the same answer.

One reading per number: 1100..1999 and 2010..2099 without a comma are read as years ("fourteen fifty five"), numbers
that begin with 0 or have more than twelve digits one digit at a time, everything else as a cardinal.
"""

from __future__ import annotations

import re

_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ONES = _UNITS + _TEENS
_SCALES = ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"), (100, "hundred"))
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_CURRENCIES = {"$": "dollar", "£": "pound", "€": "euro"}
_AMOUNT = re.compile(r"([$£€])\s?(\d[\d,]*(?:\.\d+)?)((?:\s(?:hundred|thousand|million|billion))*)")
_AND = re.compile(rf"\b(hundred|thousand|million) and (?=(?:{'|'.join(_ONES + _TENS)})\b)")
_NUMBER = re.compile(r"(?<![\w.])(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(st|nd|rd|th)?(?!\d)")


def spell_numbers(text: str) -> str:
    """Lower-case English `text` with figures, ordinals, amounts of money and per cents in words."""
    text = _AMOUNT.sub(_money, text)
    text = re.sub(r"(?<=\d)\s?%", " percent", text)
    return _NUMBER.sub(_number, text)


def without_and(text: str) -> str:
    """Lower-case English `text` with "one hundred and five" as "one hundred five", which is how figures are spelled."""
    return _AND.sub(r"\1 ", text)


def _money(match: re.Match[str]) -> str:
    sign, amount, scale = match.groups()
    unit = _CURRENCIES[sign] + ("" if amount == "1" and not scale else "s")
    return f"{amount}{scale} {unit}"


def _number(match: re.Match[str]) -> str:
    whole, fraction, ordinal = match.groups()
    words = _year(whole) or _whole(whole.replace(",", ""))
    if fraction:
        words = f"{_whole(whole.replace(',', ''))} point {_digits(fraction[1:])}"
    return f" {_ordinal(words) if ordinal else words} "


def _year(digits: str) -> str:
    """The number read in two halves, if people would."""
    if len(digits) != 4 or not (1100 <= int(digits) <= 1999 or 2010 <= int(digits) <= 2099):
        return ""
    century, rest = divmod(int(digits), 100)
    tail = "hundred" if rest == 0 else f"oh {_ONES[rest]}" if rest < 10 else _cardinal(rest)
    return f"{_cardinal(century)} {tail}"


def _whole(digits: str) -> str:
    read_singly = len(digits) > 12 or (len(digits) > 1 and digits.startswith("0"))
    return _digits(digits) if read_singly else _cardinal(int(digits))


def _digits(digits: str) -> str:
    return " ".join(_ONES[int(digit)] for digit in digits)


def _cardinal(number: int) -> str:
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return f"{_TENS[tens]} {_ONES[ones]}" if ones else _TENS[tens]
    size, name = next(scale for scale in _SCALES if number >= scale[0])
    count, rest = divmod(number, size)
    return f"{_cardinal(count)} {name}" + (f" {_cardinal(rest)}" if rest else "")


def _ordinal(words: str) -> str:
    *before, last = words.split()
    last = f"{last[:-1]}ieth" if last.endswith("y") else _ORDINALS.get(last, f"{last}th")
    return " ".join([*before, last])
