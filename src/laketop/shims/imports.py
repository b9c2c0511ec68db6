"""Two hooks of the import system: act once a module is loaded, and stand in for a missing one."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import ModuleType


def after_import(name: str, act: Callable[[ModuleType], None]) -> None:
    """Call `act` with the module `name` when it has been imported, at once if it already is."""
    loaded = sys.modules.get(name)
    if loaded is not None and not getattr(loaded.__spec__, "_initializing", False):
        act(loaded)
        return
    _finder(_Watcher, first=True).acts.setdefault(name, []).append(act)


def provide_module(name: str, file: Path) -> None:
    """Let `import name` load `file` where no installed module has that name."""
    _finder(_StandIns, first=False).files[name] = file


_Finder = TypeVar("_Finder", bound=importlib.abc.MetaPathFinder)


class _Watcher(importlib.abc.MetaPathFinder):
    # Asks the finders behind it, and wraps the loader that they name.

    def __init__(self) -> None:
        self.acts: dict[str, list[Callable[[ModuleType], None]]] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self.acts:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = None if finder is self or find is None else find(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _ActingLoader(spec.loader, self.acts[fullname])
                return spec  # type: ignore[no-any-return]  # finders are untyped
        return None


class _ActingLoader(importlib.abc.Loader):
    def __init__(
        self, loader: importlib.abc.Loader, acts: list[Callable[[ModuleType], None]]
    ) -> None:
        self._loader = loader
        self._acts = acts

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        for act in self._acts:
            act(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)  # get_source, get_code, get_filename ..


class _StandIns(importlib.abc.MetaPathFinder):
    # Stands last, so that an installed module is found before it is asked.

    def __init__(self) -> None:
        self.files: dict[str, Path] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the finders' signature
        target: ModuleType | None = None,  # noqa: ARG002 - the finders' signature
    ) -> importlib.machinery.ModuleSpec | None:
        file = self.files.get(fullname)
        return None if file is None else importlib.util.spec_from_file_location(fullname, file)


def _finder(kind: type[_Finder], *, first: bool) -> _Finder:
    for finder in sys.meta_path:
        if isinstance(finder, kind):
            return finder
    made = kind()
    sys.meta_path.insert(0 if first else len(sys.meta_path), made)
    return made
