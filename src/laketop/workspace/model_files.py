"""The files of a model on disk: their digests, and the signature that they declare."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from laketop import durable
from laketop.bundle.nodes import plain
from laketop.bundle.reading import read_file
from laketop.errors import ConfigError

_REQUIRED = (
    "All models in the Unity Catalog must be logged with a model signature containing both input "
    "and output type specifications. See https://mlflow.org/docs/latest/model/signatures.html"
    "#how-to-log-models-with-signatures for details on how to log a model with a signature"
)

_FEATURE_LOADERS = ("databricks.feature_store.", "databricks.feature_engineering.")


def seal_of(folder: Path) -> Path:
    """Return the file that, once it is there, closes a version's `folder` to every change."""
    return folder.with_name(f"{folder.name}.sealed")


def seal(folder: Path) -> None:
    """Close a version's folder to every change, for good."""
    seal_of(folder).touch()
    durable.flush_folder(folder.parent)


def remove(folder: Path) -> None:
    """Remove a version's folder and its seal, as far as they are there."""
    shutil.rmtree(folder, ignore_errors=True)
    seal_of(folder).unlink(missing_ok=True)


def digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file below `folder`, by its path with '/' between names.

    Errors: OSError for a link, which could lead out of the folder.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise OSError(f"{path.name!r} among the files of a model is a link")
        if path.is_file():
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(
                    file, "sha256"
                ).hexdigest()
    return found


def changed(folder: Path, recorded: Mapping[str, str]) -> list[str]:
    """Return the paths of the files that changed, are missing or were added since `recorded`."""
    present = digests(folder) if folder.is_dir() else {}
    return sorted(path for path in {*present, *recorded} if present.get(path) != recorded.get(path))


def registration_problem(folder: Path) -> str | None:
    """Return why Unity Catalog would not take the model in `folder`, None if it would."""
    description = folder / "MLmodel"
    if not description.is_file():
        return f"The uploaded files are not an MLflow model: they hold no MLmodel. {_REQUIRED}"
    try:
        model = plain(read_file(description, description.name))
        signature, loader = _signature(model), _loader(model)
    except (ConfigError, ValueError, RecursionError) as error:
        return f"The uploaded MLmodel cannot be read: {error}"
    if loader.startswith(_FEATURE_LOADERS):
        return (
            f"The model loads through {loader!r}, which is part of Databricks: log it with "
            "FeatureEngineeringClient.log_model here, whose models load with MLflow alone"
        )
    if signature is None:
        return f"Model passed for registration did not contain any signature metadata. {_REQUIRED}"
    if not signature.get("inputs"):
        return f"Model passed for registration contained a signature without inputs. {_REQUIRED}"
    if not signature.get("outputs"):
        return (
            "Model passed for registration contained a signature that includes only inputs. "
            f"{_REQUIRED}"
        )
    return None


def _loader(model: dict[str, Any]) -> str:
    flavors = model.get("flavors")
    flavor = flavors.get("python_function") if isinstance(flavors, dict) else None
    return str(flavor.get("loader_module") or "") if isinstance(flavor, dict) else ""


def _signature(model: Any) -> dict[str, Any] | None:
    if not isinstance(model, dict):
        raise ValueError("it is not a mapping")  # noqa: TRY004 - the file is wrong, not the call
    signature = model.get("signature")
    if signature is None:
        return None
    if not isinstance(signature, dict):
        raise ValueError("its signature is not one")  # noqa: TRY004 - the file is wrong
    return {
        side: json.loads(text) if isinstance(text := signature.get(side), str) else text
        for side in ("inputs", "outputs")
    }
