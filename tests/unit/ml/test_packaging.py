"""Files beside a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pytest

from laketop.ml import WithFiles


class Flavor:
    __name__ = "mlflow.sklearn"

    def save_model(self, path: str, **kwargs: Any) -> None:
        folder = Path(path)
        folder.mkdir()
        (folder / "MLmodel").write_text(str(kwargs))


def test_the_files_are_written_beside_what_the_flavor_saves(tmp_path: Path) -> None:
    flavor = WithFiles(Flavor(), {"card.md": "# card"})  # type: ignore[arg-type]  # as a module
    flavor.save_model(str(tmp_path / "model"), x=1)
    assert flavor.__name__ == "mlflow.sklearn"
    assert (tmp_path / "model" / "card.md").read_text() == "# card"
    assert (tmp_path / "model" / "MLmodel").read_text() == "{'x': 1}"


@pytest.mark.parametrize("name", ["MLmodel", "../card.md", "a/b", ""])
def test_a_name_that_is_no_file_of_ours_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="beside a model"):
        WithFiles(mlflow.sklearn, {name: ""})
