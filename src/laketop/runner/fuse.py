"""Plain Python file calls on `/Volumes`, `/Workspace` and `/dbfs`.

On Databricks these are mounted. Here the calls of Python itself are taken to the places on disk:
`open`, `os` and what builds on them (pathlib, shutil, glob, pandas by file object, joblib), and
imports from folders on sys.path. Libraries that open files in C by name, such as sqlite3 and
pyarrow datasets, are not reached. A path that stands for nothing here is left as it is.
"""

from __future__ import annotations

import builtins
import functools
import importlib.machinery
import io
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from laketop.runner.paths import Places

PREFIXES = ("/Volumes/", "/Workspace/", "/dbfs/")
_ONE_PATH = (
    "access",
    "chdir",
    "chmod",
    "chown",
    "getxattr",
    "listdir",
    "listxattr",
    "lstat",
    "mkdir",
    "open",
    "readlink",
    "remove",
    "rmdir",
    "scandir",
    "setxattr",
    "stat",
    "statvfs",
    "truncate",
    "unlink",
    "utime",
)
_TWO_PATHS = ("link", "rename", "replace", "symlink")


def mount(places: Places) -> None:
    """Take file calls of this process to `places`; call it once."""
    taken = _Taken(io.open, "io", places, 1)
    builtins.open = io.open = taken
    for count, names in ((1, _ONE_PATH), (2, _TWO_PATHS)):
        for name in names:
            _replace(name, places, count)
    sys.path_hooks.insert(0, functools.partial(_finder, places))


def _replace(name: str, places: Places, count: int) -> None:
    original = getattr(os, name, None)
    if original is None:  # not on this system
        return
    taken = _Taken(original, "os", places, count)
    for supported in (
        os.supports_dir_fd,
        os.supports_effective_ids,
        os.supports_fd,
        os.supports_follow_symlinks,
    ):
        if original in supported:
            supported.add(taken)
    setattr(os, name, taken)


class _Taken:
    # No function, so that it does not become a method where a class has it as attribute.

    def __init__(self, call: Callable[..., Any], module: str, places: Places, paths: int) -> None:
        functools.update_wrapper(self, call)
        self._call = call
        self._module = module
        self._places = places
        self._paths = paths

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        asked = args[: self._paths]
        meant = [_meant(argument, self._places) for argument in asked]
        try:
            return self._call(*meant, *args[self._paths :], **kwargs)
        except OSError as error:
            _name_as_asked(error, asked, meant)
            raise

    def __reduce__(self) -> tuple[Any, ...]:
        # In another process it is that process's own call.
        return eval, (f"__import__({self._module!r}).{self._call.__name__}",)


def _meant(argument: Any, places: Places) -> Any:
    if isinstance(argument, (str, os.PathLike)):
        path = os.fspath(argument)
        if isinstance(path, str) and path.startswith(PREFIXES):
            place = str(places.file(path))
            return argument if place == path else place
    return argument


def _name_as_asked(error: OSError, asked: tuple[Any, ...], meant: list[Any]) -> None:
    # The message names the path that was asked for, not its place on this machine.
    for given, place in zip(asked, meant, strict=True):
        if given is not place and error.filename == place:
            error.filename = os.fspath(given)
        if given is not place and error.filename2 == place:
            error.filename2 = os.fspath(given)


def _finder(places: Places, folder: str) -> importlib.machinery.FileFinder:
    # A path hook: it finds modules in a folder of sys.path that is one of ours.
    place = str(places.file(folder)) if folder.startswith(PREFIXES) else folder
    if place == folder:
        raise ImportError(folder)
    return importlib.machinery.FileFinder(
        place,
        (importlib.machinery.SourceFileLoader, importlib.machinery.SOURCE_SUFFIXES),
        (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES),
        (importlib.machinery.SourcelessFileLoader, importlib.machinery.BYTECODE_SUFFIXES),
    )
