"""The SQL functions of Unity Catalog."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue, NotFound
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.catalog import CreateFunction

from laketop import durable
from laketop.workspace import lake
from laketop.workspace.columns import type_name
from laketop.workspace.function_text import FunctionText, Parameter, parsed_function
from laketop.workspace.kept import fields_of
from laketop.workspace.pages import page_of
from laketop.workspace.privileges import Privileges
from laketop.workspace.service import route
from laketop.workspace.sql_types import parsed_type
from laketop.workspace.unity_service import UnityService

_KEPT_BESIDE = (
    *("external_name", "full_data_type", "is_deterministic", "is_null_call", "parameter_style"),
    *("properties", "routine_dependencies", "security_type", "specific_name", "sql_data_access"),
    "sql_path",
)
"""What was sent of a function and its text does not say."""


class Functions(UnityService):
    """SQL functions as the engine keeps them, and those in Python.

    What is told of a function's parts is read from its text. A body is read where the function is
    called for the first time: what is wrong with it is told there.
    Source: databricks-sdk, `catalog.FunctionsAPI`.
    """

    @route("POST /api/2.1/unity-catalog/functions")
    def create(self, function_info: dict[str, Any]) -> dict[str, Any]:
        """Make a function of SQL or Python.

        Errors: NotFound for the schema; BadRequest with FUNCTION_ALREADY_EXISTS;
        InvalidParameterValue for parts that cannot be, and for the name of a model or
        a prompt; NotImplemented for another language.
        """
        sent = fields_of(CreateFunction, function_info)
        names = [lake.checked(sent[f"{of}name"]) for of in ("catalog_", "schema_", "")]
        self._lake.schema(names[0], names[1])
        self._rights.require_create("CREATE FUNCTION", ".".join(names[:2]))
        entry = {
            "catalog": names[0],
            "namespace": names[1],
            "owner": self.workspace.user,
            "sql": _text_of(sent).statement(names[2]),
            "sent": json.dumps({name: sent[name] for name in _KEPT_BESIDE if name in sent}),
        }
        if sent["routine_body"] == "EXTERNAL":
            entry["python"] = sent["routine_definition"]
        with self._lake.alone():
            self._check_free(names)
            self._lake.keep(self._lake.entry("functions", *names), entry)
        return self._info(*names)

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
        Privileges(self._lake).forget(".".join(names), "FUNCTION")

    def _check_free(self, names: Sequence[str]) -> None:
        full_name = ".".join(names)
        if self._lake.entry("functions", *names).exists():
            raise lake.already("Function", full_name)
        problem = self._lake.other_routine("functions", full_name)
        if problem is not None:
            raise InvalidParameterValue(problem)

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
        python, changed = entry.get("python"), lake.changed_ms(file)
        told = {
            "name": name,
            "catalog_name": catalog,
            "schema_name": schema,
            "full_name": full_name,
            "specific_name": name,
            "function_id": str(uuid.uuid5(uuid.NAMESPACE_URL, full_name)),
            "owner": entry.get("owner"),
            "routine_body": "SQL" if python is None else "EXTERNAL",
            "routine_definition": python,
            "external_language": None if python is None else "PYTHON",
            "sql_data_access": "READS_SQL_DATA" if python is None else "NO_SQL",
            "security_type": "DEFINER",
            "parameter_style": "S",
            "created_at": changed,
            "created_by": entry.get("owner"),
            "updated_at": changed,
            "updated_by": entry.get("owner"),
            "metastore_id": self.workspace.metastore_id,
            **_parts_told(entry.get("sql", ""), is_python=python is not None),
            **json.loads(entry.get("sent", "{}")),
        }
        return {field: value for field, value in told.items() if value is not None}


def _text_of(sent: dict[str, Any]) -> FunctionText:
    """Return the text of a function from the fields that describe it."""
    body, is_python = sent["routine_definition"], sent["routine_body"] == "EXTERNAL"
    columns = _parameters(sent.get("return_params"))
    if is_python:
        _check_python(sent, columns)
        body = "NULL"
    elif not body.strip():
        raise InvalidParameterValue("The routine_definition of a function is empty.")
    is_table = sent["data_type"] == "TABLE_TYPE"
    if columns and not is_table:
        raise InvalidParameterValue("return_params are of functions of the data_type TABLE_TYPE.")
    if not is_table:
        parsed_type(sent["full_data_type"])
    text = FunctionText(
        parameters=_parameters(sent["input_params"]),
        returns=None if is_table else " ".join(sent["full_data_type"].split()),
        columns=columns if is_table else None,
        comment=sent.get("comment") or None,
        is_deterministic=None if sent["is_deterministic"] else False,
        body=body.strip(),
    )
    if parsed_function(text.statement("f")) != text:
        raise InvalidParameterValue("The default of a parameter is no expression of SQL.")
    return text


def _check_python(sent: dict[str, Any], columns: Sequence[Parameter]) -> None:
    language = str(sent.get("external_language") or "")
    if language.upper() != "PYTHON":
        raise NotServed(f"laketop has functions in SQL and PYTHON, not in {language[:50]!r}.")
    if columns or sent["data_type"] == "TABLE_TYPE":
        raise InvalidParameterValue("A function of EXTERNAL routine_body returns no table.")
    if sent["sql_data_access"] != "NO_SQL":
        raise InvalidParameterValue("An EXTERNAL routine_body has the sql_data_access NO_SQL.")


def _parameters(sent: dict[str, Any] | None) -> list[Parameter]:
    """Return the parameters in the order of their positions. Errors: InvalidParameterValue."""
    found = sorted((sent or {}).get("parameters") or (), key=lambda one: one["position"])
    names = [one["name"].lower() for one in found]
    if "" in names or len(set(names)) < len(names):
        raise InvalidParameterValue("Parameters have names, each its own.")
    for one in found:
        parsed_type(one["type_text"])
    return [
        Parameter(
            one["name"],
            " ".join(one["type_text"].split()),
            one.get("parameter_default"),
            one.get("comment") or None,
        )
        for one in found
    ]


def _parts_told(statement: str, *, is_python: bool) -> dict[str, Any]:
    """Return what the text of a function says, as far as it is understood."""
    try:
        text = parsed_function(statement)
        inputs = [one.told(position) for position, one in enumerate(text.parameters)]
        outputs = [one.told(position) for position, one in enumerate(text.columns or ())]
        returns = type_name(parsed_type(text.returns)).value if text.returns else None
    except InvalidParameterValue:  # of a type that only Spark knows
        return {}
    is_table = text.columns is not None
    return {
        "input_params": {"parameters": inputs},
        "return_params": {"parameters": outputs} if outputs else None,
        "data_type": "TABLE_TYPE" if is_table else returns,
        "full_data_type": "TABLE" if is_table else text.returns,
        "comment": text.comment,
        "is_deterministic": text.is_deterministic,
        **({} if is_python else {"routine_definition": text.body}),
    }
