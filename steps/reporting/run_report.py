"""The report of a publishing run, gathered from the store: the card of the flow and a page on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from featurization.media import Quarantined, Segment, Sentence
from ranking.features import FEATURES
from steps.choose import CANDIDATES, ScoredCandidate
from steps.episodes import Episode, read_episodes
from steps.previews import FILM, PREVIEWS, Preview
from steps.publish import Summary
from steps.reporting.episode_card import EpisodeReport
from steps.reporting.player import PreviewFile
from steps.reporting.preview_page import PageOptions, RunFacts, report_html
from steps.reporting.timeline_svg import ScoredSpan
from steps.settings import Settings
from steps.store import Store

REPORT = "report.html"
_NO_COSTS = Markup("")
SHOWN_CONTRIBUTIONS = 10
_MOST_CARRIED = 48 * 2**20  # bytes of media in the page; films are twenty times as heavy as sounds
_IN_WORDS = {feature.name: feature.description for feature in FEATURES}


def run_report(summary: Summary, *, run: str, settings: Settings, store: Store, costs: Markup = _NO_COSTS) -> str:
    """The page for the episodes of a run, with what it took at the end; also written to `report.html` in the store."""
    asset_ids = [*summary.published, *summary.refused]
    previews, candidates = store.read(PREVIEWS, asset_ids), store.read(CANDIDATES, asset_ids)
    episodes = read_episodes(asset_ids, store=store)
    players = settings.publish.report_players
    decided = [previews[e.asset.asset_id][0] for e in episodes]
    reports = [
        _episode(episode, preview, candidates.get(episode.asset.asset_id, ()), played)
        for episode, preview, played in zip(episodes, decided, _played(decided, players, store), strict=True)
    ]
    page = report_html(
        [*reports, *map(_failed, summary.problems)],
        title="Previews",
        run=run,
        facts=RunFacts(media_hours=sum(e.hearing.profile.duration_s for e in episodes) / 3600, costs=costs),
        options=PageOptions(players=players, open_cards=players),
    )
    store.files.write(REPORT, page.encode())
    return page


@dataclass(frozen=True)
class _Played:
    """What the page itself carries of a preview."""

    data: bytes = b""
    poster: bytes = b""


def _played(previews: Sequence[Preview], players: int, store: Store) -> Iterator[_Played]:
    """The media of the first previews, as long as a browser still opens the page at once; the others are linked."""
    room = _MOST_CARRIED
    for index, preview in enumerate(previews):
        if index >= players or not preview.media:
            yield _Played()
            continue
        data = store.files.read(preview.files[preview.media])
        poster = store.files.read(preview.files[preview.poster]) if preview.poster else b""
        data = data if len(data) <= room else b""
        room -= len(data)
        yield _Played(data, poster)


def _failed(problem: Quarantined) -> EpisodeReport:
    return EpisodeReport(problem.title or problem.source, "quarantined", reason=problem.detail)


def _episode(
    episode: Episode, preview: Preview, candidates: Sequence[ScoredCandidate], played: _Played
) -> EpisodeReport:
    report = EpisodeReport(
        title=episode.asset.title,
        outcome=preview.status,
        reason=preview.reason,
        asset=episode.asset,
        hearing=episode.hearing,
        levels=episode.levels,
        shots=episode.shots,
        candidates=tuple(ScoredSpan(c.start, c.end, c.score, c.text) for c in candidates if c.score is not None),
        gates=tuple((f"{g.gate}: {g.examples[0]}" if g.examples else g.gate, g.excluded) for g in preview.gates),
        model=preview.model,
        code_version=preview.code,
    )
    return _with_preview(report, episode, preview, played) if preview.status == "published" else report


def _with_preview(report: EpisodeReport, episode: Episode, preview: Preview, played: _Played) -> EpisodeReport:
    strongest = sorted(preview.contributions.items(), key=lambda item: -abs(item[1]))[:SHOWN_CONTRIBUTIONS]
    before, after = _neighbours(episode.hearing.sentences, preview.moments)
    return replace(
        report,
        picks=preview.moments,
        text=preview.text,
        before=before,
        after=after,
        score=preview.score,
        runners_up=tuple(ScoredSpan(r.start, r.end, r.score, r.text) for r in preview.runners_up),
        contributions=tuple((_IN_WORDS.get(name, name), part) for name, part in strongest),
        preview=PreviewFile(
            href=f"previews/{episode.asset.asset_id}/{preview.media}",
            duration_s=preview.duration_s,
            loudness_lufs=preview.loudness_lufs,
            true_peak_dbtp=preview.true_peak_dbtp,
            data=played.data,
            media_type="video/mp4" if preview.media == FILM else "audio/mpeg",
            poster=played.poster,
            has_sound=preview.sound,
        ),
    )


def _neighbours(sentences: Sequence[Sentence], moments: Sequence[Segment]) -> tuple[str, str]:
    """The sentences just before and after what was picked, so that a person can judge the edges."""
    before = [s.text for s in sentences if s.end <= moments[0].start + 0.01]
    after = [s.text for s in sentences if s.start >= moments[-1].end - 0.01]
    return (before or [""])[-1], (after or [""])[0]
