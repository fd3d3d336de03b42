"""Rankers, rules and editors beside each other: bars with intervals, and the table of all figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from eval.preview_metrics import LOWER_IS_BETTER
from steps.judging import CHALLENGER, CHAMPION, EDITORS, PRIOR, Figure, Judged, Judgement, interval
from steps.reporting.charts import Bar, Style, bar_chart, estimate
from steps.reporting.numbers import three
from steps.reporting.page import block, columns, joined, note

PRIOR_NAME = "the documented prior"
_RULES = {
    "random": "a random clip",
    "middle": "the middle",
    "loudest": "the loudest clip",
    "after_intro": "first sentence after the intro",
    "position": "usual position",
    "texttiling": "TextTiling centre",
}
_GROUPS: tuple[tuple[str, Mapping[str, str]], ...] = (
    (
        "The pick against golden clips",
        {
            "IoU": "IoU",
            "hit@1 IoU 0.3": "hit .3",
            "hit@1 IoU 0.5": "hit .5",
            "hit@1 IoU 0.7": "hit .7",
            "boundary error s": "edges off, s",
        },
    ),
    ("The order of all clips", {"nDCG@1": "nDCG@1", "nDCG@5": "nDCG@5", "MRR": "MRR"}),
    (
        "What listeners would hear",
        {
            "starts on an edge": "clean start",
            "ends on an edge": "clean end",
            "ad s": "ad s",
            "music s": "music s",
            "spoilers": "spoils",
            "topic coverage": "topics",
        },
    ),
)
_COLUMNS = tuple((figure, short) for _, names in _GROUPS for figure, short in names.items())
_OF_EDITORS = frozenset(_GROUPS[0][1])  # the others are not defined for what people marked by hand
_ABOVE_CEILING = (
    "A pick is measured against the nearest clip of any editor, an editor only against the others, so a good ranker "
    "can come out above the ceiling."
)
_AT_RANDOM = "topic coverage, random clip"


@dataclass(frozen=True, slots=True)
class Contestant:
    """One row of the comparison."""

    key: str  # in the judgements and the figures
    name: str
    style: Style = "rest"
    detail: str = ""  # which ranker plays this role


def ranker_name(identity: str) -> str:
    """What a person calls a ranker: its identity, or that it is the prior."""
    return PRIOR_NAME if identity.startswith("prior@") else identity


def contestants(judged: Judged, identities: Mapping[str, str]) -> list[Contestant]:
    """Who is compared, in the order of the table: the rankers by role, then the rules. Nobody stands in it twice."""
    rules = [name for name in judged if name not in (CHALLENGER, CHAMPION, PRIOR, EDITORS)]
    return [*_roles(identities), *(Contestant(name, _RULES.get(name, name)) for name in rules)]


def _roles(identities: Mapping[str, str]) -> Iterator[Contestant]:
    ours, theirs = identities.get(CHALLENGER), identities[CHAMPION]
    if ours == theirs:
        yield Contestant(CHAMPION, "challenger and champion", "ours", ranker_name(theirs))
    else:
        if ours:
            yield Contestant(CHALLENGER, CHALLENGER, "ours", ranker_name(ours))
        yield Contestant(CHAMPION, CHAMPION, "theirs", ranker_name(theirs))
    if PRIOR_NAME not in {ranker_name(identity) for identity in (ours or theirs, theirs)}:
        yield Contestant(PRIOR, PRIOR_NAME)


def comparison(judged: Judged, metrics: Mapping[str, Mapping[str, float]], identities: Mapping[str, str]) -> Markup:
    """Bars of nDCG@5 and IoU with intervals over shows, and the table of all figures."""
    compared = contestants(judged, identities)
    ordered = {row.key: [j for j in judged[row.key] if j.metrics.ranking.episodes] for row in compared}
    return joined(
        [
            columns(
                block("nDCG@5: are the best clips at the top?", _bars(compared, ordered, "ndcg_5")),
                block("IoU: how much of a golden clip is picked?", _bars(compared, judged, "iou", ceiling=True)),
            ),
            _table(compared, judged, metrics),
            note(_ABOVE_CEILING) if judged.get(EDITORS) else Markup(""),
        ]
    )


def _bars(compared: Sequence[Contestant], judged: Judged, figure: Figure, *, ceiling: bool = False) -> Markup:
    """The best above the others; what editors reach with each other comes last."""
    bars = [_bar(row.name, judged[row.key], figure, row.style) for row in compared if judged[row.key]]
    bars.sort(key=lambda bar: -bar.value)
    if ceiling and judged.get(EDITORS):
        bars.append(_bar("editors, the ceiling", judged[EDITORS], figure, "ceiling"))
    return bar_chart(bars) if bars else note("No clip of these episodes has a grade, so there is no order to judge.")


def _bar(name: str, judgements: Sequence[Judgement], figure: Figure, style: Style) -> Bar:
    found = interval(judgements, figure)
    return Bar.of(name, found, estimate(found), style)


def _table(compared: Sequence[Contestant], judged: Judged, metrics: Mapping[str, Mapping[str, float]]) -> Markup:
    best = _best([metrics[row.key] for row in compared])
    rows = joined(_row(row, metrics[row.key], best) for row in compared)
    ceiling = _ceiling(metrics[EDITORS]) if judged.get(EDITORS) else Markup("")
    head = Markup('<tr class="groups"><th></th>{}</tr><tr><th></th>{}</tr>').format(
        joined(Markup('<th colspan="{}">{}</th>').format(len(names), group) for group, names in _GROUPS),
        joined(_cell("th", figure, short) for figure, short in _COLUMNS),
    )
    table = Markup('<div class="scroll"><table class="figures">{}{}{}</table></div>').format(head, rows, ceiling)
    return table + note(_how_to_read(metrics))


def _how_to_read(metrics: Mapping[str, Mapping[str, float]]) -> str:
    at_random = next((figures[_AT_RANDOM] for figures in metrics.values() if figures.get(_AT_RANDOM)), None)
    topics = f"; a clip at random says {three(at_random)}" if at_random is not None else ""
    return (
        "Counts are pooled over episodes; bold is the best of the column. Hit .5: share of the picks with an IoU of at "
        "least .5. Edges off: how far an edge of the pick is from that of the golden clip, on average. Seconds of ads "
        "and music are per pick; starts, ends and spoilers are shares of the picks. Topics: share of the episode's "
        f"most frequent keywords that the pick says{topics}. Intervals: 95 % by bootstrap over shows."
    )


def _best(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The best figure of each column in which not all are equal."""
    best = {}
    for figure, _ in _COLUMNS:
        values = [row[figure] for row in rows if figure in row]
        if len({three(value) for value in values}) > 1:
            best[figure] = min(values) if figure in LOWER_IS_BETTER else max(values)
    return best


def _row(row: Contestant, figures: Mapping[str, float], best: Mapping[str, float]) -> Markup:
    cells = joined(_cell("td", figure, _value(figures[figure], best.get(figure))) for figure, _ in _COLUMNS)
    name = Markup('{}<div class="dim small">{}</div>').format(row.name, row.detail) if row.detail else row.name
    return Markup('<tr class="{}"><td>{}</td>{}</tr>').format(row.style, name, cells)


def _value(value: float, best: float | None) -> Markup | str:
    written = three(value)
    return Markup("<b>{}</b>").format(written) if best is not None and written == three(best) else written


def _ceiling(figures: Mapping[str, float]) -> Markup:
    """The editors' own row: each one's clip against those of the others."""
    cells = joined(_cell("td", f, three(figures[f]) if f in _OF_EDITORS else "–") for f, _ in _COLUMNS)
    return Markup('<tr class="ceiling"><td>editors, against each other</td>{}</tr>').format(cells)


def _cell(tag: str, figure: str, value: str | Markup) -> Markup:
    edge = " edge" if any(figure == next(iter(names)) for _, names in _GROUPS) else ""
    return Markup('<{0} class="right number{1}">{2}</{0}>').format(Markup(tag), edge, value)
