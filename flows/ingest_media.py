"""Bring media in: `python flows/ingest_media.py run --source samples/feed.xml`."""

from metaflow import Parameter, card, catch, retry, step, timeout
from project_flow import (
    ProjectFlow,
    forget_staged,
    keep_record,
    main,
    report_outcome,
    run_record,
    task_failures,
    this_run,
    told_plainly,
)


class IngestMedia(ProjectFlow):
    """Resolve a source, fetch what is new, verify it, read its rights, and quarantine what is broken.

    Artifacts:
        listing: what the source offers, as `steps.intake.resolve.Listing`
        summary: `steps.ingest.Summary`: ids of its assets in the source's order, and what was quarantined
        html: what came in and what it took, shown as the card of the step `commit`
        report: the same in a few lines for people
        outcome: "complete", or "partial" if something was quarantined
    """

    source = Parameter(
        "source", required=True, help="feed URL, feed file, media file, folder, or .csv/.parquet manifest"
    )
    limit = Parameter("limit", type=int, default=0, help="take only the newest N items; 0 takes all")

    @step
    @told_plainly
    def start(self):
        """List what the source offers; no media is fetched yet."""
        from steps.ingest import list_source, plan_batches

        self.listing = list_source(self.source, limit=self.limit, settings=self.settings)
        self.batches = plan_batches(self.listing, self.settings)
        self.next(self.fetch, foreach="batches")

    @catch(var="failure")
    @retry(times=2, minutes_between_retries=0)
    @timeout(hours=6)
    @step
    @told_plainly
    def fetch(self):
        """Download, verify and keep one batch of items."""
        from steps.ingest import ingest_batch

        run = this_run()
        self.ingested = ingest_batch(self.listing, self.input, run=run, settings=self.settings, store=self.store)
        self.next(self.commit)

    @card(type="html")
    @step
    @told_plainly
    def commit(self, inputs):
        """Commit what all batches brought, at once, and report what that took."""
        from steps.ingest import commit_assets, describe
        from steps.reporting.ingest_report import ingest_report

        self.merge_artifacts(inputs, include=["listing"])
        batches = [getattr(task, "ingested", None) for task in inputs]
        died = task_failures(inputs)
        self.summary = commit_assets(self.listing, batches, died=died, run=this_run(), store=self.store)
        record = run_record(self, self.summary.effort)
        self.html = ingest_report(self.listing, self.summary, record, self.settings.prices)
        self.report = describe(self.listing, self.summary)
        self.outcome = self.summary.outcome
        self.next(self.end)

    @step
    def end(self):
        """Say what came in and what did not."""
        print(self.report)
        keep_record(self, self.summary.effort)
        forget_staged(self.store)
        report_outcome(self.outcome)


if __name__ == "__main__":
    main(IngestMedia)
