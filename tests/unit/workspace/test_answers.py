from __future__ import annotations

import contextlib
import errno
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from laketop.workspace.answers import failed


def told(error: Exception) -> dict[str, Any]:
    reply = failed("POST /x", error)
    assert reply.status == 500
    assert isinstance(reply.body, bytes)
    answer = json.loads(reply.body)
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_takes_nothing_is_said_without_the_path(number: int) -> None:
    answer = told(OSError(number, os.strerror(number), "/home/somebody/secret"))
    assert answer["error_code"] == "INTERNAL_ERROR"
    assert f"takes nothing more: {os.strerror(number)}. Make room" in answer["message"]
    assert "somebody" not in answer["message"]


def test_a_database_that_cannot_grow_is_said_also_beneath_another_error(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "kept.db")) as database:
        database.execute("CREATE TABLE t (x)")
        database.execute("PRAGMA max_page_count = 3")
        with pytest.raises(sqlite3.OperationalError) as caught:
            database.execute("INSERT INTO t VALUES (zeroblob(100000))")
    message = "takes nothing more: database or disk is full."
    assert message in told(caught.value)["message"]
    outer = RuntimeError("outside")
    outer.__cause__ = caught.value
    assert message in told(outer)["message"]


def test_any_other_fault_is_laketops_own() -> None:
    for error in (OSError(errno.ENOENT, "gone"), sqlite3.OperationalError("no such table")):
        assert "laketop failed at POST /x" in told(error)["message"]
