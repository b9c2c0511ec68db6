"""dbt's profiles, led to the local workspace."""

from __future__ import annotations

from typing import Any

from laketop.runner.dbt_profile import Warehouse, led_here, made_here

HERE = Warehouse(address="http://127.0.0.1:8123", warehouse_id="abc")
LED = {
    "host": "http://127.0.0.1:8123/#",
    "http_path": "/sql/1.0/warehouses/abc",
    "token": "{{ env_var('DBT_ACCESS_TOKEN') }}",
    "connection_parameters": {"use_sea": True, "enable_telemetry": False},
}


def test_a_databricks_output_leads_here_and_keeps_where_it_writes() -> None:
    output = {
        "type": "databricks",
        "catalog": "prod",
        "schema": "{{ var('dev_schema') }}",
        "threads": 2,
        "host": "{{ env_var('DBT_HOST') }}",
        "http_path": "/sql/2.0/warehouses/elsewhere",
        "auth_type": "oauth",
        "client_id": "me",
        "connection_parameters": {"_socket_timeout": 5},
        "compute": {"Large": {"http_path": "/sql/1.0/warehouses/large"}},
    }
    other = {"type": "duckdb", "path": "x.db"}
    profiles = {"config": {"use_colors": True}, "p": {"target": "a", "outputs": {"a": output}}}
    profiles["q"] = {"target": "b", "outputs": {"b": other}}
    led = led_here(profiles, HERE)
    assert led["config"] == {"use_colors": True}
    assert led["q"] == profiles["q"]
    assert led["p"]["target"] == "a"
    assert led["p"]["outputs"]["a"] == {
        **{name: output[name] for name in ("type", "catalog", "schema", "threads")},
        **LED,
        "compute": {"Large": {"http_path": "/sql/1.0/warehouses/abc"}},
        "connection_parameters": {"_socket_timeout": 5, **LED["connection_parameters"]},  # type: ignore[dict-item]  # a map
    }


def test_profiles_that_are_no_profiles_are_left_to_dbt() -> None:
    strange: dict[str, Any] = {"p": None, "q": {"outputs": [1]}, "r": {"outputs": {"a": "b"}}}
    assert led_here(strange, HERE) == strange


def test_a_profile_is_made_with_each_target_that_is_asked_for() -> None:
    made = made_here("p", HERE, catalog="main", schema="default", targets=["dev"])
    wanted = {
        "type": "databricks",
        "catalog": "main",
        "schema": "default",
        "threads": 4,
        **LED,
    }
    assert made == {"p": {"target": "default", "outputs": {"default": wanted, "dev": wanted}}}
