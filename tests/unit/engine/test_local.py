from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

from tests.integration.processes import is_running

from laketop.engine.local import admit, end


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


def test_what_a_process_started_and_did_not_wait_for_ends_with_it() -> None:
    left = """sh -c 'trap "" TERM; echo $$; exec sleep 60 >&2' & exec sleep 60"""
    with subprocess.Popen(
        ["sh", "-c", left], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        started = int(process.stdout.readline())
        end(process, grace_seconds=30)
    assert not is_running(started)
