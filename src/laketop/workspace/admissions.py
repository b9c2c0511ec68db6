"""Whom the engine lets in, and in which groups they are: files beside the catalogs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from laketop.engine.groups import write_changed, write_groups
from laketop.workspace.identity import Token


def write(
    catalog: Path,
    tokens: Iterable[Token],
    *,
    admins: frozenset[str],
    members: Mapping[str, Collection[str]],
) -> None:
    """Let the bearers of tokens into the engine, and tell it the members of each group.

    The engine knows no times: a token that expires opens the REST API alone. Who calls sees to it
    that calls come one after the other.
    """
    users = {
        token.id: {"user": token.user, "admin": token.user in admins}
        for token in tokens
        if token.expires_ms is None
    }
    write_changed(catalog / "_users.json", users)
    write_groups(catalog, members)


def write_metastore(catalog: Path, global_id: str) -> None:
    """Tell the engine the id of the metastore, which `current_metastore()` answers."""
    write_changed(catalog / "_metastore.json", {"global_metastore_id": global_id})
