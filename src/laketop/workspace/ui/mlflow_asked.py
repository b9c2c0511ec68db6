"""Asks MLflow's stores for a page; what they refuse becomes an error that a page tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from databricks.sdk.errors.platform import BadRequest, NotFound

from laketop.workspace.ui.view import View

Got = TypeVar("Got")


def is_used(view: View) -> bool:
    """Tell whether MLflow was ever used here; if not, nothing is there, and it stays unloaded."""
    folders = {view.workspace.state, view.workspace.metastore}  # runs are here, models there
    return any((folder / "mlflow.db").exists() for folder in folders)


def asked(act: Callable[[], Got]) -> Got:
    """Return what `act` returns. Errors: NotFound or BadRequest with MLflow's own sentence."""
    from mlflow.exceptions import MlflowException

    try:
        return act()
    except MlflowException as error:
        kind = NotFound if error.error_code == "RESOURCE_DOES_NOT_EXIST" else BadRequest
        raise kind(error.message) from error
    except ValueError as error:  # MLflow decodes the token of a page without checking it
        raise BadRequest("The page of the list that was asked for is none.") from error
