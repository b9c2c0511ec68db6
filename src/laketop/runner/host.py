"""The process of one task: `python -m laketop.runner.host request.json`.

It prepares the interpreter, runs the user's code, and writes down how that ended: task values in
values.json as they are set, exit value or error in result.json. Exit code 0 is success.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import json
import os
import shutil
import site
import sys
import threading
import time
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laketop import shims
from laketop.errors import ConfigError, NotFound
from laketop.runner import fuse, requirements, trace
from laketop.runner.dbutils import (
    NotebookExit,
    make_dbutils,
    repl_context,
    task_facts,
)
from laketop.runner.dbutils.widgets import Widgets
from laketop.runner.display import add_display_method, display, displayHTML
from laketop.runner.in_place import state_of
from laketop.runner.lazy_spark import (
    SC,
    SQL_CONTEXT,
    LazySpark,
    SparkOnDemand,
    open_where_one_is_needed,
)
from laketop.runner.mlflow_context import share_models_with_workers, use_notebook_experiment
from laketop.runner.paths import files_root, notebook_file, notebook_name
from laketop.runner.redaction import Redaction, redact_output
from laketop.runner.request import NOTEBOOK, OUTPUT_FILE, RESULT_FILE, Request, write_json
from laketop.runner.workers import workers_python
from laketop.shims import runtime
from laketop.shims.spark import bring_jars, run_workers_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from laketop.runner.dbutils import DBUtils

WATCH_SECONDS = 1.0
RELEASE_SECONDS = 3.0


class TaskProcess:
    """The process itself, made ready for the task that `request` asks for."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.redaction = Redaction()
        # The token of the workspace is in the task's environment, and in SPARK_REMOTE.
        self.redaction.add(os.environ.get("DATABRICKS_TOKEN", "").encode())
        self.spark = SparkOnDemand()
        self.widgets = Widgets(request.parameters)
        self._facts = facts = task_facts(request, os.environ)
        self.dbutils: DBUtils = make_dbutils(
            request,
            widgets=self.widgets,
            facts=facts,
            redaction=self.redaction,
            environment=dict(os.environ),
        )
        self.names = _injected_names(self.dbutils, self.spark)
        self._context = repl_context(request, facts)

    def prepare(self) -> None:
        """Set up output, imports, file calls and Spark before any code of the user runs."""
        redact_output(self.redaction)
        os.environ.setdefault("MPLBACKEND", "Agg")
        if "SPARK_REMOTE" in os.environ:
            # PySpark decides by this whose columns and UDFs it makes, also before the first use of
            # the session, which is there from the start on Databricks.
            os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
            open_where_one_is_needed(self.spark)
        share_models_with_workers()
        libraries = _libraries(self.request)
        sys.path[:0] = [str(folder) for folder in libraries]
        if self.request.own is not None:
            site.addsitedir(str(self.request.own))  # for the packages it has in place: .pth files
        shims.install()
        runtime.provide(runtime.Runtime(names=self.names, context=self._context))
        add_display_method()
        fuse.mount(self.request.places)
        bring_jars(self.request.jars)
        requirements.check(self.request.requirements)
        for folder in self.request.wheels:
            requirements.check(requirements.needs_of_wheel(folder))
        if libraries and self.request.cache is not None:
            state = state_of(self.request.sources)
            run_workers_by(str(workers_python(libraries, self.request.cache, state=state)))

    def run(self) -> None:
        """Run the user's code.

        Errors: whatever it raises.
        """
        run = {
            "notebook": self._run_notebook,
            "spark_python": self._run_script,
            "python_wheel": self._run_wheel,
            "sql": self._run_sql,
        }[self.request.kind]
        run()

    def _run_notebook(self) -> None:
        from laketop.runner.notebook_session import NotebookSession

        file = _notebook_file(self.request)
        # As it is now, for whoever asks for it once it is another.
        shutil.copyfile(file, self.request.directory / f"{NOTEBOOK}{file.suffix.lower()}")
        self._enter(file)
        use_notebook_experiment(lambda: self._experiment(file))
        session = NotebookSession(
            self.request,
            names=self.names,
            dbutils=self.dbutils,
            widgets=self.widgets,
            spark=self.spark,
        )
        session.run(self.request.path, file)

    def _experiment(self, file: Path) -> str:
        if file.is_relative_to(self.request.places.files):
            return notebook_name(self.request.path)
        # A project that is linked in place has no folder in the workspace: the user's home has.
        return f"/Users/{self._facts.value('userName')}/{file.stem}"

    def _run_script(self) -> None:
        file = _script_file(self.request)
        self._enter(file)
        sys.argv = [str(file), *self.request.arguments]
        main = types.ModuleType("__main__")
        main.__file__ = str(file)
        sys.modules["__main__"] = main
        code = compile(file.read_bytes(), str(file), "exec", dont_inherit=True)
        exec(code, main.__dict__)  # noqa: S102 - the user's own script

    def _run_wheel(self) -> None:
        scratch = self.request.directory / "work"
        scratch.mkdir(exist_ok=True)
        os.chdir(scratch)
        sys.argv = [self.request.entry_point, *self.request.arguments]
        entry_point(self.request.path, self.request.entry_point)()

    def _run_sql(self) -> None:
        from laketop.runner.sql_file import run_file

        file = _existing(self.request, "SQL file")
        os.chdir(self.request.directory)
        rows = run_file(file, self.request.parameters, self.spark.session)
        text = self.redaction.text(json.dumps(rows))
        write_json(self.request.directory / OUTPUT_FILE, {"rows": json.loads(text)})

    def _enter(self, file: Path) -> None:
        sys.path[:0] = [str(folder) for folder in _beside(file, self.request)]
        os.chdir(file.parent)


def import_folders(request: Request) -> list[Path]:
    """Return the folders that the task has on `sys.path` before those of its interpreter."""
    find = {"notebook": _notebook_file, "spark_python": _script_file}.get(request.kind)
    folders = _libraries(request)
    if find is not None:
        with contextlib.suppress(NotFound):  # the task itself says so
            folders.extend(_beside(find(request), request))
    return folders


def _libraries(request: Request) -> list[Path]:
    own = () if request.own is None else (request.own,)
    return [*request.wheels, *request.sources, *own]


def _notebook_file(request: Request) -> Path:
    place = request.places.file
    for candidate in (request.file, place(request.path), place(f"/Workspace{request.path}")):
        file = None if candidate is None else notebook_file(candidate)
        if file is not None:
            return file
    raise NotFound("notebook", request.path)


def _script_file(request: Request) -> Path:
    return _existing(request, "Python file")


def _existing(request: Request, kind: str) -> Path:
    file = request.file or request.places.file(request.path)
    if not file.is_file():
        raise NotFound(kind, request.path)
    return file


def _beside(file: Path, request: Request) -> list[Path]:
    # Imports find the file's neighbours first, then the bundle's files, or the repository's.
    root = request.root or files_root(file, request.places)
    return [file.parent] if root is None or root == file.parent else [file.parent, root]


def entry_point(package: str, name: str) -> Callable[[], Any]:
    """Return the entry point of an installed package: by its metadata, else `package.name`.

    Errors: ConfigError if there is neither.
    """
    try:
        declared = importlib.metadata.distribution(package).entry_points
    except importlib.metadata.PackageNotFoundError:
        declared = importlib.metadata.EntryPoints()
    for found in declared:
        if found.name == name:
            loaded: Callable[[], Any] = found.load()
            return loaded
    module = package.replace("-", "_")
    try:
        return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise ConfigError(
            f"there is no package {package!r} with an entry point {name!r}",
            hint="is its wheel in the task's environment or libraries?",
        ) from None
    except AttributeError:
        raise ConfigError(f"package {package!r} has no entry point {name!r}") from None


def _injected_names(dbutils: DBUtils, on_demand: SparkOnDemand) -> dict[str, Any]:
    def sql(*args: Any, **kwargs: Any) -> Any:
        return on_demand.session().sql(*args, **kwargs)

    def table(name: str) -> Any:
        return on_demand.session().table(name)

    def udf(*args: Any, **kwargs: Any) -> Any:
        from pyspark.sql import functions

        return functions.udf(*args, **kwargs)

    return {
        "dbutils": dbutils,
        "display": display,
        "displayHTML": displayHTML,
        "getArgument": dbutils.widgets.getArgument,
        "sc": SC,
        "spark": LazySpark(on_demand),
        "sql": sql,
        "sqlContext": SQL_CONTEXT,
        "table": table,
        "udf": udf,
    }


def watch_parent(parent: int) -> None:
    """End this process with the one that started it, also where the system does not see to it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="laketop-parent").start()


def _ended(error: BaseException | None) -> tuple[int, Mapping[str, str | None]]:
    # The exit code, and what result.json says.
    if isinstance(error, SystemExit):
        if error.code in {None, 0}:
            return 0, {}
        code = error.code if isinstance(error.code, int) else 1
        said = "" if isinstance(error.code, int) else f": {error.code}"
        return code & 0xFF or 1, {"error": f"SystemExit: the code exited with {code}{said}"}
    if isinstance(error, NotebookExit):
        return 0, {"exit_value": error.value}
    if error is None:
        return 0, {}
    return 1, {"error": trace.describe(error), "error_trace": trace.trace(error)}


def _release_spark() -> None:
    # Else the engine keeps the session of every task for an hour. The task's end is known by
    # now: an engine that does not answer may neither change nor delay it.
    module = sys.modules.get("pyspark.sql.connect.session")
    session = None if module is None else module.SparkSession.getActiveSession()
    if session is not None:
        thread = threading.Thread(target=_stop, args=(session,), daemon=True)
        thread.start()
        thread.join(RELEASE_SECONDS)


def _stop(session: Any) -> None:
    with contextlib.suppress(Exception):
        session.stop()


def main(arguments: Sequence[str]) -> int:
    """Run the task that the request in the file `arguments[0]` asks for; return the exit code."""
    watch_parent(os.getppid())
    request = Request.read(Path(arguments[0]))
    process = TaskProcess(request)
    error: BaseException | None = None
    try:
        process.prepare()
        process.run()
    except BaseException as raised:  # noqa: BLE001 - also SystemExit and the exits of a notebook
        error = raised
    code, result = _ended(error)
    text = process.redaction.text
    result = {name: None if value is None else text(value) for name, value in result.items()}
    if result.get("error"):
        print(result.get("error_trace") or result["error"], file=sys.stderr)
    write_json(request.directory / RESULT_FILE, result)
    _release_spark()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
