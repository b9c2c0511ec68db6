"""Whether JSON has the shape of one of the SDK's dataclasses."""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, Union

from databricks.sdk.errors.platform import InvalidParameterValue

_INT64 = 2**63


def shaped(shape: Any, value: Any, name: str = "") -> Any:
    """Return `value` as `shape` wants it: a dataclass of the SDK, or what its fields are.

    Fields that the dataclass does not have are left as they are; whole numbers sent as text
    become numbers, as in protocol buffers' JSON.
    Errors: InvalidParameterValue that names the dotted field, for a value of another type, an
    unknown word of an enumeration, or a missing field that is required.
    """
    origin, arguments = typing.get_origin(shape), typing.get_args(shape)
    if origin in {Union, types.UnionType}:
        return None if value is None else shaped(arguments[0], value, name)
    if origin is list:
        return [
            shaped(arguments[0], inner, f"{name}[{number}]")
            for number, inner in enumerate(_of(list, value, name))
        ]
    if origin is dict:
        found = _of(dict, value, name)
        return {key: shaped(arguments[1], inner, f"{name}.{key}") for key, inner in found.items()}
    if dataclasses.is_dataclass(shape):
        return _object(shape, _of(dict, value, name), name)
    if isinstance(shape, type) and issubclass(shape, enum.Enum):
        return _word(shape, value, name)
    return _plain(shape, value, name)


def _object(shape: Any, value: dict[str, Any], name: str) -> dict[str, Any]:
    prefix = f"{name}." if name else ""
    for field in dataclasses.fields(shape):
        if field.default is dataclasses.MISSING and value.get(field.name) is None:
            raise InvalidParameterValue(f"Missing required field: {prefix}{field.name}")
    hints = _hints(shape)
    return {
        key: shaped(hints[key], inner, f"{prefix}{key}") if key in hints else inner
        for key, inner in value.items()
    }


@functools.cache
def _hints(shape: Any) -> Mapping[str, Any]:
    return typing.get_type_hints(shape)


def _word(shape: type[enum.Enum], value: Any, name: str) -> Any:
    words = [str(member.value) for member in shape]
    if value not in words:
        raise _wrong(name, value, f"one of {', '.join(words)}")
    return value


def _plain(shape: Any, value: Any, name: str) -> Any:
    if shape is int and isinstance(value, str) and re.fullmatch("-?[0-9]{1,19}", value):
        value = int(value)
    if isinstance(value, int) and abs(value) >= _INT64:
        raise _wrong(name, value, "a 64-bit number")
    if shape is float and isinstance(value, int):
        return value
    return value if shape is Any else _of(shape, value, name)


def _of(shape: type, value: Any, name: str) -> Any:
    if not isinstance(value, shape) or (isinstance(value, bool) and shape is not bool):
        wanted = {dict: "an object", list: "a list", str: "a string", int: "a whole number"}
        raise _wrong(name, value, wanted.get(shape, f"a {shape.__name__}"))
    return value


def _wrong(name: str, value: Any, wanted: str) -> InvalidParameterValue:
    shown = json.dumps(value)[:100]
    return InvalidParameterValue(f"Field {name!r} has the value {shown}, which is not {wanted}.")
