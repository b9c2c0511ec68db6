"""What goes in and out of a model that is served: JSON payloads to inputs, predictions to JSON.

Runs unchanged on Databricks; payloads are those of its model serving and of MLflow's server.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from mlflow.models import ModelSignature

FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
"""The fields of a payload that can hold the data; a payload has exactly one of them."""

_INTEGERS = {"integer": "int32", "long": "int64"}
_FLOATS = {"float": "float32", "double": "float64"}


def decode(
    payload: Mapping[str, Any],
    signature: ModelSignature | None = None,
    *,
    complete: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
) -> tuple[Any, dict[str, Any] | None]:
    """Return the inputs for `predict` and the parameters that came with them, if any.

    `complete` is given the rows as they came, and returns them with the features to add.

    Shapes: with a signature of columns, a DataFrame of the model's columns in the signature's
    order and types, without those that the model does not know; with one of tensors, an ndarray
    or a dict of them; without a signature, whatever the payload says.
    Errors: ValueError, in a sentence for the caller, for none or two of `FORMATS`, data that is
    not of that format, a missing column, a value that its column's type cannot hold.
    Source: MLflow's scoring protocol, mlflow.pyfunc.scoring_server.
    """
    given = [name for name in FORMATS if name in payload]
    if len(given) != 1:
        raise ValueError(
            "The input must be a JSON dictionary with exactly one of the input fields "
            f"{', '.join(FORMATS)}; it has {', '.join(map(repr, payload)) or 'none'}."
        )
    params = payload.get("params")
    if params is not None and not isinstance(params, dict):
        message = f"'params' must be a JSON dictionary, not {_kind(params)}."
        raise ValueError(message)
    data = _READERS[given[0]](payload[given[0]])
    if complete is not None:
        data = complete(_frame(data))
    schema = None if signature is None else signature.inputs
    if schema is None:
        return data, params
    if schema.is_tensor_spec():
        return _tensors(data, schema), params
    return _columns(_frame(data), schema), params


def encode(predictions: Any) -> Any:
    """Return predictions as JSON can say them: NaN and infinities as null, bytes as base64.

    Shapes: one entry a row; a DataFrame or Series gives records, as MLflow's own server does.
    Errors: TypeError for a value that JSON has no form for.
    """
    kind = type(predictions).__name__
    if kind in _PLAIN:
        return encode(_PLAIN[kind](predictions))
    if isinstance(predictions, Mapping):
        return {str(name): encode(value) for name, value in predictions.items()}
    if isinstance(predictions, list | tuple):
        return [encode(value) for value in predictions]
    return _scalar(predictions)


# --- payloads ------------------------------------------------------------------------------------


def _split(data: Any) -> pd.DataFrame:
    import pandas as pd

    if not isinstance(data, dict) or "data" not in data or set(data) - {"columns", "data", "index"}:
        raise ValueError(
            "'dataframe_split' must be a JSON dictionary with 'data', and where wanted 'columns' "
            "and 'index'."
        )
    columns, rows = data.get("columns"), data["data"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ValueError("'dataframe_split' must hold its rows as a list of lists in 'data'.")
    if columns is not None:
        if not isinstance(columns, list) or len(set(map(str, columns))) != len(columns):
            raise ValueError("'columns' of 'dataframe_split' must be a list of different names.")
        for number, row in enumerate(rows):
            if len(row) != len(columns):
                raise ValueError(
                    f"Row {number} of 'dataframe_split' has {len(row)} values for "
                    f"{len(columns)} columns."
                )
    index = data.get("index")
    if index is not None and (not isinstance(index, list) or len(index) != len(rows)):
        raise ValueError("'index' of 'dataframe_split' must be a list with an entry a row.")
    return pd.DataFrame(rows, columns=columns, index=index)


def _records(data: Any) -> pd.DataFrame:
    import pandas as pd

    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise ValueError(
            f"'dataframe_records' must be a list of JSON dictionaries, not {_kind(data)}."
        )
    return pd.DataFrame(data)


def _instances(data: Any) -> Any:
    if not isinstance(data, list):
        message = f"'instances' must be a list, not {_kind(data)}."
        raise ValueError(message)  # noqa: TRY004 - what was sent is wrong, not the call
    if not data or not all(isinstance(row, dict) for row in data):
        return data
    if any(row.keys() != data[0].keys() for row in data):
        raise ValueError("Every entry of 'instances' must have the same fields.")
    return {name: [row[name] for row in data] for name in data[0]}


def _inputs(data: Any) -> Any:
    if not isinstance(data, dict | list):
        message = f"'inputs' must be a list or a JSON dictionary, not {_kind(data)}."
        raise ValueError(message)  # noqa: TRY004 - what was sent is wrong, not the call
    return data


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "dataframe_split": _split,
    "dataframe_records": _records,
    "instances": _instances,
    "inputs": _inputs,
}


def _kind(value: Any) -> str:
    return {dict: "a dictionary", list: "a list", str: "a text", type(None): "null"}.get(
        type(value), f"{value!r:.40}"
    )


def _frame(data: Any) -> pd.DataFrame:
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, dict):
        columns = {n: v if isinstance(v, list) else [v] for n, v in data.items()}
        if len({len(values) for values in columns.values()}) > 1:
            raise ValueError("The columns of 'inputs' must be of one length.")
        return pd.DataFrame(columns)
    return pd.DataFrame(data)


# --- by the signature ----------------------------------------------------------------------------


def _columns(frame: pd.DataFrame, schema: Any) -> pd.DataFrame:
    if not schema.has_input_names():
        return frame
    present = set(frame.columns)
    missing = [name for name in schema.required_input_names() if name not in present]
    if missing:
        known = set(schema.input_names())
        extra = [name for name in frame.columns if name not in known]
        note = f" There are columns that it does not know: {extra}." if extra else ""
        raise ValueError(f"Failed to enforce schema: the model is missing inputs {missing}.{note}")
    specs = [spec for spec in schema.inputs if spec.name in present]
    chosen = frame[[spec.name for spec in specs]].copy()
    for spec in specs:
        kind = getattr(spec.type, "name", "")
        try:
            chosen[spec.name] = _cast(chosen[spec.name], kind)
        except (ValueError, TypeError, OverflowError, binascii.Error) as error:
            raise ValueError(
                f"Failed to enforce schema: column {spec.name!r} is of type {kind}: {error}."
            ) from error
    return chosen


def _cast(column: pd.Series[Any], kind: str) -> Any:
    if kind in _INTEGERS:
        return _whole(column, _INTEGERS[kind])
    if kind in _FLOATS:
        import pandas as pd

        numbers: Any = pd.to_numeric(column)
        return numbers.astype(_FLOATS[kind])
    if kind in _CASTS:
        return _CASTS[kind](column)
    return column


def _whole(column: pd.Series[Any], dtype: str) -> Any:
    import numpy as np
    import pandas as pd

    if column.isna().any():
        raise ValueError("it cannot hold null")
    numbers: Any = pd.to_numeric(column)
    limits = np.iinfo(dtype)
    if len(numbers) and not (numbers % 1 == 0).all():
        raise ValueError("it cannot hold fractions")
    if len(numbers) and not ((numbers >= limits.min) & (numbers <= limits.max)).all():
        raise ValueError("a number is too large")
    return numbers.astype(dtype)


def _boolean(column: pd.Series[Any]) -> Any:
    if not column.map(lambda value: isinstance(value, bool)).all():
        raise ValueError("it holds true or false only")
    return column.astype("bool")


def _text(column: pd.Series[Any]) -> Any:
    if not column.dropna().map(lambda value: isinstance(value, str)).all():
        raise ValueError("it holds text only")
    return column.astype("object")


def _moment(column: pd.Series[Any]) -> Any:
    import pandas as pd

    return pd.to_datetime(column)


def _binary(column: pd.Series[Any]) -> Any:
    return column.map(lambda value: base64.b64decode(value, validate=True))


_CASTS: Mapping[str, Callable[[Any], Any]] = {
    "boolean": _boolean,
    "string": _text,
    "datetime": _moment,
    "binary": _binary,
}


def _tensors(data: Any, schema: Any) -> Any:
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, dict):
        types = dict(zip(schema.input_names(), schema.input_types(), strict=True))
        missing = [name for name in types if name not in data]
        if missing:
            raise ValueError(f"Failed to enforce schema: the model is missing inputs {missing}.")
        return {name: _tensor(data[name], dtype) for name, dtype in types.items()}
    if len(schema.inputs) != 1:
        raise ValueError(
            f"The model takes the tensors {schema.input_names()}; send a JSON dictionary of them."
        )
    return _tensor(data, schema.input_types()[0])


def _tensor(data: Any, dtype: np.dtype[Any]) -> Any:
    import numpy as np

    try:
        return np.array(data, dtype=dtype)
    except (ValueError, TypeError) as error:
        raise ValueError(f"Failed to enforce schema: not a tensor of {dtype}: {error}.") from error


# --- predictions ---------------------------------------------------------------------------------


def _rows_of(frame: Any) -> Any:
    return frame.to_dict(orient="records")


_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "ndarray": lambda array: array.tolist(),
    "DataFrame": _rows_of,
    "Series": lambda series: _rows_of(series.to_frame()),
}


def _scalar(value: Any) -> Any:
    if type(value).__module__ == "numpy":
        return encode(value.item())
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dt.date | dt.time):
        # Only pandas' NaT, which counts as a datetime, differs from itself.
        return value.isoformat() if value == value else None  # noqa: PLR0124
    if type(value).__name__ == "NAType":
        return None
    raise TypeError(f"a prediction of type {type(value).__name__!r} cannot be written as JSON")
