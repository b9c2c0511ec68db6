"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_a_conftest_may_import_what_exists_only_on_databricks(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from databricks.connect import DatabricksSession\n"
        "from databricks.sdk import WorkspaceClient\n",
        encoding="utf-8",
    )
    (tmp_path / "test_it.py").write_text("def test_it():\n    pass\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
