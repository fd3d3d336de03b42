"""The report of a publishing run: one page, complete in itself, for a Metaflow card and for the disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from steps.reporting.episode_card import EpisodeReport, Outcome, chip, episode_card
from steps.reporting.page import document, heading, tiles
from steps.reporting.player import minus
from steps.reporting.timeline_scale import clock

_NO_COSTS = Markup("")
_ORDER: tuple[Outcome, ...] = ("published", "refused", "quarantined")


@dataclass(frozen=True, slots=True)
class PageOptions:
    """What the page carries in itself."""

    players: int = 12  # episodes whose sound or film is embedded; the others are linked
    open_cards: int = 12  # episodes shown unfolded

    def __post_init__(self) -> None:
        if min(self.players, self.open_cards) < 0:
            raise ValueError("players and open_cards must not be negative")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of the run as a whole."""

    media_hours: float = 0.0
    wall_s: float = 0.0
    note: str = ""
    costs: Markup = _NO_COSTS  # sections for the end of the page


def report_html(
    episodes: Sequence[EpisodeReport],
    *,
    title: str,
    run: str,
    facts: RunFacts | None = None,
    options: PageOptions | None = None,
) -> str:
    """A self-contained HTML document, light and dark: totals, an overview, and one card per episode.

    Nothing is fetched when it is opened; every text of a feed is escaped.
    """
    options, facts = options or PageOptions(), facts or RunFacts()
    body = (
        heading(title, run, facts.note) + _tiles(episodes, facts) + _overview(episodes) + _cards(episodes, run, options)
    ) + facts.costs
    return document(title, body)


def _tiles(episodes: Sequence[EpisodeReport], facts: RunFacts) -> Markup:
    counts = Counter(e.outcome for e in episodes)
    shown = [(str(counts["published"]), "published"), (str(counts["refused"]), "without a preview")]
    if counts["quarantined"]:
        shown.append((str(counts["quarantined"]), "quarantined"))
    if facts.media_hours:
        shown.append((f"{facts.media_hours:.1f} h", "of media"))
    if facts.wall_s:
        shown.append((clock(facts.wall_s), "wall time"))
    if facts.wall_s and facts.media_hours:
        shown.append((f"{facts.wall_s / facts.media_hours / 3600:.3f} x", "of real time"))
    return tiles(shown)


def _overview(episodes: Sequence[EpisodeReport]) -> Markup:
    if not episodes:
        return Markup('<section class="card">There was nothing to publish.</section>')
    names = (
        ("Episode", ""),
        ("Outcome", ""),
        ("From", "right"),
        ("Length", "right"),
        ("LUFS", "right"),
        ("dBTP", "right"),
    )
    head = Markup("").join(Markup('<th class="{}">{}</th>').format(style, name) for name, style in names)
    rows = Markup("").join(_row(e) for e in sorted(episodes, key=lambda e: _ORDER.index(e.outcome)))
    return Markup('<section class="card scroll"><table><tr>{}</tr>{}</table></section>').format(head, rows)


def _row(episode: EpisodeReport) -> Markup:
    name = Markup('<a href="#{}">{}</a>') if episode.anchor else Markup("{1}")
    detail = episode.reason or (episode.asset.show if episode.asset else "")
    preview = episode.preview
    cells = ["", "", "", ""]
    if preview:
        start = clock(episode.picks[0].start) if episode.picks else ""
        levels = [minus(preview.loudness_lufs), minus(preview.true_peak_dbtp)] if preview.has_sound else ["", ""]
        cells = [start, f"{preview.duration_s:.1f} s", *levels]
    numbers = Markup("").join(Markup('<td class="right number">{}</td>').format(c) for c in cells)
    return Markup('<tr><td>{}<div class="dim small">{}</div></td><td>{}</td>{}</tr>').format(
        name.format(episode.anchor, episode.title or "Untitled"), detail, chip(episode.outcome), numbers
    )


def _cards(episodes: Sequence[EpisodeReport], run: str, options: PageOptions) -> Markup:
    """Cards in order; behind the first ones they are folded, so that 200 episodes stay a page one can read."""
    shown = Markup("").join(_card(e, run, i, options) for i, e in enumerate(episodes[: options.open_cards]))
    rest = episodes[options.open_cards :]
    if not rest:
        return shown
    folded = Markup("").join(_card(e, run, i, options) for i, e in enumerate(rest, start=options.open_cards))
    return shown + Markup('<details><summary class="card">{} more episodes</summary>{}</details>').format(
        len(rest), folded
    )


def _card(episode: EpisodeReport, run: str, index: int, options: PageOptions) -> Markup:
    return episode_card(episode, run=run, with_player=index < options.players)
