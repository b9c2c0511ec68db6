"""Logistic regression as statisticians do it: odds ratios, intervals, errors by cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd


def design(rows: pd.DataFrame, numbers: Sequence[str]) -> pd.DataFrame:
    """Return the columns of the regression: a constant, then `numbers` as they are.

    Errors: ValueError for a null: a regression has no place for it, and none is made up.
    """
    columns = rows[list(numbers)].astype(float)
    nulls = [name for name in numbers if columns[name].isna().any()]
    if nulls:
        raise ValueError(f"{nulls!r} hold nulls, which a regression cannot use")
    columns.insert(0, "const", 1.0)
    return columns


def fitted(inputs: pd.DataFrame, label: pd.Series[float], *, cluster: Iterable[object]) -> Any:
    """Return the regression, its standard errors allowing for alike rows within a cluster.

    Shapes: `inputs` as of `design`; `label` 0 and 1; `cluster` one value a row, such as its day.
    Source: Liang and Zeger, Longitudinal data analysis using generalized linear models (1986).
    """
    import pandas as pd
    import statsmodels.api as sm

    groups = pd.factorize(pd.Series(list(cluster)))[0]
    regression = sm.GLM(label, inputs, family=sm.families.Binomial())
    return regression.fit(cov_type="cluster", cov_kwds={"groups": groups})


def odds_ratios(model: Any) -> pd.DataFrame:
    """Return how the odds multiply with one unit more of each column.

    Shapes: one row a column; `ratio`, `low`, `high` (95 %), `p_value`.
    """
    import numpy as np
    import pandas as pd

    interval = np.exp(model.conf_int(alpha=0.05))
    return pd.DataFrame(
        {
            "ratio": np.exp(model.params),
            "low": interval[0],
            "high": interval[1],
            "p_value": model.pvalues,
        }
    )
