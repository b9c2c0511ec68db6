"""The A/B test of the two versions that the job has left, on the recorded flights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from databricks.sdk.service.jobs import RunResultState

if TYPE_CHECKING:
    from conftest import Ran
    from databricks.sdk.service.jobs import Run
    from pyspark.sql import SparkSession


def test_the_job_puts_both_versions_beside_each_other(
    ran: Ran, run_job: Callable[[str, Mapping[str, str]], Run], spark: SparkSession
) -> None:
    asked = ("catalog", "schema", "experiment", "last_month")
    done = run_job("experiment", {name: getattr(ran.parameters, name) for name in asked})
    assert done.state is not None
    assert done.state.result_state is RunResultState.SUCCESS, done.state
    (settled,) = spark.table(ran.parameters.table("experiments")).collect()
    looks = spark.table(ran.parameters.table("experiment_looks")).orderBy("looked_at").collect()
    assert 1 <= len(looks) <= 5
    assert {look["experiment"] for look in looks} == {settled["name"]}
    last = looks[-1]
    assert last["control_keys"] + last["treatment_keys"] > 4_000
    assert abs(last["effect"]) < 0.05
    assert last["decision"] in {"continue", "treatment", "control", "undecided"}
    assert settled["state"] == ("running" if last["decision"] == "continue" else last["decision"])
    figures = spark.table(ran.parameters.table("run_figures")).where(f"run = '{done.run_id}'")
    (figure,) = figures.collect()
    assert figure["what"] == "experiment"
    assert figure["figure"].startswith(f"{last['decision']}: ")
