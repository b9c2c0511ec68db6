"""Files that go with a model, beside what MLflow itself writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType


class WithFiles:
    """An MLflow flavor that writes texts into the folder of the model that another saves.

    Hand it as `flavor` to `FeatureEngineeringClient.log_model`; `files` maps file name to text.
    Errors: ValueError for a name that is no plain file name, or one that MLflow writes.
    """

    def __init__(self, flavor: ModuleType, files: Mapping[str, str]) -> None:
        for name in files:
            if name != Path(name).name or name in {"MLmodel", "requirements.txt", "", "."}:
                raise ValueError(f"{name!r} cannot be the name of a file beside a model")
        self.__name__ = flavor.__name__
        self._flavor = flavor
        self._files = dict(files)

    def save_model(self, path: str, **kwargs: Any) -> None:
        """Save with the inner flavor, then add the files."""
        self._flavor.save_model(path=path, **kwargs)
        for name, text in self._files.items():
            (Path(path) / name).write_text(text, encoding="utf-8")
