"""What goes over the wire: JSON fields to typed parameters, results and errors to JSON."""

from __future__ import annotations

import base64
import dataclasses
import enum
import json
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union

from databricks.sdk.errors import platform
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue

MAX_DEPTH = 100
"""How deep a JSON body may nest."""

_INT64 = 2**63

Convert = Callable[[str, Any], Any]
"""Takes a field's name and its value as sent, returns the value of the annotated type."""


# --- what is sent to us -------------------------------------------------------------------------


def check_is_json(body: bytes, content_type: str) -> None:
    """Check that a body comes as JSON; an empty one is of any type.

    Errors: BadRequest with MALFORMED_REQUEST. Source: reliability S5; a page of another origin
    may send bodies of other types, and of none, without asking first.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if body and kind != "application/json":
        raise BadRequest(
            f"The content type {kind!r} is not application/json.", error_code="MALFORMED_REQUEST"
        )


def fields_of(body: bytes) -> dict[str, Any]:
    """Return the fields of a JSON body; an empty body has none.

    Errors: BadRequest with MALFORMED_REQUEST unless it is one JSON object of finite numbers and
    valid text, nested at most `MAX_DEPTH` deep.
    """
    if not body.strip():
        return {}
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise _malformed(f"the body is nested more than {MAX_DEPTH} deep") from error
    except ValueError as error:
        raise _malformed("the body is not JSON") from error
    if not isinstance(value, dict):
        raise _malformed(f"the body is a JSON {type(value).__name__}, not an object")
    _check(value, MAX_DEPTH)
    return value


def bytes_of(name: str, text: str) -> bytes:
    """Return what a field holds as base64. Errors: InvalidParameterValue for other text."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii's own, or plain for what is not ASCII
        raise InvalidParameterValue(f"The field {name!r} is not base64.") from error


def _refuse_constant(text: str) -> Any:
    raise ValueError(text)


def _malformed(reason: str) -> BadRequest:
    return BadRequest(f"Could not parse request: {reason}.", error_code="MALFORMED_REQUEST")


def _check(value: Any, depth: int) -> None:
    if depth == 0:
        raise _malformed(f"the body is nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict):
        for name, inner in value.items():
            _check(name, depth - 1)
            _check(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth - 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise _malformed("a number is too large")
    elif isinstance(value, str) and not _is_text(value):
        raise _malformed("a text holds half of a surrogate pair")


def _is_text(value: str) -> bool:
    return value.isascii() or not re.search("[\ud800-\udfff]", value)


def converter(annotation: Any) -> Convert:
    """Return what converts a field to `annotation`.

    Errors: TypeError for an annotation that is not known here, so that a service with one does
    not start.
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {Union, types.UnionType} and len(arguments) == 2 and arguments[1] is type(None):
        return converter(arguments[0])
    if origin is list:
        return _listed(converter(arguments[0]))
    if origin is dict and arguments[0] is str:
        return _mapped(converter(arguments[1]))
    if origin is Literal:
        return _chosen({str(value): value for value in arguments})
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _chosen({str(member.value): member for member in annotation})
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    raise TypeError(f"a field cannot be annotated as {annotation!r}")


def _wrong(name: str, value: Any, wanted: str) -> InvalidParameterValue:
    shown = json.dumps(value)[:100]
    return InvalidParameterValue(f"Field {name!r} has the value {shown}, which is not {wanted}.")


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(name, value, "a string")
    return value


def _whole(name: str, value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -_INT64 <= value < _INT64:
        raise _wrong(name, value, "a 64-bit whole number")
    return value


def _number(name: str, value: Any) -> float:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,300}(\.[0-9]{1,300})?", value):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 2**1000:
        raise _wrong(name, value, "a number")
    return float(value)


def _truth(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in {"true", "false"}:
        return value == "true"
    raise _wrong(name, value, "true or false")


def _anything(name: str, value: Any) -> Any:  # noqa: ARG001 - one signature for all converters
    return value


_PLAIN: Mapping[Any, Convert] = {
    str: _text,
    int: _whole,
    float: _number,
    bool: _truth,
    Any: _anything,
}


def _listed(convert: Convert) -> Convert:
    def apply(name: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise _wrong(name, value, "a list")
        return [convert(name, inner) for inner in value]

    return apply


def _mapped(convert: Convert) -> Convert:
    def apply(name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong(name, value, "an object")
        return {key: convert(f"{name}.{key}", inner) for key, inner in value.items()}

    return apply


def _chosen(choices: Mapping[str, Any]) -> Convert:
    def apply(name: str, value: Any) -> Any:
        if not isinstance(value, str) or value not in choices:
            raise _wrong(name, value, f"one of {', '.join(choices)}")
        return choices[value]

    return apply


# --- what we send -------------------------------------------------------------------------------


def encode(result: Any) -> bytes:
    """Return a handler's result as JSON; dataclasses of the SDK encode themselves.

    Errors: TypeError or ValueError for a result that JSON cannot say.
    """
    value = {} if result is None else result
    return json.dumps(value, default=_as_dict, separators=(",", ":"), allow_nan=False).encode()


def _as_dict(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and hasattr(value, "as_dict"):
        return value.as_dict()
    raise TypeError(f"a result holds {type(value).__name__}, which JSON cannot say")


_STATUSES = {error: status for status, error in platform.STATUS_CODE_MAPPING.items()}
_CODES = {error: code for code, error in platform.ERROR_CODE_MAPPING.items()}


def status_of(error: DatabricksError) -> int:
    """Return the HTTP status of an error: that of the nearest class which the SDK gives one."""
    for ancestor in type(error).__mro__:
        if ancestor in _STATUSES:
            return _STATUSES[ancestor]
    return 500


def code_of(error: DatabricksError) -> str:
    """Return the `error_code` of an error: its own, that of its class, or the class' name."""
    if error.error_code:
        return error.error_code
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).upper()
    return _CODES.get(type(error), name)


def encode_error(error: DatabricksError) -> bytes:
    """Return an error as the body that the SDK's own parser turns back into the same class."""
    body: dict[str, Any] = {"error_code": code_of(error), "message": str(error)}
    reasons = [_reason(detail) for detail in error.get_error_info()]
    return encode({**body, "details": reasons} if reasons else body)


def _reason(detail: Any) -> dict[str, Any]:
    return {
        "@type": detail.type,
        "reason": detail.reason,
        "domain": detail.domain,
        "metadata": detail.metadata or {},
    }
