"""What is kept of requests, in the columns of both forms of inference tables."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.errors import NotImplemented as NotServed

from laketop.workspace.inference_tables import (
    AUTO_CAPTURE,
    GATEWAY,
    MOST_BYTES,
    Exchange,
    InferenceTable,
    entity_id,
    row_of,
    sent_of,
    table_of,
)

NAMES = {"catalog_name": "Main", "schema_name": "ml"}
ASKED = Exchange(
    endpoint="delay",
    entity_id="e1",
    model="main.ml.delay",
    version=3,
    requester="ann@example.com",
    client_request_id="q1",
    at_ms=1_700_000_000_123,
    request=b'{"inputs": [1]}',
    request_id="r1",
)


def gateway(**fields: Any) -> dict[str, Any]:
    return {"inference_table_config": {**NAMES, "enabled": True, **fields}}


def test_a_table_is_named_for_its_prefix_or_for_its_endpoint() -> None:
    sent = sent_of(GATEWAY, gateway())
    assert sent == {**NAMES, "enabled": True}
    assert table_of(GATEWAY, sent, "Delay") == InferenceTable(
        GATEWAY, "main", "ml", "delay_payload"
    )
    named = sent_of(AUTO_CAPTURE, {**NAMES, "table_name_prefix": "x"})
    assert named is not None
    assert table_of(AUTO_CAPTURE, named, "delay").full_name == "main.ml.x_payload"


@pytest.mark.parametrize(
    ("form", "sent"),
    [
        (GATEWAY, None),
        (GATEWAY, {"usage_tracking_config": {"enabled": False}, "rate_limits": []}),
        (GATEWAY, {"inference_table_config": NAMES}),
        (GATEWAY, gateway(enabled=False)),
        (AUTO_CAPTURE, None),
        (AUTO_CAPTURE, {**NAMES, "enabled": False}),
    ],
)
def test_what_is_not_enabled_is_no_table(form: str, sent: Any) -> None:
    assert sent_of(form, sent) is None


def test_what_makes_no_table_is_refused() -> None:
    with pytest.raises(InvalidParameterValue, match="needs 'schema_name'"):
        sent_of(AUTO_CAPTURE, {"catalog_name": "main"})
    with pytest.raises(InvalidParameterValue, match="JSON object"):
        sent_of(AUTO_CAPTURE, "main.ml")
    with pytest.raises(NotServed, match="'guardrails' of 'ai_gateway'"):
        sent_of(GATEWAY, {"guardrails": {"input": {}}})
    with pytest.raises(NotServed, match="'usage_tracking_config'"):
        sent_of(GATEWAY, {"usage_tracking_config": {"enabled": True}})
    with pytest.raises(NotServed, match="'sampling'"):
        sent_of(AUTO_CAPTURE, {**NAMES, "sampling": 0.5})


@pytest.mark.parametrize("form", [GATEWAY, AUTO_CAPTURE])
def test_a_row_has_every_column_and_no_other(form: str) -> None:
    row = row_of(form, ASKED.ended(200, b"{}", took_ms=5))
    assert sorted(row) == sorted(InferenceTable(form, "main", "ml", "x").columns)
    assert (row["request"], row["response"], row["status_code"]) == ('{"inputs": [1]}', "{}", 200)


def test_the_forms_name_the_model_and_the_moment_each_its_way() -> None:
    ended = ASKED.ended(200, b"{}", took_ms=5)
    row = row_of(GATEWAY, ended)
    assert (row["request_date"], row["served_entity_id"]) == ("2023-11-14", "e1")
    assert row["request_time"] == "2023-11-14 22:13:20.123000+00:00"
    old = row_of(AUTO_CAPTURE, ended)
    assert (old["timestamp_ms"], old["execution_time_ms"]) == (1_700_000_000_123, 5)
    assert old["request_metadata"] == {
        "endpoint_name": "delay",
        "model_name": "main.ml.delay",
        "model_version": "3",
    }


def test_what_is_too_long_is_null_and_said_so() -> None:
    long = b"x" * (MOST_BYTES + 1)
    row = row_of(GATEWAY, dataclasses.replace(ASKED, request=long).ended(200, long, took_ms=1))
    assert (row["request"], row["response"]) == (None, None)
    assert row["logging_error_codes"] == [
        "MAX_REQUEST_SIZE_EXCEEDED",
        "MAX_RESPONSE_SIZE_EXCEEDED",
    ]
    assert row_of(GATEWAY, ASKED.ended(504, None, took_ms=1))["logging_error_codes"] == []


def test_an_entity_keeps_its_id_while_name_and_version_stay() -> None:
    found = entity_id("e", "champion", "main.ml.delay", 3)
    assert found == entity_id("e", "champion", "main.ml.delay", 3)
    others = {entity_id("e", "champion", "main.ml.delay", 4), entity_id("f", "champion", "m", 3)}
    assert found not in others
