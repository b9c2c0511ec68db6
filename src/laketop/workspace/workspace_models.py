"""Models of a workspace's own registry: kept by name, and none of them ever has a version."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from databricks.sdk.errors.platform import (
    InvalidParameterValue,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)

from laketop.workspace.kept import Kept, Record
from laketop.workspace.matching import matches

_BAD: Final = re.compile(r"[/:]")
_FILTER: Final = re.compile(r"\s*name\s*(=|!=|LIKE|ILIKE)\s*'([^']*)'\s*", re.IGNORECASE)
_ORDER: Final = re.compile(r"(name|(?:last_updated_)?timestamp)(?:\s+(ASC|DESC))?", re.IGNORECASE)


class WorkspaceModels:
    """The models that `kept` holds by their ids; every method is inside a transaction.

    Source: MLflow REST API, registered models, with the names of databricks-sdk's answers.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def named(self, name: str) -> Record:
        """Return a model. Errors: ResourceDoesNotExist."""
        found = self._found(name)
        if found is None:
            raise ResourceDoesNotExist(f"Registered Model with name={name[:200]} not found")
        return found

    def add(self, sent: Record, *, user: str, now_ms: int) -> Record:
        """Keep a new model. Errors: InvalidParameterValue for its name; ResourceAlreadyExists."""
        self._check_free(sent["name"])
        times = {"creation_timestamp": now_ms, "last_updated_timestamp": now_ms}
        id_ = uuid.uuid4().hex
        known = {"id": id_, "user_id": user, "tags": []}
        return self._kept.add(id_, {**known, **self._kept.checked(sent), **times})

    def change(self, model: Record, changed: Mapping[str, Any], *, now_ms: int) -> Record:
        """Keep a model with other fields. Errors: as `add`, for another name."""
        if changed.get("name", model["name"]) != model["name"]:
            self._check_free(changed["name"])
        new = {**model, **changed, "last_updated_timestamp": now_ms}
        return self._kept.put(model["id"], new)

    def searched(self, condition: str, order_by: str) -> list[Record]:
        """Return the models that a filter such as `name LIKE 'churn%'` lets through, in order.

        Errors: InvalidParameterValue for a filter or an order that is none of these.
        """
        found = sorted(self._kept.all(), key=lambda one: str(one["name"]))
        if condition.strip():
            asked = _FILTER.fullmatch(condition)
            if asked is None:
                raise InvalidParameterValue(f"The filter {condition[:200]!r} is not of a name.")
            found = [one for one in found if matches(one["name"], asked[1].upper(), asked[2])]
        if order_by.strip():
            order = _ORDER.fullmatch(order_by.strip())
            if order is None:
                raise InvalidParameterValue(f"order_by {order_by[:200]!r} is no order of models.")
            field = "name" if order[1].lower() == "name" else "last_updated_timestamp"
            found.sort(key=lambda one: one[field], reverse=(order[2] or "").upper() == "DESC")
        return found

    def _found(self, name: str) -> Record | None:
        return next((one for one in self._kept.all() if one["name"] == name), None)

    def _check_free(self, name: str) -> None:
        if not name:
            said = f"Got an invalid name {name!r}. Registered Model names cannot be empty strings."
            raise InvalidParameterValue(said)
        if _BAD.search(name):
            raise InvalidParameterValue(f"The name {name[:200]!r} of a model holds '/' or ':'.")
        if self._found(name) is not None:
            raise ResourceAlreadyExists(f"Registered Model (name={name[:200]}) already exists.")
