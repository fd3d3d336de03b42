"""Cut the previews: `python flows/publish_previews.py run`."""

from metaflow import Parameter, card, catch, current, retry, step, timeout
from project_flow import ProjectFlow, main, report_outcome, task_failures, told_plainly


class PublishPreviews(ProjectFlow):
    """Rank the moments of each episode, keep ads, music, spoilers and rights out, and publish the best one.

    Artifacts:
        chunks: asset ids by task
        feeds: store keys of the annotated copies of the feeds
        summary: `steps.publish.Summary`: ids published and refused, and what was quarantined
        html: the report, also shown as the card of the last step
    """

    assets = Parameter("assets", default="new", help="new (no preview decided yet), all, or asset ids with commas")
    length_s = Parameter("length-s", type=float, default=30.0, help="wanted length of a preview in seconds")

    @step
    @told_plainly
    def start(self):
        """Choose the assets and share them out."""
        from steps.choose import current_ranker
        from steps.chunks import plan_chunks
        from steps.publish import choose_assets

        current_ranker(self.store, self.settings)  # a model that does not fit is refused before any work
        self.chunks = plan_chunks(choose_assets(self.assets, store=self.store), self.settings.fanout)
        self.next(self.render, foreach="chunks")

    @catch(var="failure")
    @retry(times=2, minutes_between_retries=0)
    @timeout(hours=4)
    @step
    @told_plainly
    def render(self):
        """Choose, cut and master the previews of one chunk of assets."""
        from steps.publish import publish_chunk

        run = f"{current.flow_name}/{current.run_id}"
        self.outcomes = publish_chunk(
            self.input, length_s=self.length_s, run=run, settings=self.settings, store=self.store
        )
        self.next(self.join)

    @step
    @told_plainly
    def join(self, inputs):
        """Commit all previews at once, put their files in place, and annotate the copies of the feeds."""
        from steps.feed_publishing import write_feed_copies
        from steps.publish import commit_previews

        self.merge_artifacts(inputs, include=["chunks"])
        outcomes = [outcome for task in inputs for outcome in getattr(task, "outcomes", None) or ()]
        died = task_failures(inputs)
        self.summary = commit_previews(self.chunks, outcomes, died=died, run=current.pathspec, store=self.store)
        self.feeds = write_feed_copies(settings=self.settings, store=self.store)
        self.next(self.end)

    @card(type="html")
    @step
    def end(self):
        """Report what was published, and why."""
        from steps.publish import describe
        from steps.report import run_report

        run = f"{current.flow_name}/{current.run_id}"
        self.html = run_report(self.summary, run=run, settings=self.settings, store=self.store)
        print(describe(self.summary, store=self.store))
        report_outcome(self.summary.outcome)


if __name__ == "__main__":
    main(PublishPreviews)
