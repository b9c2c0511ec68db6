"""The gate that docs/extending.md shows is one as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from laketop.ml import Contender, LabelledRows, evaluate

PAGE = Path(__file__).parents[4] / "docs" / "extending.md"


@pytest.mark.parametrize(("risk", "passes"), [(0.1, True), (0.9, False)])
def test_a_function_of_ones_own_is_a_gate(risk: float, passes: bool) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    told: dict[str, Any] = {}
    exec(compile(block, str(PAGE), "exec"), told)  # noqa: S102 - our own page
    rows = LabelledRows(pd.DataFrame({"x": [1.0, 2.0], "late": [0, 1]}), label="late", name="two")
    candidate = Contender(name="a.b.c", version="1", predict=lambda x: np.full(len(x), risk))
    (verdict,) = evaluate(candidate, None, rows, [told["few_alarms"]])
    assert (verdict.passed, verdict.measured) == (passes, float(risk > 0.5))
