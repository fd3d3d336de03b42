"""`rushes feed` and `rushes probe`: what is in a source or a file, before anything is ingested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from featurization.errors import MediaError
from featurization.media import Rights
from featurization.probe import Probe, probe
from serving.commands.terminal import clock, complain, console, counted, plain, print_json, safe, size, table
from steps.intake.listing import Listing, SourceItem, listing_json

EXIT_SOME_FAILED = 2


def show_feed(source: str, *, limit: int, as_json: bool) -> None:
    """Print what an ingest of `source` would make. Raises SourceError if it is no source at all."""
    from serving.configured import settings
    from steps.ingest import list_source

    listing = list_source(source, limit=limit, settings=settings())
    if as_json:
        print_json(listing_json(listing))
    else:
        _print_listing(listing)


def _print_listing(listing: Listing) -> None:
    out = console()
    out.print(f"[bold]{safe(listing.title)}[/]: a {listing.kind} of {counted(len(listing.items), 'item')}")
    if listing.items:
        names = ("Published!", "Title", ">Length", ">Size", "Brings along", "Rights")
        out.print(table(names, [_listed(entry) for entry in listing.items]))
    for problem in listing.problems:
        out.print(f"[yellow]would be quarantined[/] {safe(problem.title or problem.source)}: {safe(problem.detail)}")
    if listing.skipped:
        out.print(
            f"skipped {counted(len(listing.skipped), 'file')} that are not media, such as {safe(listing.skipped[0])}"
        )


def _listed(entry: SourceItem) -> tuple[str, ...]:
    item = entry.item
    brings = {
        "transcript": item.transcripts,
        "chapters": item.chapters or item.chapters_file,
        "soundbites": item.soundbites,
    }
    return (
        item.published[:10],
        item.title or entry.location,
        clock(item.duration_s) if item.duration_s else "?",
        size(item.length_bytes) if item.length_bytes else "?",
        ", ".join(name for name, there in brings.items() if there),
        _rights(item.rights),
    )


def _rights(rights: Rights) -> str:
    forbidden = "forbidden" in (rights.preview, rights.derivatives)
    return f"{rights.license or 'not stated'}{': no preview' if forbidden else ''}"


def show_probes(files: Sequence[Path], *, as_json: bool) -> int:
    """Print what is in each file; returns the exit status, 2 if any could not be read."""
    probed = [(path, _probed(path)) for path in files]
    if as_json:
        print_json([_probe_json(path, found) for path, found in probed])
    else:
        _print_probes(probed)
    return EXIT_SOME_FAILED if any(isinstance(found, MediaError) for _, found in probed) else 0


def _probed(path: Path) -> Probe | MediaError:
    try:
        return probe(path)
    except MediaError as error:
        return error


def _probe_json(path: Path, found: Probe | MediaError) -> dict[str, Any]:
    if isinstance(found, MediaError):
        return {"file": str(path), "ok": False, "error": plain(str(found)), "reason": found.reason}
    return {"file": str(path), "ok": True, **asdict(found)}


def _print_probes(probed: Sequence[tuple[Path, Probe | MediaError]]) -> None:
    read = [(str(path), found) for path, found in probed if isinstance(found, Probe)]
    films = any(found.has_video for _, found in read)
    if read:
        names: tuple[str, ...] = (
            "File",
            ">Length",
            "Kind!",
            "Codec!",
            ">Rate",
            ">Channels",
            ">kbit/s",
            ">Size",
            "Title",
        )
        names = (*names[:4], "Picture!", "Tracks", *names[4:]) if films else names
        console().print(table(names, [_probe_row(path, found, films=films) for path, found in read]))
    for problem in (problem for _, found in read for problem in found.problems):
        console().print(f"[yellow]left out[/] {safe(problem)}", soft_wrap=True)
    for _, error in probed:
        if isinstance(error, MediaError):
            complain(error)


def _probe_row(path: str, found: Probe, *, films: bool) -> tuple[str, ...]:
    codec = f"{found.codec} in {found.container}" if found.codec != found.container else found.codec
    return (
        path,
        clock(found.duration_s),
        found.kind,
        codec,
        *((_picture(found), _tracks(found)) if films else ()),
        f"{found.rate_hz / 1000:g} kHz" if found.has_audio else "silent",
        str(found.channels),
        f"{found.bit_rate / 1000:.0f}",
        size(found.size_bytes),
        found.title,
    )


def _picture(found: Probe) -> str:
    return f"{found.video_codec} {found.width}x{found.height}, {found.frame_rate:.5g}/s" if found.has_video else ""


def _tracks(found: Probe) -> str:
    """Languages of what a film offers more than one plain track of."""
    sounds = [track.language or "?" for track in found.audio_tracks] if len(found.audio_tracks) > 1 else []
    texts = [track.language or "?" for track in found.subtitle_tracks]
    named = {"sound": sounds, "subtitles": texts}
    return "; ".join(f"{what} {', '.join(codes)}" for what, codes in named.items() if codes)
