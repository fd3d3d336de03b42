"""Gates: what must not be published is excluded before anything is scored, and the reason is kept.

A gate judges each clip by itself, so nothing that is added to an episode's ads, music or spoilers can let another clip
through. If no clip passes there is no preview: never the least bad ad.

The music gate keeps jingles and beds out of previews of talk. In a film music is part of the picture, so the gate is
open for runs of shots, where nobody speaks, and for all clips of a film that has music in most of it; a film with
little music is taken for talk with a jingle. What is excluded for ads, spoilers and rights is the same for both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from featurization.media import Asset, Hearing, Rights, Segment, merge, overlap_s, shares_half
from ranking.candidates import Candidate

GateName = Literal["ad", "music", "spoiler", "rights", "speech", "length", "review", "repeated"]

_MOVED_S = 1.0  # edges that differ by more make another clip of what was cut off
_AUDIBLE_S = 0.1  # less of a sound than this at an edge is within what its detector can tell


@dataclass(frozen=True, slots=True)
class GateOptions:
    """What excludes a clip, and what an episode must have."""

    ad_confidence: float = 0.5  # an ad span this sure excludes every clip it touches
    max_music_s: float = 1.0  # seconds of music inside that exclude
    music_confidence: float = 0.5  # music spans less sure are not counted
    scored_share: float = 0.5  # a film with music in more of it than this share is scored: music excludes nothing
    margin_s: float = 0.3  # room for breath around a cut: free of ads, and of music on both sides of the edge
    spoiler_zone: float = 0.15  # last share of the episode; 0 lets previews come from the ending
    spoiler_risk: float = 0.5  # a spoiler span this risky excludes every clip it touches
    unknown_rights: Literal["allow", "refuse"] = "allow"  # when nobody states what may be done
    territory: str = ""  # ISO 3166-1 alpha-2 country in which previews appear; empty means everywhere
    min_speech_s: float = 20.0  # an episode with less speech, or a film this short, has no preview

    def __post_init__(self) -> None:
        if not 0 <= self.spoiler_zone < 1:
            raise ValueError(f"spoiler_zone is a share of the episode from 0 to below 1, got {self.spoiler_zone}")
        if not 0 <= self.scored_share <= 1:
            raise ValueError(f"scored_share is a share of the film from 0 to 1, got {self.scored_share}")


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Which gate closed, and why, in one line with numbers."""

    gate: GateName
    reason: str


@dataclass(frozen=True, slots=True)
class Rejected(Segment):
    """A clip that an editor heard as a preview and rejected."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gates say of one clip; it passes if nothing excludes it."""

    candidate: Candidate
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.exclusions


@dataclass(frozen=True, slots=True)
class GateSummary:
    """How many clips a gate excluded, with a few of the reasons in order of time."""

    gate: GateName
    excluded: int
    examples: tuple[str, ...]


def refuse_asset(
    asset: Asset, hearing: Hearing, *, today: date, options: GateOptions | None = None
) -> tuple[Exclusion, ...]:
    """Why an episode can have no preview at all, whatever its clips are; empty if it may. A film need not speak."""
    options = options or GateOptions()
    found = [Exclusion("rights", reason) for reason in _rights_reasons(asset.rights, today, options)]
    speech_s = hearing.profile.speech_s
    if asset.duration_s < options.min_speech_s:
        found.append(Exclusion("length", f"{asset.duration_s:.1f} s long, {options.min_speech_s:g} s are needed"))
    elif asset.kind == "audio" and not hearing.sentences:
        found.append(Exclusion("speech", f"no words in {clock(asset.duration_s)} of sound"))
    elif asset.kind == "audio" and speech_s < options.min_speech_s:
        found.append(Exclusion("speech", f"{speech_s:.1f} s of speech, {options.min_speech_s:g} s are needed"))
    return tuple(found)


def apply_gates(
    candidates: Sequence[Candidate],
    hearing: Hearing,
    *,
    duration_s: float,
    film: bool = False,
    options: GateOptions | None = None,
) -> tuple[Verdict, ...]:
    """A verdict for each candidate, in their order; `duration_s` is the episode's, `film` whether it has pictures."""
    options = options or GateOptions()
    music = _music(hearing, options)
    scored = film and sum(span.duration for span in music) > options.scored_share * duration_s
    gates = (
        _ad_gate(hearing, options),
        _music_gate(() if scored else music, options),
        _spoiler_gate(hearing, duration_s, options),
        _repeat_gate(hearing),
    )
    return tuple(Verdict(c, tuple(found for gate in gates if (found := gate(c)))) for c in candidates)


def without_rejected(verdicts: Sequence[Verdict], rejected: Sequence[Rejected]) -> tuple[Verdict, ...]:
    """The verdicts with clips excluded that editors rejected: that very clip if it was cut off, else all like it."""
    return tuple(
        replace(verdict, exclusions=(*verdict.exclusions, Exclusion("review", told)))
        if (told := _rejected(verdict.candidate, rejected))
        else verdict
        for verdict in verdicts
    )


def _rejected(candidate: Candidate, rejected: Sequence[Rejected]) -> str:
    """Why a clip is one that was rejected; empty if it is not."""
    for one in rejected:
        moved_s = max(abs(one.start - candidate.start), abs(one.end - candidate.end))
        if moved_s <= _MOVED_S if one.reason == "cut off" else shares_half(one, candidate):
            return f"{one.reason or 'rejected'}, said of {clock(one.start)} to {clock(one.end)}"
    return ""


def summarise(verdicts: Sequence[Verdict], *, examples: int = 3) -> tuple[GateSummary, ...]:
    """What each gate excluded, most clips first; a clip that two gates exclude counts in both."""
    found = [exclusion for verdict in verdicts for exclusion in verdict.exclusions]
    counts = Counter(exclusion.gate for exclusion in found)
    reasons = {gate: dict.fromkeys(e.reason for e in found if e.gate == gate) for gate in counts}
    ordered = sorted(counts, key=lambda gate: (-counts[gate], gate))
    return tuple(GateSummary(gate, counts[gate], tuple(reasons[gate])[:examples]) for gate in ordered)


def clock(seconds: float) -> str:
    """Seconds as people read them: 0:03, 12:40, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _ad_gate(hearing: Hearing, options: GateOptions) -> Callable[[Candidate], Exclusion | None]:
    ads = [ad for ad in hearing.ads if ad.confidence >= options.ad_confidence]

    def gate(candidate: Candidate) -> Exclusion | None:
        wide = _widened(candidate, options.margin_s)
        touched = [ad for ad in ads if ad.overlaps(wide)]
        if not touched:
            return None
        first = min(touched, key=lambda ad: ad.start)
        seconds = overlap_s(wide, touched)
        return Exclusion("ad", f"{seconds:.1f} s of {first.kind} at {clock(first.start)}{_quoted(first.evidence)}")

    return gate


def _music(hearing: Hearing, options: GateOptions) -> list[Segment]:
    return merge(s for s in hearing.sounds if s.label == "music" and s.confidence >= options.music_confidence)


def _music_gate(music: Sequence[Segment], options: GateOptions) -> Callable[[Candidate], Exclusion | None]:
    def gate(candidate: Candidate) -> Exclusion | None:
        if candidate.made_of == "shots":
            return None
        near = [span for span in music if span.overlaps(_widened(candidate, options.margin_s))]
        if not near:
            return None
        inside_s = overlap_s(candidate, near)
        if inside_s >= options.max_music_s:
            return Exclusion("music", f"{inside_s:.1f} s of music at {clock(near[0].start)}")
        for edge in _edges(candidate, options.margin_s):
            if (at_edge_s := overlap_s(edge, near)) > _AUDIBLE_S:
                return Exclusion("music", f"{at_edge_s:.1f} s of music at the cut at {clock(edge.middle)}")
        return None

    return gate


def _spoiler_gate(hearing: Hearing, duration_s: float, options: GateOptions) -> Callable[[Candidate], Exclusion | None]:
    zone_start = duration_s * (1 - options.spoiler_zone)
    risky = [span for span in hearing.spoilers if span.risk >= options.spoiler_risk]

    def gate(candidate: Candidate) -> Exclusion | None:
        if touched := [span for span in risky if span.overlaps(candidate)]:
            worst = max(touched, key=lambda span: (span.risk, -span.start))
            told = f"spoiler risk {worst.risk:.2f} at {clock(worst.start)}"
            return Exclusion("spoiler", told + _quoted(worst.evidence))
        if options.spoiler_zone and candidate.end > zone_start:
            share = f"last {options.spoiler_zone:.0%} of the episode"
            return Exclusion("spoiler", f"ends at {clock(candidate.end)}, in the {share} (from {clock(zone_start)})")
        return None

    return gate


def _repeat_gate(hearing: Hearing) -> Callable[[Candidate], Exclusion | None]:
    def gate(candidate: Candidate) -> Exclusion | None:
        touched = [m for m in hearing.markers if (m & candidate).duration > _AUDIBLE_S]
        if not touched:
            return None
        seconds, first = overlap_s(candidate, touched), touched[0]
        told = "sound of other episodes" if first.kind == "repeat" else f"the {first.kind}"
        return Exclusion("repeated", f"{seconds:.1f} s of {told} at {clock(first.start)}")

    return gate


def _rights_reasons(rights: Rights, today: date, options: GateOptions) -> Iterator[str]:
    stated = " ".join(filter(None, (rights.license, f"({rights.source})" if rights.source else "")))
    origin = f": {stated}" if stated else ""
    if rights.preview == "forbidden":
        yield f"previews are forbidden{origin}"
    if rights.derivatives == "forbidden":
        yield f"derivatives are forbidden, and a preview is one{origin}"
    if rights.expires and (ended := _ended(rights.expires, today)):
        yield f"{ended}{origin}"
    if rights.territories and options.territory.upper() not in {code.upper() for code in rights.territories}:
        where = options.territory or "everywhere (set territory to publish in one country)"
        yield f"the rights cover {', '.join(rights.territories)}, previews appear in {where}{origin}"
    if options.unknown_rights == "refuse" and rights.preview == rights.derivatives == "unknown":
        yield "nobody states whether previews are allowed, and unknown_rights is refuse"


def _ended(expires: str, today: date) -> str:
    try:
        last = date.fromisoformat(expires[:10])
    except ValueError:
        return f"the rights end on {expires!r}, which is not a date (YYYY-MM-DD)"
    return f"the rights ended on {last}" if last < today else ""


def _widened(segment: Segment, margin_s: float) -> Segment:
    return Segment(max(0.0, segment.start - margin_s), segment.end + margin_s)


def _edges(segment: Segment, margin_s: float) -> tuple[Segment, Segment]:
    at_start = Segment(segment.start, segment.start)
    at_end = Segment(segment.end, segment.end)
    return _widened(at_start, margin_s), _widened(at_end, margin_s)


def _quoted(evidence: Sequence[str]) -> str:
    return f' ("{evidence[0]}")' if evidence else ""
