"""Put the champion behind the serving endpoint, and ask it about one flight."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.serving import EndpointCoreConfigInput, ServedEntityInput
from pyspark.sql import SparkSession

from flights import features, registry
from flights.figures import Step
from flights.months import following
from flights.parameters import Parameters, read
from laketop.ml import FeatureEngineeringClient

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def main() -> None:
    """Run the step with the parameters of the process."""
    serve(SparkSession.builder.getOrCreate(), WorkspaceClient(), read())


def serve(spark: SparkSession, workspace: WorkspaceClient, run: Parameters) -> float:
    """Create or update the endpoint, wait until it serves the champion, ask it once.

    The answer is the probability of a late arrival.
    Errors: those of the SDK when the endpoint does not come up, ValueError for an answer that is
    no probability.
    """
    step = Step(spark, run, "serve")
    client = registry.client(run)
    version = registry.existing(client, run, registry.CHAMPION)
    record = _one_flight(spark, run, following(registry.trained_through(client, run, version)))
    _bring_up(workspace, run, version)
    begin = time.perf_counter()
    answer = workspace.serving_endpoints.query(name=run.endpoint, dataframe_records=[record])
    milliseconds = 1000 * (time.perf_counter() - begin)
    (probability,) = answer.predictions or [math.nan]
    if not 0 <= float(probability) <= 1:
        raise ValueError(f"endpoint {run.endpoint!r} answered {probability!r}, no probability")
    step.record(
        on=f"endpoint {run.endpoint}, version {version}",
        figure=f"{record['carrier']} {record['origin']}-{record['dest']}: late with probability "
        f"{float(probability):.3f}, answered in {milliseconds:.0f} ms",
    )
    return float(probability)


def _bring_up(workspace: WorkspaceClient, run: Parameters, version: str) -> None:
    entity = ServedEntityInput(
        entity_name=run.model,
        entity_version=version,
        workload_size="Small",
        scale_to_zero_enabled=True,
    )
    endpoints = workspace.serving_endpoints
    try:
        endpoints.get(run.endpoint)
    except NotFound:
        config = EndpointCoreConfigInput(name=run.endpoint, served_entities=[entity])
        endpoints.create(name=run.endpoint, config=config).result()
    else:
        endpoints.update_config(name=run.endpoint, served_entities=[entity]).result()


def _one_flight(spark: SparkSession, run: Parameters, month: str) -> dict[str, Any]:
    departures = features.departures(spark, run, [month]).where("dest IS NOT NULL")
    first: DataFrame = departures.orderBy("known_at", "carrier", "flight").limit(1)
    joined = FeatureEngineeringClient(spark=spark).create_training_set(
        df=first, feature_lookups=features.lookups(run), label=features.LABEL
    )
    row = joined.load_df().select(*features.INPUTS).collect()[0]
    return {name: row[name] for name in features.INPUTS}


if __name__ == "__main__":
    main()
