"""`rushes serve` over a searchable store, as a process of its own: python tests/search_server.py STORE."""

import sys

import uvicorn
from searchable_store import ENCODERS

from serving.api import create_app
from serving.commands.serve import bind
from steps.store import Store

if __name__ == "__main__":
    bound = bind("127.0.0.1", 0)
    sys.stdout.write(f"{bound.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(create_app(Store(sys.argv[1]), ENCODERS), log_level="warning")).run(sockets=[bound])
