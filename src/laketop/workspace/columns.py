"""The columns of a table as Unity Catalog's REST has them, from Spark's schema as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from databricks.sdk.service.catalog import ColumnInfo, ColumnTypeName

_TEXTS = {
    "byte": "tinyint",
    "short": "smallint",
    "integer": "int",
    "long": "bigint",
}
_NAMES = {
    "byte": "BYTE",
    "short": "SHORT",
    "integer": "INT",
    "long": "LONG",
    "void": "NULL",
    "null": "NULL",
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_KNOWN = {member.value for member in ColumnTypeName}


def columns_of(schema: Mapping[str, Any], partitions: Sequence[str] = ()) -> list[ColumnInfo]:
    """Return the columns of a struct. Source: Unity Catalog API, "Column"."""
    return [_column(position, field, partitions) for position, field in enumerate(schema["fields"])]


def _column(position: int, field: Mapping[str, Any], partitions: Sequence[str]) -> ColumnInfo:
    type_, metadata = field["type"], field.get("metadata") or {}
    name = field["name"]
    decimal = _DECIMAL.fullmatch(type_) if isinstance(type_, str) else None
    index = (
        [each.lower() for each in partitions].index(name.lower())
        if name.lower() in {each.lower() for each in partitions}
        else None
    )
    return ColumnInfo(
        name=name,
        position=position,
        type_text=type_text(type_),
        type_name=type_name(type_),
        type_json=json.dumps({**field, "metadata": metadata}),
        type_precision=int(decimal[1]) if decimal else 0,
        type_scale=int(decimal[2]) if decimal else 0,
        nullable=bool(field.get("nullable", True)),
        comment=metadata.get("comment"),
        partition_index=index,
    )


def type_text(type_: Any) -> str:
    """Return a type of Spark's JSON as SQL writes it: `array<struct<a:bigint>>`."""
    if isinstance(type_, str):
        return _TEXTS.get(type_, type_)
    match type_["type"]:
        case "array":
            return f"array<{type_text(type_['elementType'])}>"
        case "map":
            return f"map<{type_text(type_['keyType'])},{type_text(type_['valueType'])}>"
        case "struct":
            inner = (f"{one['name']}:{type_text(one['type'])}" for one in type_["fields"])
            return f"struct<{','.join(inner)}>"
        case _:
            return str(type_["type"])


def type_name(type_: Any) -> ColumnTypeName:
    """Return the name that the API has for a type of Spark's JSON."""
    plain = type_ if isinstance(type_, str) else str(type_["type"])
    plain = re.split(r"[ (]", plain)[0]
    name = _NAMES.get(plain, plain.upper())
    name = "STRING" if name in {"VARCHAR", "CHAR"} else name
    return ColumnTypeName(name if name in _KNOWN else "USER_DEFINED_TYPE")
