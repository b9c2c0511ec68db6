"""Where a model comes from: the code's commit, and the tables that it read at their versions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

UNCOMMITTED = "uncommitted"
CODE_VERSION = "code_version"
INPUT = "input."


def code_version(commit: str | None) -> str:
    """Return `commit` if it is a Git commit, else "uncommitted".

    >>> code_version("4f0c2b1e9d8a7c6b5a4f3e2d1c0b9a8f7e6d5c4b")
    '4f0c2b1e9d8a7c6b5a4f3e2d1c0b9a8f7e6d5c4b'
    >>> code_version("")
    'uncommitted'
    """
    found = (commit or "").strip().lower()
    return found if re.fullmatch(r"[0-9a-f]{7,64}", found) else UNCOMMITTED


def provenance(inputs: Mapping[str, int], *, commit: str | None) -> dict[str, str]:
    """Return the tags that say what a run was made of.

    Shapes: `inputs` maps a table's full name to its Delta version. One tag a table, named
    `input.<last part of the name>`, with the value `catalog.schema.table@v3`; and `code_version`.
    """
    tags = {CODE_VERSION: code_version(commit)}
    for name, version in sorted(inputs.items()):
        tags[INPUT + name.rpartition(".")[2]] = f"{name}@v{version}"
    return tags


def record(inputs: Mapping[str, int], *, commit: str | None) -> dict[str, str]:
    """Log tables and code version to the active MLflow run, and return the tags that were set.

    Each table becomes a dataset input of the run, its digest made of name and version, so that
    no row is read for it.
    Errors: MLflow's own when no run is active and none can be started.
    """
    import mlflow
    from mlflow.data.delta_dataset_source import DeltaDatasetSource
    from mlflow.data.meta_dataset import MetaDataset

    tags = provenance(inputs, commit=commit)
    datasets: list[Any] = [
        MetaDataset(  # type: ignore[abstract]  # `profile` is abstract by mistake in MLflow
            DeltaDatasetSource(delta_table_name=name, delta_table_version=version), name=name
        )
        for name, version in sorted(inputs.items())
    ]
    mlflow.log_inputs(
        datasets=datasets,
        contexts=["training"] * len(datasets),
        tags_list=[{}] * len(datasets),
    )
    mlflow.set_tags(tags)
    return tags
