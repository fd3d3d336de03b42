"""Long work behind the pages: one piece at a time, each followed by its id until it is done."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request

from featurization.errors import RushesError

log = logging.getLogger(__name__)
Work = Callable[[Callable[[float], None]], Any]  # takes what to tell the share done; returns what JSON can say
REMEMBERED = 200  # finished jobs that can still be asked after
router = APIRouter(prefix="/studio/api/jobs", include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work, and how far it is."""

    id: str
    title: str
    state: Literal["running", "done", "failed"] = "running"
    progress: float = 0.0  # 0 to 1
    result: Any = None  # of what is done
    error: str = ""  # one line, of what failed


class Jobs:
    """Work that goes on when whoever began it has left; what waits counts as running."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="studio")
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def start(self, title: str, work: Work) -> str:
        """Begin a piece of work as soon as those before it are done; its id."""
        job = Job(secrets.token_hex(8), title)
        with self._lock:
            self._jobs[job.id] = job
            self._forget()
        self._pool.submit(self._run, job.id, work)
        return job.id

    def find(self, job_id: str) -> Job | None:
        """How far a piece of work is; None if there is none of that id, or it was long ago."""
        with self._lock:
            return self._jobs.get(job_id)

    def all(self) -> list[Job]:
        """All that are remembered, the newest first."""
        with self._lock:
            return list(self._jobs.values())[::-1]

    def close(self) -> None:
        """Give up what has not begun, and wait for what has."""
        self._pool.shutdown(cancel_futures=True)

    def _run(self, job_id: str, work: Work) -> None:
        try:
            result = work(lambda share: self._change(job_id, progress=min(1.0, max(0.0, share))))
        except RushesError as error:
            self._change(job_id, state="failed", error=" ".join(str(error).split()))
        except Exception as error:  # the page must hear of it, whatever it is
            log.exception("a job of the studio failed")
            self._change(job_id, state="failed", error=f"it failed ({type(error).__name__}); the server's log says why")
        else:
            self._change(job_id, state="done", progress=1.0, result=result)

    def _change(self, job_id: str, **changes: Any) -> None:
        with self._lock:
            self._jobs[job_id] = replace(self._jobs[job_id], **changes)

    def _forget(self) -> None:
        over = [job.id for job in self._jobs.values() if job.state != "running"][:-REMEMBERED]
        for job_id in over:
            del self._jobs[job_id]


def _jobs(request: Request) -> Jobs:
    jobs: Jobs = request.app.state.jobs
    return jobs


OfJobs = Annotated[Jobs, Depends(_jobs)]


@router.get("")
def list_jobs(jobs: OfJobs) -> list[Job]:
    """All jobs that are remembered, the newest first."""
    return jobs.all()


@router.get("/{job_id}")
def get_job(job_id: str, jobs: OfJobs) -> Job:
    """How far one is."""
    if job := jobs.find(job_id):
        return job
    raise HTTPException(404, "no such work; the server may have been started again since")
