"""display: text of what it is given."""

from __future__ import annotations

import pandas as pd
import pytest

from laketop.runner.display import display, displayHTML


@pytest.mark.parametrize(
    ("value", "expected"), [([1, 2], "[1, 2]\n"), ("text", "text\n"), (None, "")]
)
def test_plain_values_are_printed(
    value: object, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    display(value)

    assert capsys.readouterr().out == expected


def test_a_long_pandas_frame_is_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    display(pd.DataFrame({"a": range(1000)}), streamName="ignored")

    assert 20 < len(capsys.readouterr().out.splitlines()) < 30


def test_html_is_printed_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    displayHTML("<style>b {}</style><b>1 &lt; 2</b> <i>yes</i>")

    assert capsys.readouterr().out == "1 < 2 yes\n"
