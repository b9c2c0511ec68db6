"""Git repositories, for tests of what a job takes from one."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def git_source_of(folder: Path) -> dict[str, str]:
    """Make a folder a repository with one commit of all in it; return a job's `git_source`."""
    for order in (
        ["init", "--quiet", "--initial-branch", "main"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@x.io", "commit", "--quiet", "-m", "one"],
    ):
        subprocess.run(["git", "-C", str(folder), *order], check=True)
    return {"git_url": folder.as_uri(), "git_provider": "gitHub", "git_branch": "main"}
