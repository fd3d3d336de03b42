"""Learn tags from what editors judged: `python flows/train_tagger.py run`."""

from metaflow import Parameter, card, catch, resources, retry, step, timeout
from project_flow import ProjectFlow, costs_of, keep_record, main, report_outcome, task_failures, this_run, told_plainly


class TrainTagger(ProjectFlow):
    """Retrain every label on all judgements, and replace heads in use by those that are not worse.

    Judgements are kept by asset and time, so they outlive new shots and a change of encoder. All tags change at once.

    Artifacts:
        chunks: label keys by task
        summary: `steps.tagging.Summary`: what became of each label, with the gain that decided it
        html: the same as a page, shown as the card of the step `commit`
        indexed: `steps.index.Indexed`: the generation of the search index that holds the tags
        report: the same in a few lines for people
        outcome: "complete", or "partial" if a label could not be trained, a task died or the index was not published
    """

    label = Parameter("label", default="", help="name of one label; all that were judged, if none is given")

    @step
    @told_plainly
    def start(self):
        """Choose the labels and share them out."""
        from steps.tagging import plan_labels

        self.chunks = plan_labels(self.label, self.store)
        self.next(self.train, foreach="chunks")

    @catch(var="failure")
    @retry(times=1, minutes_between_retries=0)
    @timeout(hours=2)
    @resources(cpu=2, memory=8_000)
    @step
    @told_plainly
    def train(self):
        """Train a share of the labels, each beside the head in use."""
        from steps.tagging import train_labels

        self.trained = train_labels(self.input, run=this_run(), settings=self.settings, store=self.store)
        self.next(self.commit)

    @card(type="html")
    @resources(cpu=2, memory=8_000)
    @step
    @told_plainly
    def commit(self, inputs):
        """Put what is not worse in use with its tags, all at once, and report."""
        from steps.reporting.tagger_report import tagger_report
        from steps.tagging import commit_heads_of

        run, died = this_run(), task_failures(inputs)
        outcomes = [one for task in inputs for one in getattr(task, "trained", None) or ()]
        self.summary = commit_heads_of(outcomes, run=run, settings=self.settings, store=self.store)
        self.html = tagger_report(self.summary, run, died=died, costs=costs_of(self))
        self.report = "\n".join(filter(None, (self.summary.describe(), died)))
        self.outcome = "partial" if died else self.summary.outcome
        self.next(self.publish_index)

    @step
    @told_plainly
    def publish_index(self):
        """Publish the tags to the search index."""
        from steps.index import index_store

        self.indexed = index_store(self.store, run=this_run(), settings=self.settings)
        if self.indexed.failed:
            self.outcome = "partial"
        self.next(self.end)

    @step
    def end(self):
        """Say what became of each label."""
        print(f"{self.report}\n{self.indexed.describe()}")
        keep_record(self)
        report_outcome(self.outcome)


if __name__ == "__main__":
    main(TrainTagger)
