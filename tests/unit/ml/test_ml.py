"""The public names of `laketop.ml`."""

from __future__ import annotations

import subprocess
import sys

import pytest

import laketop.ml


def test_all_is_sorted_and_every_name_is_there() -> None:
    assert laketop.ml.__all__ == sorted(laketop.ml.__all__)
    for name in laketop.ml.__all__:
        assert getattr(laketop.ml, name).__name__ or True
    assert set(laketop.ml.__all__) <= set(dir(laketop.ml))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        laketop.ml.nonsense  # noqa: B018  the access is what is tested


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, laketop.ml; laketop.ml.auc; laketop.ml.FeatureLookup; laketop.ml.promote; "
        "sys.exit(bool({'pyspark', 'mlflow', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
