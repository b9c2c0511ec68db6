"""Notebooks packed as a Databricks archive, a DBC: a ZIP of their models.

Each entry is called as the notebook, with its language as extension, in the folders it lies in.
Source: Databricks docs, "Export and import Databricks notebooks"; archives exported there.
"""

from __future__ import annotations

import dataclasses
import io
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import PurePosixPath

from laketop.errors import ConfigError
from laketop.runner.notebook_source import Notebook
from laketop.workspace import notebook_model

_MOST_ENTRIES = 10_000
_MOST_BYTES = 100 * 1024 * 1024
"""What an archive may unpack to. Source: reliability S10."""
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error),
    *(EOFError, NotImplementedError, RuntimeError, ValueError),
)
"""What damaged and encrypted archives raise."""
_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The methods that `zipfile` unpacks no further than it is asked to."""


@dataclasses.dataclass(frozen=True)
class Unpacked:
    """The notebooks of an archive by their paths in it, which nobody has checked.

    Without the folder that all of them lie in; `is_folder` tells a folder from one notebook.
    """

    notebooks: list[tuple[str, Notebook]]
    is_folder: bool


def packed(notebooks: Iterable[tuple[str, Notebook]]) -> bytes:
    """Return the archive of notebooks, each with its path in it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, notebook in notebooks:
            model = notebook_model.written(notebook, PurePosixPath(path).name)
            archive.writestr(f"{path}.{notebook.language}", model)
    return content.getvalue()


def unpacked(content: bytes, name: str) -> Unpacked:
    """Return the notebooks of an archive.

    Errors: ConfigError for what is no archive, is too large, or holds no notebook.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            texts = {one.filename: _read(archive, one) for one in _entries(archive, name)}
    except _UNREADABLE as error:
        raise ConfigError(f"{name!r} is not a Databricks archive: {error}") from error
    found = {
        str(PurePosixPath(entry).with_suffix("")): notebook_model.notebook_of(text, entry)
        for entry, text in texts.items()
    }
    if len(found) < len(texts):
        raise ConfigError(f"{name!r} holds two notebooks of one name")
    tops = {path.partition("/")[0] for path in found}
    if len(tops) == 1 and all("/" in path for path in found):
        inside = [(path.partition("/")[2], notebook) for path, notebook in found.items()]
        return Unpacked(inside, is_folder=True)
    return Unpacked(list(found.items()), is_folder=len(found) > 1)


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as stream:
        # Without a number all is unpacked before it is cut to the size that the entry claims; the
        # one more reaches the end, where the checksum is looked at.
        return stream.read(entry.file_size + 1)


def _entries(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    listed = archive.infolist()
    if len(listed) > _MOST_ENTRIES or sum(one.file_size for one in listed) > _MOST_BYTES:
        raise ConfigError(
            f"{name!r} has more than {_MOST_ENTRIES} entries, or unpacks to more than"
            f" {_MOST_BYTES} bytes"
        )
    kinds = {f".{language}" for language in notebook_model.LANGUAGES}
    found = [one for one in listed if PurePosixPath(one.filename).suffix in kinds]
    if not found:
        raise ConfigError(f"{name!r} is not a Databricks archive: it holds no notebook")
    if any(one.compress_type not in _BOUNDED for one in found):
        raise ConfigError(f"{name!r} is not a Databricks archive: its entries are not deflated")
    return found
