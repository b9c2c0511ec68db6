"""Tags of models and versions as Unity Catalog's own REST API sends and shows them. Pure.

Source: mlflow.protos.unity_catalog_messages_pb2, TagKeyValue and TagAssignmentsChange.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed

Tags = list[dict[str, Any]]


def tags_of(sent: Sequence[Mapping[str, Any]] | None) -> dict[str, str]:
    """Return tags by key. Errors: InvalidParameterValue for what is no list of keys and values."""
    found = {}
    for tag in sent or ():
        key, value = tag.get("key"), tag.get("value", "")
        if not isinstance(key, str) or not key or not isinstance(value, str):
            raise InvalidParameterValue("A tag has a key and a value, which are texts.")
        found[key] = value
    return found


def changes_of(sent: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Return what a change of tags adds, and the keys that it removes.

    Errors: InvalidParameterValue for a change that is none.
    """
    added, removed = sent.get("add_tags", []), sent.get("remove", [])
    if not all(isinstance(each, list) for each in (added, removed)):
        raise InvalidParameterValue("add_tags and remove are lists.")
    if not all(isinstance(tag, dict) for tag in added):
        raise InvalidParameterValue("A tag has a key and a value, which are texts.")
    if not all(isinstance(key, str) and key for key in removed):
        raise InvalidParameterValue("What is removed are keys of tags.")
    return tags_of(added), removed


def shown_tags(tags: Mapping[str, str]) -> Tags:
    """Return tags as they are answered, by key."""
    return [{"key": key, "value": tags[key]} for key in sorted(tags)]


def check_is_model(securable_type: str) -> None:
    """Let only models pass, which are securables of the type FUNCTION. Errors: NotImplemented."""
    if securable_type.upper() != "FUNCTION":
        raise NotServed(
            f"laketop changes the tags of a {securable_type[:100]!r} by entity-tag-assignments"
            " and in SQL; these routes are those of registered models."
        )
