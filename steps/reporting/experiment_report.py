"""An experiment as a section of a page: its arms, their differences, and what may be concluded."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from eval.online import Arm, Difference, Experiment, Reading, Verdict
from steps.reporting.experiment_words import NAMES, OUTCOMES, conclusion, how, left_out, said_of

_CHIPS: dict[Verdict, str] = {
    "ahead": "published",
    "behind": "quarantined",
    "too early": "refused",
    "broken": "quarantined",
}
_WIDTH, _HEIGHT = 260, 22
_LEAST_SCALE = 0.02  # of a rate; a scale below would make a mountain of noise
_ARMS = Markup(
    '<h3>Arms</h3><div class="scroll" tabindex="0" role="region" aria-label="Arms of {}"><table>'
    '<tr><th>Arm</th><th class="right">Share</th>'
    '<th class="right">Listeners</th><th class="right">Completed a preview</th>'
    '<th class="right">Streamed an episode</th></tr>{}</table></div>'
)
_DIFFERENCES = Markup(
    '<h3>Differences, in points</h3><div class="scroll" tabindex="0" role="region" aria-label="Differences in {}">'
    "<table><tr><th>Of</th><th>Between</th>"
    '<th class="right">Points</th><th>Interval</th><th></th></tr>{}</table></div>'
)


def experiment_report(reading: Reading, experiment: Experiment) -> str:
    """The section of one experiment, for a page with the style sheet of `page_style`; nothing in it is fetched."""
    said = conclusion(reading)
    head = Markup('<div class="head"><h2>{}</h2><span class="chip {}">{}</span></div>')
    parts = [
        head.format(reading.experiment, _CHIPS[reading.verdict], NAMES[reading.verdict]),
        Markup('<p class="reason {}">{}</p>').format(_CHIPS[reading.verdict], said[:1].upper() + said[1:] + "."),
        Markup('<div class="columns"><div>{}{}</div></div>').format(_arms(reading), _differences(reading)),
        Markup('<p class="provenance">{} {} {}</p>').format(how(experiment), _ratio(reading), _left_out(reading)),
    ]
    return Markup('<section class="card">{}</section>').format(Markup("").join(parts))


def _arms(reading: Reading) -> Markup:
    return Markup("<div>{}</div>").format(_ARMS.format(reading.experiment, _joined(map(_arm, reading.arms))))


def _arm(arm: Arm) -> Markup:
    row = '<tr><td>{}</td><td class="right number">{:.0%}</td>' + '<td class="right number">{}</td>' * 3 + "</tr>"
    completed = _rate(arm.completion_rate, arm.completed) if not arm.silent else "no preview"
    return Markup(row).format(arm.name, arm.share, f"{arm.units:,}", completed, _rate(arm.stream_rate, arm.streamed))


def _rate(rate: float | None, count: int) -> str:
    return "–" if rate is None else f"{rate:.1%} ({count:,})"


def _differences(reading: Reading) -> Markup:
    scale = max([_LEAST_SCALE, *(max(-d.low, d.high) for d in reading.differences if d.high - d.low < 2)])
    rows = _joined(_difference(difference, scale, reading.sizes_fit) for difference in reading.differences)
    return Markup("<div>{}</div>").format(_DIFFERENCES.format(reading.experiment, rows))


def _difference(one: Difference, scale: float, sizes_fit: bool) -> Markup:
    row = '<tr><td>{}</td><td>{} against {}</td><td class="right number">{}</td><td class="number">{}</td>'
    span = f"{_points(one.low)} to {_points(one.high)}" if one.high - one.low < 2 else "not known yet"
    cells = Markup(row).format(OUTCOMES[one.outcome], one.arm, one.against, _points(one.difference), span)
    return Markup("{}<td>{}</td></tr>").format(cells, interval_svg(one, scale, sizes_fit=sizes_fit))


def _points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "\N{MINUS SIGN}")


def interval_svg(one: Difference, scale: float, *, sizes_fit: bool) -> Markup:
    """The interval as a bar around its middle, on a line from -`scale` to `scale` with a mark at zero.

    It has a colour if it can be believed and one arm is ahead.
    """
    low, middle, high = (_at(value, scale) for value in (one.low, one.difference, one.high))
    colour = "--wave" if not (one.settled and sizes_fit) else "--good" if one.low > 0 else "--bad"
    return Markup(
        '<svg width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">'
        '<rect x="0" y="{y}" width="{w}" height="2" rx="1" style="fill:var(--track)"/>'
        '<rect x="{low:.1f}" y="{top}" width="{span:.1f}" height="10" rx="5" style="fill:var({colour})"/>'
        '<rect x="{zero}" y="1" width="1" height="{tall}" style="fill:var(--dim)"/>'
        '<circle cx="{middle:.1f}" cy="{centre}" r="3.5" style="fill:var(--card);stroke:var(--ink);stroke-width:1.5"/>'
        "</svg>"
    ).format(
        w=_WIDTH,
        h=_HEIGHT,
        label=said_of(one),
        y=_HEIGHT // 2 - 1,
        top=_HEIGHT // 2 - 5,
        low=low,
        span=high - low,
        colour=colour,
        zero=_WIDTH / 2 - 0.5,
        tall=_HEIGHT - 2,
        middle=middle,
        centre=_HEIGHT // 2,
    )


def _at(value: float, scale: float) -> float:
    """Where a difference lies on the line, within it."""
    return _WIDTH / 2 * (1 + max(-1.0, min(1.0, value / scale)))


def _ratio(reading: Reading) -> str:
    verdict = "fit" if reading.sizes_fit else "do not fit"
    return f"The sizes of the arms {verdict} their shares (chi-square, p = {reading.sample_ratio_p:.2g})."


def _left_out(reading: Reading) -> str:
    missing = left_out(reading)
    return f"Left out: {missing}." if missing else ""


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)
