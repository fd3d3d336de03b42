"""What a clip must pass before anybody learns from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from featurization.media import Asset, Segment, Word, overlap_s, shares_half
from search.spoken import words_of
from steps.golden.claims import Claim, UnusableClip
from steps.golden.clips import BEST, Golden, GoldenOptions
from steps.golden.library import Library
from steps.golden.realign import find, move


def check(claim: Claim, library: Library, options: GoldenOptions) -> Golden:
    """The clip in the bytes that the store has. Raises UnusableClip, which says why it is not believed."""
    if not 0 <= claim.grade <= BEST:
        raise UnusableClip("malformed", f"grade {claim.grade} is not from 0 to {BEST}; judge the clip again")
    asset = library.find(claim, slack_s=options.slack_s)
    span = _placed(claim, asset, library, options)
    inside = _admitted(span, asset, library, options)
    return Golden(
        inside.start,
        inside.end,
        asset.asset_id,
        claim.editor,
        claim.source,
        claim.grade,
        options.weights.of(claim.source) * claim.trust,
        claim.title,
        realigned_s=span.start - claim.start,
    )


def carry(clip: Golden, to: Asset, library: Library, options: GoldenOptions) -> Golden:
    """A checked clip in other bytes of the same episode. Raises UnusableClip if it is not in them."""
    said = library.transcript(clip.asset_id).within(clip)
    span = _found(move(clip, library.transcript(to.asset_id), said=said, options=options.realign), to)
    inside = _admitted(span, to, library, options)
    return replace(clip, start=inside.start, end=inside.end, asset_id=to.asset_id, realigned_s=span.start - clip.start)


def _placed(claim: Claim, asset: Asset, library: Library, options: GoldenOptions) -> Segment:
    """Where the clip lies in these bytes: as stated if its editor heard them, else where its words are.

    If the bytes that were heard are not known, its words tell whether its times are right; without words they are
    believed.
    """
    same = _same_bytes(claim, asset, options)
    if same or (same is None and not _tells_something(claim.text, options)):
        return claim.span
    there = library.transcript(asset.asset_id)
    if claim.text:
        found = _found(find(claim.text, there, near=claim, options=options.realign), asset)
        return claim.span if same is None and shares_half(found, claim) else found
    return _found(move(claim, there, said=_said(claim, asset, library), options=options.realign), asset)


def _tells_something(text: str, options: GoldenOptions) -> bool:
    return bool(text) and len(words_of(text)) >= options.realign.min_words


def _same_bytes(claim: Claim, asset: Asset, options: GoldenOptions) -> bool | None:
    """Whether the editor heard the bytes of the asset; None if that was not said."""
    if claim.sha256:
        return claim.sha256 == asset.sha256
    if claim.duration_s:
        return abs(claim.duration_s - asset.duration_s) <= options.slack_s
    return None


def _said(claim: Claim, asset: Asset, library: Library) -> Sequence[Word]:
    """The words of the clip in the bytes that its editor heard."""
    heard = library.heard_as(claim)
    if heard is None:
        raise UnusableClip(
            "miskeyed",
            f"it was chosen in other bytes than {asset.title} has now, and nothing says which words it holds; "
            "fill in a column text, or mark it again",
        )
    return library.transcript(heard.asset_id).within(claim)


def _found(span: Segment | None, asset: Asset) -> Segment:
    if span is None:
        raise UnusableClip(
            "miskeyed", f"its words are not said in {asset.title}; check which episode it is of, or mark it again"
        )
    return span


def _admitted(span: Segment, asset: Asset, library: Library, options: GoldenOptions) -> Segment:
    """The span within its asset. Raises UnusableClip if no clip can lie there."""
    inside = _inside(span, asset, options)
    if not options.min_s <= inside.duration <= options.max_s:
        plausible = f"{options.min_s:g} to {options.max_s:g} s"
        raise UnusableClip("length", f"{inside.duration:.1f} s is no plausible length ({plausible}); mark it again")
    ad_s = overlap_s(inside, library.ads(asset))
    if ad_s > options.max_ad_s:
        raise UnusableClip("ad", f"{ad_s:.1f} s of it are advertising in {asset.title}; mark a stretch without")
    return inside


def _inside(span: Segment, asset: Asset, options: GoldenOptions) -> Segment:
    if span.start >= asset.duration_s or span.end > asset.duration_s + options.slack_s:
        where = f"{span.start:.1f} to {span.end:.1f} s is not within {asset.title}, {asset.duration_s:.1f} s long"
        raise UnusableClip("outside", f"{where}; check the times, and which episode they are of")
    return Segment(span.start, min(span.end, asset.duration_s))
