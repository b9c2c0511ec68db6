"""Whether JSON has the shape of one of the SDK's dataclasses."""

from __future__ import annotations

from typing import Any

import pytest
from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.service.jobs import JobSettings
from hypothesis import given
from hypothesis import strategies as st

from laketop.workspace.shapes import shaped


def test_whole_numbers_sent_as_text_become_numbers() -> None:
    sent = {"tasks": [{"task_key": "a", "run_job_task": {"job_id": "12"}}]}
    assert shaped(JobSettings, sent)["tasks"][0]["run_job_task"]["job_id"] == 12


def test_fields_that_are_not_known_stay() -> None:
    assert shaped(JobSettings, {"future": [{}]}) == {"future": [{}]}


def test_an_absent_value_is_fine() -> None:
    assert shaped(JobSettings, {"name": None}) == {"name": None}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ([], "''"),
        ({"tasks": {}}, "'tasks'"),
        ({"tasks": [5]}, "'tasks[0]'"),
        ({"tasks": [{}]}, "tasks[0].task_key"),
        ({"tasks": [{"task_key": 5}]}, "'tasks[0].task_key'"),
        ({"tags": {"a": 1}}, "'tags.a'"),
        ({"timeout_seconds": True}, "'timeout_seconds'"),
        ({"timeout_seconds": 2**63}, "'timeout_seconds'"),
        ({"timeout_seconds": "1" * 19 + "0"}, "'timeout_seconds'"),
        ({"edit_mode": "X"}, "'edit_mode'"),
        ({"edit_mode": []}, "'edit_mode'"),
    ],
)
def test_another_shape_is_refused_by_the_dotted_field(sent: Any, field: str) -> None:
    with pytest.raises(InvalidParameterValue) as caught:
        shaped(JobSettings, sent)
    assert field in str(caught.value)


_NAMES = st.sampled_from(["name", "tasks", "task_key", "depends_on", "tags", "queue", "enabled"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(_NAMES, _VALUES))
def test_what_passes_is_what_the_sdk_reads(sent: dict[str, Any]) -> None:
    try:
        found = shaped(JobSettings, sent)
    except InvalidParameterValue:
        return
    JobSettings.from_dict(found)
