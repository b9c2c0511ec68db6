from __future__ import annotations

import zipfile
from pathlib import Path

from tests.integration.runner.conftest import Run

from laketop.runner.tasks.python_wheel import PythonWheelTask


def test_an_entry_point_of_a_wheel_opens_the_session_itself(run: Run, tmp_path: Path) -> None:
    wheel = tmp_path / "parcel-1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            "parcel/__init__.py",
            "import sys\n"
            "from pyspark.sql import SparkSession\n"
            "def main():\n"
            "    spark = SparkSession.builder.getOrCreate()\n"
            "    print('rows', spark.range(int(sys.argv[1].partition('=')[2])).count())\n",
        )
        archive.writestr(
            "parcel-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: parcel\nVersion: 1.2\n"
        )
    settings = {"package_name": "parcel", "entry_point": "main", "named_parameters": {"n": "4"}}
    task = {"python_wheel_task": settings, "libraries": [{"whl": str(wheel)}]}
    outcome, log = run(PythonWheelTask(), task)

    assert outcome.error is None
    assert "rows 4" in log
