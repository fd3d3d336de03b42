"""Codes of languages: files name them by two letters, by three, or by either of two sets of three."""

from __future__ import annotations

# ISO 639-1, then its ISO 639-2 codes; of the languages that films are commonly subtitled in.
_CODES = """
af afr|ar ara|az aze|be bel|bg bul|bn ben|bs bos|ca cat|cs ces cze|cy cym wel|da dan|de deu ger|el ell gre|en eng|eo epo
es spa|et est|eu eus baq|fa fas per|fi fin|fr fra fre|ga gle|gl glg|gu guj|he heb|hi hin|hr hrv|hu hun|hy hye arm|id ind
is isl ice|it ita|ja jpn|ka kat geo|kk kaz|kn kan|ko kor|la lat|lt lit|lv lav|mk mkd mac|ml mal|mn mon|mr mar|ms msa may
my mya bur|nb nob|ne nep|nl nld dut|nn nno|no nor|pa pan|pl pol|pt por|ro ron rum|ru rus|si sin|sk slk slo|sl slv
sq sqi alb|sr srp|sv swe|sw swa|ta tam|te tel|th tha|tl tgl|tr tur|uk ukr|ur urd|vi vie|zh zho chi|zu zul
"""
_TO_SHORT = {
    code: codes[0]
    for line in _CODES.split("\n")
    for codes in (entry.split() for entry in line.split("|") if entry)
    for code in codes
}


def language_code(name: str) -> str:
    """The code of a language as ISO 639-1 if it is one of the common ones, with its region kept ("pt-BR").

    Other codes stay as they are; "und" and the like become empty.
    """
    code, _, region = name.strip().replace("_", "-").partition("-")
    if code.lower() in {"und", "mul", "zxx", "mis"}:
        return ""
    short = _TO_SHORT.get(code.lower(), code.lower())
    return f"{short}-{region}" if region else short


def is_language(name: str) -> bool:
    """Whether `name` is the code of a common language, with or without a region."""
    return name.replace("_", "-").partition("-")[0].lower() in _TO_SHORT
