from __future__ import annotations

import json
from pathlib import Path

from laketop.runner.execute import OUTCOME_FILE
from laketop.workspace.run_output import LOG_FILE, output_of

MOST = 5 * 1024 * 1024
SCRIPT = {"task_key": "s", "spark_python_task": {"python_file": "/f.py"}}
NOTEBOOK = {"task_key": "n", "notebook_task": {"notebook_path": "/n"}}


def test_a_script_has_the_last_five_megabytes_of_what_it_printed(tmp_path: Path) -> None:
    (tmp_path / LOG_FILE).write_bytes(b"a" * 10 + b"b" * MOST)
    assert output_of(tmp_path, SCRIPT) == {"logs": "b" * MOST, "logs_truncated": True}
    (tmp_path / LOG_FILE).write_bytes(b"b" * MOST)
    assert output_of(tmp_path, SCRIPT) == {"logs": "b" * MOST, "logs_truncated": False}


def test_a_notebook_has_the_first_five_megabytes_of_its_exit_value(tmp_path: Path) -> None:
    for value, is_cut in (("a" * MOST, False), ("a" * MOST + "b", True)):
        (tmp_path / OUTCOME_FILE).write_text(json.dumps({"exit_value": value}), encoding="utf-8")
        told = {"result": "a" * MOST, "truncated": is_cut}
        assert output_of(tmp_path, NOTEBOOK) == {"notebook_output": told}
