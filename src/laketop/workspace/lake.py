"""The catalogs, schemas and volumes on disk, in the files in which the engine keeps them."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue, NotFound

from laketop import durable

MAIN = "main"
"""The catalog that is there from the start, and where sessions begin."""

_LONGEST = 255
_REFUSED = re.compile(r"[\x00-\x20\x7f./\\]")
_KEPT = frozenset(
    {
        *("_constraints", "_files", "_functions", "_owners", "_policies", "_prompts", "_tables"),
        *("_tags", "_views", "_volumes"),
    }
)
_ROUTINES = {"functions": "function", "models": "registered model", "prompts": "prompt"}
_COMMIT = re.compile(r"[0-9]{20}\.(json|checkpoint.*)")

Entry = dict[str, str]
"""What one JSON file of the catalog holds: texts by name."""

_writing = threading.Lock()


class Lake:
    """The folder of catalogs, `<root>/<catalog>/<schema>/<table>`.

    Names are kept in small letters. A file is there whole or not at all; what is dropped leaves
    the tree by one rename.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    # --- names and places ---

    def folder(self, *names: str) -> Path:
        """Return the folder of a catalog or a schema, whether it is there or not.

        Errors: InvalidParameterValue for a name that neither can have.
        """
        return self.root.joinpath(*(_container(name) for name in names))

    def entry(self, kind: str, catalog: str, schema: str, name: str) -> Path:
        """Return the file of something in a schema; `kind` is volumes, views, functions ..."""
        return self.folder(catalog, schema) / f"_{kind}" / f"{checked(name)}.json"

    def files(self, catalog: str, schema: str, volume: str) -> Path:
        """Return the folder of what a volume holds."""
        return self.folder(catalog, schema) / "_files" / checked(volume)

    # --- what is there ---

    def catalogs(self) -> list[str]:
        """Return the names of the catalogs, sorted."""
        return _folders(self.root)

    def schemas(self, catalog: str) -> list[str]:
        """Return the names of a catalog's schemas, sorted. Errors: NotFound."""
        self.catalog(catalog)
        return _folders(self.folder(catalog))

    def catalog(self, name: str) -> Entry:
        """Return what is kept of a catalog. Errors: NotFound."""
        if not self.folder(name).is_dir():
            raise NotFound(f"Catalog '{name}' does not exist.", error_code="CATALOG_DOES_NOT_EXIST")
        return read(self.folder(name) / "_catalog.json")

    def schema(self, catalog: str, name: str) -> Entry:
        """Return what is kept of a schema. Errors: NotFound."""
        self.catalog(catalog)
        if not self.folder(catalog, name).is_dir():
            raise NotFound(
                f"Schema '{catalog}.{name}' does not exist.", error_code="SCHEMA_DOES_NOT_EXIST"
            )
        return read(self.folder(catalog, name) / "_schema.json")

    def volume(self, catalog: str, schema: str, name: str) -> Entry:
        """Return what is kept of a volume. Errors: NotFound."""
        self.schema(catalog, schema)
        file = self.entry("volumes", catalog, schema, name)
        if not file.is_file():
            raise NotFound(
                f"Volume '{catalog}.{schema}.{name}' does not exist.",
                error_code="VOLUME_DOES_NOT_EXIST",
            )
        return read(file)

    def tables(self, catalog: str, schema: str) -> list[str]:
        """Return the names of a schema's tables and views, sorted."""
        folder = self.folder(catalog, schema)
        found = {*self.listed("tables", catalog, schema), *self.listed("views", catalog, schema)}
        found.update(name for name in _folders(folder) if _is_delta(folder / name))
        return sorted(found)

    def listed(self, kind: str, catalog: str, schema: str) -> list[str]:
        """Return the names of what a schema has files of: volumes, functions, views, sorted."""
        folder = self.folder(catalog, schema) / f"_{kind}"
        names = (file.name for file in folder.glob("*.json")) if folder.is_dir() else ()
        return sorted(name.removesuffix(".json") for name in names if not name.startswith("."))

    def routines(self, catalog: str, schema: str, name: str) -> set[str]:
        """Return the kinds of what has a name in a schema: functions, models, prompts."""
        kinds = ("functions", "prompts")
        places = {kind: self.entry(kind, catalog, schema, name) for kind in kinds}
        # The workspace keeps the files of models beside the catalogs.
        folder = self.root.parent / "models" / catalog.lower() / schema.lower()
        places["models"] = folder / checked(name)
        # Of a name that is too long for a file it says no, where a Path would raise.
        return {kind for kind, place in places.items() if os.path.exists(place)}  # noqa: PTH110

    def other_routine(self, kind: str, full_name: str) -> str | None:
        """Return why nothing of a kind can have a name, None if it can.

        One of functions, models and prompts has it: were it two, what the owner of one may do
        would be hard to tell from what may be done with the other. Source: Databricks docs,
        models in Unity Catalog are securables of the type FUNCTION.
        """
        catalog, schema, name = full_name.split(".")
        for other in sorted(self.routines(catalog, schema, name) - {kind}):
            return (
                f"The name '{full_name}' is that of a {_ROUTINES[other]}: functions, registered"
                " models and prompts of a schema share their names."
            )
        return None

    def holds(self, catalog: str, schema: str) -> dict[str, int]:
        """Return how many tables (with views), functions and volumes are in a schema.

        Of prompts it tells where there are any: they are in no sentence of Databricks.
        """
        prompts = len(self.listed("prompts", catalog, schema))
        return {
            "tables": len(self.tables(catalog, schema)),
            "functions": len(self.listed("functions", catalog, schema)),
            "volumes": len(self.listed("volumes", catalog, schema)),
            **({"prompts": prompts} if prompts else {}),
        }

    # --- changes ---

    def keep(self, file: Path, entry: Mapping[str, str]) -> None:
        """Put an entry in its file, with the folders above it."""
        durable.write_json(file, dict(entry))

    def change(self, file: Path, change: Callable[[Entry], Entry]) -> None:
        """Put what `change` makes of the entry in a file there; nobody else changes one meanwhile.

        What it raises leaves the file as it was.
        """
        with self.alone():
            self.keep(file, change(read(file)))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep out whoever else changes an entry: threads of this process, and the engine."""
        lock = self.root / "_grants" / ".lock"
        durable.make_folder(lock.parent)
        # Closing any file of a lock lets a process go of it, so one thread at a time has one open.
        with _writing, lock.open("a", encoding="utf-8") as held:
            fcntl.lockf(held, fcntl.LOCK_EX)
            yield

    def rename(self, source: Path, target: Path) -> None:
        """Move a folder of the tree."""
        source.rename(target)
        durable.flush_folder(target.parent)

    def discard(self, folder: Path) -> None:
        """Take a folder out of the tree by one rename, then delete it; fine if it is not there.

        Of a link, as the folder of an external volume is, only the link goes.
        """
        if folder.is_symlink():
            folder.unlink()
            durable.flush_folder(folder.parent)
        if not folder.exists():
            return
        away = self.root / ".trash" / uuid.uuid4().hex
        durable.make_folder(away.parent)
        folder.rename(away)
        durable.flush_folder(folder.parent)
        shutil.rmtree(away, ignore_errors=True)


def checked(name: str) -> str:
    """Return a name in small letters. Errors: InvalidParameterValue for one that cannot be."""
    if not name or len(name) > _LONGEST or _REFUSED.search(name) or name.lower() in _KEPT:
        raise InvalidParameterValue(
            f"The name {name[:300]!r} is not a valid name. Valid names cannot contain spaces,"
            " periods, forward slashes, or control characters."
        )
    return name.lower()


def _container(name: str) -> str:
    if name.startswith("_"):
        raise InvalidParameterValue(
            f"The name {name[:300]!r} is not a valid name: catalogs and schemas do not begin with"
            " an underscore."
        )
    return checked(name)


def parts(full_name: str, number: int, what: str) -> list[str]:
    """Return the parts of a full name. Errors: InvalidParameterValue for another number."""
    found = full_name.split(".")
    if len(found) != number:
        raise InvalidParameterValue(
            f"{full_name[:300]!r} is not the full name of a {what}, which has {number} parts."
        )
    return [checked(part) for part in found]


def read(file: Path) -> Entry:
    """Return what a file of the catalog holds, nothing where there is none."""
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}


def changed_ms(file: Path) -> int | None:
    """Return when a file was written, in ms since 1970, None where there is none."""
    try:
        return file.stat().st_mtime_ns // 1_000_000
    except OSError:
        return None


def already(kind: str, full_name: str) -> BadRequest:
    """Return the error for something that is there already.

    Source: Databricks docs, error classes.
    """
    return BadRequest(
        f"{kind} '{full_name}' already exists", error_code=f"{kind.upper()}_ALREADY_EXISTS"
    )


def _folders(folder: Path) -> list[str]:
    return sorted(_names(folder))


def _names(folder: Path) -> Iterator[str]:
    if folder.is_dir():
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir() and not entry.name.startswith((".", "_")):
                    yield entry.name


def _is_delta(table: Path) -> bool:
    log = table / "_delta_log"
    return log.is_dir() and any(_COMMIT.fullmatch(file.name) for file in log.iterdir())
