"""Git folders: clones of repositories in the tree of the workspace."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import anyio.to_thread
from databricks.sdk.errors.platform import (
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)

from laketop import durable
from laketop.workspace.git import Clone, check_url
from laketop.workspace.objects import Tree
from laketop.workspace.service import Service, route

_PAGE = 20


class Repos(Service):
    """Git folders over the machine's git, from the remotes that the settings allow.

    Source: databricks-sdk, `workspace.ReposAPI`.
    """

    @property
    def _repos(self) -> Any:
        return self.table("repos")

    @property
    def _tree(self) -> Tree:
        return Tree(self.workspace.state / "files")

    @route("POST /api/2.0/repos")
    async def create(
        self,
        url: str,
        provider: str,
        path: str | None = None,
        sparse_checkout: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Clone a repository, its default branch checked out."""
        patterns = _patterns(sparse_checkout)
        return await anyio.to_thread.run_sync(self._clone, url, provider, path, patterns)

    @route("GET /api/2.0/repos")
    def list(self, path_prefix: str = "", next_page_token: str | None = None) -> dict[str, Any]:
        """Return the Git folders that the caller may read, by pages."""
        prefix = self._tree.short(path_prefix) if path_prefix else "/"
        found = [
            kept
            for key, kept in self._repos.items()
            if key > (next_page_token or "")
            and kept["path"].startswith(prefix)
            and self._allows(kept, "CAN_READ")
        ]
        shown = [_shown(one) for one in found[:_PAGE]]
        more = len(found) > _PAGE
        return {"repos": shown, **({"next_page_token": str(shown[-1]["id"])} if more else {})}

    @route("GET /api/2.0/repos/{repo_id}")
    def get(self, repo_id: int) -> dict[str, Any]:
        """Return a Git folder."""
        return _shown(self._allowed(repo_id, "CAN_READ"))

    @route("PATCH /api/2.0/repos/{repo_id}")
    async def update(
        self,
        repo_id: int,
        branch: str | None = None,
        tag: str | None = None,
        sparse_checkout: dict[str, Any] | None = None,
    ) -> None:
        """Pull, and check out a branch or a tag."""
        if branch and tag:
            raise InvalidParameterValue("branch and tag exclude each other.")
        patterns = _patterns(sparse_checkout)
        await anyio.to_thread.run_sync(self._switch, repo_id, branch, tag, patterns)

    @route("DELETE /api/2.0/repos/{repo_id}")
    def delete(self, repo_id: int) -> None:
        """Delete a Git folder."""
        kept = self._allowed(repo_id, "CAN_MANAGE")
        self._forget(repo_id)
        place = self._tree.place(kept["path"])
        self.store.after_commit(lambda: shutil.rmtree(place, ignore_errors=True))

    def existing(self, repo_id: str) -> dict[str, Any]:
        """Return a Git folder whoever asks, inside a transaction. Errors: ResourceDoesNotExist."""
        found: dict[str, Any] | None = self._repos.get(repo_id)
        if found is None:
            raise ResourceDoesNotExist(f"Repo {repo_id[:50]} could not be found.")
        return found

    def at_paths(self) -> dict[str, int]:
        """Return the ids of the Git folders by their paths, inside a transaction."""
        return {kept["path"]: kept["id"] for kept in self._repos.values()}

    def forget_places(self, paths: Iterable[str]) -> None:
        """Forget the Git folders of places where nothing is any more, inside a transaction."""
        known = self.at_paths()
        for path in known.keys() & set(paths):
            self._forget(known[path])

    def _forget(self, repo_id: int) -> None:
        del self._repos[str(repo_id)]
        self.workspace.permissions.forget("repos", str(repo_id))
        self.store.after_commit(lambda: shutil.rmtree(self._kept(repo_id), ignore_errors=True))

    def _clone(self, url: str, provider: str, path: str | None, patterns: Any) -> dict[str, Any]:
        check_url(url, self.workspace.settings.git_remotes)
        name = url.rstrip("/").rpartition("/")[2].removesuffix(".git")
        path = self._tree.short(path or f"/Repos/{self.workspace.user}/{name}")
        self.workspace.permissions.require_path(path, "CAN_EDIT")
        place = self._place(path)
        repo_id = random.SystemRandom().randrange(10**14, 10**15)
        clone = self._clone_at(place, repo_id, url, provider)
        branch = clone.make(patterns)
        kept = {
            "id": repo_id,
            "url": url,
            "provider": provider,
            "path": path,
            "branch": branch,
            "head_commit_id": clone.head(),
            "creator_user_name": self.workspace.user,
            **({"sparse_checkout": {"patterns": patterns}} if patterns is not None else {}),
        }
        with self.store.transaction(write=True):
            self._repos[str(repo_id)] = kept
        return _shown(kept)

    def _place(self, path: str) -> Path:
        place = self._tree.place(path)
        if path.startswith(f"/Repos/{self.workspace.user}/"):
            durable.make_folder(place.parent)
        if not place.parent.is_dir():
            raise NotFound(f"The parent folder of {path} does not exist.")
        if place.exists():
            raise ResourceAlreadyExists(f"Path ({path}) already exists.")
        return place

    def _switch(self, repo_id: int, branch: str | None, tag: str | None, patterns: Any) -> None:
        with self.store.transaction(write=False):
            kept = self._allowed(repo_id, "CAN_EDIT")
        place = self._tree.place(kept["path"])
        clone = self._clone_at(place, repo_id, kept["url"], kept["provider"])
        if patterns is not None:
            if "sparse_checkout" not in kept:
                raise InvalidParameterValue("The Git folder was made without sparse checkout.")
            clone.narrow(patterns)
            kept["sparse_checkout"] = {"patterns": patterns}
        if tag:
            clone.switch_tag(tag)
            kept.pop("branch", None)
        elif branch or patterns is None:
            kept["branch"] = branch or kept.get("branch") or ""
            clone.switch_branch(kept["branch"])
        kept["head_commit_id"] = clone.head()
        with self.store.transaction(write=True):
            self.existing(str(repo_id))
            self._repos[str(repo_id)] = kept

    def _clone_at(self, place: Path, repo_id: int, url: str, provider: str) -> Clone:
        credential = self.workspace.git_credentials.of_caller(provider)
        path = self.workspace.settings.environment.get("PATH", os.defpath)
        return Clone(url, place, self._kept(repo_id), credential=credential, path=path)

    def _kept(self, repo_id: int) -> Path:
        return self.workspace.state / "git" / str(repo_id)

    def _allows(self, kept: dict[str, Any], level: str) -> bool:
        permissions = self.workspace.permissions
        allows = permissions.allows("repos", str(kept["id"]), level)
        return bool(allows or permissions.allows_path(kept["path"], level))

    def _allowed(self, repo_id: int, level: str) -> dict[str, Any]:
        kept = self.existing(str(repo_id))
        if not self._allows(kept, level):
            raise PermissionDenied(
                f"User {self.workspace.user} does not have {level} permission on repo {repo_id}."
            )
        return kept


def _patterns(sparse: dict[str, Any] | None) -> Any:
    if sparse is None:
        return None
    patterns = sparse.get("patterns") or []
    if not isinstance(patterns, list) or not all(isinstance(one, str) for one in patterns):
        raise InvalidParameterValue("The patterns of a sparse checkout are a list of texts.")
    return patterns


def _shown(kept: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kept.items() if name != "creator_user_name"}
