from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, DataType, Schema, TensorSpec
from mlflow.utils.proto_json_utils import dataframe_from_parsed_json

from laketop.ml.serving import decode, encode

FLIGHTS = ModelSignature(
    inputs=Schema(
        [
            ColSpec(DataType.double, "distance"),
            ColSpec(DataType.long, "hour"),
            ColSpec(DataType.string, "carrier"),
            ColSpec(DataType.boolean, "late", required=False),
        ]
    ),
    outputs=Schema([ColSpec(DataType.double)]),
)
ROW = {"distance": 1.5, "hour": 7, "carrier": "UA"}

exact_integers = st.integers(-(2**53), 2**53)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "distance": st.floats(allow_nan=False, allow_infinity=False) | exact_integers,
            "hour": exact_integers,
            "carrier": st.text(max_size=5),
        }
    ),
    min_size=1,
    max_size=5,
)


def one_column(kind: DataType, value: Any, *, required: bool = True) -> Any:
    signature = ModelSignature(inputs=Schema([ColSpec(kind, "c", required=required)]))
    frame, _ = decode({"dataframe_records": [{"c": value}]}, signature)
    return frame["c"].iloc[0]


@settings(max_examples=25)
@given(rows)
def test_every_form_of_the_same_rows_decodes_to_the_same_frame(given_rows: list[Any]) -> None:
    columns = ["carrier", "hour", "distance"]
    values = [[row[name] for name in columns] for row in given_rows]
    forms: list[dict[str, Any]] = [
        {"dataframe_records": given_rows},
        {"dataframe_split": {"columns": columns, "data": values}},
        {"instances": given_rows},
        {"inputs": {name: [row[name] for row in given_rows] for name in columns}},
    ]
    frames = [decode(form, FLIGHTS)[0] for form in forms]

    assert list(frames[0].columns) == ["distance", "hour", "carrier"]
    assert [str(dtype) for dtype in frames[0].dtypes] == ["float64", "int64", "object"]
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])


@settings(max_examples=25)
@given(rows)
def test_columns_decode_as_mlflow_decodes_them(given_rows: list[Any]) -> None:
    mine, _ = decode({"dataframe_records": given_rows}, FLIGHTS)
    parse: Any = dataframe_from_parsed_json
    theirs = parse(given_rows, "records", FLIGHTS.inputs)

    pd.testing.assert_frame_equal(mine, theirs[list(mine.columns)])


def test_the_index_of_a_split_frame_is_kept() -> None:
    split = {"columns": list(ROW), "data": [list(ROW.values())], "index": [9]}

    assert decode({"dataframe_split": split}, FLIGHTS)[0].index.tolist() == [9]


def test_columns_that_the_model_does_not_know_are_left_out() -> None:
    frame, _ = decode({"dataframe_records": [{**ROW, "tail": "N1"}]}, FLIGHTS)

    assert "tail" not in frame


def test_missing_columns_are_named_with_the_strangers_that_may_be_meant() -> None:
    with pytest.raises(ValueError, match=r"missing inputs \['hour', 'carrier'\].*\['Hour'\]"):
        decode({"dataframe_records": [{"distance": 1.0, "Hour": 7}]}, FLIGHTS)


def test_an_optional_column_may_be_missing() -> None:
    assert list(decode({"dataframe_records": [ROW]}, FLIGHTS)[0].columns) == list(ROW)


def test_parameters_come_beside_the_data() -> None:
    payload = {"dataframe_records": [ROW], "params": {"top": 3}}

    assert decode(payload, FLIGHTS)[1] == {"top": 3}


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"params": {}},
        {"instances": [ROW], "inputs": ROW},
        {"dataframe_records": ROW},
        {"dataframe_records": [1]},
        {"dataframe_split": [ROW]},
        {"dataframe_split": {"columns": ["a"]}},
        {"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}},
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1]]}},
        {"dataframe_split": {"columns": ["a"], "data": [[1]], "index": []}},
        {"dataframe_split": {"columns": ["a"], "data": [1]}},
        {"dataframe_split": {"columns": ["a"], "data": [[1]], "rows": 1}},
        {"instances": ROW},
        {"instances": [{"a": 1}, {"b": 1}]},
        {"inputs": 1},
        {"inputs": {"distance": [1.0], "hour": [1, 2], "carrier": ["UA"]}},
        {"dataframe_records": [ROW], "params": []},
    ],
)
def test_a_payload_of_another_form_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(payload, FLIGHTS)


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (DataType.double, 1, 1.0),
        (DataType.float, 1.5, np.float32(1.5)),
        (DataType.long, 2**53, 2**53),
        (DataType.integer, 7, np.int32(7)),
        (DataType.boolean, True, True),
        (DataType.string, "a", "a"),
        (DataType.string, None, None),
        (DataType.binary, "YQ==", b"a"),
        (DataType.datetime, "2013-01-01T05:00:00", pd.Timestamp("2013-01-01 05:00")),
    ],
)
def test_values_take_the_type_of_their_column(kind: DataType, value: Any, wanted: Any) -> None:
    found = one_column(kind, value)

    assert found == wanted
    assert not isinstance(wanted, np.generic) or found.dtype == wanted.dtype


def test_null_is_a_missing_number_where_numbers_may_be_missing() -> None:
    assert math.isnan(one_column(DataType.double, None))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (DataType.double, "far"),
        (DataType.long, 1.5),
        (DataType.long, None),
        (DataType.long, "seven"),
        (DataType.integer, 2**31),
        (DataType.boolean, 1),
        (DataType.boolean, None),
        (DataType.string, 1),
        (DataType.binary, "%%%"),
        (DataType.binary, None),
        (DataType.datetime, "yesterday"),
    ],
)
def test_a_value_that_its_column_cannot_hold_is_refused_by_the_columns_name(
    kind: DataType, value: Any
) -> None:
    with pytest.raises(ValueError, match=f"column 'c' is of type {kind.name}"):
        one_column(kind, value)


def test_tensors_decode_to_arrays_of_their_type() -> None:
    one = ModelSignature(inputs=Schema([TensorSpec(np.dtype("float32"), (-1, 2))]))
    two = ModelSignature(
        inputs=Schema(
            [TensorSpec(np.dtype("int64"), (-1,), "a"), TensorSpec(np.dtype("bool"), (-1,), "b")]
        )
    )
    found = decode({"instances": [[1, 2], [3, 4]]}, one)[0]
    named = decode({"inputs": {"a": [1], "b": [True], "c": [0]}}, two)[0]

    assert (found.dtype, found.tolist()) == (np.dtype("float32"), [[1.0, 2.0], [3.0, 4.0]])
    assert {name: array.dtype.name for name, array in named.items()} == {"a": "int64", "b": "bool"}
    with pytest.raises(ValueError, match=r"missing inputs \['b'\]"):
        decode({"inputs": {"a": [1]}}, two)
    with pytest.raises(ValueError, match=r"\['a', 'b'\]; send a JSON dictionary"):
        decode({"inputs": [1]}, two)
    with pytest.raises(ValueError, match="not a tensor of float32"):
        decode({"inputs": [["x"]]}, one)


def test_without_a_signature_the_data_is_as_it_was_sent() -> None:
    assert decode({"inputs": {"a": 1}})[0] == {"a": 1}
    assert decode({"dataframe_records": [{"a": 1}]})[0].to_dict() == {"a": {0: 1}}


@pytest.mark.parametrize(
    ("predictions", "wanted"),
    [
        (np.array([1.5, 2.0]), [1.5, 2.0]),
        (np.array([[True], [False]]), [[True], [False]]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([math.nan, math.inf, 1.0]), [None, None, 1.0]),
        (np.float32(0.5), 0.5),
        ([np.int64(1), None, "x", b"a"], [1, None, "x", "YQ=="]),
        (pd.DataFrame({"p": [0.5], "k": ["a"]}), [{"p": 0.5, "k": "a"}]),
        (pd.Series([1.0, math.nan], name="p"), [{"p": 1.0}, {"p": None}]),
        ([pd.NaT, pd.NA, pd.Timestamp("2013-01-01")], [None, None, "2013-01-01T00:00:00"]),
        ([dt.date(2013, 1, 1)], ["2013-01-01"]),
        ({"scores": np.array([1])}, {"scores": [1]}),
        ((1, 2), [1, 2]),
    ],
)
def test_predictions_are_written_as_plain_json(predictions: Any, wanted: Any) -> None:
    found = encode(predictions)

    assert found == wanted
    assert json.loads(json.dumps(found, allow_nan=False)) == wanted


def test_a_prediction_that_json_has_no_form_for_is_refused() -> None:
    with pytest.raises(TypeError, match="'object'"):
        encode([object()])
