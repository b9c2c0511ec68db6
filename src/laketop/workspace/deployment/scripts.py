"""The scripts of a bundle: those that a user runs by key, and those around a deployment."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from laketop.bundle import Bundle, Script
from laketop.errors import LaketopError
from laketop.workspace.deployment.site import Site

_SHELLS: Final = ("bash", "sh")


def run_script(script: Script, bundle: Bundle, environment: Mapping[str, str]) -> int:
    """Run a script in the bundle's root, on this terminal; return its exit code.

    It stops at the first command that fails. `environment` is what it has beside its own `env`.
    Errors: LaketopError for a script without content, and where there is no shell.
    """
    if not script.content.strip():
        raise LaketopError(f"the script {script.key!r} has no content", hint=f"see {script.place}")
    whole = {**environment, "DATABRICKS_BUNDLE_TARGET": bundle.target, **script.environment}
    command = [_shell(whole), "-e", "-c", script.content]
    return subprocess.run(command, cwd=bundle.root, env=whole, check=False).returncode


def run_hook(moment: str, bundle: Bundle, site: Site) -> bool:
    """Run what `experimental.scripts` has for a moment; return whether there was something.

    Each line that it prints is said.
    Errors: LaketopError with its last words if it fails.
    """
    content = bundle.hooks.get(moment, "")
    if not content.strip():
        return False
    site.say(f"running the {moment} script")
    environment = {**site.environment, "DATABRICKS_BUNDLE_TARGET": bundle.target}
    last, code = _told([_shell(environment), "-e", "-c", content], bundle.root, environment, site)
    if code != 0:
        raise LaketopError(
            f"the {moment} script ended with {code}: {last or 'it said nothing'}",
            hint=f"it stands in the bundle under experimental.scripts.{moment}",
        )
    return True


def _told(
    command: list[str], root: Path, environment: Mapping[str, str], site: Site
) -> tuple[str, int]:
    last = ""
    with subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            last = line.rstrip() or last
            site.say(line.rstrip())
    return last, process.returncode


def _shell(environment: Mapping[str, str]) -> str:
    path = os.pathsep.join([environment.get("PATH", ""), os.defpath])
    found = next(filter(None, (shutil.which(name, path=path) for name in _SHELLS)), None)
    if found is None:
        raise LaketopError("there is no bash or sh here to run a script", hint="install one")
    return found
