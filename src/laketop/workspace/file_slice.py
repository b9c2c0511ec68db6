"""A part of an open file, as the body of an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

_PART = 1024 * 1024


class FileSlice:
    """`size` bytes of `file` from `start` on, read as they are sent; closes the file."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._size = file, size
        file.seek(start)

    def __iter__(self) -> Iterator[bytes]:
        left = self._size
        while left > 0 and (part := self._file.read(min(left, _PART))):
            left -= len(part)
            yield part

    def close(self) -> None:
        """Close the file."""
        self._file.close()
