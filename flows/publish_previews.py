"""Cut the previews: `python flows/publish_previews.py run`."""

from metaflow import Parameter, card, catch, retry, step, timeout
from project_flow import (
    ProjectFlow,
    costs_of,
    forget_staged,
    keep_record,
    main,
    report_outcome,
    task_failures,
    this_run,
    told_plainly,
)


class PublishPreviews(ProjectFlow):
    """Rank the moments of each episode, keep ads, music, spoilers and rights out, and publish the best one.

    Artifacts:
        chunks: asset ids by task
        feeds: store keys of the annotated copies of the feeds
        summary: `steps.publish.Summary`: ids published and refused, what was quarantined, seconds by kind of work
        html: the report with players, shown as the card of the step `publish`
        report: the same in a few lines for people
        outcome: "complete", or "partial" if something was quarantined
    """

    assets = Parameter("assets", default="new", help="new (no preview decided yet), all, or asset ids with commas")
    length_s = Parameter("length-s", type=float, default=30.0, help="wanted length of a preview in seconds")

    @step
    @told_plainly
    def start(self):
        """Choose the assets and share them out."""
        from steps.publish import plan_run

        self.chunks = plan_run(self.assets, settings=self.settings, store=self.store)
        self.next(self.render, foreach="chunks")

    @catch(var="failure")
    @retry(times=2, minutes_between_retries=0)
    @timeout(hours=4)
    @step
    @told_plainly
    def render(self):
        """Choose, cut and master the previews of one chunk of assets."""
        from steps.publish import publish_chunk

        run = this_run()
        self.outcomes = publish_chunk(
            self.input, length_s=self.length_s, run=run, settings=self.settings, store=self.store
        )
        self.next(self.publish)

    @card(type="html")
    @step
    @told_plainly
    def publish(self, inputs):
        """Commit all previews at once, put their files in place, annotate the copies of the feeds, and report."""
        from steps.feed_copies.publish_copies import write_feed_copies
        from steps.publish import commit_previews, describe
        from steps.reporting.run_report import run_report

        self.merge_artifacts(inputs, include=["chunks"])
        run = this_run()
        outcomes = [outcome for task in inputs for outcome in getattr(task, "outcomes", None) or ()]
        died = task_failures(inputs)
        self.summary = commit_previews(self.chunks, outcomes, died=died, run=run, store=self.store)
        self.feeds = write_feed_copies(settings=self.settings, store=self.store)
        costs = costs_of(self, self.summary.effort)
        self.html = run_report(self.summary, run=run, settings=self.settings, store=self.store, costs=costs)
        self.report = describe(self.summary, store=self.store)
        self.outcome = self.summary.outcome
        self.next(self.end)

    @step
    def end(self):
        """Say what was published, and why the rest was not."""
        print(self.report)
        keep_record(self, self.summary.effort)
        forget_staged(self.store)
        report_outcome(self.outcome)


if __name__ == "__main__":
    main(PublishPreviews)
