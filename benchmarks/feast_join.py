"""Feast's side of its benchmark, in an environment of its own: joins at each line that it reads.

Run as `python feast_join.py FOLDER`, where flights, weather and delays are Parquet files. Its two
joins, at both ends of the window, are what the three look-ups of `bench_point_in_time` give.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64

FEATURES = {
    "weather": [
        *("temp", "dewp", "humid", "wind_dir", "wind_speed"),
        *("wind_gust", "precip", "pressure", "visib"),
    ],
    "delays": ["delay", "flights"],
}


def opened(folder: Path) -> FeatureStore:
    """Return a store with both feature tables."""
    store = FeatureStore(
        config=RepoConfig(
            project="flights",
            registry=str(folder / "registry.db"),
            provider="local",
            online_store={"type": "sqlite", "path": str(folder / "feast.db")},
            offline_store={"type": "duckdb"},
            entity_key_serialization_version=3,
        )
    )
    origin = Entity(name="origin", join_keys=["origin"], value_type=ValueType.STRING)
    views = [
        FeatureView(
            name=name,
            entities=[origin],
            ttl=timedelta(days=0),
            schema=[Field(name=feature, dtype=Float64) for feature in features],
            source=FileSource(path=str(folder / f"{name}.parquet"), timestamp_field="ts"),
        )
        for name, features in FEATURES.items()
    ]
    store.apply([origin, *views])
    return store


def joined(store: FeatureStore, folder: Path) -> int:
    """Join both ends of the window, and return how many rows came out."""
    asked = pd.read_parquet(folder / "flights.parquet")
    number = 0
    for at, names in (("at", ("weather", "delays")), ("since", ("delays",))):
        found = store.get_historical_features(
            entity_df=asked[["id", "origin", at]].rename(columns={at: "event_timestamp"}),
            features=[f"{name}:{feature}" for name in names for feature in FEATURES[name]],
        ).to_df()
        number += len(found)
    return number


def main() -> None:
    """Answer each line by a join."""
    folder = Path(sys.argv[1])
    store = opened(folder)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(joined(store, folder), flush=True)


if __name__ == "__main__":
    main()
