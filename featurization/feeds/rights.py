"""What a stated licence permits. A preview is a cut, so a licence without derivatives does not permit it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from featurization.feeds.podcast_namespace import License
from featurization.media import Permission, Rights

NON_COMMERCIAL = "non-commercial use only"
_CC_URL = re.compile(
    r"creativecommons\.org/(?:licenses/(by(?:-(?:nc|nd|sa))*)/(\d\.\d)|publicdomain/(zero|mark)/(\d\.\d))",
    re.IGNORECASE,
)
_CC_SLUG = re.compile(
    r"cc[ -]?(by(?:[ -](?:nc|nd|sa))*)(?:[ -]v?(\d(?:\.\d)?))?(?:[ -](?:intl?|international|[a-z]{2}))?"
)
_PUBLIC_DOMAIN = re.compile(r"cc[ -]?0(?:[ -](\d(?:\.\d)?))?|public[ -]domain|pdm(?:[ -]\d\.\d)?")
_LICENSE_IN_LINE = re.compile(r"[\s,;(–-]*\b(?:licensed under )?cc[ -](?:by|0)[\w .-]*\)?\s*$", re.IGNORECASE)
_PERMISSIVE = frozenset(
    ("0bsd", "mit", "apache-2.0", "wtfpl", "unlicense", "odc-by-1.0", "pddl-1.0", "gfdl-1.3-or-later")
)


def license_slug(slug: str, url: str = "") -> str:
    """An SPDX-like slug in lower case ("cc-by-nd-4.0", "cc0-1.0") for a licence stated by name or address."""
    if match := _CC_URL.search(url) or _CC_URL.search(slug):
        kind, version, public, public_version = (part.lower() if part else "" for part in match.groups())
        return f"cc-{kind}-{version}" if kind else f"{'cc0' if public == 'zero' else 'pdm'}-{public_version}"
    tidy = " ".join(slug.lower().replace("_", "-").split())
    if match := _CC_SLUG.fullmatch(tidy):
        kind, version = match[1].replace(" ", "-"), match[2] or ""
        return "-".join(filter(None, ("cc", kind, version if "." in version or not version else f"{version}.0")))
    if match := _PUBLIC_DOMAIN.fullmatch(tidy):
        return f"cc0-{match[1] or '1.0'}" if tidy.startswith("cc") else "pdm-1.0"
    return tidy[:80]


def permissions(slug: str) -> tuple[Permission, Permission]:
    """(preview, derivatives) under the licence `slug`; a licence that is not known permits nothing and forbids nothing.

    A no-derivatives licence leaves `preview` unknown: playing the whole is permitted, a cut is not.
    """
    parts = slug.split("-")
    if parts[0] == "cc" and "nd" in parts:
        return "unknown", "forbidden"
    if parts[:2] == ["cc", "by"] or parts[0] in {"cc0", "pdm"} or slug in _PERMISSIVE:
        return "allowed", "allowed"
    return "unknown", "unknown"


def rights_from(licenses: Iterable[License], *, copyright_text: str = "", author: str = "") -> Rights:
    """Rights by the first licence stated (list the item's before the channel's), else by a Creative Commons licence
    named in the copyright line; unknown where nothing is said. `source` notes a non-commercial licence.
    """
    stated = [entry for entry in licenses if entry.slug or entry.url]
    in_copyright = _CC_URL.search(copyright_text) or _CC_SLUG.fullmatch(copyright_text.strip().lower())
    if not stated and in_copyright:
        stated = [License(copyright_text.strip(), "", "copyright line")]
    if not stated:
        return Rights(attribution=copyright_text)
    slug = license_slug(stated[0].slug, stated[0].url)
    preview, derivatives = permissions(slug)
    note = f"; {NON_COMMERCIAL}" if slug.startswith("cc-") and "nc" in slug.split("-") else ""
    return Rights(
        preview=preview,
        derivatives=derivatives,
        license=slug or stated[0].url,
        attribution=_LICENSE_IN_LINE.sub("", copyright_text) or author,
        source=stated[0].source + note,
    )
