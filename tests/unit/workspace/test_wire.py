"""JSON fields to typed parameters, results and errors to JSON."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
import requests
from databricks.sdk.errors import platform
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.parser import _Parser
from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue, NotFound
from databricks.sdk.service.jobs import RunType
from databricks.sdk.service.workspace import SecretScope
from hypothesis import given, settings
from hypothesis import strategies as st

from laketop.workspace import wire

_CLASSES: list[type[DatabricksError]] = [
    *platform.STATUS_CODE_MAPPING.values(),
    *platform.ERROR_CODE_MAPPING.values(),
]


def _as_the_client_reads(error: DatabricksError) -> DatabricksError | None:
    response = requests.Response()
    response.status_code = wire.status_of(error)
    response._content = wire.encode_error(error)
    response.request = requests.Request("POST", "http://h/api/2.0/x").prepare()
    return _Parser().get_api_error(response)


@pytest.mark.parametrize("error", _CLASSES, ids=lambda error: error.__name__)
def test_every_error_comes_back_as_itself(error: type[DatabricksError]) -> None:
    read = _as_the_client_reads(error("the message"))
    assert type(read) is error
    assert str(read) == "the message"


def test_a_code_of_its_own_stays() -> None:
    error = NotFound("No API found", error_code="ENDPOINT_NOT_FOUND")
    read = _as_the_client_reads(error)
    assert type(read) is NotFound
    assert read.error_code == "ENDPOINT_NOT_FOUND"


def test_details_come_along() -> None:
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    detail = {"@type": kind, "reason": "R", "domain": "d", "metadata": {"a": "b"}}
    read = _as_the_client_reads(NotFound("m", details=[detail]))
    assert read is not None
    assert read.get_error_info()[0].reason == "R"


@pytest.mark.parametrize(
    ("annotation", "sent", "value"),
    [
        (str, "a", "a"),
        (int, 5, 5),
        (int, "5", 5),
        (int, "-5", -5),
        (float, 1, 1.0),
        (float, "1.5", 1.5),
        (bool, "true", True),
        (bool, False, False),
        (Any, [1], [1]),
        (list[int], ["1", 2], [1, 2]),
        (dict[str, int], {"a": "1"}, {"a": 1}),
        (str | None, "a", "a"),
        (Literal["a", "b"], "b", "b"),
        (RunType, "JOB_RUN", RunType.JOB_RUN),
    ],
)
def test_a_field_becomes_what_its_annotation_says(annotation: Any, sent: Any, value: Any) -> None:
    assert wire.converter(annotation)("field", sent) == value


@pytest.mark.parametrize(
    ("annotation", "sent"),
    [
        (str, 5),
        (int, "five"),
        (int, True),
        (int, 1.5),
        (int, 2**63),
        (int, "٣"),
        (float, "x"),
        (bool, "yes"),
        (bool, 1),
        (list[int], "1"),
        (list[int], ["a"]),
        (dict[str, int], []),
        (Literal["a"], "b"),
        (RunType, "OTHER"),
        (RunType, []),
    ],
)
def test_a_field_of_another_type_is_refused_by_name(annotation: Any, sent: Any) -> None:
    with pytest.raises(InvalidParameterValue, match="Field 'field"):
        wire.converter(annotation)("field", sent)


@pytest.mark.parametrize("annotation", [set[int], bytes, tuple[int, str], int | str, object])
def test_an_annotation_that_is_not_known_stops_the_start(annotation: Any) -> None:
    with pytest.raises(TypeError, match="cannot be annotated"):
        wire.converter(annotation)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(_VALUES, st.sampled_from([str, int, float, bool, list[str], dict[str, int], RunType]))
def test_any_value_is_converted_or_refused(value: Any, annotation: Any) -> None:
    try:
        wire.converter(annotation)("field", value)
    except InvalidParameterValue as error:
        assert "field" in str(error)  # noqa: PT017 - either way is fine


@given(st.binary())
def test_any_body_is_read_or_refused(body: bytes) -> None:
    try:
        assert isinstance(wire.fields_of(body), dict)
    except BadRequest as error:
        assert error.error_code == "MALFORMED_REQUEST"  # noqa: PT017 - either way is fine


@given(st.dictionaries(st.text(), _VALUES, max_size=3))
@settings(max_examples=50)
def test_a_body_is_read_as_it_was_written(fields: dict[str, Any]) -> None:
    try:
        body = json.dumps(fields, allow_nan=False).encode()
    except ValueError:
        return
    assert wire.fields_of(body) == fields


def test_a_body_nests_as_deep_as_allowed() -> None:
    levels = wire.MAX_DEPTH - 1
    assert wire.fields_of(b'{"a":' * levels + b"1" + b"}" * levels)
    with pytest.raises(BadRequest, match="nested"):
        wire.fields_of(b'{"a":' * (levels + 1) + b"1" + b"}" * (levels + 1))


def test_results_are_encoded_by_what_they_are() -> None:
    assert wire.encode(None) == b"{}"
    assert wire.encode({"scopes": [SecretScope(name="s")]}) == b'{"scopes":[{"name":"s"}]}'
    with pytest.raises(TypeError, match="object"):
        wire.encode({"a": object()})
    with pytest.raises(ValueError, match="JSON"):
        wire.encode({"a": float("nan")})
