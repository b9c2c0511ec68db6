"""A notebook that runs: its cells, one after the other, in one namespace of IPython."""

from __future__ import annotations

import contextlib
import inspect
import os
import re
import shlex
from typing import TYPE_CHECKING, Any

from laketop.errors import ConfigError, LaketopError, NotFound, Refused
from laketop.runner import pip, requirements
from laketop.runner.dbutils import RestartPython
from laketop.runner.dbutils.notebook import absolute_notebook
from laketop.runner.display import display
from laketop.runner.notebook_shell import make_shell
from laketop.runner.notebook_source import read_notebook
from laketop.runner.paths import notebook_file, notebook_name
from laketop.runner.sql_cell import parts, statements
from laketop.runner.sql_widgets import widget_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from laketop.runner.dbutils import DBUtils
    from laketop.runner.dbutils.widgets import Widgets
    from laketop.runner.lazy_spark import SparkOnDemand
    from laketop.runner.notebook_source import Cell
    from laketop.runner.request import Request

_RUN_ARGUMENT = re.compile(r"\$(?P<name>\w+)\s*=\s*(?P<value>\"[^\"]*\"|'[^']*'|\S+)\s*")


class NotebookSession:
    """Runs notebooks in one namespace: the task's own, and what it takes in by `%run`."""

    def __init__(
        self,
        request: Request,
        *,
        names: Mapping[str, Any],
        dbutils: DBUtils,
        widgets: Widgets,
        spark: SparkOnDemand,
    ) -> None:
        self._places = request.places
        self._names = names
        self._cache = request.cache or request.directory / "envs"
        self._dbutils = dbutils
        self._widgets = widgets
        self._spark = spark
        self._running: list[str] = []
        self._shell = make_shell(dict(names), request.directory / "ipython")
        self._shell.add_line_magic("run", self._run_line)
        self._shell.add_line_magic("pip", self._pip_line)
        spark.when_opened(self._replace_stand_in)

    def run(self, path: str, file: Path) -> None:
        """Run the notebook in `file`, which the workspace calls `path`.

        Errors: whatever a cell raises; ConfigError if it is no notebook; Refused for a language.
        """
        name = notebook_name(path)
        if name in self._running:
            raise ConfigError(f"notebooks run each other: {' -> '.join((*self._running, name))}")
        notebook = read_notebook(file)
        self._running.append(name)
        try:
            for cell in notebook.cells:
                self._run_cell(path, cell)
        finally:
            self._running.pop()

    def run_source(self, source: str, name: str) -> None:
        """Run Python in the namespace; tracebacks call it `name`. Errors: whatever it raises."""
        with self._restarts():
            self._shell.run_python(source, name)

    def run_sql(self, source: str) -> Any:
        """Run SQL statements, and return the frame of the last one, None if there is none."""
        frame = None
        for text, bare in parts(source):
            about_widget = widget_statement(bare)
            if about_widget is not None:
                about_widget.apply(self._widgets, self._column)
                frame = None
                continue
            # The values of widgets are put in last: statements before may have defined some.
            for statement in statements(text, self._widgets.getAll()):
                args = dict(statement.arguments) or None
                frame = self._spark.session().sql(statement.text, args=args)
        return frame

    def _column(self, query: str) -> list[str]:
        return [str(row[0]) for row in self._spark.session().sql(query).collect()]

    def _run_cell(self, path: str, cell: Cell) -> None:
        match cell.language:
            case "python":
                self.run_source(cell.source, f"{notebook_name(path)}, cell {cell.number}")
            case "sql":
                self._run_sql(cell.source)
            case "sh":
                self._run_shell(cell.source)
            case "fs":
                self._run_fs(cell.source)
            case "run":
                self._include(cell.source, path)
            case "md" | "md-sandbox":
                return
            case language:
                raise Refused(f"a cell in {language}", hint="cells in Python and SQL are run")

    @contextlib.contextmanager
    def _restarts(self) -> Any:
        try:
            yield
        except RestartPython:
            self._shell.reset_names(dict(self._names))

    def _run_sql(self, source: str) -> None:
        frame = self.run_sql(source)
        if frame is not None:
            self._shell.user_ns["_sqldf"] = frame
            display(frame)

    def _run_shell(self, source: str) -> None:
        strict, script = source.startswith("-e"), source
        if strict:
            script = source.removeprefix("-e").lstrip(" \t").removeprefix("\n")
        command = ["bash", *(["-e"] if strict else []), "-c", script]
        code = self._shell.run_process(command)
        if strict and code:
            raise LaketopError(f"%sh -e ended with exit code {code}")

    def _run_fs(self, source: str) -> None:
        command, *arguments = shlex.split(source, comments=True) or [""]
        method = getattr(self._dbutils.fs, command, None) if command.isalpha() else None
        if method is None:
            raise ConfigError(
                f"%fs has no command {command!r}", hint="%fs ls, head, put, mkdirs, rm, cp or mv"
            )
        answer = method(*_as_asked(method, arguments))
        for line in answer if isinstance(answer, list) else [answer]:
            print(line)

    def _include(self, line: str, caller: str) -> None:
        words = line.strip().partition("\n")[0]
        target, _, rest = words.partition(" ")
        target = target.strip("\"'")
        if not target:
            raise ConfigError("%run names no notebook", hint="%run ./other")
        self._widgets.set_arguments(
            {found["name"]: found["value"].strip("\"'") for found in _RUN_ARGUMENT.finditer(rest)}
        )
        path = absolute_notebook(target, caller)
        self.run(path, self._file(path))

    def _file(self, path: str) -> Path:
        for name in (path, f"/Workspace{path}"):
            file = notebook_file(self._places.file(name))
            if file is not None:
                return file
        raise NotFound("notebook", path)

    def _run_line(self, line: str) -> None:
        self._include(line, self._running[-1])

    def _pip_line(self, line: str) -> None:
        asked = requirements.asked_by_pip(self._shell.expanded(line), self._places_of)
        missing = [text for text in asked.requirements if requirements.problem_of(text)]
        if missing:
            pip.install(missing, asked.options, self._cache)
        else:
            print(f"already installed: {', '.join(asked.requirements)}")

    def _places_of(self, path: str) -> Path:
        return self._places.file(os.path.abspath(path))  # noqa: PTH100 - a workspace path

    def _replace_stand_in(self, session: Any) -> None:
        if self._shell.user_ns.get("spark") is self._names["spark"]:
            self._shell.user_ns["spark"] = session


def _as_asked(method: Callable[..., Any], words: Sequence[str]) -> list[Any]:
    # The words of a line as the method's parameters are: yes or no, a number, or text.
    parameters = inspect.signature(method).parameters.values()
    defaults = [parameter.default for parameter in parameters]
    defaults += [None] * (len(words) - len(defaults))
    return [_like(default, word) for default, word in zip(defaults, words, strict=False)]


def _like(default: Any, word: str) -> Any:
    if isinstance(default, bool):
        return word.lower() == "true"
    return int(word) if isinstance(default, int) and word.isdecimal() else word
