"""Sections on what a ranker learned: kinds compared, what it owes to what, what it goes by, how it grows with data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from markupsafe import Markup

from eval.bootstrap import Interval
from ranking.features import FEATURES
from ranking.importance import FeatureEffect, by_group
from steps.reporting.charts import Bar, Style, bar_chart, estimate, share_strip, sign_style
from steps.reporting.contestants import PRIOR_NAME
from steps.reporting.line_chart import Point, line_chart
from steps.reporting.numbers import counted, gained, lasting, signed, spanned, three
from steps.reporting.page import absent, block, columns, folded, note, section, table
from steps.studies import GATES_OFF, Ablation, CurvePoint
from steps.training import Fitted, Found

_SHOWN_EFFECTS = 15
_CLEAR = 0.25  # a direction nearer to zero is not one
_LOG_FROM = 8  # points whose x differ by this factor are spaced by ratio
_IN_WORDS = {feature.name: feature.description for feature in FEATURES}


def kinds_section(found: Sequence[Found], fitted: Fitted) -> Markup:
    """Every kind of ranker and the prior, out of fold on the same shows, and what was searched."""
    title = "Which kind of ranker"
    if not found:
        return absent(title, "No search came to an end.")
    best = max(found, key=lambda one: one.kind == fitted.kind)
    bars = [Bar.of(f.kind, f.ndcg_5, estimate(f.ndcg_5), "ours" if f is best else "rest") for f in found]
    bars.append(Bar.of(PRIOR_NAME, best.prior_ndcg_5, estimate(best.prior_ndcg_5), "theirs"))
    bars.sort(key=lambda bar: -bar.value)
    return section(
        title,
        columns(block("Each kind alone, nDCG@5 out of fold", bar_chart(bars)), _weight_block(best)),
        table(
            ("Kind", "Alone", "Beside the prior", "Weight", "Gain on the prior", "Trials", "Took"),
            [_kind_row(one) for one in found],
        ),
        folded("Options that were found", *map(_options, found)),
        lead=_kinds_lead(best, fitted),
    )


def _kinds_lead(best: Found, fitted: Fitted) -> str:
    told = (
        f"Each kind was searched in cross-validation over shows: every score is of a ranker that met no episode of the "
        f"show. {best.kind} came out best with an nDCG@5 of {three(best.worth)} beside the prior"
    )
    if fitted.weight == 0:
        return f"{told}: its gain is not beyond chance, so the prior has all the weight."
    return f"{told}, at a weight of {fitted.weight:g}."


def _weight_block(best: Found) -> Markup:
    title = f"nDCG@5 by the weight of {best.kind} beside the prior"
    if not best.blend.curve:
        return block(title, note("No episode tells two of its clips apart, so no weight was compared."))
    points = [Point(weight, value, value, value) for weight, value in best.blend.curve]
    chosen = note(f"0 is the prior alone. Chosen: {best.blend.weight:g}.")
    return block(title, line_chart(points, across="weight"), chosen)


def _kind_row(one: Found) -> list[str]:
    gain, error = one.blend.gain, one.blend.error
    return [
        one.kind,
        three(one.ndcg_5.mean),
        three(one.worth),
        f"{one.blend.weight:g}",
        f"{signed(gain)} ± {three(error)}",
        f"{len(one.tuned.trials)}",
        lasting(one.seconds),
    ]


def _options(one: Found) -> Markup:
    told = ", ".join(f"{name} {value:.3g}" for name, value in _numbers(one.tuned.options).items())
    return Markup('<p class="small"><b>{}</b> <code>{}</code></p>').format(one.kind, told)


def _numbers(options: object) -> Mapping[str, float]:
    return asdict(options)  # type: ignore[call-overload, no-any-return]


def ablations_section(ablations: Sequence[Ablation]) -> Markup:
    """What is lost without each group of features, and what the gates keep away."""
    title = "What it owes to what"
    if not ablations:
        return absent(title, "The study that leaves features out did not come to an end; the run's log says why.")
    whole, *rest = ablations
    lost = [_loss_bar(one.name, one.loss) for one in rest if one.loss and one.name != GATES_OFF]
    lost.sort(key=lambda bar: -bar.value)
    return section(
        title,
        columns(
            block("Loss of nDCG@5 without a group of features", bar_chart(lost)) if lost else Markup(""),
            block("With and without the gates", _gates(whole, rest)),
        ),
        folded("All figures", table(("", "nDCG@5", "IoU", "Loss"), [_ablation_row(one) for one in ablations])),
        lead="The best kind was trained again with a group of features hidden, and judged out of fold, without the "
        "prior beside it. Coloured bars are losses beyond chance; left of the line it does better without.",
    )


def _loss_bar(name: str, loss: Interval) -> Bar:
    return Bar.of(name.removeprefix("without "), loss, gained(loss), sign_style(loss))


def _gates(whole: Ablation, rest: Sequence[Ablation]) -> Markup:
    off = next((one for one in rest if one.name == GATES_OFF), None)
    if off is None:
        return note("Without the gates, nothing could be trained.")
    rows = [
        [name, three(one.iou.mean), *(three(one.metrics[f]) for f in ("ad s", "music s", "spoilers"))]
        for name, one in (("gates on", whole), ("gates off", off))
    ]
    return table(("", "IoU", "ad s", "music s", "spoils"), rows) + note("Seconds per pick; share of picks that spoil.")


def _ablation_row(one: Ablation) -> list[str]:
    return [one.name, spanned(one.ndcg_5), spanned(one.iou), gained(one.loss) if one.loss else "–"]


def effects_section(effects: Sequence[FeatureEffect]) -> Markup:
    """Features by how much they move the scores, and the share of each group."""
    title = "What it goes by"
    strong = [effect for effect in effects if effect.strength > 0]
    if not strong:
        return absent(title, "The ranker gives every clip the same score.")
    shown = strong[:_SHOWN_EFFECTS]
    left = len(strong) - len(shown)
    return section(
        title,
        block("Share of each group of features", share_strip([p for p in by_group(strong).items() if p[1] >= 0.005])),
        block(f"The {len(shown)} strongest features", bar_chart([_effect_bar(effect) for effect in shown])),
        note(f"{counted(left, 'weaker feature')} not shown.") if left else Markup(""),
        lead="Shapley values: how far each feature moves the score of a clip, on average. ▲ the more of it the better, "
        "▼ the less the better, ◆ it depends on the rest.",
    )


def _effect_bar(effect: FeatureEffect) -> Bar:
    clear = abs(effect.direction) >= _CLEAR
    style: Style = "mixed" if not clear else "more" if effect.direction > 0 else "less"
    sign = {"more": "▲", "less": "▼", "mixed": "◆"}[style]
    name = Markup('<span title="{}">{}</span> <span class="dim small">{}</span>').format(
        effect.feature, _IN_WORDS.get(effect.feature, effect.feature), effect.group
    )
    return Bar(name, effect.strength, f"{sign} {effect.share:.1%}", style)


def curve_section(curve: Sequence[CurvePoint], kind: str) -> Markup:
    """What more golden episodes bring; the prior needs none."""
    title = "What more golden episodes would bring"
    learned = [_point(point) for point in curve if point.episodes > 0]
    if not learned:
        return absent(title, "The learning curve has no point: too few golden episodes, or its task failed.")
    prior = next((_point(point) for point in curve if point.episodes == 0), None)
    wide = learned[-1].x >= _LOG_FROM * learned[0].x
    chart = line_chart(learned, level=prior, level_name="the prior", across="golden episodes", log=wide)
    return section(
        title,
        chart,
        note("Golden episodes that taught it" + (", spaced by ratio." if wide else ".")),
        lead=_curve_lead(learned, prior, kind),
    )


def _point(point: CurvePoint) -> Point:
    return Point(point.episodes, point.ndcg_5.mean, point.ndcg_5.low, point.ndcg_5.high)


def _curve_lead(learned: Sequence[Point], prior: Point | None, kind: str) -> str:
    """Says where it passes the prior, if it does."""
    told = f"nDCG@5 out of fold of {kind} alone, with the band that holds it 95 times in 100."
    if prior is None:
        return told
    ahead = next((p for i, p in enumerate(learned) if all(q.y > prior.y for q in learned[i:])), None)
    if ahead is None:
        return f"{told} It does not pass the prior yet."
    return f"{told} From {ahead.x:g} golden episodes on it is above the prior on average."
