"""The report of an evaluation: previews, tags, detectors and experiments on one page."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from eval.bootstrap import Interval
from eval.online import Experiment, Reading
from steps.evaluation import Previews
from steps.judging import CHAMPION, EDITORS, PRIOR, interval
from steps.reporting.charts import Bar, bar_chart, sign_style
from steps.reporting.contestants import comparison, contestants, ranker_name
from steps.reporting.detector_sections import tags_section, truth_section
from steps.reporting.experiment_report import experiment_report
from steps.reporting.golden_section import editors_of, golden_section
from steps.reporting.numbers import counted, gained, spanned, three
from steps.reporting.page import (
    absent,
    block,
    document,
    heading,
    joined,
    note,
    provenance,
    section,
    tiles,
)
from steps.reporting.slices_section import slices_section
from steps.reporting.worst_section import worst_section
from steps.store import Store
from steps.tag_figures import TagFigures
from steps.truth import TruthFigures
from steps.version import VERSION

EVALUATION_REPORT = "evaluation.html"  # store key of the last one
_TITLE = "How well it works"
_NO_COSTS = Markup("")
_NO_PREVIEWS = (
    "No golden clip, so previews cannot be judged: ingest feeds with podcast:soundbite tags, POST /golden-clips, or "
    "give a CSV with --golden."
)
_NO_EXPERIMENT = "No experiment runs; declare one in the config under [[experiments.running]]."


def evaluation_report(
    *,
    run: str,
    previews: Previews | None,
    tags: TagFigures,
    truth: TruthFigures | None,
    experiments: Sequence[tuple[Reading, Experiment]],
    store: Store,
    costs: Markup = _NO_COSTS,
) -> str:
    """A self-contained HTML document, light and dark; nothing is fetched, and every text is escaped.

    `truth` is None if no truth files were given; `costs` are sections on what the run took. The page is also written to
    the store, where the last one stands.
    """
    parts = [
        heading(_TITLE, run),
        _previews(previews, store) if previews else absent("Previews", _NO_PREVIEWS),
        tags_section(tags),
        truth_section(truth),
        *(Markup(experiment_report(reading, experiment)) for reading, experiment in experiments),
        Markup("") if experiments else absent("Experiments", _NO_EXPERIMENT),
        costs,
        _provenance(run, previews),
    ]
    page = document(_TITLE, joined(parts))
    store.files.write(EVALUATION_REPORT, page.encode())
    return page


def _previews(previews: Previews, store: Store) -> Markup:
    return joined(
        [
            _verdict(previews),
            _tiles(previews),
            _comparison(previews),
            slices_section(previews.slices),
            worst_section(previews, store=store),
            golden_section(previews.golden),
        ]
    )


def _verdict(previews: Previews) -> Markup:
    worse = len(previews.dropped)
    style, name = (
        ("quarantined", f"{counted(worse, 'slice')} got worse") if worse else ("published", "No slice got worse")
    )
    if not any(one.since for one in previews.slices):
        style, name = "refused", "First evaluation"
    return Markup('<section class="card"><span class="chip {}">{}</span><p class="verdict">{}</p>{}</section>').format(
        style, name, _said(previews), joined(map(note, _doubts(previews)))
    )


def _said(previews: Previews) -> str:
    ours = previews.judged[CHAMPION]
    name = ranker_name(previews.identities[CHAMPION])
    told = f"The ranker in use, {name}, picks clips with an IoU of {spanned(interval(ours, 'iou'))}"
    gain = previews.gains.get(PRIOR)
    if gain is None or previews.identities[CHAMPION].startswith("prior@"):
        return f"{told}."
    sure = (
        "surely better than" if gain.low > 0 else "surely worse than" if gain.high < 0 else "not surely different from"
    )
    return f"{told}. In the order of clips it is {sure} the documented prior, nDCG@5 {gained(gain)}."


def _doubts(previews: Previews) -> list[str]:
    """What weakens the figures, in plain words."""
    shows = {judgement.show for judgement in previews.judged[CHAMPION]}
    doubts = {
        "Every golden episode is of a show that taught the ranker, so these figures flatter it.": not previews.unseen,
        "There is one show only: the figures say nothing of other shows.": len(shows) == 1,
        "No two editors marked the same episode, so there is no ceiling.": not previews.judged.get(EDITORS),
    }
    return [text for text, holds in doubts.items() if holds]


def _tiles(previews: Previews) -> Markup:
    ours, agreed = previews.judged[CHAMPION], previews.golden.agreement
    figures = previews.metrics[CHAMPION]
    shown = [
        (f"{len(ours):,}", "episodes judged"),
        (f"{len({judgement.show for judgement in ours}):,}", "shows"),
        (f"{len(editors_of(previews.golden)):,}", "editors"),
        (three(figures["IoU"]), "IoU of the pick"),
        (f"{figures['hit@1 IoU 0.5']:.0%}", "picks with an IoU of .5"),
        (three(agreed.mean_iou) if agreed.pairs else "–", "IoU of editors, the ceiling"),
    ]
    return tiles(shown)


def _comparison(previews: Previews) -> Markup:
    names = {row.key: row.name for row in contestants(previews.judged, previews.identities)}
    gains = [_gain(names[name], gain) for name, gain in previews.gains.items() if name in names]
    gains.sort(key=lambda bar: bar.value)
    told = "nDCG@5 of the champion above each other, on the same episodes"
    return section(
        "Against everything it must beat",
        comparison(previews.judged, previews.metrics, previews.identities),
        block(told, bar_chart(gains)) if gains else Markup(""),
        lead=f"On {counted(len(previews.judged[CHAMPION]), 'episode')}"
        + (" of shows that taught no ranker in the table." if previews.unseen else "."),
    )


def _gain(name: str, gain: Interval) -> Bar:
    return Bar.of(f"above {name}", gain, gained(gain), sign_style(gain))


def _provenance(run: str, previews: Previews | None) -> Markup:
    named = [("run", run)]
    if previews:
        named += [("data", previews.dataset.digest), *previews.identities.items()]
    return provenance([*named, ("code", f"rushes {VERSION}")])
