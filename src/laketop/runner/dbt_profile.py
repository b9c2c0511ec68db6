"""dbt's `profiles.yml`, led to the local workspace.

Source: dbt-databricks' profile, whose `connection_parameters` reach databricks-sql-connector.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TOKEN: Final = "DBT_ACCESS_TOKEN"  # noqa: S105 - the name of the variable that holds it
_THREADS: Final = 4
_DEFAULT: Final = "default"
_ELSEWHERE: Final = (
    *("auth_type", "client_id", "client_secret", "azure_client_id", "azure_client_secret"),
    *("oauth_redirect_url", "oauth_scopes", "method", "cluster"),
)
"""How an output would prove who it is to a workspace elsewhere, and reach it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Warehouse:
    """The address at which the local workspace answers, and the warehouse there."""

    address: str
    warehouse_id: str

    @property
    def host(self) -> str:
        """The host of the profile, for two clients that read it differently.

        databricks-sql-connector puts a port behind it, which here is a fragment that nobody reads;
        databricks-sdk reads scheme, name and port alone.
        """
        return f"{self.address}/#"

    @property
    def http_path(self) -> str:
        """The path of the warehouse."""
        return f"/sql/1.0/warehouses/{self.warehouse_id}"


def led_here(profiles: Mapping[str, Any], warehouse: Warehouse) -> dict[str, Any]:
    """Return profiles whose databricks outputs lead to the local warehouse, all else as it was."""
    return {name: _profile_here(profile, warehouse) for name, profile in profiles.items()}


def made_here(
    profile: str,
    warehouse: Warehouse,
    *,
    catalog: str,
    schema: str,
    targets: Iterable[str] = (),
) -> dict[str, Any]:
    """Return profiles with one of this name, with an output for each target that is asked for."""
    output = {"type": "databricks", "catalog": catalog, "schema": schema, "threads": _THREADS}
    outputs = {name: dict(output) for name in (_DEFAULT, *targets)}
    return led_here({profile: {"target": _DEFAULT, "outputs": outputs}}, warehouse)


def _profile_here(profile: Any, warehouse: Warehouse) -> Any:
    outputs = profile.get("outputs") if isinstance(profile, dict) else None
    if not isinstance(outputs, dict):
        return profile
    led = {name: _output_here(output, warehouse) for name, output in outputs.items()}
    return {**profile, "outputs": led}


def _output_here(output: Any, warehouse: Warehouse) -> Any:
    if not isinstance(output, dict) or output.get("type") != "databricks":
        return output
    kept = {name: value for name, value in output.items() if name not in _ELSEWHERE}
    computes = {name: {"http_path": warehouse.http_path} for name in output.get("compute") or {}}
    return {
        **kept,
        **({"compute": computes} if computes else {}),
        "host": warehouse.host,
        "http_path": warehouse.http_path,
        "token": f"{{{{ env_var('{TOKEN}') }}}}",
        "connection_parameters": {
            **(output.get("connection_parameters") or {}),
            "use_sea": True,
            "enable_telemetry": False,
        },
    }
