from __future__ import annotations

import hashlib
import json
from pathlib import Path

from laketop.engine.local import admit


def test_only_the_digest_of_a_token_is_kept(tmp_path: Path) -> None:
    admit(tmp_path, token="secret", user="ann", admin=True)
    text = (tmp_path / "_users.json").read_text(encoding="utf-8")
    assert "secret" not in text
    digest = hashlib.sha256(b"secret").hexdigest()
    assert json.loads(text) == {digest: {"user": "ann", "admin": True}}


def test_a_new_token_of_a_user_replaces_the_old_one(tmp_path: Path) -> None:
    admit(tmp_path, token="old", user="ann", admin=True)
    admit(tmp_path, token="bobs", user="bob", admin=False)
    admit(tmp_path, token="new", user="ann", admin=True)
    users = json.loads((tmp_path / "_users.json").read_text(encoding="utf-8"))
    assert sorted(entry["user"] for entry in users.values()) == ["ann", "bob"]
    assert hashlib.sha256(b"new").hexdigest() in users
