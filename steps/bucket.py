"""An S3 bucket as the place of a store: AWS, or whatever speaks S3 (MinIO, Ceph, R2).

Credentials, region and endpoint come from where every AWS client takes them: environment variables, ~/.aws, the role
of the machine or pod. Requests that fail for a while (500, 503, SlowDown, connections that break) are sent again with
growing waits; large files go in parts. Nothing that a listing said is remembered.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from steps.bucket_errors import code_of, reason
from steps.place import Found

ATTEMPTS = 6  # of a request; the waits between them double, up to 20 s
READINGS = 3  # of an answer whose connection breaks
PART_BYTES = 16 << 20
MOST_PARTS = 10_000  # of one object; larger files have larger parts
AT_ONCE = 4  # parts of a file that are under way, each of them in memory
REMOVED_AT_ONCE = 1_000  # the most that one request takes
SETTINGS = {"connect_timeout": 5, "read_timeout": 60, "max_pool_connections": 32}


class Bucket:
    """Objects by path, which is BUCKET/KEY. Writing one appears at once and whole, as S3 does it."""

    def __init__(self, *, attempts: int) -> None:
        import s3fs

        retries = {"mode": "standard", "total_max_attempts": attempts}
        self._fs = s3fs.S3FileSystem(use_listings_cache=False, config_kwargs={**SETTINGS, "retries": retries})
        self._fs.retries = 1  # botocore has tried again already, with waits of its own
        self._attempts = attempts

    def exists(self, path: str) -> bool:
        try:
            self._ask("head_object", path)
        except FileNotFoundError:
            return False
        return True

    def read(self, path: str, first: int = 0, last: int | None = None) -> bytes:
        limits = {} if (first, last) == (0, None) else {"start": first, "end": last}
        for _ in range(READINGS - 1):
            try:
                return bytes(self._fs.cat_file(path, max_concurrency=1, **limits))
            except _broken_off():
                continue
        return bytes(self._fs.cat_file(path, max_concurrency=1, **limits))

    def stat(self, path: str) -> Found:
        facts = self._ask("head_object", path)
        return Found(path, int(facts["ContentLength"]), facts["LastModified"].timestamp())

    def names(self, path: str) -> Iterator[str]:
        for page in self._pages(path, Delimiter="/"):
            yield from (Path(each["Prefix"]).name for each in page.get("CommonPrefixes", ()))
            yield from (Path(each["Key"]).name for each in page.get("Contents", ()))

    def walk(self, path: str) -> Iterator[Found]:
        bucket = path.partition("/")[0]
        for page in self._pages(path):
            for each in page.get("Contents", ()):
                yield Found(f"{bucket}/{each['Key']}", int(each["Size"]), each["LastModified"].timestamp())

    def write(self, path: str, data: bytes) -> None:
        self._fs.pipe_file(path, data, chunksize=_part(len(data)), max_concurrency=AT_ONCE)

    def put(self, path: str, source: Path) -> None:
        self._fs.put_file(str(source), path, chunksize=_part(source.stat().st_size), max_concurrency=AT_ONCE)

    def create(self, path: str, data: bytes, mode: int) -> bool:  # noqa: ARG002 - rights are the bucket's
        mark = uuid.uuid4().hex
        for attempt in range(self._attempts):
            try:
                self._ask("put_object", path, Body=data, IfNoneMatch="*", Metadata={"creator": mark})
                return True
            except OSError as error:
                if code_of(error) in ("PreconditionFailed", "412"):
                    return self._made_by(mark, path)
                if code_of(error) != "ConditionalRequestConflict" or attempt == self._attempts - 1:
                    raise
                time.sleep(0.1 * 2**attempt)  # somebody is at the same object just now
        return False

    def _made_by(self, mark: str, path: str) -> bool:
        """Whether it was us after all: a request whose answer was lost is sent again, and then comes second."""
        return bool(self._ask("head_object", path).get("Metadata", {}).get("creator") == mark)

    def fetch(self, path: str, target: Path) -> None:
        size = self.stat(path).bytes
        starts = range(0, size, PART_BYTES)
        with target.open("wb") as file, ThreadPoolExecutor(AT_ONCE) as pool:
            for batch in range(0, len(starts), AT_ONCE):  # so that no more than these are in memory
                parts = pool.map(
                    lambda start: self.read(path, start, min(start + PART_BYTES, size)),
                    starts[batch : batch + AT_ONCE],
                )
                file.writelines(parts)

    def delete(self, path: str) -> None:
        self._ask("delete_object", path)

    def clear(self, path: str) -> None:
        self.remove([found.path for found in self.walk(path)])

    def remove(self, paths: Sequence[str]) -> None:
        for start in range(0, len(paths), REMOVED_AT_ONCE):
            keys = [{"Key": each.partition("/")[2]} for each in paths[start : start + REMOVED_AT_ONCE]]
            bucket, deletion = paths[0].partition("/")[0], {"Objects": keys, "Quiet": True}
            answer = self._fs.call_s3("delete_objects", Bucket=bucket, Delete=deletion)
            if failed := answer.get("Errors"):
                raise OSError(f"{failed[0]['Key']} could not be removed: {failed[0].get('Message', 'no reason given')}")

    reason = staticmethod(reason)

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        bucket, _, key = path.partition("/")
        return self._fs.call_s3(method, Bucket=bucket, Key=key, **more)

    def _pages(self, path: str, **more: Any) -> Iterator[Any]:
        bucket, _, folder = path.partition("/")
        asked = {"Bucket": bucket, "Prefix": f"{folder}/" if folder else "", **more}
        while True:
            page = self._fs.call_s3("list_objects_v2", **asked)
            yield page
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]


def _part(size: int) -> int:
    return max(PART_BYTES, -(-size // MOST_PARTS))


def _broken_off() -> tuple[type[Exception], ...]:
    """What is raised where an answer ends before its end."""
    from aiohttp import ClientPayloadError
    from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

    return ClientPayloadError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError
