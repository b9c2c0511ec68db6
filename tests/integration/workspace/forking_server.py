"""Serve a workspace in one child after the other: `forking_server.py ROOT ROUNDS [MODULE …]`.

Each child prints one line, `pid port token`; when it is killed the next one starts.
"""

from __future__ import annotations

import importlib
import os
import socket
import sys
from pathlib import Path

from laketop.settings import Settings
from laketop.workspace.app import create_app
from laketop.workspace.listening import server
from laketop.workspace.workspace import Workspace


def serve(root: Path) -> None:
    workspace = Workspace(Settings(root=root, cache=root / "cache"))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    token = workspace.tokens.issue("me@laketop.local")
    workspace.begin()
    print(os.getpid(), listener.getsockname()[1], token, flush=True)
    server(create_app(workspace)).run(sockets=[listener])


def main() -> None:
    root, rounds = Path(sys.argv[1]), int(sys.argv[2])
    for module in sys.argv[3:]:
        importlib.import_module(module)
    for _ in range(rounds):
        child = os.fork()
        if child == 0:
            serve(root)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
