"""The feature spec: how the inputs of a model are made, as the model carries it.

A model logged with a training set has `feature_spec.json` beside its `MLmodel` file:

```
{"format": 1,
 "labels": ["late"],
 "exclude_columns": ["known_at"],
 "inputs": ["origin", "known_at", "distance"],
 "outputs": ["temp", "headwind"],
 "lookups": [{"table": "dev.flights.weather_features", "version": 3,
              "primary_keys": ["origin"], "timeseries_column": "known_at",
              "lookup_key": ["origin"], "timestamp_lookup_key": "known_at",
              "lookback_seconds": 7200.0, "feature_names": ["temp", "wind_dir"],
              "rename_outputs": {}, "default_values": {}}],
 "functions": [{"udf_name": "dev.flights.headwind", "output_name": "headwind",
                "input_bindings": {"direction": "wind_dir", "heading": "bearing"}}]}
```

`inputs` are the columns that a frame to be scored must bring, `outputs` the features in the order
of their columns. `version` is the Delta version that the training set was read from, while scoring
reads the newest; it is null for a spec that was made without data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from laketop.errors import NotFound, Refused

SPEC_FILE = "feature_spec.json"
SPEC_FORMAT = 1

_TUPLES = ("primary_keys", "lookup_key", "feature_names")


@dataclass(frozen=True, kw_only=True)
class ResolvedLookup:
    """A lookup with nothing left open, as the feature spec keeps it.

    Units: `lookback_seconds` in seconds, None = no limit.
    """

    table: str
    version: int | None
    primary_keys: tuple[str, ...]
    lookup_key: tuple[str, ...]
    timeseries_column: str | None = None
    timestamp_lookup_key: str | None = None
    lookback_seconds: float | None = None
    feature_names: tuple[str, ...] = ()
    rename_outputs: Mapping[str, str] = field(default_factory=dict)
    default_values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The columns that this lookup adds, in order."""
        return tuple(self.rename_outputs.get(name, name) for name in self.feature_names)

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns that must be there before it can be looked up."""
        time = self.timestamp_lookup_key
        return self.lookup_key if time is None else (*self.lookup_key, time)


@dataclass(frozen=True, kw_only=True)
class ResolvedFunction:
    """A function of the catalog with the columns that its arguments take."""

    udf_name: str
    output_name: str
    input_bindings: Mapping[str, str] = field(default_factory=dict)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The one column that this function adds."""
        return (self.output_name,)

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns that must be there before it can be computed."""
        return tuple(self.input_bindings.values())


@dataclass(frozen=True, kw_only=True)
class FeatureSpec:
    """How a model's inputs are made: the content of `feature_spec.json`."""

    labels: tuple[str, ...] = ()
    inputs: tuple[str, ...]
    lookups: tuple[ResolvedLookup, ...] = ()
    functions: tuple[ResolvedFunction, ...] = ()
    outputs: tuple[str, ...] = ()
    exclude_columns: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the spec as the text of its file.

        Errors: ValueError for a default value that JSON cannot hold.
        """
        try:
            return json.dumps({"format": SPEC_FORMAT} | asdict(self), indent=2) + "\n"
        except TypeError as error:
            kept = {k: v for x in self.lookups for k, v in x.default_values.items()}
            raise ValueError(f"default_values {kept!r} cannot be kept: {error}") from error

    @classmethod
    def from_json(cls, text: str) -> FeatureSpec:
        """Return the spec that `to_json` wrote.

        Errors: Refused for a format that is not known here.
        """
        body = json.loads(text)
        if (found := body.pop("format", None)) != SPEC_FORMAT:
            raise Refused(f"feature spec format {found!r}", hint=f"this reads {SPEC_FORMAT}")
        lookups = tuple(
            ResolvedLookup(**lookup | {key: tuple(lookup[key]) for key in _TUPLES})
            for lookup in body["lookups"]
        )
        return cls(
            labels=tuple(body["labels"]),
            inputs=tuple(body["inputs"]),
            lookups=lookups,
            functions=tuple(ResolvedFunction(**function) for function in body["functions"]),
            outputs=tuple(body["outputs"]),
            exclude_columns=tuple(body["exclude_columns"]),
        )

    @property
    def tables(self) -> dict[str, int]:
        """The feature tables with the Delta version that the training set read."""
        return {x.table: x.version for x in self.lookups if x.version is not None}


def read_spec(folder: Path) -> FeatureSpec:
    """Return the feature spec of the model that was saved in `folder`.

    Errors: NotFound when the model was logged without a training set.
    """
    file = folder / SPEC_FILE
    if not file.is_file():
        raise NotFound("feature spec", str(folder), hint="log the model with a training set")
    return FeatureSpec.from_json(file.read_text(encoding="utf-8"))
