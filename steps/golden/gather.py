"""All golden clips there are, from feeds, the studio, reviews and a file, as one checked set."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from eval.agreement import Agreement, agreement
from eval.off_policy import OffPolicyOptions
from eval.segment_metrics import iou
from featurization.media import Asset, Segment
from steps.feedback import GOLDEN_CLIPS
from steps.golden.checks import carry, check
from steps.golden.claims import Claim, UnusableClip, from_feeds, from_store, from_streams
from steps.golden.clips import Golden, GoldenOptions, GoldenSet, RefusedClip, show_key
from steps.golden.file import read_clips
from steps.golden.library import Library
from steps.store import Store
from steps.streams import stream_clips

log = logging.getLogger(__name__)
Checked = tuple[Claim, Golden]
_SAID_TWICE = "its editor said something of the same stretch again, and that counts; remove this one"


def gather_golden(
    *, store: Store, options: GoldenOptions, off_policy: OffPolicyOptions | None = None, file: Path | None = None
) -> GoldenSet:
    """The golden clips of the store, and those in `file`, each checked; what cannot be used is named with its reason.

    `off_policy` says how far listeners' streams are believed, of clips that were shown by chance.

    Raises SourceError if the file is no table of clips.
    """
    library = Library(store)
    stated, malformed = read_clips(file) if file else ([], [])
    heard = (library.assets[asset_id] for asset_id in sorted(library.heard))
    # The log of events is long: it is not read where it would weigh nothing.
    streamed = from_streams(stream_clips(store, off_policy or OffPolicyOptions())) if options.weights.streams else ()
    claims = [*from_feeds(heard), *from_store(store.read(GOLDEN_CLIPS)), *streamed, *stated]
    checked, refused = _checked(claims, library, options)
    kept, repeated = _without_repeats(checked, options)
    clips = _by_asset([*kept, *_carried(kept, library, options)])
    shows = {asset_id: show_key(library.assets[asset_id]) for asset_id in clips}
    return GoldenSet(clips, (*malformed, *refused, *repeated), agreed(clips.values()), shows)


def agreed(clips: Iterable[Sequence[Golden]]) -> Agreement:
    """How far the editors of each episode agree on what they would publish, pooled over episodes."""
    return sum((agreement(_by_editor(of_asset)) for of_asset in clips), Agreement())


def _by_editor(clips: Sequence[Golden]) -> dict[str, list[Segment]]:
    chosen: dict[str, list[Segment]] = {}
    for clip in clips:
        if clip.chosen:
            chosen.setdefault(clip.editor, []).append(clip)
    return chosen


def _checked(
    claims: Iterable[Claim], library: Library, options: GoldenOptions
) -> tuple[list[Checked], list[RefusedClip]]:
    """The claims that hold, in their order, and those that do not; sources that weigh nothing are not looked at."""
    checked, refused = [], []
    for claim in claims:
        if options.weights.of(claim.source):
            try:
                checked.append((claim, check(claim, library, options)))
            except UnusableClip as problem:
                refused.append(claim.refused(problem))
    return checked, refused


def _without_repeats(checked: Sequence[Checked], options: GoldenOptions) -> tuple[list[Golden], list[RefusedClip]]:
    """Each clip of an editor once: what was said last of a stretch holds."""
    seen = _Stretches(options)
    kept, repeated = [], []
    for claim, clip in reversed(checked):
        if seen.add(clip):
            kept.append(clip)
        else:
            repeated.append(claim.refused(UnusableClip("duplicate", _SAID_TWICE)))
    return kept[::-1], repeated[::-1]


class _Stretches:
    """What each editor marked so far, found again by where it starts, so that many clips take no square of time."""

    def __init__(self, options: GoldenOptions) -> None:
        self._same = options.same_iou
        # Spans that share this much of their union start no further apart than what is left of it.
        self._reach_s = options.max_s * (1 / options.same_iou - 1) + 1e-3
        self._cells: dict[tuple[str, str, str, int], list[Golden]] = {}

    def add(self, clip: Golden) -> bool:
        """Keep a clip; False if its editor marked the same stretch already."""
        cell = int(clip.start // self._reach_s)
        said_in = "store" if clip.source in ("studio", "verdict") else clip.source
        who = (clip.asset_id, clip.editor, said_in)
        near = (one for k in (cell - 1, cell, cell + 1) for one in self._cells.get((*who, k), ()))
        if any(iou(one, clip) > self._same for one in near):
            return False
        self._cells.setdefault((*who, cell), []).append(clip)
        return True


def _carried(clips: Sequence[Golden], library: Library, options: GoldenOptions) -> Iterator[Golden]:
    """Clips in the newest bytes of an episode, where their editors marked only older ones."""
    known, seen = _by_asset(clips), _Stretches(options)
    for assets in library.reissues():
        newest = library.newest(assets)
        there = {clip.editor for clip in known.get(newest.asset_id, ())}
        older = (clip for asset in assets if asset != newest for clip in known.get(asset.asset_id, ()))
        for clip in (clip for clip in older if clip.editor not in there):
            moved = _moved(clip, newest, library, options)
            if moved and seen.add(moved):
                yield moved


def _moved(clip: Golden, to: Asset, library: Library, options: GoldenOptions) -> Golden | None:
    try:
        return carry(clip, to, library, options)
    except UnusableClip as problem:
        log.info("%s: a clip of %s stays with the older bytes: %s", to.title, clip.editor, problem)
        return None


def _by_asset(clips: Iterable[Golden]) -> dict[str, tuple[Golden, ...]]:
    found: dict[str, list[Golden]] = {}
    for clip in sorted(clips, key=lambda clip: (clip.asset_id, clip.start, clip.end, clip.editor, clip.source)):
        found.setdefault(clip.asset_id, []).append(clip)
    return {asset_id: tuple(of_asset) for asset_id, of_asset in found.items()}
