"""The report of a training run: one page that says what was learned, whether it is in use, and why."""

from __future__ import annotations

from markupsafe import Markup

from steps.judging import CHALLENGER, CHAMPION, EDITORS
from steps.reporting.charts import gain_strip
from steps.reporting.contestants import PRIOR_NAME, comparison, ranker_name
from steps.reporting.golden_section import editors_of, golden_section
from steps.reporting.learning_sections import ablations_section, curve_section, effects_section, kinds_section
from steps.reporting.numbers import counted, gained, three, with_minus
from steps.reporting.page import absent, document, heading, joined, note, provenance, section, tiles
from steps.store import Store
from steps.training_run import TrainingRun
from steps.version import VERSION

TRAINING_REPORT = "training.html"  # store key of the last one
_NO_COSTS = Markup("")
_FEW = 50  # golden episodes; below, differences are mostly noise


def publish_training_report(training: TrainingRun, *, store: Store, costs: Markup) -> str:
    """The page of a run; also written to the store, where the last one stands."""
    page = training_report(training, costs)
    store.files.write(TRAINING_REPORT, page.encode())
    return page


def training_report(training: TrainingRun, costs: Markup = _NO_COSTS) -> str:
    """A self-contained HTML document, light and dark; nothing is fetched, and every text is escaped.

    `costs` are sections on what the run took.
    """
    parts = [
        heading("What the ranker learned", training.run),
        _verdict(training),
        _tiles(training),
        _warnings(training),
        _comparison(training),
        kinds_section(training.found, training.fitted),
        curve_section(training.curve, training.fitted.kind),
        ablations_section(training.ablations),
        effects_section(training.effects),
        golden_section(training.golden),
        costs,
        _provenance(training),
    ]
    return document("What the ranker learned", joined(parts))


def _verdict(training: TrainingRun) -> Markup:
    verdict = training.decided.verdict
    style, name = ("published", "Promoted") if verdict.promoted else ("refused", "Kept")
    gain = verdict.gain if verdict.challenger != verdict.champion else None
    strip = gain_strip(gain, f"nDCG@5 of the challenger above the champion: {gained(gain)}") if gain else Markup("")
    return Markup(
        '<section class="card"><span class="chip {}">{}</span><p class="verdict">{}</p>{}{}</section>'
    ).format(style, name, _said(training), strip, note(_stakes(training)))


def _said(training: TrainingRun) -> str:
    """The verdict in a sentence."""
    verdict = training.decided.verdict
    challenger, champion = ranker_name(verdict.challenger), ranker_name(verdict.champion)
    if verdict.challenger == verdict.champion:
        return f"Kept {champion}: training came to the ranker that is in use already."
    if verdict.promoted:
        return f"{challenger} is in use now, in place of {champion}: {with_minus(verdict.reason)}."
    return f"Kept {champion}: {with_minus(verdict.reason)}."


def _stakes(training: TrainingRun) -> str:
    """What the challenger is, and what the champion was."""
    fitted, verdict = training.fitted, training.decided.verdict
    if fitted.weight == 0:
        made = f"{fitted.kind} was the best kind, but what it learned has no say beside {PRIOR_NAME}"
    elif fitted.weight == 1:
        made = f"The challenger is {fitted.kind} alone"
    else:
        made = f"The challenger is {fitted.kind} with a weight of {fitted.weight:g}, the rest is {PRIOR_NAME}"
    taught = f"taught by {counted(fitted.episodes, 'episode')} of {counted(len(fitted.shows), 'show')}"
    return f"{made}, {taught}. The champion is {ranker_name(verdict.champion)}."


def _tiles(training: TrainingRun) -> Markup:
    golden, held_out = training.golden, len(training.split.held_out)
    agreed = golden.agreement
    shown = [
        (f"{training.dataset.episodes:,}", "golden episodes"),
        (f"{training.dataset.shows:,}", "show" if training.dataset.shows == 1 else "shows"),
        (f"{len(editors_of(golden)):,}", "editors"),
        (three(agreed.mean_iou) if agreed.pairs else "–", "IoU of editors, the ceiling"),
        (f"{held_out:,}", f"held out, of {counted(len(training.split.shows), 'show')}"),
        (f"{training.dataset.clips:,}", "clips compared"),
    ]
    return tiles(shown)


def _warnings(training: TrainingRun) -> Markup:
    said = _doubts(training)
    if not said:
        return Markup("")
    items = joined(Markup("<li>{}</li>").format(text) for text in said)
    return section("Read with care", Markup('<ul class="warnings">{}</ul>').format(items))


def _doubts(training: TrainingRun) -> list[str]:
    """What weakens the figures, in plain words."""
    fitted, golden, gain = training.fitted, training.golden, training.decided.verdict.gain
    doubts = {
        "There is one show only. Some of its episodes were held out, so the figures say nothing of other shows.": (
            training.split.by == "episode"
        ),
        "One held-out show could be compared, so the interval is over its episodes and says nothing of other shows.": (
            training.split.by == "show" and gain is not None and gain.clusters == 1
        ),
        f"{counted(fitted.episodes, 'golden episode')} taught the ranker. Below {_FEW}, small differences are noise.": (
            fitted.episodes < _FEW
        ),
        "No episode has two editors, so how far editors agree, the ceiling of any ranker, is not known.": (
            not golden.agreement.pairs
        ),
        f"{counted(len(golden.refused), 'golden clip')} cannot be learned from; why is told below.": bool(
            golden.refused
        ),
        f"Tasks failed, and the run went on without them: {training.failed}.": bool(training.failed),
    }
    return [text for text, holds in doubts.items() if holds]


def _comparison(training: TrainingRun) -> Markup:
    decided, title = training.decided, "Against everything it must beat"
    held_out = decided.judged.get(CHALLENGER, ())
    if not held_out:
        return absent(title, "No episode was held out, so nothing could be compared.")
    identities = {CHALLENGER: decided.verdict.challenger, CHAMPION: decided.verdict.champion}
    shows = counted(len({judgement.show for judgement in held_out}), "show")
    ceiling = "" if decided.judged.get(EDITORS) else " No two editors marked the same of them, so there is no ceiling."
    return section(
        title,
        comparison(decided.judged, decided.metrics, identities),
        lead=f"On {counted(len(held_out), 'episode')} of {shows} that taught the challenger nothing.{ceiling}",
    )


def _provenance(training: TrainingRun) -> Markup:
    verdict = training.decided.verdict
    named = [
        ("run", training.run),
        ("data", training.dataset.digest),
        ("challenger", verdict.challenger),
        ("champion", verdict.champion),
        ("kept as", training.decided.model),
        ("code", f"rushes {VERSION}"),
    ]
    return provenance(named)
