"""What a serving endpoint serves: its entities, and the shares of the traffic. Pure."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from databricks.sdk.errors.platform import (
    InvalidParameterValue,
)
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace.model_names import name_problem

_NAME = re.compile(r"[A-Za-z0-9_\-]{1,63}")
_WHOLE = 100
_ENTITY_FIELDS = {
    "name",
    "entity_name",
    "entity_version",
    "model_name",
    "model_version",
    "workload_size",
    "workload_type",
    "scale_to_zero_enabled",
    "environment_vars",
    "min_provisioned_concurrency",
    "max_provisioned_concurrency",
}
_CONFIG_FIELDS = {
    *("name", "served_entities", "served_models", "traffic_config", "auto_capture_config"),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entity:
    """One version of a model, as an endpoint serves it."""

    name: str
    model: str
    version: int
    workload_size: str | None = None
    scale_to_zero_enabled: bool | None = None
    environment_vars: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """The entities of an endpoint and their shares of the traffic, in percent, 100 in all."""

    entities: tuple[Entity, ...]
    shares: Mapping[str, int]


def check_endpoint_name(name: str) -> None:
    """Check the name of an endpoint. Errors: InvalidParameterValue."""
    if not _NAME.fullmatch(name):
        raise InvalidParameterValue(
            f"Endpoint name {name!r} must be 1 to 63 letters, digits, '-' or '_'."
        )


def config_of(sent: Mapping[str, Any]) -> Config:
    """Return the configuration that a client sent, checked, its defaults filled in.

    Errors: InvalidParameterValue for what cannot be served, NotServed, by name, for what
    Databricks serves and a laptop does not.
    """
    _refuse_unknown("config", sent, _CONFIG_FIELDS)
    listed = sent.get("served_entities") or sent.get("served_models")
    if not isinstance(listed, list) or not listed:
        raise InvalidParameterValue("An endpoint needs at least one entry in 'served_entities'.")
    entities = tuple(_entity(one) for one in listed)
    names = [entity.name for entity in entities]
    for name in names:
        if names.count(name) > 1:
            raise InvalidParameterValue(f"Two served entities are named {name!r}.")
    return Config(entities=entities, shares=_shares(sent.get("traffic_config"), names))


def choose(config: Config, *, request_id: str | None, draw: float) -> Entity:
    """Return the entity that a request goes to.

    A request with a `client_request_id` always goes to the same one; the others by `draw`,
    uniform in [0, 1).
    """
    if request_id is not None:
        digest = hashlib.sha256(request_id.encode("utf-8", "surrogatepass")).digest()
        draw = int.from_bytes(digest[:6], "big") / 2**48
    reached, point = 0, draw * _WHOLE
    for entity in config.entities:
        reached += config.shares[entity.name]
        if point < reached:
            return entity
    raise AssertionError("the shares of the traffic do not sum to 100")


def _entity(sent: Any) -> Entity:
    if not isinstance(sent, dict):
        raise InvalidParameterValue("A served entity must be a JSON object.")
    _refuse_unknown("A served entity's", sent, _ENTITY_FIELDS)
    model = sent.get("entity_name") or sent.get("model_name")
    if not isinstance(model, str):
        raise InvalidParameterValue("A served entity needs 'entity_name', the full model name.")
    problem = name_problem(model)
    if problem is not None:
        raise InvalidParameterValue(problem)
    version = str(sent.get("entity_version") or sent.get("model_version") or "")
    if not re.fullmatch(r"[1-9][0-9]{0,8}", version):
        raise InvalidParameterValue(
            f"Served entity {model!r} needs 'entity_version', a version's number such as '1'; "
            f"it has {version!r}. An alias cannot be served."
        )
    if str(sent.get("workload_type") or "CPU") != "CPU":
        raise NotServed(f"Workload type {sent['workload_type']!r} is not served here; CPU is.")
    name = sent.get("name") or f"{model.rpartition('.')[2]}-{version}"
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidParameterValue(
            f"Served entity name {name!r} must be 1 to 63 letters, digits, '-' or '_'."
        )
    return Entity(
        name=name,
        model=model,
        version=int(version),
        workload_size=sent.get("workload_size"),
        scale_to_zero_enabled=sent.get("scale_to_zero_enabled"),
        environment_vars=_variables(sent.get("environment_vars")),
    )


def _variables(sent: Any) -> dict[str, str]:
    if sent is None:
        return {}
    if not isinstance(sent, dict):
        raise InvalidParameterValue("'environment_vars' must be a JSON object of texts.")
    for name, value in sent.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or not isinstance(value, str):
            raise InvalidParameterValue(f"Environment variable {name!r} is not a name and a text.")
        if "\x00" in value:
            raise InvalidParameterValue(f"Environment variable {name!r} holds a null character.")
        if re.search(r"\{\{\s*secrets/", value):
            raise NotServed(f"Environment variable {name!r} refers to a secret.")
    return dict(sent)


def _refuse_unknown(whose: str, sent: Mapping[str, Any], known: set[str]) -> None:
    for field, value in sent.items():
        if field not in known and value not in (None, {}, [], False):
            raise NotServed(f"{whose} field {field!r} is not served here.")


def _shares(traffic: Any, names: Sequence[str]) -> dict[str, int]:
    routes = traffic.get("routes") if isinstance(traffic, dict) else None
    if not routes:
        if len(names) > 1:
            raise InvalidParameterValue(
                "With several served entities, 'traffic_config' must share the traffic out."
            )
        return {names[0]: _WHOLE}
    shares = dict.fromkeys(names, 0)
    for route in routes:
        name = route.get("served_entity_name") or route.get("served_model_name")
        share = route.get("traffic_percentage")
        if name not in shares:
            raise InvalidParameterValue(f"'traffic_config' names {name!r}, which is not served.")
        if isinstance(share, bool) or not isinstance(share, int) or not 0 <= share <= _WHOLE:
            raise InvalidParameterValue(
                f"The traffic percentage of {name!r} is {share!r}, not a whole number of 0 to 100."
            )
        shares[name] += share
    if sum(shares.values()) != _WHOLE:
        raise InvalidParameterValue(
            f"The traffic percentages sum to {sum(shares.values())}, not to 100."
        )
    return shares
