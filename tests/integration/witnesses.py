"""Keeps what the tests' clients were answered, for `scripts/witnesses.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter


class Witnesses:
    """A pytest plugin: writes `STATUS METHOD /path` of each request that was answered."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: set[str] = set()
        self._patch = pytest.MonkeyPatch()

    def pytest_sessionstart(self) -> None:
        """Look at what every client of this process is answered."""
        send = HTTPAdapter.send

        def watched(adapter: HTTPAdapter, request: requests.PreparedRequest, **more: Any) -> Any:
            answer = send(adapter, request, **more)
            path = urlsplit(request.url or "").path
            self._seen.add(f"{answer.status_code} {request.method} {path}")
            return answer

        self._patch.setattr(HTTPAdapter, "send", watched)

    def pytest_sessionfinish(self) -> None:
        """Add what was seen to the file."""
        self._patch.undo()
        with self._file.open("a", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in sorted(self._seen))
