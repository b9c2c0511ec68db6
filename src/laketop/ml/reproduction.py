"""The recipe of a model: what it takes to train it again, and whether that gives the same bytes.

A model that can be reproduced carries `recipe.json` beside its `MLmodel` file:

```
{"format": 1,
 "entry_point": "flights.train:refit",
 "parameters": {"train_through": "2013-03"},
 "inputs": {"dev.flights.weather": 3},
 "code_version": "4f0c2b1…",
 "facts": {"rows_sha256": "…"}}
```

The entry point is a function `(spark, schema, parameters, folder) -> facts`. It trains on the
tables in `schema`, which hold the inputs as they were, under the last part of their names; saves
the model in `folder` as it was logged; and returns the facts that the recipe has recorded.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from laketop.errors import LaketopError, NotFound, Refused
from laketop.ml import tables
from laketop.ml.evidence import REPRODUCED, reproduced
from laketop.ml.locks import LOCK_FILE, differences
from laketop.ml.tracking import code_version

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.tracking import MlflowClient
    from pyspark.sql import SparkSession

RECIPE_FILE = "recipe.json"
RECIPE_FORMAT = 1
_OF_ITS_LOGGING = "MLmodel"  # ids and times; what is of the model stands in the other files


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What it takes to train a model again; `facts` are what both trainings must agree on."""

    entry_point: str
    parameters: Mapping[str, str]
    inputs: Mapping[str, int]
    code_version: str
    facts: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the recipe as the text of its file."""
        return json.dumps({"format": RECIPE_FORMAT} | asdict(self), indent=2) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Recipe:
        """Return the recipe of the model that was saved in `folder`.

        Errors: NotFound when the model has none, Refused for a format that is not known here.
        """
        file = folder / RECIPE_FILE
        if not file.is_file():
            hint = "log it with WithFiles and a Recipe"
            raise NotFound(f"file {RECIPE_FILE} beside the model", folder.name, hint=hint)
        body = json.loads(file.read_text(encoding="utf-8"))
        if (found := body.pop("format", None)) != RECIPE_FORMAT:
            raise Refused(f"recipe format {found!r}", hint=f"this reads {RECIPE_FORMAT}")
        return cls(**body)


def rows_sha256(frame: pd.DataFrame) -> str:
    """Return a digest of the rows, their order, their columns and types; the index is left out."""
    import pandas as pd

    told = hashlib.sha256(repr([*frame.dtypes.astype(str).items()]).encode("utf-8"))
    told.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return told.hexdigest()


def restore(spark: SparkSession, inputs: Mapping[str, int], *, schema: str) -> None:
    """Copy each table of `inputs` at its version into `schema`, under the last part of its name.

    Errors: NotFound for a table that is gone, ValueError for two tables of one last name; Delta's
    own when the version's files were vacuumed.
    """
    names = [name.rpartition(".")[2] for name in inputs]
    if len(set(names)) < len(names):
        raise ValueError(f"two inputs have the same last name: {sorted(inputs)!r}")
    for name, version in inputs.items():
        kept = {
            key: value
            for key, value in tables.properties(spark, name).items()
            if not key.startswith("delta.")
        }
        writer = tables.at_version(spark, name, version).writeTo(
            tables.quoted(f"{schema}.{name.rpartition('.')[2]}")
        )
        for key, value in kept.items():
            writer = writer.tableProperty(key, value)
        writer.using("delta").create()


def refit(spark: SparkSession, recipe: Recipe, *, schema: str, folder: Path) -> dict[str, str]:
    """Train by the recipe on the tables in `schema`, save the model in `folder`, return its facts.

    Errors: NotFound when the code has no such entry point, and whatever that raises.
    """
    module, _, function = recipe.entry_point.partition(":")
    try:
        entry: Callable[..., dict[str, str]] = getattr(importlib.import_module(module), function)
    except (ModuleNotFoundError, AttributeError) as error:
        raise NotFound("entry point", recipe.entry_point, hint="is it on the path?") from error
    return entry(spark, schema, dict(recipe.parameters), folder)


def compare(before: Path, after: Path) -> list[str]:
    """Return what differs between two saved models, one sentence a file; none if nothing does.

    Compared byte for byte is every file of `after` but `MLmodel`, and every file of `before` that
    its `MLmodel` names or MLflow installs by; what else lies there came with the logging.
    """
    written = {
        path.relative_to(after).as_posix()
        for path in after.rglob("*")
        if path.is_file() and path != after / _OF_ITS_LOGGING
    }
    found = []
    for name in sorted(written | _of_the_model(before)):
        old, new = before / name, after / name
        if not old.is_file():
            found.append(f"{name} was not there")
        elif not new.is_file():
            found.append(f"{name} is no longer there")
        elif old.read_bytes() != new.read_bytes():
            found.append(f"{name} has other bytes")
    return found


def _of_the_model(folder: Path) -> set[str]:
    """Return the files that the flavors in `MLmodel` name, those in folders too."""
    from mlflow.models import Model

    told: list[object] = ["requirements.txt", Model.load(folder / _OF_ITS_LOGGING).flavors]
    found: set[Path] = set()
    while told:
        value = told.pop()
        if isinstance(value, dict):
            told += value.values()
        elif isinstance(value, str) and value and _lies_in(folder, value):
            named = folder / value
            found |= {named} if named.is_file() else set(filter(Path.is_file, named.rglob("*")))
    return {path.relative_to(folder).as_posix() for path in found}


def _lies_in(folder: Path, name: str) -> bool:
    """Return whether something is there; `MLmodel` also tells where a model's code came from."""
    path = Path(name)
    is_inside = not path.is_absolute() and ".." not in path.parts and path != Path()
    return is_inside and (folder / path).exists()


def facts_that_differ(recipe: Recipe, facts: Mapping[str, str]) -> list[str]:
    """Return what the second training found otherwise than the first, one sentence a fact."""
    return [
        f"{name} was {recipe.facts.get(name)!r}, is {facts.get(name)!r}"
        for name in sorted({*recipe.facts, *facts})
        if recipe.facts.get(name) != facts.get(name)
    ]


def retrain(spark: SparkSession, logged: Path, saved: Path) -> list[str]:
    """Train the model of the folder `logged` again into `saved`, and return what differs.

    The inputs are copied at their versions into a schema of their own, which goes afterwards.
    Errors: those of `Recipe.read`, `restore` and `refit`.
    """
    recipe = Recipe.read(logged)
    catalog = next(iter(recipe.inputs), "").partition(".")[0]
    schema = f"{catalog}.reproduce_{uuid.uuid4().hex[:12]}"
    spark.sql(f"CREATE SCHEMA {tables.quoted(schema)}")
    try:
        restore(spark, recipe.inputs, schema=schema)
        facts = refit(spark, recipe, schema=schema, folder=saved)
    finally:
        spark.sql(f"DROP SCHEMA {tables.quoted(schema)} CASCADE")
    return facts_that_differ(recipe, facts) + compare(logged, saved)


def reproduce(
    spark: SparkSession, client: MlflowClient, *, model: str, version: str, commit: str | None
) -> str:
    """Train a version again in this process, and return what its tag `reproduced` says from now on.

    That is "identical", or what differs. `commit` is that of the code that runs here, None or
    empty for code without one. Let a task of its own ask: what a process has done before, such as
    loading a model, shows in the bytes of the next pickle.
    Errors: those of `retrain`; LaketopError when another commit, or other packages than its lock
    names, trained the version: `laketop ml reproduce` checks them out. Nothing is kept then.
    """
    import mlflow.artifacts

    with tempfile.TemporaryDirectory(prefix="laketop-reproduce-") as folder:
        uri = f"models:/{model}/{version}"
        logged = Path(mlflow.artifacts.download_artifacts(uri, dst_path=f"{folder}/logged"))
        why = trained_otherwise(logged, code_version(commit))
        if why is not None:
            raise LaketopError(f"{why}: laketop ml reproduce {model} {version}")
        found = reproduced(retrain(spark, logged, Path(folder) / "saved"))
    client.set_model_version_tag(model, version, REPRODUCED, found)
    return found


def trained_otherwise(logged: Path, code: str) -> str | None:
    """Return what of code and packages is not as in the training, None if nothing is."""
    recipe = Recipe.read(logged)
    if recipe.code_version != code:
        return f"its code is that of {recipe.code_version!r}, and {code!r} runs here"
    lock = logged / LOCK_FILE
    return next(iter(differences(lock.read_text("utf-8"))), None) if lock.is_file() else None


def main() -> None:
    """Retrain in this process; arguments: the model's folder, one to save in, the report's file.

    The report is JSON: `differs`, or `error` and `hint`.
    """
    from pyspark.sql import SparkSession

    logged, saved, report = map(Path, sys.argv[1:])
    try:
        told: dict[str, object] = {
            "differs": retrain(SparkSession.builder.getOrCreate(), logged, saved)
        }
    except LaketopError as error:
        told = {"error": error.message, "hint": error.hint}
    report.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
