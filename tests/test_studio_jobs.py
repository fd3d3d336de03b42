"""Long work of the studio: one after the other, followed by its id, and told of in one line when it fails."""

import threading
import time
from collections.abc import Iterator

import pytest

from featurization.errors import StoreError
from serving.studio.jobs import Job, Jobs


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs()
    yield made
    made.close()


def ended(jobs: Jobs, job_id: str) -> Job:
    for _ in range(500):
        job = jobs.find(job_id)
        assert job
        if job.state != "running":
            return job
        time.sleep(0.01)
    raise AssertionError("the job did not end")


def test_a_job_says_how_far_it_is_and_what_came_of_it(jobs: Jobs) -> None:
    told, go_on = threading.Event(), threading.Event()

    def work(progress):
        progress(0.25)
        told.set()
        assert go_on.wait(5)
        return {"made": 3}

    started = jobs.start("Counting", work)
    assert told.wait(5)
    assert jobs.find(started) == Job(started, "Counting", progress=0.25)
    go_on.set()
    assert ended(jobs, started) == Job(started, "Counting", "done", 1.0, {"made": 3})


def test_a_failure_is_one_line(jobs: Jobs) -> None:
    def refuse(_):
        raise StoreError("the disk\nis full; make room")

    def stumble(_):
        raise ZeroDivisionError

    refused, stumbled = jobs.start("Keeping", refuse), jobs.start("Dividing", stumble)
    assert ended(jobs, refused).error == "the disk is full; make room"
    assert ended(jobs, stumbled).error == "it failed (ZeroDivisionError); the server's log says why"


def test_the_newest_is_listed_first_and_an_unknown_one_is_none(jobs: Jobs) -> None:
    first, second = jobs.start("One", lambda _: None), jobs.start("Two", lambda _: None)
    assert [job.id for job in jobs.all()] == [second, first]
    assert jobs.find("gone") is None
