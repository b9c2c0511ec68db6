"""What the runner writes down for the process of a task, and that process reads."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laketop.runner.paths import Places

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_FILE = "request.json"
RESULT_FILE = "result.json"
VALUES_FILE = "values.json"
OUTPUT_FILE = "output.json"
NOTEBOOK = "notebook"
"""The name, without its extension, of the file that is the notebook as the attempt has read it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """One attempt of one task, as its own process is told of it; holds no secret."""

    kind: str
    """The task's field without `_task`: notebook, spark_python, python_wheel or sql."""
    path: str
    """The workspace path of the notebook or script; the package name of a wheel task."""
    file: Path | None = None
    """Where that is on disk, with or without a notebook's extension, if the runner knows."""
    directory: Path
    """The attempt's own folder, where result.json and values.json are written."""
    places: Places
    job_id: int
    run_id: int
    """The job run."""
    task_run_id: int
    task_key: str
    parameters: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What widgets of a notebook answer, and `:name` in SQL."""
    arguments: tuple[str, ...] = ()
    """sys.argv of scripts and wheels, without the first."""
    entry_point: str = ""
    task_values: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    root: Path | None = None
    """The folder whose modules the file may import beside its neighbours; None = its bundle's."""
    wheels: tuple[Path, ...] = ()
    """Folders of unpacked wheels, for the front of sys.path."""
    sources: tuple[Path, ...] = ()
    """Folders of projects that are installed in place, after the wheels on sys.path."""
    jars: tuple[Path, ...] = ()
    """What the task's Spark sessions bring along."""
    own: Path | None = None
    """A folder of links to the project's own environment, after the wheels on sys.path."""
    cache: Path | None = None
    """Where environments are kept."""
    requirements: tuple[str, ...] = ()
    """What the interpreter must have already."""
    callers: tuple[str, ...] = ()
    """The notebooks that led here by `dbutils.notebook.run`, outermost first."""

    def write(self, file: Path) -> None:
        """Write the request as JSON to `file`."""
        file.write_text(json.dumps(dataclasses.asdict(self), default=str), encoding="utf-8")

    @classmethod
    def read(cls, source: Path) -> Request:
        """Return the request that `write` wrote to `source`."""
        fields = json.loads(source.read_text(encoding="utf-8"))
        places = Places(**{name: Path(folder) for name, folder in fields.pop("places").items()})
        file, root, own, cache = (fields.pop(name) for name in ("file", "root", "own", "cache"))
        return cls(
            file=None if file is None else Path(file),
            root=None if root is None else Path(root),
            own=None if own is None else Path(own),
            cache=None if cache is None else Path(cache),
            places=places,
            directory=Path(fields.pop("directory")),
            wheels=tuple(Path(folder) for folder in fields.pop("wheels")),
            sources=tuple(Path(folder) for folder in fields.pop("sources")),
            jars=tuple(Path(jar) for jar in fields.pop("jars")),
            arguments=tuple(fields.pop("arguments")),
            requirements=tuple(fields.pop("requirements")),
            callers=tuple(fields.pop("callers")),
            **fields,
        )


def write_json(file: Path, content: object) -> None:
    """Write `content` to `file` in one step, so that no reader sees half of it."""
    draft = file.with_name(file.name + ".draft")
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(file)
