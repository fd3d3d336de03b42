"""Learn from editors which moment to publish: `python flows/train_ranker.py run`."""

from metaflow import Parameter, card, catch, resources, retry, step, timeout
from project_flow import ProjectFlow, costs_of, keep_record, main, report_outcome, task_failures, this_run, told_plainly


class TrainRanker(ProjectFlow):
    """Gather golden clips, tune and train rankers, and replace the one in use only by one that is surely better.

    Artifacts:
        golden: `steps.golden.GoldenSet`: the clips by episode, those refused and why, how well editors agree
        dataset: `steps.dataset.Dataset`: where the graded clips are kept; its digest names the data
        split: `steps.splitting.Split`: which episodes taught, and which were held out
        found: `steps.training.Found` per kind of ranker: options, trials, figures of the cross-validation
        fitted: `steps.training.Fitted`: the trained ranker as JSON, its kind, its weight beside the prior
        ablations: `steps.studies.Ablation` with each group of features off, and with the gates off
        curve: `steps.studies.CurvePoint` by number of golden episodes
        verdict: `steps.promotion.Verdict`: "promoted" or "kept", with the interval that decided it
        judged: `steps.judging.Judgement` of the held-out episodes, by ranker
        metrics: figures of the held-out episodes, by ranker
        model: store key of the trained ranker; its features, options and digest stand in it, its lineage beside it
        effects: `ranking.importance.FeatureEffect` by feature: what the ranker goes by (SHAP)
        html: the report, shown as the card of the step `decide`
        report: the same in a few lines for people
        outcome: "complete", or "partial" if golden clips were refused or a study failed
    """

    golden_file = Parameter("golden", default="", help="CSV or Parquet with golden clips, beside those in the store")
    length_s = Parameter("length-s", type=float, default=30.0, help="wanted length of a preview in seconds")

    @step
    @told_plainly
    def start(self):
        """Gather the golden clips, grade the clips of their episodes, and hold out some shows."""
        from steps.training import prepare

        self.golden, self.dataset, self.split = prepare(
            self.golden_file, length_s=self.length_s, settings=self.settings, store=self.store
        )
        self.kinds = list(self.settings.train.kinds)
        self.next(self.search, foreach="kinds")

    @catch(var="failure")
    @retry(times=1, minutes_between_retries=0)
    @timeout(hours=4)
    @resources(cpu=2, memory=8_000)
    @step
    @told_plainly
    def search(self):
        """Tune one kind of ranker in cross-validation over shows."""
        from steps.training import search_kind

        self.one = search_kind(self.input, self.dataset, self.split, settings=self.settings, store=self.store)
        self.next(self.gather)

    @step
    @told_plainly
    def gather(self, inputs):
        """Gather what the searches found, the best kind first."""
        self.merge_artifacts(inputs, include=["golden", "dataset", "split"])
        ended = [task.one for task in inputs if getattr(task, "one", None)]
        self.found = sorted(ended, key=lambda found: (-found.worth, -found.ndcg_5.mean))
        self.died = task_failures(inputs)
        self.next(self.fit)

    @resources(cpu=2, memory=8_000)
    @step
    @told_plainly
    def fit(self):
        """Train the best kind with its best options, beside the prior as far as that helps."""
        from steps.training import fit_best

        self.fitted = fit_best(
            self.found, self.dataset, self.split, died=self.died, settings=self.settings, store=self.store
        )
        self.next(self.ablate, self.draw_curve)

    @catch(var="failure")
    @timeout(hours=4)
    @resources(cpu=2, memory=8_000)
    @step
    @told_plainly
    def ablate(self):
        """Train again with each group of features off, and with the gates off."""
        from steps.studies import ablate

        self.ablations = ablate(self.fitted, self.dataset, self.split, settings=self.settings, store=self.store)
        self.next(self.decide)

    @catch(var="failure")
    @timeout(hours=4)
    @resources(cpu=2, memory=8_000)
    @step
    @told_plainly
    def draw_curve(self):
        """Train again on fewer golden episodes."""
        from steps.studies import learning_curve

        self.curve = learning_curve(self.fitted, self.dataset, self.split, settings=self.settings, store=self.store)
        self.next(self.decide)

    @card(type="html")
    @step
    @told_plainly
    def decide(self, inputs):
        """Judge on the shows held out, keep the ranker, put it in use if it is surely better, and report."""
        from steps.reporting.training_report import publish_training_report
        from steps.training_run import conclude

        self.merge_artifacts(inputs, include=["golden", "dataset", "split", "found", "fitted", "died"])
        self.ablations = next((task.ablations for task in inputs if getattr(task, "ablations", None)), [])
        self.curve = next((task.curve for task in inputs if getattr(task, "curve", None)), [])
        trained = conclude(
            this_run(),
            golden=self.golden,
            dataset=self.dataset,
            parted=self.split,
            found=self.found,
            fitted=self.fitted,
            ablations=self.ablations,
            curve=self.curve,
            failed="; ".join(filter(None, (self.died, task_failures(inputs)))),
            settings=self.settings,
            store=self.store,
        )
        decided, self.effects = trained.decided, trained.effects
        self.verdict, self.model = decided.verdict, decided.model
        self.judged, self.metrics = decided.judged, decided.metrics
        self.html = publish_training_report(trained, store=self.store, costs=costs_of(self))
        self.report, self.outcome = trained.describe(), trained.outcome
        self.next(self.end)

    @step
    def end(self):
        """Say what was learned, and whether it is in use."""
        print(self.report)
        keep_record(self)
        report_outcome(self.outcome)


if __name__ == "__main__":
    main(TrainRanker)
