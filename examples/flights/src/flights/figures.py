"""What each step computed, one row a figure in the table `run_figures`.

run STRING (the job run), what STRING (the step), on STRING, figure STRING, seconds DOUBLE (in the
step, imports left out), recorded_at TIMESTAMP (UTC).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from laketop.ml import append

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from flights.parameters import Parameters

COLUMNS = "run string, what string, on string, figure string, seconds double, recorded_at timestamp"


class Step:
    """One step of a run: started when it is made, recorded once."""

    def __init__(self, spark: SparkSession, run: Parameters, name: str) -> None:
        self._spark = spark
        self._run = run
        self._name = name
        self._begin = time.monotonic()

    def record(self, *, on: str, figure: str) -> None:
        """Print the figure, and keep it in `run_figures`."""
        seconds = round(time.monotonic() - self._begin, 3)
        print(f"{self._name}: {figure} ({on}, {seconds:.1f} s)", flush=True)
        row = (
            self._run.run_name,
            self._name,
            on,
            figure,
            seconds,
            datetime.now(UTC),
        )
        frame = self._spark.createDataFrame([row], schema=COLUMNS)
        append(self._spark, self._run.table("run_figures"), frame)
