"""The process of one project's workspace: serves REST on loopback, supervises engine and tasks."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from laketop import durable
from laketop._version import __version__
from laketop.errors import LaketopError, printable
from laketop.settings import Settings
from laketop.workspace import daemon, state_layout
from laketop.workspace.port_holder import HOST, check_free, listener_at

if TYPE_CHECKING:
    from laketop.engine import LocalEngine

log = logging.getLogger("laketop")

ended = threading.Event()
"""Set by a signal that comes before the server can take it."""


class Plain(logging.Formatter):
    """A record whose text writes no record of its own: no control characters, later lines indented.

    Source: reliability S16.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        return printable(super().format(record), keep="\n\t").replace("\n", "\n    ")


_NEVER_INHERITED = ("DATABRICKS_", "MLFLOW_", "SPARK_", "PYSPARK_", "ARM_", "AZURE_")
"""Variables that would lead a task to another workspace than this one."""


def main() -> int:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m laketop.workspace", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the folder of databricks.yml")
    parser.add_argument("--port", type=int, default=0, help="0 = a free port")
    parser.add_argument("--faults", action="store_true", help="let clients make requests fail")
    parser.add_argument(
        "--notify", type=int, help="detach, and tell there that it serves, or why not"
    )
    args = parser.parse_args()
    if args.notify is not None and os.fork():
        os._exit(0)  # whoever started us waits for this process, not for the workspace
    os.umask(0o077)
    # The server takes the signals while it runs, and sends them on once it has ended: by then
    # there is still the engine to end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    handler = logging.StreamHandler()
    handler.setFormatter(Plain("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    settings = dataclasses.replace(Settings.read(args.root), faults=args.faults)
    try:
        if not daemon.locked(settings):  # else it is the workspace itself that has the port
            check_free(args.port)
        daemon.prepare(settings)
        with daemon.hold(settings):
            state_layout.claim(settings.state)
            serve(settings, args.port, args.notify)
    except LaketopError as error:
        log.error("%s", error)  # noqa: TRY400 - a sentence for a person, not a traceback
        _notify(args.notify, {"error": error.message, "hint": error.hint})
        return 1
    return 0


def serve(settings: Settings, port: int, notify: int | None) -> None:
    """Bind first, start the engine behind, then answer until told to end."""
    before = _last_known(settings)
    listener = _bind(port, before.get("port", 0))
    url = f"http://{HOST}:{listener.getsockname()[1]}"
    token = _token(settings.state / "token")

    from laketop.engine import LocalEngine, is_free
    from laketop.workspace import listening
    from laketop.workspace.app import create_app
    from laketop.workspace.faults import Faults
    from laketop.workspace.workspace import Workspace

    spark_port = before.get("spark_port", 0)
    engine = LocalEngine(
        settings,
        token=token,
        port=spark_port if is_free(spark_port) else 0,
        say=log.info,
    )
    workspace = Workspace(settings)
    workspace.host = url
    workspace.faults = Faults() if settings.faults else None
    workspace.tokens.add(token, settings.user)
    contact = daemon.Contact(url, token, engine.remote, os.getpid(), __version__, sys.executable)
    workspace.engine.local = engine
    workspace.environment_for_tasks = lambda: _for_tasks(settings, contact, engine)
    engine.start()
    try:
        server = listening.server(create_app(workspace), timeout_graceful_shutdown=5)
        _remember(settings, listener.getsockname()[1], engine.port)
        _publish(settings, contact)
        workspace.begin()
        _notify(notify, {"ready": True})
        log.info("serving %s at %s", settings.root, url)
        if not ended.is_set():
            server.run(sockets=[listener])
    finally:
        daemon.kept(settings).unlink(missing_ok=True)
        workspace.shutdown()
        engine.stop()
        log.info("ended")


def _for_tasks(settings: Settings, contact: daemon.Contact, engine: LocalEngine) -> dict[str, str]:
    """Return the environment of a task, once the engine answers."""
    engine.wait()
    own = {
        name: value
        for name, value in settings.tool_environment.items()
        if not name.startswith(_NEVER_INHERITED)
    }
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}
    return own | quiet | contact.environment() | {"LAKETOP_WORKSPACE": contact.workspace}


def _bind(port: int, before: int) -> socket.socket:
    """Return a listening socket: of the port asked for, else of the port it had before."""
    if not port:
        with contextlib.suppress(LaketopError):
            return listener_at(before)
    return listener_at(port)


def _token(file: Path) -> str:
    """Return the admin's token of the project, made at the first start and kept 0600."""
    try:
        kept = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        token = file.read_text(encoding="ascii").strip()
        if token:
            return token
        file.unlink()
        return _token(file)
    with os.fdopen(kept, "w", encoding="ascii") as stream:
        token = secrets.token_urlsafe(32)
        stream.write(token)
        stream.flush()
        os.fsync(stream.fileno())
    return token


def _last_known(settings: Settings) -> dict[str, int]:
    """Return the ports of the last time, so that a shell's variables stay true."""
    try:
        return dict(json.loads((settings.state / "ports.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _remember(settings: Settings, port: int, spark_port: int) -> None:
    durable.write_json(settings.state / "ports.json", {"port": port, "spark_port": spark_port})


def _publish(settings: Settings, contact: daemon.Contact) -> None:
    import dataclasses

    durable.write_json(daemon.kept(settings), dataclasses.asdict(contact))


def _notify(notify: int | None, message: dict[str, object]) -> None:
    if notify is not None:
        with os.fdopen(notify, "w", encoding="utf-8") as pipe:
            pipe.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    sys.exit(main())
