"""What a task declares and its interpreter has not: installed by uv into a folder for sys.path.

A folder is made once for each content and lies in the user's cache: it holds what the resolver
chose and nothing that the interpreter has in that very version already, as an environment of
Databricks lies over the libraries of its runtime.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from packaging.requirements import InvalidRequirement, Requirement

from laketop.errors import ConfigError, EngineMissing
from laketop.ml.environments import uv_program
from laketop.runner import in_place
from laketop.runner.locking import alone
from laketop.runner.requirements import STOOD_IN, canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

KEPT: Final = frozenset({"pyspark", "pyspark-client", "pyspark-connect", "delta-spark"})
"""What speaks to the engine, and has to be of its version."""
_LONGEST_WORDS: Final = 2_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be installed."""

    requirements: Sequence[str]
    """As of a requirements file, files by their whole path."""
    options: Sequence[str] = ()
    """Of the resolver: indexes, places of wheels."""


def overlay(
    wanted: Wanted,
    cache: Path,
    run: Callable[[Sequence[str], Path], int],
    say: Callable[[str], None],
) -> Path:
    """Return the folder that holds what is wanted, made if there is none of this content yet.

    `run` runs a program with both its outputs in a file and returns its exit code; `say` is told
    what takes its time.
    Errors: ConfigError with the resolver's words if it cannot be resolved or installed, also for
    another version of what speaks to the engine; EngineMissing without uv.
    """
    for name in wanted.requirements:
        _check_kept(name)
    installed = installed_here()
    folder = cache / digest_of(wanted, installed)
    if (folder / "done").exists():
        return folder / "site"
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    with alone(cache / f"{folder.name}.lock"):
        if (folder / "done").exists():  # by another task meanwhile
            return folder / "site"
        say(f"installing {', '.join(wanted.requirements)}")
        shutil.rmtree(folder, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=cache))
        try:
            _Install(wanted, draft, run, installed).make()
            (draft / "done").touch()
            draft.replace(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return folder / "site"


class _Install:
    def __init__(
        self,
        wanted: Wanted,
        folder: Path,
        run: Callable[[Sequence[str], Path], int],
        installed: Mapping[str, str],
    ) -> None:
        self._wanted = wanted
        self._folder = folder
        self._site = folder / "site"
        self._run = run
        self._installed = installed
        self._log = folder / "uv.log"

    def make(self) -> None:
        # What the interpreter has stays out, but for what the rest needs in another version.
        free = {name for name in map(_name, self._wanted.requirements) if name}
        while True:
            self._install(free)
            more = self._unmet() - free
            if not more:
                return
            if more & KEPT:
                raise self._error(f"installed beside this engine's {', '.join(more & KEPT)}")
            free |= more

    def _install(self, free: Collection[str]) -> None:
        shutil.rmtree(self._site, ignore_errors=True)
        self._log.unlink(missing_ok=True)
        out = sorted(({*self._installed} - {*free}) | KEPT | STOOD_IN)
        asked, excluded = self._folder / "asked.txt", self._folder / "excluded.txt"
        asked.write_text("\n".join(self._wanted.requirements) + "\n", encoding="utf-8")
        excluded.write_text("\n".join(out) + "\n", encoding="utf-8")
        command = [uv(), "pip", "install", "--quiet", "--python", sys.executable]
        command += ["--target", str(self._site), "--excludes", str(excluded)]
        # Places that a file names, where setuptools would have an import hook find modules.
        command += ["--config-setting", "editable_mode=compat"]
        if self._run([*command, *self._wanted.options, "-r", str(asked)], self._log):
            raise self._error("installed")
        self._site.mkdir(exist_ok=True)

    def _unmet(self) -> set[str]:
        # The names that what was installed needs, and that neither it nor the interpreter has so.
        here = list(importlib.metadata.distributions(path=[str(self._site)]))
        have = {**self._installed, **{canonical(each.name): each.version for each in here}}
        unmet = set()
        for each in here:
            for text in each.requires or ():
                need = Requirement(text)
                if need.marker is not None and not need.marker.evaluate({"extra": ""}):
                    continue
                name = canonical(need.name)
                version = have.get(name)
                if name not in STOOD_IN and not (
                    version and need.specifier.contains(version, prereleases=True)
                ):
                    unmet.add(name)
        return unmet

    def _error(self, what: str) -> ConfigError:
        text = self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""
        words = " ".join(text.split())[:_LONGEST_WORDS]
        asked = ", ".join(self._wanted.requirements)
        return ConfigError(
            f"{asked} cannot be {what}{f': {words}' if words else ''}",
            hint="see the environment or libraries of the task, and whether the index is reachable",
        )


def installed_here() -> dict[str, str]:
    """Return the version of each distribution of this interpreter, by its canonical name."""
    # What is installed or removed changes the folder that it lies in.
    folders = (Path(entry) for entry in sys.path if entry)
    return dict(_installed(tuple((str(f), f.stat().st_mtime_ns) for f in folders if f.is_dir())))


@functools.lru_cache(maxsize=2)
def _installed(_folders: tuple[tuple[str, int], ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = canonical(distribution.metadata["Name"] or "")
        if name and name != "laketop":
            found.setdefault(name, distribution.version)
    return found


def digest_of(wanted: Wanted, installed: Mapping[str, str]) -> str:
    """Return a name for what is wanted beside what is installed, by its content."""
    places = {
        text: in_place.digest_of(text)
        for text in wanted.requirements
        if in_place.is_requirement(text)
    }
    files = {
        text: hashlib.sha256(file.read_bytes()).hexdigest()
        for text, file in ((text, _file_of(text)) for text in wanted.requirements)
        if file is not None and file.is_file()
    }
    content = [
        *(sorted(wanted.requirements), list(wanted.options), files | places),
        *(sorted(installed.items()), sys.version_info[:2], sys.platform),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def _file_of(text: str) -> Path | None:
    if text.startswith("/"):
        return Path(text)
    _, _, path = text.partition(" @ file://")
    return Path(unquote(path)) if path else None


def _name(text: str) -> str | None:
    if in_place.is_requirement(text):
        name = in_place.name_of(text)
        return None if name is None else canonical(name)
    try:
        return canonical(Requirement(text).name)
    except InvalidRequirement:
        return None


def _check_kept(text: str) -> None:
    with contextlib.suppress(InvalidRequirement):
        requirement = Requirement(text)
        name = canonical(requirement.name)
        if name in KEPT and requirement.specifier:
            raise ConfigError(
                f"{text!r} is asked for, the engine speaks to {installed_here().get(name)}",
                hint=f"leave {name} out of the environment: laketop brings it",
            )


def uv() -> str:
    """Return the program uv. Errors: EngineMissing without it."""
    found = uv_program()
    if found is None:
        raise EngineMissing("uv is not installed, which makes the environments of tasks")
    return found
