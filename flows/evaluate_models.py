"""Measure all that editors, labels, truth files and listeners can judge: `python flows/evaluate_models.py run`."""

from metaflow import Parameter, card, resources, retry, step
from project_flow import ProjectFlow, costs_of, keep_record, main, report_outcome, this_run, told_plainly


class EvaluateModels(ProjectFlow):
    """Judge the ranker in use beside a challenger, baselines and editors; tags, detectors and experiments with them.

    Artifacts:
        previews: `steps.evaluation.Previews`: judgements, figures, gains and slices; None without golden clips
        judged: `steps.judging.Judgement` of the golden episodes, by ranker
        metrics: figures of the golden episodes, by ranker
        dataset: `steps.dataset.Dataset`: where the graded clips are kept; None without golden clips
        tags: `steps.tag_figures.TagFigures`: precision and average precision of tags, by label and pooled
        truth: `steps.truth.TruthFigures` of transcripts, speakers, sounds, shots and ads; None without truth files
        readings: (`eval.online.Reading`, `eval.online.Experiment`) of each experiment that runs
        html: the report, shown as the card of the step `publish_report`
        report: the same in a few lines for people
        outcome: "complete", or "partial" if a slice surely got worse since the last run
    """

    golden_file = Parameter("golden", default="", help="CSV or Parquet with golden clips, beside those in the store")
    challenger = Parameter("challenger", default="", help="identity of a trained ranker; else the last trained")
    truth_folder = Parameter("truth", default="", help="folder of truth files: NAME.rttm, NAME.sounds.csv, NAME.txt …")
    length_s = Parameter("length-s", type=float, default=30.0, help="wanted length of a preview in seconds")

    @step
    @told_plainly
    def start(self):
        """Forget the listeners whose time is over."""
        from datetime import UTC, datetime

        from steps.event_log import tend_log

        tend_log(self.store, now=datetime.now(UTC), options=self.settings.events)
        self.next(self.judge_previews, self.judge_detectors)

    @retry(times=1, minutes_between_retries=0)
    @resources(cpu=2, memory=8_000)
    @step
    @told_plainly
    def judge_previews(self):
        """Judge the ranker in use on all golden episodes, beside what it must beat."""
        from steps.evaluation import evaluate_previews

        self.previews = evaluate_previews(
            self.golden_file, self.challenger, length_s=self.length_s, settings=self.settings, store=self.store
        )
        self.next(self.publish_report)

    @retry(times=1, minutes_between_retries=0)
    @resources(cpu=2, memory=8_000)
    @step
    @told_plainly
    def judge_detectors(self):
        """Judge tags by labels, detectors by truth files, and read the experiments."""
        from datetime import UTC, datetime
        from pathlib import Path

        from steps.experiments import readings
        from steps.tag_figures import tag_figures
        from steps.truth import measure_truth

        self.tags = tag_figures(self.store)
        self.truth = measure_truth(Path(self.truth_folder), store=self.store) if self.truth_folder else None
        running = self.settings.experiments
        read = readings(self.store, running, now=datetime.now(UTC))
        self.readings = list(zip(read, running.running, strict=True))
        self.next(self.publish_report)

    @card(type="html")
    @step
    @told_plainly
    def publish_report(self, inputs):
        """One page on everything that was measured."""
        from steps.evaluation import describe
        from steps.reporting.evaluation_report import evaluation_report
        from steps.reporting.experiment_words import conclusion

        self.merge_artifacts(inputs)
        self.judged = dict(self.previews.judged) if self.previews else {}
        self.metrics = dict(self.previews.metrics) if self.previews else {}
        self.dataset = self.previews.dataset if self.previews else None
        self.html = evaluation_report(
            run=this_run(),
            previews=self.previews,
            tags=self.tags,
            truth=self.truth,
            experiments=self.readings,
            store=self.store,
            costs=costs_of(self),
        )
        others = [found.describe() for found in (self.tags, self.truth) if found]
        told = [f"{experiment.name}: {conclusion(reading)}" for reading, experiment in self.readings]
        self.report = "\n".join([describe(self.previews), *others, *told])
        self.outcome = "partial" if self.previews and self.previews.dropped else "complete"
        self.next(self.end)

    @step
    def end(self):
        """Say how well it works."""
        print(self.report)
        keep_record(self)
        report_outcome(self.outcome)


if __name__ == "__main__":
    main(EvaluateModels)
