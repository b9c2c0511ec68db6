from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from laketop.engine import workers


def test_the_program_is_this_interpreter(tmp_path: Path) -> None:
    folder = tmp_path / "a 'b"
    folder.mkdir()
    workers.write_program(folder)
    command = [
        str(workers.program(folder)),
        "-c",
        "import sys; print(sys.executable, sys.argv[1])",
        "x y",
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == f"{sys.executable} x y\n"


def test_the_modules_of_streams_go_through_the_worker_of_streams(tmp_path: Path) -> None:
    workers.write_program(tmp_path)
    module = "pyspark.sql.connect.streaming.worker.foreach_batch_worker"
    told = subprocess.run(
        [workers.program(tmp_path), "-m", module],
        env={"PATH": os.environ["PATH"], "PYTHON_WORKER_FACTORY_PORT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode
    assert "stream_worker.py" in told.stderr
