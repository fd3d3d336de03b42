"""A real S3 endpoint on this machine: moto's server, which fails when and where a test wants it to.

`python tests/s3_server.py` prints its port and serves until it is killed.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1"}
CONTROL = "/-/tests"
Start = Callable[..., Any]


@dataclass
class Fault:
    """How requests are treated whose method and address fit, the first `times` of them; 0 is all."""

    code: str = ""  # what S3 would call it, or one of those of `_Moody._failed`
    status: int = 500
    method: str = ""
    address: str = ""  # is part of the path and query
    times: int = 0


@dataclass(frozen=True)
class S3Server:
    """A running endpoint."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which AWS clients and Metaflow find it."""
        return {**KEYS, "AWS_ENDPOINT_URL_S3": self.url, "METAFLOW_S3_ENDPOINT_URL": self.url}

    def bucket(self, name: str) -> str:
        """Make a bucket; returns its name."""
        httpx.put(f"{self.url}/{name}").raise_for_status()
        return name

    @contextmanager
    def failing(self, *faults: Fault) -> Iterator[list[str]]:
        """Let requests fail while the context lives. When it ends, the list has what was asked, "METHOD ADDRESS"."""
        asked: list[str] = []
        self._tell([asdict(fault) for fault in faults])
        try:
            yield asked
        finally:
            asked += httpx.get(f"{self.url}{CONTROL}").json()
            self._tell([])

    def counting(self) -> AbstractContextManager[list[str]]:
        """What is asked in the context, "METHOD ADDRESS"; filled when it ends."""
        return self.failing()

    def objects(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """All objects of a bucket whose keys begin with a prefix."""
        import boto3

        named = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
        client = boto3.client("s3", endpoint_url=self.url, **named)
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [each["Key"] for page in pages for each in page.get("Contents", ())]
        found = {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
        client.close()
        return found

    def _tell(self, faults: list[dict[str, Any]]) -> None:
        httpx.post(f"{self.url}{CONTROL}", json=faults).raise_for_status()


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """A running endpoint, stopped at the end."""
    with subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield S3Server(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.terminate()


class _Moody:
    """moto's application, behind the faults that it was told."""

    def __init__(self, app: Callable[[dict[str, Any], Start], Iterable[bytes]]) -> None:
        self._app = app
        self._faults: list[Fault] = []
        self._asked: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        query = environ.get("QUERY_STRING", "")
        address = environ["PATH_INFO"] + (f"?{query}" if query else "")
        if environ["PATH_INFO"] == CONTROL:
            return self._control(environ, start)
        with self._lock:
            self._asked.append(f"{environ['REQUEST_METHOD']} {address}")
            fault = self._next(environ["REQUEST_METHOD"], address)
        if fault:
            return self._failed(fault, environ, start)
        if "HTTP_IF_NONE_MATCH" in environ:  # moto looks first and writes then; S3 does both at once
            with self._lock:
                return [b"".join(self._app(environ, start))]
        return self._app(environ, start)

    def _control(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "application/json")])
        if environ["REQUEST_METHOD"] == "GET":
            return [json.dumps(self._asked).encode()]
        told = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        with self._lock:
            self._asked, self._faults = [], [Fault(**each) for each in told]
        return [b"{}"]

    def _next(self, method: str, address: str) -> Fault | None:
        """The fault that a request meets, counted."""
        for fault in self._faults:
            if fault.method in ("", method) and fault.address in address and fault.times >= 0:
                if fault.times:
                    fault.times = fault.times - 1 or -1
                return fault
        return None

    def _failed(self, fault: Fault, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Break off before the work ("reset"), after it ("lost") or in the answer ("cut"); or refuse, or overlook."""
        if fault.code == "unconditional":  # as servers do that do not know conditional writes
            environ.pop("HTTP_IF_NONE_MATCH", None)
            return self._app(environ, start)
        if fault.code in ("reset", "lost"):
            if fault.code == "lost":
                list(self._app(environ, start))
            connection: socket.socket = environ["werkzeug.socket"]
            connection.shutdown(socket.SHUT_RDWR)
            return []
        if fault.code == "cut":
            whole = b"".join(self._app(environ, start))
            return [whole[: len(whole) // 2]]
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))  # clients listen when they have spoken
        body = f"<Error><Code>{fault.code}</Code><Message>as told</Message></Error>".encode()
        headers = {
            "Content-Type": "application/xml",
            "Content-Length": str(len(body)),
            "x-amz-bucket-region": "eu-west-1",
        }
        start(f"{fault.status} Told", list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _serve() -> None:
    import logging

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    app = _Moody(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    sys.path.remove(str(Path(__file__).parent))
    _serve()
