"""The statement that makes a SQL function, taken apart and put together.

The engine keeps a function as this text, and reads it again where the function is called.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue

from laketop.workspace.columns import type_name, type_text
from laketop.workspace.sql_types import Words, read_type


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A parameter of a function, or a column that it returns; `type` is text of SQL."""

    name: str
    type: str
    default: str | None = None
    comment: str | None = None

    def told(self, position: int) -> dict[str, Any]:
        """Return it as Unity Catalog's REST has it.

        Errors: InvalidParameterValue for a type that is none.
        """
        spark = read_type(Words(self.type))
        field = {"name": self.name, "type": spark, "nullable": True, "metadata": {}}
        told = {
            "name": self.name,
            "type_text": type_text(spark),
            "type_name": type_name(spark).value,
            "type_json": json.dumps(field),
            "position": position,
            "parameter_mode": "IN",
            "parameter_type": "PARAM",
            "parameter_default": self.default,
            "comment": self.comment,
        }
        return {name: value for name, value in told.items() if value is not None}


@dataclasses.dataclass(frozen=True, kw_only=True)
class FunctionText:
    """The parts of `CREATE FUNCTION`; `body` is what follows RETURN."""

    parameters: Sequence[Parameter] = ()
    returns: str | None = None
    """The type of what a function of values returns, as it is written."""
    columns: Sequence[Parameter] | None = None
    """What a function of tables returns; empty where the statement leaves them to its query."""
    comment: str | None = None
    is_deterministic: bool | None = None
    body: str

    def statement(self, name: str) -> str:
        """Return the statement that makes the function under a name of one part."""
        parts = [f"CREATE FUNCTION {_quoted(name)}({_listed(self.parameters)})"]
        if self.columns is not None:
            listed = f" ({_listed(self.columns)})" if self.columns else ""
            parts.append(f"RETURNS TABLE{listed}")
        elif self.returns is not None:
            parts.append(f"RETURNS {self.returns}")
        if self.is_deterministic is not None:
            parts.append("DETERMINISTIC" if self.is_deterministic else "NOT DETERMINISTIC")
        if self.comment is not None:
            parts.append(f"COMMENT {_text(self.comment)}")
        return " ".join([*parts, f"RETURN {self.body}"])


def parsed_function(statement: str) -> FunctionText:
    """Return the parts of a statement that makes a function.

    Errors: InvalidParameterValue where it is none.
    """
    words = Words(statement)
    words.expect("create")
    words.take("or", "replace")
    words.take("temporary")
    words.expect("function")
    words.take("if", "not", "exists")
    words.next()
    while words.take("."):
        words.next()
    words.expect("(")
    found: dict[str, Any] = {"parameters": _parameters(words)}
    while not words.take("return"):
        found |= _characteristic(words)
    last = words.peek()
    return FunctionText(**found, body=statement[last.start :].strip() if last else "")


def _parameters(words: Words) -> list[Parameter]:
    """Return what is listed up to the closing parenthesis, and pass that too."""
    found: list[Parameter] = []
    while not words.take(")"):
        if found:
            words.expect(",")
        name = words.next().value
        type_ = _written_type(words)
        default = comment = None
        while (word := words.peek()) is not None and word.text not in {",", ")"}:
            if words.take("comment"):
                comment = words.next().value
            elif words.take("default"):
                default = _expression(words)
            elif not words.take("not", "null"):
                raise InvalidParameterValue(f"{word.text[:100]!r} says nothing of a parameter.")
        found.append(Parameter(name, type_, default, comment))
    return found


def _written_type(words: Words) -> str:
    """Return a type as it is written, but for white space."""
    first = words.peek()
    start = len(words.text) if first is None else first.start
    read_type(words)
    last = words.passed()
    return " ".join(words.text[start : last.end].split())


def _expression(words: Words) -> str:
    """Return what is written up to a comma, parenthesis or COMMENT outside of parentheses."""
    first, depth = words.peek(), 0
    end = start = len(words.text) if first is None else first.start
    while (word := words.peek()) is not None:
        closes = word.text in {",", ")"} or word.text.lower() == "comment"
        if depth == 0 and closes:
            break
        depth += (word.text in {"(", "["}) - (word.text in {")", "]"})
        end = words.next().end
    return words.text[start:end]


def _characteristic(words: Words) -> dict[str, Any]:
    if words.take("returns", "table"):
        return {"columns": _parameters(words) if words.take("(") else []}
    if words.take("returns"):
        return {"returns": _written_type(words)}
    if words.take("comment"):
        return {"comment": words.next().value}
    if words.take("not", "deterministic"):
        return {"is_deterministic": False}
    if words.take("deterministic"):
        return {"is_deterministic": True}
    words.next()  # LANGUAGE SQL, CONTAINS SQL, READS SQL DATA
    return {}


def _listed(parameters: Sequence[Parameter]) -> str:
    return ", ".join(_written(one) for one in parameters)


def _written(one: Parameter) -> str:
    default = "" if one.default is None else f" DEFAULT {one.default}"
    comment = "" if one.comment is None else f" COMMENT {_text(one.comment)}"
    return f"{_quoted(one.name)} {one.type}{default}{comment}"


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
