"""The SQL functions of Unity Catalog."""

from __future__ import annotations

import re
import uuid
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue, NotFound

from laketop import durable
from laketop.workspace import lake
from laketop.workspace.pages import page_of
from laketop.workspace.privileges import Privileges
from laketop.workspace.service import route
from laketop.workspace.unity_service import UnityService

_RETURNS = re.compile(
    r"\bRETURNS\s+(TABLE\b|[A-Z_]+(?:\s*\([^)]*\)|\s*<.*?>(?=\s))?)", re.IGNORECASE | re.DOTALL
)
_RETURN = re.compile(r"\bRETURN\s+(.*)", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"\bCOMMENT\s+'((?:[^'\\]|\\.|'')*)'", re.IGNORECASE | re.DOTALL)


class Functions(UnityService):
    """SQL functions as the engine keeps them; they are made in SQL.

    What is told of a function's parts is read from its text.
    Source: databricks-sdk, `catalog.FunctionsAPI`.
    """

    @route("GET /api/2.1/unity-catalog/functions")
    def list(
        self,
        catalog_name: str,
        schema_name: str,
        max_results: int = 0,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        """Return the functions of a schema that the caller may see, by name, by pages."""
        self._lake.schema(catalog_name, schema_name)
        catalog, schema, sees = catalog_name.lower(), schema_name.lower(), self._rights.sees
        found = self._lake.listed("functions", catalog, schema)
        seen = [name for name in found if sees("FUNCTION", f"{catalog}.{schema}.{name}")]
        names, more = page_of(seen, max_results, page_token)
        return {"functions": [self._info(catalog, schema, name) for name in names], **more}

    @route("GET /api/2.1/unity-catalog/functions/{name}")
    def get(self, name: str) -> dict[str, Any]:
        """Return a function."""
        names = lake.parts(name, 3, "function")
        self._rights.require_sees("FUNCTION", ".".join(names))
        self._check(*names)
        return self._info(*names)

    @route("PATCH /api/2.1/unity-catalog/functions/{name}")
    def update(self, name: str, owner: str) -> dict[str, Any]:
        """Give a function to another owner."""
        names = lake.parts(name, 3, "function")
        self._rights.require_manage("FUNCTION", ".".join(names))
        self._check(*names)
        if not owner:
            raise InvalidParameterValue("Missing required field: owner")
        file = self._lake.entry("functions", *names)
        self._lake.change(file, lambda kept: {**kept, "owner": owner})
        return self._info(*names)

    @route("DELETE /api/2.1/unity-catalog/functions/{name}")
    def delete(self, name: str) -> None:
        """Drop a function, and what was granted on it."""
        names = lake.parts(name, 3, "function")
        self._rights.require_manage("FUNCTION", ".".join(names))
        self._check(*names)
        file = self._lake.entry("functions", *names)
        file.unlink()
        durable.flush_folder(file.parent)
        Privileges(self._lake).forget(".".join(names))

    def _check(self, catalog: str, schema: str, name: str) -> None:
        self._lake.schema(catalog, schema)
        if name not in self._lake.listed("functions", catalog, schema):
            raise NotFound(
                f"Function '{catalog}.{schema}.{name}' does not exist.",
                error_code="FUNCTION_DOES_NOT_EXIST",
            )

    def _info(self, catalog: str, schema: str, name: str) -> dict[str, Any]:
        file = self._lake.entry("functions", catalog, schema, name)
        entry, full_name = lake.read(file), f"{catalog}.{schema}.{name}"
        text, python = entry.get("sql", ""), entry.get("python")
        body, returns = _RETURN.search(text), _RETURNS.search(text)
        comment = _COMMENT.search(text[: body.start()] if body else text)
        type_ = " ".join(returns[1].split()) if returns else ""
        is_table = type_.upper() == "TABLE"
        changed = lake.changed_ms(file)
        told = {
            "name": name,
            "catalog_name": catalog,
            "schema_name": schema,
            "full_name": full_name,
            "specific_name": name,
            "function_id": str(uuid.uuid5(uuid.NAMESPACE_URL, full_name)),
            "owner": entry.get("owner"),
            "comment": comment[1].replace("''", "'") if comment else None,
            "routine_body": "SQL" if python is None else "EXTERNAL",
            "routine_definition": body[1].strip() if body and python is None else python,
            "external_language": None if python is None else "PYTHON",
            "data_type": "TABLE_TYPE" if is_table else None,
            "full_data_type": type_ or None,
            "sql_data_access": "READS_SQL_DATA",
            "security_type": "DEFINER",
            "created_at": changed,
            "updated_at": changed,
            "metastore_id": self.workspace.metastore_id,
        }
        return {field: value for field, value in told.items() if value is not None}
