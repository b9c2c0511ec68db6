from __future__ import annotations

import contextlib
import errno
import json
import os
import re
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


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_disk_that_is_full_is_said_without_the_path(number: int) -> None:
    answer = told(OSError(number, os.strerror(number), "/home/somebody/secret"))
    assert answer["error_code"] == "INTERNAL_ERROR"
    why = os.strerror(number)
    message = f"A file cannot be written: {why}. Make room on its disk, and try again."
    assert answer["message"] == message


@pytest.mark.parametrize("number", [errno.EROFS, errno.EIO])
def test_a_disk_that_cannot_be_read_or_written_is_not_called_full(number: int) -> None:
    answer = told(OSError(number, os.strerror(number), "/home/somebody/secret"))
    assert answer["error_code"] == "INTERNAL_ERROR"
    assert answer["message"] == f"A file cannot be read or written: {os.strerror(number)}."


def test_a_database_that_is_not_there_or_not_to_be_written_is_not_called_full(
    tmp_path: Path,
) -> None:
    said = "A database cannot be read or written: "
    with pytest.raises(sqlite3.OperationalError) as absent:
        sqlite3.connect(tmp_path / "none" / "kept.db")
    assert told(absent.value)["message"] == f"{said}unable to open database file."
    sqlite3.connect(tmp_path / "kept.db").close()
    place = f"file:{tmp_path}/kept.db?mode=ro"
    with (
        contextlib.closing(sqlite3.connect(place, uri=True)) as database,
        pytest.raises(sqlite3.OperationalError) as caught,
    ):
        database.execute("CREATE TABLE t (x)")
    assert told(caught.value)["message"] == f"{said}attempt to write a readonly database."


def test_a_database_that_cannot_grow_is_said_also_beneath_another_error(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "kept.db")) as database:
        database.execute("CREATE TABLE t (x)")
        database.execute("PRAGMA max_page_count = 3")
        with pytest.raises(sqlite3.OperationalError) as caught:
            database.execute("INSERT INTO t VALUES (zeroblob(100000))")
    message = "A database cannot be written: database or disk is full. Make room"
    assert message in told(caught.value)["message"]
    outer = RuntimeError("outside")
    outer.__cause__ = caught.value
    assert message in told(outer)["message"]


def test_a_full_disk_is_told_with_its_room_and_what_the_request_has_brought(
    tmp_path: Path,
) -> None:
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/home/somebody/secret")
    body = failed("POST /x", error, folder=tmp_path, size=12).body
    assert isinstance(body, bytes)
    message = json.loads(body)["message"]
    place = re.escape(repr(str(tmp_path)))
    said = rf" The workspace is in {place}, where [0-9]+ bytes are free; the request brought 12 "
    assert re.search(said, message)
    assert "secret" not in message


def test_any_other_fault_is_laketops_own() -> None:
    for error in (OSError(errno.ENOENT, "gone"), sqlite3.OperationalError("no such table")):
        assert "laketop failed at POST /x" in told(error)["message"]
