"""The process of one execution context: `python -m laketop.runner.repl request.json`.

It reads one command a line from its input, as JSON with `id`, `language` and `command`, runs them
one after the other in one namespace, and answers each with one line: `id`, `resultType`, and
`data` or `summary` and `cause`, with `truncated` where a limit cut them. A line of its own says
that it has begun. SIGINT ends the command that runs, and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from laketop.runner import trace
from laketop.runner.command_results import MOST_ROWS, Printed, table, texts
from laketop.runner.dbutils import NotebookExit
from laketop.runner.host import TaskProcess, watch_parent
from laketop.runner.notebook_session import NotebookSession
from laketop.runner.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Repl:
    """Runs the commands of one context."""

    def __init__(self, request: Request) -> None:
        self._process = TaskProcess(request)
        self._process.prepare()
        self._session = NotebookSession(
            request,
            names=self._process.names,
            dbutils=self._process.dbutils,
            widgets=self._process.widgets,
            spark=self._process.spark,
        )

    def answer(self, language: str, command: str) -> dict[str, Any]:
        """Run one command, and return its result as the API has it."""
        printed = Printed()
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                if language == "sql":
                    return self._table(command)
                self._session.run_source(command, "<command>")
        except NotebookExit as exited:
            return self._text(exited.value)
        except KeyboardInterrupt:
            return {"resultType": "error", "summary": "Cancelled", "cause": "Cancelled"}
        except BaseException as error:  # noqa: BLE001 - whatever a command raises is its end
            cause = printed.getvalue() + (trace.trace(error) or "")
            clean = self._process.redaction.text
            summary = clean(trace.describe(error))
            return texts("error", is_cut=printed.is_cut, summary=summary, cause=clean(cause))
        return self._text(printed.getvalue(), is_cut=printed.is_cut)

    def _text(self, data: object, *, is_cut: bool = False) -> dict[str, Any]:
        return texts("text", is_cut=is_cut, data=self._process.redaction.text(str(data)))

    def _table(self, command: str) -> dict[str, Any]:
        frame = self._session.run_sql(command)
        if frame is None or not frame.schema.fields:
            return self._text("")
        return table(frame.schema, frame.limit(MOST_ROWS + 1).collect())


class Interrupts:
    """SIGINT, which is an exception while a command runs and nothing between two of them."""

    def __init__(self) -> None:
        self._is_wanted = False
        signal.signal(signal.SIGINT, self._take)

    def _take(self, *_: object) -> None:
        if self._is_wanted:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def wanted(self) -> Iterator[None]:
        """Let it end what the block does."""
        self._is_wanted = True
        try:
            yield
        finally:
            self._is_wanted = False


def serve(repl: Repl, commands: IO[str], answers: IO[str], interrupts: Interrupts) -> None:
    """Answer commands until there are no more."""
    for line in commands:
        sent = json.loads(line)
        try:
            with interrupts.wanted():
                told = repl.answer(sent["language"], sent["command"])
        except KeyboardInterrupt:  # it came just after the command had ended
            told = {"resultType": "error", "summary": "Cancelled", "cause": "Cancelled"}
        answers.write(json.dumps({"id": sent["id"], **told}, default=str) + "\n")
        answers.flush()


def main(arguments: Sequence[str]) -> int:
    """Serve the context that the request in the file `arguments[0]` describes."""
    watch_parent(os.getppid())
    # Commands, and what they start, find neither the commands nor the way of the answers.
    commands = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    interrupts = Interrupts()
    repl = Repl(Request.read(Path(arguments[0])))
    answers.write("\n")
    answers.flush()
    serve(repl, commands, answers, interrupts)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
