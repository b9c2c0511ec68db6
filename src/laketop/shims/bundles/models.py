"""Dataclasses of a bundle's resources and of what is in them, made when they are asked for."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from laketop.bundle.fields import Field, table
from laketop.bundle.resources import SERVED, STATE_ONLY

TYPES: Final = (*SERVED, *STATE_ONLY)
_CLASSES: Final = {
    "experiments": "MlflowExperiment",
    "models": "MlflowModel",
    "database_catalogs": "DatabaseCatalog",
    "vector_search_indexes": "VectorSearchIndex",
}
"""Resources whose class is not called like their type in the singular."""
_OF_THE_BUNDLE: Final = {"Lifecycle": "lifecycle", "Permission": "permission", "Grant": "grant"}
"""What the names of classes end with that are blocks of the bundle's own."""
_ALIASES: Final = ("Param", "Dict")
"""What the names of types end with that only annotations use."""


def singular(type_: str) -> str:
    """Return a type of resources in the singular, as in `add_job`.

    >>> singular("jobs"), singular("vector_search_indexes"), singular("postgres_branches")
    ('job', 'vector_search_index', 'postgres_branch')
    """
    if type_.endswith(("xes", "ches")):
        return type_.removesuffix("es")
    return type_.removesuffix("s")


class Model:
    """What every class of a bundle can do; a value may be a reference or a Variable instead."""

    block: ClassVar[str] = ""
    others: Mapping[str, Any] = types.MappingProxyType({})
    """Keys of YAML that it cannot have, of which `validate` warns."""

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Any:
        """Return what the YAML of such a block says.

        Errors: ValueError for a key that it cannot have.
        """
        return cls.read(value, is_strict=True)

    @classmethod
    def read(cls, value: Mapping[str, Any], *, is_strict: bool) -> Any:
        """Return what `from_dict` does; unless `is_strict`, keys that it cannot have are kept."""
        fields = table().blocks[cls.block]
        others = {key: item for key, item in value.items() if key not in fields}
        if others and is_strict:
            raise ValueError(f"{cls.__name__} has no field {min(others)!r}")
        known = {
            name: _read(item, fields[name].type, is_strict=is_strict)
            for name, item in value.items()
            if name in fields
        }
        made = cls(**known)
        made.others = others
        return made

    def as_dict(self) -> dict[str, Any]:
        """Return the block as YAML would hold it, without what is not set."""
        fields = {name: _written(getattr(self, name)) for name in table().blocks[self.block]}
        kept = {name: item for name, item in fields.items() if item not in (None, [], {})}
        return {**kept, **self.others}


class Resource(Model):
    """A resource of a bundle: a job, a pipeline, a schema."""

    type: ClassVar[str] = ""


def modules(package: str) -> Iterator[types.ModuleType]:
    """Yield the module of each type of resource, whose classes are made when they are named."""
    for type_ in TYPES:
        module = types.ModuleType(f"{package}.{type_}", f"Classes of `resources.{type_}`.")
        module.__getattr__ = _finder(module.__name__, type_)  # type: ignore[method-assign]
        yield module


def resource_class(type_: str) -> type[Resource]:
    """Return the class of a type of resources."""
    name = _CLASSES.get(type_, "".join(word.capitalize() for word in singular(type_).split("_")))
    return _made(name, f"resource.{type_}", Resource, type_)


def _finder(module: str, type_: str) -> Callable[[str], Any]:
    def find(name: str) -> Any:
        found = None if name.startswith("_") else _found(name, type_)
        if found is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return found

    return find


def _found(name: str, type_: str) -> Any:
    own = resource_class(type_)
    if name == own.__name__:
        return own
    if name in table().values:
        return _enumeration(name)
    if name in table().blocks:
        return _made(name, name, Model, "")
    for end, block in _OF_THE_BUNDLE.items():
        if name.endswith(end):
            return _made(name, block, Model, "")
    for end in _ALIASES:
        if name.endswith(end) and _found(name.removesuffix(end), type_) is not None:
            return Any
    return None


@functools.cache
def _made(name: str, block: str, base: type[Any], type_: str) -> type[Any]:
    fields = [_member(key, field) for key, field in table().blocks[block].items()]
    more = {"block": block} | ({"type": type_} if type_ else {})
    return dataclasses.make_dataclass(name, fields, bases=(base,), namespace=more, kw_only=True)


def _member(name: str, field: Field) -> tuple[str, Any, Any]:
    makers: dict[str, Callable[[], Any]] = {"[": list, "{": dict}
    make = makers.get(field.type[0])
    default = dataclasses.field(default=None) if make is None else _empty(make)
    return name, Any, default


def _empty(make: Callable[[], Any]) -> Any:
    return dataclasses.field(default_factory=make)


@functools.cache
def _enumeration(name: str) -> type[enum.Enum]:
    values = {value.upper().replace("-", "_"): value for value in table().values[name]}
    return enum.Enum(name, values, type=str)  # type: ignore[return-value]  # it is a class


def _read(value: Any, type_: str, *, is_strict: bool) -> Any:
    inner = type_.strip("[]{}")
    if isinstance(value, list) and type_.startswith("["):
        return [_read(item, inner, is_strict=is_strict) for item in value]
    if isinstance(value, Mapping) and type_.startswith("{"):
        return {key: _read(item, inner, is_strict=is_strict) for key, item in value.items()}
    if isinstance(value, Mapping) and inner in table().blocks:
        return _made(inner, inner, Model, "").read(value, is_strict=is_strict)
    return value


def _written(value: Any) -> Any:
    if isinstance(value, Model):
        return value.as_dict()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (list, tuple)):
        return [_written(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _written(item) for key, item in value.items()}
    # A Variable says itself how it is referred to.
    return value.value if hasattr(value, "value") else value
