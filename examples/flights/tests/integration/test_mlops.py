"""The deployed job, end to end: every state and every table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from databricks.sdk.service.jobs import RunResultState

from flights.months import following

if TYPE_CHECKING:
    from conftest import Ran
    from databricks.sdk import WorkspaceClient
    from pyspark.sql import DataFrame, SparkSession

    from flights.parameters import Parameters

STEPS = {
    *("explore", "ingest", "refresh features", "train", "evaluate", "promote", "score", "serve"),
    *("monitor", "check drift", "retrain", "promote the retrained", "reproduce"),
}


def table(spark: SparkSession, parameters: Parameters, name: str) -> DataFrame:
    return spark.table(parameters.table(name))


def test_every_task_succeeds_and_drift_leads_to_retraining(ran: Ran) -> None:
    told = {task.task_key: task.state for task in ran.run.tasks or ()}
    states = {key: state and state.result_state for key, state in told.items()}
    assert set(states.values()) == {RunResultState.SUCCESS}, states
    assert ran.run.state is not None
    assert ran.run.state.result_state == RunResultState.SUCCESS
    assert {"ingest", "monitor", "drifted", "retrain"} <= states.keys()


def test_the_steps_have_left_their_figures(ran: Ran, spark: SparkSession) -> None:
    rows = table(spark, ran.parameters, "run_figures").where(f"run = '{ran.run.run_id}'").collect()
    assert {row["what"] for row in rows} == STEPS
    assert all(row["figure"] and row["seconds"] >= 0 for row in rows)


def test_only_the_slice_was_loaded(ran: Ran, spark: SparkSession) -> None:
    flights = table(spark, ran.parameters, "flights")
    assert [row["origin"] for row in flights.select("origin").distinct().collect()] == ["LGA"]
    assert flights.count() == 50_074


def test_feature_tables_have_one_row_for_each_key(ran: Ran, spark: SparkSession) -> None:
    for name in ("weather_features", "delay_features"):
        rows = table(spark, ran.parameters, name)
        assert rows.count() == rows.select("origin", "known_at").distinct().count() > 0


def test_every_flight_is_scored_once_by_the_first_champion(ran: Ran, spark: SparkSession) -> None:
    scored = table(spark, ran.parameters, "predictions")
    flights = table(spark, ran.parameters, "flights").where("month > 3")
    assert scored.count() == flights.count()
    versions = scored.select("model_version").distinct().collect()
    assert [row["model_version"] for row in versions] == ["1"]
    assert scored.where("prediction IS NULL OR prediction < 0 OR prediction > 1").count() == 0


def test_the_retrained_model_was_compared_on_a_month_that_neither_had_seen(
    ran: Ran, spark: SparkSession
) -> None:
    rows = table(spark, ran.parameters, "model_evaluations").where("version = '2'").collect()
    alarm = table(spark, ran.parameters, "run_figures").where("what = 'check drift'").first()
    assert alarm is not None
    month = alarm["figure"].rpartition("; ")[2].partition(" ")[0]
    assert {row["rows"] for row in rows} == {following(month)}
    assert {row["champion"] for row in rows} == {"1"}


def test_the_auc_over_all_rows_is_kept_with_its_interval(ran: Ran, spark: SparkSession) -> None:
    rows = table(spark, ran.parameters, "model_evaluations").where(
        "gate = 'minimum_auc' AND metric = 'auc'"
    )
    found = {row["version"]: row for row in rows.collect()}
    assert found.keys() == {"1", "2"}
    assert all(row["low"] < row["measured"] < row["high"] for row in found.values())


def test_decisions_and_aliases_agree(ran: Ran, spark: SparkSession) -> None:
    rows = table(spark, ran.parameters, "promotions").orderBy("decided_at").collect()
    challenged = [row["version"] for row in rows if row["outcome"] == "challenger"]
    decisions = [row for row in rows if row["outcome"] not in {"challenger", "approved"}]
    assert challenged == [row["version"] for row in decisions] == ["1", "2"]
    champion = [row["version"] for row in decisions if row["outcome"] == "promoted"][-1]
    assert _champion(ran.parameters) == champion


def test_the_job_waited_until_somebody_else_had_approved(ran: Ran, spark: SparkSession) -> None:
    asked = table(spark, ran.parameters, "model_evaluations").where(
        "gate = 'approval' AND version = '1'"
    )
    assert [(row["passed"], row["reason"]) for row in asked.collect()] == [
        (False, "nobody has approved it yet")
    ]
    decided = (
        table(spark, ran.parameters, "promotions")
        .where("version = '1' AND outcome <> 'challenger'")
        .orderBy("decided_at")
        .collect()
    )
    assert [(row["outcome"], row["approved_by"]) for row in decided] == [
        ("approved", ran.approver),
        ("promoted", ran.approver),
    ]


def test_the_models_and_their_runs_say_where_they_come_from(ran: Ran) -> None:
    import mlflow

    mlflow.set_registry_uri("databricks-uc")
    client = mlflow.MlflowClient()
    for version in ("1", "2"):
        told = client.get_model_version(ran.parameters.model, version)
        for tags in (told.tags, client.get_run(told.run_id or "").data.tags):
            assert tags["code_version"] == ran.parameters.git_commit
            assert tags["input.flights"].startswith(ran.parameters.table("flights") + "@v")
            features = ran.parameters.table("weather_features")
            assert tags["input.weather_features"].startswith(features)


def test_the_champion_is_served(ran: Ran, ws: WorkspaceClient) -> None:
    endpoint = ws.serving_endpoints.get(ran.parameters.endpoint)
    assert endpoint.config is not None
    (entity,) = endpoint.config.served_entities or []
    assert entity.entity_name == ran.parameters.model


def test_monitoring_tells_each_month(ran: Ran, spark: SparkSession) -> None:
    profile = table(spark, ran.parameters, "predictions_profile_metrics")
    months = profile.where("column_name = ':table' AND log_type = 'INPUT'").collect()
    assert len(months) == 3
    assert all(0.55 < row["roc_auc_score"] < 0.85 for row in months)
    drift = table(spark, ran.parameters, "predictions_drift_metrics")
    season = drift.where("column_name = 'temp' AND drift_type = 'BASELINE'").agg(
        {"population_stability_index": "max"}
    )
    assert season.collect()[0][0] > 1


def _champion(parameters: Parameters) -> str:
    import mlflow

    mlflow.set_registry_uri("databricks-uc")
    client = mlflow.MlflowClient()
    return str(client.get_model_version_by_alias(parameters.model, "champion").version)
