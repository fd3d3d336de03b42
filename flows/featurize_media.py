"""Hear and see what came in, and index it: `python flows/featurize_media.py run`."""

from metaflow import Parameter, card, catch, resources, retry, step, timeout
from project_flow import (
    ProjectFlow,
    forget_staged,
    keep_record,
    main,
    progress_card,
    report_outcome,
    run_record,
    show_progress,
    task_failures,
    this_run,
    told_plainly,
)


class FeaturizeMedia(ProjectFlow):
    """Decode each asset once; find its words, sentences, speakers, sounds, topics, ads, spoilers, and its shots.

    What installed extractors find joins them. One step commits all tables at once, the next publishes the search
    index at once; a run that dies before leaves both as they were.

    Artifacts:
        plan: `steps.featurize.Plan`: asset ids by task, media hours, and what is left to the next run
        summary: `steps.featurize.Summary`: ids of what was heard, what was quarantined, wall seconds by extractor
        html: what was heard, what it took and cost, shown as the card of the step `commit`
        indexed: `steps.index.Indexed`: the generation of the search index that holds it
        report: the same in a few lines for people
        outcome: "complete", or "partial" if something was quarantined or the index could not be published
    """

    assets = Parameter("assets", default="new", help="new (not heard yet), all, or asset ids with commas between")
    max_hours = Parameter("max-hours", type=float, default=0.0, help="take on at most so many hours of media; 0: all")
    max_cost = Parameter(
        "max-cost", type=float, default=0.0, help="and not more than costs this, by the [prices]; 0: all"
    )
    order = Parameter("order", default="newest", help="what goes first: newest, or most-listened")

    @step
    @told_plainly
    def start(self):
        """Choose the assets and share them out."""
        from steps.admission import Bounds
        from steps.featurize import plan_run

        bounds = Bounds(self.max_hours, self.max_cost, self.order)
        run = this_run()
        self.plan = plan_run(self.assets, bounds, run=run, settings=self.settings, store=self.store)
        self.chunks = list(self.plan.chunks)
        self.next(self.hear, foreach="chunks")

    @catch(var="failure")
    @retry(times=2, minutes_between_retries=0)
    @timeout(hours=12)
    @resources(gpu=1, cpu=4, memory=16_000)
    @progress_card
    @step
    @told_plainly
    def hear(self):
        """Run the models over one chunk of assets; what is cached is read."""
        from steps.featurize import hear_chunk

        run, chunk, show = this_run(), self.index, show_progress
        self.outcomes = hear_chunk(
            self.input, chunk=chunk, run=run, settings=self.settings, store=self.store, show=show
        )
        self.next(self.commit)

    @card(type="html")
    @step
    @told_plainly
    def commit(self, inputs):
        """Commit the tables of all chunks, at once, and report what they took."""
        from steps.featurize import commit_hearings, describe
        from steps.reporting.hearing_report import hearing_report

        self.merge_artifacts(inputs, include=["plan"])
        outcomes = [outcome for task in inputs for outcome in getattr(task, "outcomes", None) or ()]
        self.summary = commit_hearings(
            self.plan,
            outcomes,
            died=task_failures(inputs),
            run=this_run(),
            settings=self.settings,
            store=self.store,
        )
        record = run_record(self, self.summary.effort)
        self.html = hearing_report(self.summary, self.plan, record, prices=self.settings.prices, store=self.store)
        self.report = describe(self.summary, self.plan)
        self.outcome = self.summary.outcome
        self.next(self.publish_index)

    @step
    @told_plainly
    def publish_index(self):
        """Publish the committed tables to the search index, at once; readers see the old one until then."""
        from steps.index import index_store

        self.indexed = index_store(self.store, run=this_run(), settings=self.settings)
        if self.indexed.failed:
            self.outcome = "partial"
        self.next(self.end)

    @step
    def end(self):
        """Say what was heard, what it took, and what could not be."""
        print(f"{self.report}\n{self.indexed.describe()}")
        keep_record(self, self.summary.effort)
        forget_staged(self.store)
        report_outcome(self.outcome)


if __name__ == "__main__":
    main(FeaturizeMedia)
