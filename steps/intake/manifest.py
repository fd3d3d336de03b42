"""Manifests: a CSV or Parquet table that lists media with what is known of them, one row each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

from featurization.errors import RushesError, SourceError
from featurization.feeds.model import FeedItem
from featurization.feeds.rights import license_slug, permissions
from featurization.feeds.text import iso_date
from featurization.media import Permission, Quarantined, Rights
from steps.intake.fetching import check_scheme, is_remote
from steps.intake.listing import SourceItem
from steps.intake.rows import Row, header_names, read_rows

COLUMNS = (
    "path",  # of a media file, absolute or relative to the manifest
    "url",  # of a media file; either path or url is required
    "title",
    "show",
    "guid",
    "language",
    "published",
    "preview",  # allowed, forbidden or unknown
    "derivatives",  # the same
    "license",  # slug or address
    "territories",  # ISO 3166 codes, separated by spaces, commas or semicolons
    "expires",  # ISO 8601 date
    "attribution",
)
_RIGHTS = ("preview", "derivatives", "license", "territories", "expires", "attribution")
_PERMISSIONS: Mapping[str, Permission] = {
    **dict.fromkeys(("allowed", "yes", "true", "1"), "allowed"),
    **dict.fromkeys(("forbidden", "no", "false", "0"), "forbidden"),
    **dict.fromkeys(("unknown", ""), "unknown"),
}


def read_manifest(path: Path) -> tuple[tuple[SourceItem, ...], tuple[Quarantined, ...]]:
    """The rows of the manifest at `path` that can be used, in order, and those that cannot, each with its reason.

    Raises SourceError if the table cannot be read, names an unknown column, or has neither "path" nor "url".
    """
    rows = read_rows(path, known=COLUMNS, check=partial(_check_columns, path=path))
    items, problems = [], []
    for number, row in enumerate(rows, start=1):
        try:
            items.append(_item(row, folder=path.resolve().parent))
        except (ValueError, OSError, RushesError) as error:
            detail = f"{path.name}, row {number}: {error}"
            where = row.get("url") or row.get("path") or str(path)
            problems.append(Quarantined(where, "bad-row", detail, "ingest", row.get("title", "")))
    return tuple(items), tuple(problems)


def is_csv_manifest(text: str) -> bool:
    """Whether `text` begins with a header that names media."""
    return bool({"path", "url"} & set(header_names(text, COLUMNS)))


def _check_columns(names: list[str], path: Path) -> None:
    known = ", ".join(COLUMNS)
    if unknown := sorted(set(names) - set(COLUMNS)):
        raise SourceError(f"{path}: unknown column {', '.join(unknown)}; known columns: {known}")
    if len(set(names)) < len(names):
        raise SourceError(f"{path}: a column stands there twice; keep one of each: {known}")
    if not {"path", "url"} & set(names):
        raise SourceError(f'{path}: no column "path" or "url" says where the media is; known columns: {known}')


def _item(row: Row, *, folder: Path) -> SourceItem:
    location = _location(row, folder)
    published = iso_date(row.get("published", ""))
    if row.get("published") and not published:
        raise ValueError(f"published {row['published']!r} is no date; write it like 2026-01-31")
    item = FeedItem(
        title=row.get("title") or Path(location.partition("?")[0]).stem,
        url=location,
        guid=row.get("guid", ""),
        published=published,
        rights=_rights(row),
    )
    return SourceItem(item=item, show=row.get("show", ""), language=row.get("language", ""))


def _location(row: Row, folder: Path) -> str:
    stated = row.get("path") or row.get("url") or ""
    if not stated:
        raise ValueError("neither path nor url says where the media is; fill in one")
    if is_remote(stated):
        check_scheme(stated)
        return stated
    path = folder / stated
    if not path.is_file():
        raise ValueError(f"no such file: {path}; paths are relative to the manifest")
    return str(path.resolve())


def _rights(row: Row) -> Rights:
    if not any(row.get(name) for name in _RIGHTS):
        return Rights()
    slug = license_slug(row.get("license", ""))
    by_license = dict(zip(("preview", "derivatives"), permissions(slug), strict=True))
    return Rights(
        preview=_permission("preview", row) if row.get("preview") else by_license["preview"],
        derivatives=_permission("derivatives", row) if row.get("derivatives") else by_license["derivatives"],
        license=slug,
        territories=_territories(row.get("territories", "")),
        expires=_expiry(row.get("expires", "")),
        attribution=row.get("attribution", ""),
        source="manifest",
    )


def _permission(name: str, row: Row) -> Permission:
    stated = row[name].lower()
    if stated not in _PERMISSIONS:
        raise ValueError(f"{name} is {row[name]!r}; write allowed, forbidden or unknown")
    return _PERMISSIONS[stated]


def _territories(text: str) -> tuple[str, ...]:
    codes = tuple(text.upper().replace(",", " ").replace(";", " ").split())
    if wrong := [code for code in codes if len(code) != 2 or not code.isalpha()]:
        raise ValueError(f"territory {wrong[0]!r} is no two-letter country code (ISO 3166), such as DE")
    return codes


def _expiry(text: str) -> str:
    try:
        return datetime.fromisoformat(text).date().isoformat() if text else ""
    except ValueError as error:
        raise ValueError(f"expires is {text!r}; write a date like 2026-12-31") from error
