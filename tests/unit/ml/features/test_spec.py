"""What lookups and feature specs accept, refuse and keep."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from laketop.ml import FeatureFunction, FeatureLookup, NotFound, Refused, read_spec
from laketop.ml.features import SPEC_FILE, FeatureSpec, ResolvedFunction, ResolvedLookup

SPEC = FeatureSpec(
    labels=("late",),
    inputs=("origin", "known_at"),
    exclude_columns=("known_at",),
    lookups=(
        ResolvedLookup(
            table="dev.flights.weather",
            version=3,
            primary_keys=("origin",),
            lookup_key=("origin",),
            timeseries_column="ts",
            timestamp_lookup_key="known_at",
            lookback_seconds=7200.0,
            feature_names=("temp", "wind"),
            rename_outputs={"wind": "wind_speed"},
            default_values={"temp": 50.0},
        ),
    ),
    functions=(
        ResolvedFunction(
            udf_name="dev.flights.chill",
            output_name="chill",
            input_bindings={"temp": "temp", "wind": "wind_speed"},
        ),
    ),
    outputs=("temp", "wind_speed", "chill"),
)


def test_one_name_or_a_list_of_names() -> None:
    lookup = FeatureLookup("t", "a", feature_names="x", timestamp_lookup_key=["at"])
    assert lookup.lookup_key == ("a",)
    assert lookup.feature_names == ("x",)
    assert lookup.timestamp_lookup_key == "at"


def test_two_times_are_an_error() -> None:
    with pytest.raises(ValueError, match="more than one column"):
        FeatureLookup("t", "a", timestamp_lookup_key=["at", "then"])


def test_a_negative_window_is_an_error() -> None:
    with pytest.raises(ValueError, match="negative"):
        FeatureLookup("t", "a", lookback_window=timedelta(seconds=-1))


def test_a_window_that_is_no_timedelta_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"lookback_window is 2, not a datetime\.timedelta"):
        FeatureLookup("t", "k", lookback_window=2)  # type: ignore[arg-type]  # on purpose


def test_an_unknown_option_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="FeatureLookup\\(output_name"):
        FeatureLookup("t", "a", output_name="b")


def test_a_spec_survives_its_file(tmp_path: Path) -> None:
    (tmp_path / SPEC_FILE).write_text(SPEC.to_json(), encoding="utf-8")
    assert read_spec(tmp_path) == SPEC
    assert SPEC.lookups[0].outputs == ("temp", "wind_speed")
    assert SPEC.tables == {"dev.flights.weather": 3}


def test_a_spec_of_another_format_is_refused() -> None:
    with pytest.raises(Refused, match="format 2"):
        FeatureSpec.from_json(SPEC.to_json().replace('"format": 1', '"format": 2'))


def test_a_model_without_a_spec_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="feature spec"):
        read_spec(tmp_path)


def test_a_default_that_no_file_can_hold_is_an_error() -> None:
    lookup = replace(SPEC.lookups[0], default_values={"temp": object()})
    with pytest.raises(ValueError, match="'temp': <object"):
        replace(SPEC, lookups=(lookup,)).to_json()


def test_the_name_of_a_function_is_that_of_its_feature() -> None:
    assert FeatureFunction(udf_name="a.b.f").output_name == "a.b.f"
