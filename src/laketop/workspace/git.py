"""Git for Git folders: clones whose own files nobody in the workspace reaches."""

from __future__ import annotations

import base64
import dataclasses
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue, PermissionDenied

from laketop.runner.git_source import with_settings
from laketop.workspace.outgoing import is_within

_SECONDS = 300
_LONGEST_WORDS = 300
_NONE: Mapping[str, str] = MappingProxyType({})
_SAFE = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.symlinks=false"),
    *("-c", "http.followRedirects=false", "-c", "advice.detachedHead=false"),
)
"""What a repository brings along neither runs nor leads out of its folder."""


def check_url(url: str, allowed: Sequence[str]) -> None:
    """Refuse a remote that the settings do not allow. Source: reliability S14.

    Errors: InvalidParameterValue for another protocol; PermissionDenied for another place.
    """
    if not url.startswith(("https://", "file:///")) or any(ord(c) <= 32 for c in url):
        raise InvalidParameterValue(f"{url[:200]!r} is no https:// or file:/// address.")
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise InvalidParameterValue("The address of a repository holds no user or password.")
    if not is_within(url, allowed):
        raise PermissionDenied(
            f"{url[:200]} is not among the remotes that LAKETOP_GIT_REMOTES allows:"
            f" {', '.join(allowed) or 'none'}."
        )


@dataclasses.dataclass(frozen=True)
class Credential:
    """What a remote is shown; kept out of every command line and file."""

    username: str
    token: str

    def settings(self, url: str) -> dict[str, str]:
        """Return the settings by which git sends it to this address, and to no other."""
        sent = base64.b64encode(f"{self.username}:{self.token}".encode()).decode()
        return {
            f"http.{url}.extraHeader": f"Authorization: Basic {sent}",
            f"http.{url}.followRedirects": "false",  # else it goes wherever a remote says
        }


class Clone:
    """A clone: `folder` holds the files, `store` what git keeps of them, `path` leads to git.

    Errors of every method: BadRequest with GIT_ERROR and the words of git.
    """

    def __init__(
        self, url: str, folder: Path, store: Path, *, credential: Credential | None, path: str
    ) -> None:
        self._url, self._folder, self._store, self._path = url, folder, store, path
        self._credential = credential if url.startswith("https://") else None

    def make(self, patterns: Sequence[str] | None) -> str:
        """Fetch everything, check the default branch out, and return its name."""
        try:
            self._folder.mkdir()
            self._store.mkdir(parents=True)
            self._git("init", "--quiet")
            if patterns is not None:
                self.narrow(patterns)
            self._fetch()
            branch = self._default_branch()
            self.switch_branch(branch, fetch=False)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            shutil.rmtree(self._store, ignore_errors=True)
            raise
        return branch

    def narrow(self, patterns: Sequence[str]) -> None:
        """Check out no more than the folders that the patterns name."""
        if any(p.startswith("-") or "\n" in p for p in patterns):
            raise InvalidParameterValue("A pattern of a sparse checkout is the path of a folder.")
        self._git("sparse-checkout", "set", "--cone", *patterns)

    def switch_branch(self, branch: str, *, fetch: bool = True) -> None:
        """Bring the files to the newest commit of a branch; changes in the way are an error."""
        if fetch:
            self._fetch()
        remote = f"refs/remotes/origin/{branch}"
        self._check(remote, f"branch {branch}")
        self._git("checkout", "--quiet", "-B", branch, remote, "--")

    def switch_tag(self, tag: str) -> None:
        """Bring the files to a tag; changes in the way are an error."""
        self._fetch()
        self._check(f"refs/tags/{tag}", f"tag {tag}")
        self._git("checkout", "--quiet", "--detach", f"refs/tags/{tag}", "--")

    def head(self) -> str:
        """Return the commit that is checked out."""
        return self._git("rev-parse", "HEAD").strip()

    def _fetch(self) -> None:
        refs = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
        self._ask("fetch", "--quiet", "--prune", "--no-tags", "--", self._url, *refs)

    def _default_branch(self) -> str:
        for line in self._ask("ls-remote", "--symref", "--", self._url, "HEAD").splitlines():
            if line.startswith("ref: refs/heads/"):
                return line.removeprefix("ref: refs/heads/").partition("\t")[0]
        raise BadRequest(f"{self._url} has no default branch.", error_code="GIT_ERROR")

    def _check(self, reference: str, what: str) -> None:
        try:
            self._git("check-ref-format", reference)
            self._git("rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}")
        except BadRequest as error:
            raise InvalidParameterValue(f"The repository has no {what[:200]!r}.") from error

    def _ask(self, *arguments: str) -> str:
        """Run git with the credential: nothing of what has been cloned is executed by it."""
        shown = {} if self._credential is None else self._credential.settings(self._url)
        return self._git(*arguments, settings=shown)

    def _git(self, *arguments: str, settings: Mapping[str, str] = _NONE) -> str:
        environment = {
            "PATH": self._path,
            "HOME": str(self._store),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": "file:https",
            "LC_ALL": "C",
        }
        places = (f"--git-dir={self._store}", f"--work-tree={self._folder}")
        try:
            done = subprocess.run(
                ["git", *places, *_SAFE, *arguments],  # noqa: S607 - the machine's own git
                cwd=self._folder,
                env=with_settings(environment, settings),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            why = type(error).__name__
            raise BadRequest(f"git could not be run: {why}.", error_code="GIT_ERROR") from error
        if done.returncode != 0:
            words = " ".join(done.stderr.split())[-_LONGEST_WORDS:]
            raise BadRequest(f"git: {words}", error_code="GIT_ERROR")
        return done.stdout
