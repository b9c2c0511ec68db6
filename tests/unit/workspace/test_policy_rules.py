"""What a cluster policy says of a cluster."""

from __future__ import annotations

import json
from typing import Any

import pytest
from databricks.sdk.errors.platform import InvalidParameterValue

from laketop.workspace.policy_rules import rules_of, violations


@pytest.mark.parametrize(
    ("rule", "value", "told"),
    [
        ({"type": "fixed", "value": "a"}, "a", ""),
        ({"type": "fixed", "value": "a"}, "b", "must be a"),
        ({"type": "fixed", "value": True}, "true", ""),
        ({"type": "fixed", "value": "a"}, None, ""),
        ({"type": "forbidden"}, "x", "must not be set"),
        ({"type": "forbidden"}, None, ""),
        ({"type": "allowlist", "values": ["a", "b"]}, "b", ""),
        ({"type": "allowlist", "values": ["a", "b"]}, "c", "one of"),
        ({"type": "allowlist", "values": ["a"]}, None, "must be present"),
        ({"type": "allowlist", "values": ["a"], "isOptional": True}, None, ""),
        ({"type": "allowlist", "values": ["a"], "defaultValue": "a"}, None, ""),
        ({"type": "blocklist", "values": ["a"]}, "a", "must not be one of"),
        ({"type": "blocklist", "values": ["a"]}, "b", ""),
        ({"type": "regex", "pattern": "a+"}, "aaa", ""),
        ({"type": "regex", "pattern": "a+"}, "aab", "must match"),
        ({"type": "range", "minValue": 1, "maxValue": 3}, 1, ""),
        ({"type": "range", "minValue": 1, "maxValue": 3}, 4, "at most 3"),
        ({"type": "range", "minValue": 1}, 0, "at least 1"),
        ({"type": "range", "minValue": 1}, "x", "a number"),
        ({"type": "unlimited"}, None, ""),
    ],
)
def test_a_rule_holds_or_tells_what_is_wrong(rule: Any, value: Any, told: str) -> None:
    cluster = {} if value is None else {"name": value}
    found = violations(rules_of(json.dumps({"name": rule})), cluster).get("name", "")
    assert told in found
    assert bool(told) == bool(found)


def test_paths_reach_into_maps_and_lists() -> None:
    cluster = {
        "spark_conf": {"spark.a.b": "1"},
        "autoscale": {"max_workers": 9},
        "init_scripts": [{"dbfs": {"destination": "x"}}, {"dbfs": {"destination": "y"}}],
    }
    rules: dict[str, dict[str, Any]] = {
        "spark_conf.spark.a.b": {"type": "fixed", "value": "2"},
        "autoscale.max_workers": {"type": "range", "maxValue": 5},
        "init_scripts.*.dbfs.destination": {"type": "allowlist", "values": ["x"]},
        "init_scripts.0.dbfs.destination": {"type": "fixed", "value": "x"},
        "init_scripts.7.dbfs.destination": {"type": "forbidden"},
        "cluster_type": {"type": "fixed", "value": "job"},
    }
    assert set(violations(rules, cluster)) == {
        "spark_conf.spark.a.b",
        "autoscale.max_workers",
        "init_scripts.*.dbfs.destination",
    }


@pytest.mark.parametrize(
    "definition",
    [
        *("", "[]", "5", '{"a": 5}', '{"a": {}}', '{"a": {"type": "other"}}'),
        *('{"a": {"type": "fixed"}}', '{"a": {"type": "allowlist"}}'),
        *('{"a": {"type": "range"}}', '{"a": {"type": "regex", "pattern": "("}}'),
    ],
)
def test_what_is_no_definition_is_refused(definition: str) -> None:
    with pytest.raises(InvalidParameterValue):
        rules_of(definition)
