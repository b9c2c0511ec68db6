"""What was decided is kept, one row a gate and one row a decision."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession

from laketop.ml import (
    Contender,
    LabelledRows,
    evaluate,
    minimum_auc,
    no_worse_than_champion,
    record_evaluation,
    record_promotion,
)


def test_verdicts_and_decisions_are_appended(spark: SparkSession, schema: str) -> None:
    frame = pd.DataFrame({"x": np.arange(20.0), "late": [0.0] * 10 + [1.0] * 10})
    rows = LabelledRows(frame, label="late", name="2013-04")
    one = Contender(name="m", version="1", predict=lambda f: f["x"].to_numpy())
    two = Contender(name="m", version="2", predict=lambda f: -f["x"].to_numpy())
    for candidate, champion in ((one, None), (two, one)):
        verdicts = evaluate(
            candidate, champion, rows, [minimum_auc(0.6), no_worse_than_champion(rounds=20)]
        )
        record_evaluation(
            spark, schema, verdicts, candidate=candidate, champion=champion, rows=rows, run="7"
        )
    record_promotion(spark, schema, model="m", version="1", outcome="promoted", run="7")
    kept = {
        (row["version"], row["gate"]): row
        for row in spark.table(f"{schema}.model_evaluations").collect()
    }
    assert {key: row["passed"] for key, row in kept.items()} == {
        ("1", "minimum_auc"): True,
        ("1", "no_worse_than_champion"): True,
        ("2", "minimum_auc"): False,
        ("2", "no_worse_than_champion"): False,
    }
    assert kept["2", "minimum_auc"]["measured"] == 0
    assert kept["2", "minimum_auc"]["champion"] == "1"
    assert kept["1", "minimum_auc"]["row_count"] == 20
    decision = spark.table(f"{schema}.promotions").first()
    assert decision is not None
    assert (decision["version"], decision["previous"]) == ("1", None)
