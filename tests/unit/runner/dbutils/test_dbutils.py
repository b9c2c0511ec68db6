"""dbutils as a whole: its parts, and a refusal by name for what is not served."""

from __future__ import annotations

import pytest

from laketop.runner.dbutils import DBUtils
from laketop.runner.dbutils.widgets import Widgets


@pytest.fixture
def dbutils() -> DBUtils:
    return DBUtils(widgets=Widgets({"a": "1"}), fs=object())


def test_a_part_is_an_attribute(dbutils: DBUtils) -> None:
    assert dbutils.widgets.get("a") == "1"


@pytest.mark.parametrize("name", ["fs.mount", "data.summarize", "credentials.assumeRole"])
def test_what_is_not_served_is_refused_by_name(dbutils: DBUtils, name: str) -> None:
    part, method = name.split(".")

    with pytest.raises(NotImplementedError, match=rf"dbutils\.{name} is not supported"):
        getattr(getattr(dbutils, part), method)("x", y=1)


def test_a_misspelt_name_is_an_attribute_error(dbutils: DBUtils) -> None:
    with pytest.raises(AttributeError, match="dbutils has no 'widget'"):
        dbutils.widget  # noqa: B018 - the access is what fails
    with pytest.raises(AttributeError, match=r"dbutils\.fs has no 'lss'"):
        dbutils.fs.lss("/")


def test_help_lists_parts_and_methods(dbutils: DBUtils, capsys: pytest.CaptureFixture[str]) -> None:
    dbutils.help()
    dbutils.widgets.help()

    printed = capsys.readouterr().out
    assert "dbutils.fs\n" in printed
    assert "dbutils.widgets.get: Return the value of a widget, or of a parameter" in printed
