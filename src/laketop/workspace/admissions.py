"""Whom the engine lets in, and in which groups they are: files beside the catalogs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from laketop import durable
from laketop.workspace.identity import Token

_writing = threading.Lock()


def write(
    catalog: Path,
    tokens: Iterable[Token],
    *,
    admins: frozenset[str],
    members: Mapping[str, Iterable[str]],
) -> None:
    """Let the bearers of tokens into the engine, and tell it the members of each group.

    The engine knows no times: a token that expires opens the REST API alone.
    """
    users = {
        token.id: {"user": token.user, "admin": token.user in admins}
        for token in tokens
        if token.expires_ms is None
    }
    groups = {group: ",".join(sorted(names)) for group, names in members.items()}
    with _writing:
        _write(catalog / "_users.json", users)
        _write(catalog / "_groups.json", groups)


def _write(file: Path, content: Mapping[str, Any]) -> None:
    try:
        if json.loads(file.read_text(encoding="utf-8")) == content:
            return
    except (OSError, ValueError):
        pass
    durable.write_json(file, content)
