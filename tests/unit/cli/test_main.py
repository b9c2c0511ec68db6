from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from laketop.cli.main import main


def test_an_error_is_a_sentence_and_a_hint_and_ends_with_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", "--project", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "hint: " in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["fly"], ["run"], ["run", "job", "--params", "x"], ["up", "--port", "70000"]),
        ["run", "job", "--watch", "--no-wait"],
        ["deploy", "--force-l"],
        ["token", "list", "--js"],
    ],
)
def test_wrong_usage_ends_with_two(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: laketop" in capsys.readouterr().err


def test_debug_shows_where_an_error_came_from(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"databricks\.yml"):
        main(["--debug", "validate", "--project", str(tmp_path)])


def test_help_loads_nothing_that_it_has_no_need_of() -> None:
    code = """
import sys
from laketop.cli.main import main
try:
    main(["--help"])
finally:
    print(sorted({"typing", "json", "shutil"} & sys.modules.keys()), file=sys.stderr)
"""
    isolated = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"]
    said = subprocess.run(isolated, capture_output=True, text=True, check=False)
    assert "usage: laketop" in said.stdout
    assert said.stderr.splitlines()[-1] == "[]"
