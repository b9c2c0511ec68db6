"""The A/B test of the two versions that the job has left, on the recorded flights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flights.experiment import experiment

if TYPE_CHECKING:
    from conftest import Ran
    from pyspark.sql import SparkSession


def test_both_versions_are_put_beside_each_other(ran: Ran, spark: SparkSession) -> None:
    found = experiment(spark, replace(ran.parameters, run="by hand"))
    looks = spark.table(ran.parameters.table("experiment_looks")).orderBy("looked_at").collect()
    assert found.control.keys + found.treatment.keys > 4_000
    assert abs(found.control.mean - found.treatment.mean) < 0.05
    assert found.decision != "invalid"
    assert looks[-1]["decision"] == found.decision
    assert 1 <= len(looks) <= 5
    (settled,) = spark.table(ran.parameters.table("experiments")).collect()
    assert settled["state"] == (found.decision if found.is_final else "running")
