"""What a training set asks for: lookups in feature tables, and functions of the catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from laketop.errors import Refused


def listed(value: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return one name, several or none as a tuple.

    >>> listed("a"), listed(["a", "b"]), listed(None)
    (('a',), ('a', 'b'), ())
    """
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def refuse(function: str, unsupported: Mapping[str, object]) -> None:
    """Raise Refused for the first of `unsupported` that was given a value."""
    for name, value in unsupported.items():
        if value is not None and value is not False:
            raise Refused(f"{function}({name}=...)")


class FeatureLookup:
    """Which features of a table a training set looks up, and by what.

    `lookup_key` names columns of the training frame, fields of its structs (`"event.origin"`) or
    outputs of other features, in the order of the table's primary key, the time left out. On a
    time series table `timestamp_lookup_key` names the moment of asking: the newest row at or
    before it is taken, and none that is older than `lookback_window`, both ends inclusive.
    `feature_names` None means every column that is no key. `rename_outputs` maps feature to new
    name, `default_values` feature to the value that stands for NULL, matched or not.
    Errors: ValueError for two times or a negative window, Refused for options not known here.
    """

    def __init__(
        self,
        table_name: str,
        lookup_key: str | Sequence[str],
        *,
        feature_names: str | Sequence[str] | None = None,
        rename_outputs: Mapping[str, str] | None = None,
        timestamp_lookup_key: str | Sequence[str] | None = None,
        lookback_window: timedelta | None = None,
        default_values: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        refuse("FeatureLookup", kwargs)
        times = listed(timestamp_lookup_key)
        if len(times) > 1:
            raise ValueError(f"timestamp_lookup_key names {list(times)!r}, more than one column")
        if lookback_window is not None and not isinstance(lookback_window, timedelta):
            raise ValueError(f"lookback_window is {lookback_window!r}, not a datetime.timedelta")
        if lookback_window is not None and lookback_window < timedelta(0):
            raise ValueError(f"lookback_window is {lookback_window!r}, which is negative")
        self.table_name = table_name
        self.lookup_key = listed(lookup_key)
        self.feature_names = None if feature_names is None else listed(feature_names)
        self.rename_outputs = dict(rename_outputs or {})
        self.timestamp_lookup_key = times[0] if times else None
        self.lookback_window = lookback_window
        self.default_values = dict(default_values or {})


class FeatureFunction:
    """A feature that a function of the catalog computes, row by row.

    `input_bindings` maps each argument of the function to a column of the training frame, a field
    of a struct, a looked-up feature or the output of another function. `output_name` is the name
    of the feature; without it, that of the function.
    """

    def __init__(
        self,
        *,
        udf_name: str,
        input_bindings: Mapping[str, str] | None = None,
        output_name: str | None = None,
    ) -> None:
        self.udf_name = udf_name
        self.input_bindings = dict(input_bindings or {})
        self.output_name = output_name or udf_name
