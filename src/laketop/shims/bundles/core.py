"""What functions that make and change resources are given, and what they return."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, Generic, TypeVar, Union, get_args, get_type_hints

from laketop.shims.bundles.models import TYPES, Resource, resource_class, singular

T = TypeVar("T")

NAMES = (
    *("Bundle", "Diagnostic", "Diagnostics", "Location", "Resource", "ResourceMutator"),
    *("Resources", "Severity", "Variable", "variables"),
    *("VariableOr", "VariableOrDict", "VariableOrList", "VariableOrOptional"),
    "load_resources_from_current_package_module",
    *(f"load_resources_from_{where}" for where in ("module", "modules", "package_module")),
    *(f"{singular(type_)}_mutator" for type_ in TYPES),
)
"""What `from databricks.bundles.core import *` brings."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Variable(Generic[T]):
    """A reference to a variable of the bundle: `path` is `var.name`."""

    path: str
    type: type[T]

    @property
    def value(self) -> str:
        """The reference as YAML writes it."""
        return f"${{{self.path}}}"


VariableOr = Union[Variable[T], T]  # noqa: UP007 - of type variables, `|` is none
VariableOrOptional = Union[Variable[T], T, None]  # noqa: UP007
VariableOrList = Union[Variable[list[T]], list[Union[Variable[T], T]]]  # noqa: UP007
VariableOrDict = Union[Variable[dict[str, T]], dict[str, Union[Variable[T], T]]]  # noqa: UP007


def variables(cls: type[T]) -> type[T]:
    """Give a class an attribute for each of its annotations `name: Variable[type]`.

    Errors: ValueError for any other annotation.
    """
    for name, hint in get_type_hints(cls).items():
        if getattr(hint, "__origin__", None) is not Variable:
            raise ValueError(f"{cls.__name__}.{name} is to be a Variable, not {hint!r}")
        setattr(cls, name, Variable(path=f"var.{name}", type=get_args(hint)[0]))
    return cls


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bundle:
    """The target that is asked for, and the values of the variables in it."""

    target: str
    variables: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def resolve_variable(self, variable: Any) -> Any:
        """Return the value of a Variable; what is none is returned as it is.

        Errors: ValueError for a variable that the bundle has not.
        """
        if not isinstance(variable, Variable):
            return variable
        name = variable.path.removeprefix("var.")
        if name not in self.variables:
            raise ValueError(f"the bundle has no variable {name!r}")
        return self.variables[name]

    def resolve_variable_list(self, variable: Any) -> list[Any]:
        """Return the values of a list, or of a Variable that stands for one."""
        return [self.resolve_variable(item) for item in self.resolve_variable(variable)]


class Severity(enum.Enum):
    """Whether a finding stops the deployment."""

    WARNING = "warning"
    ERROR = "error"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Location:
    """A place in a file, counted from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    @staticmethod
    def from_callable(function: Callable[..., Any]) -> Location | None:
        """Return where a function is written, None where nobody knows."""
        code = getattr(inspect.unwrap(function), "__code__", None)
        return None if code is None else Location(file=code.co_filename, line=code.co_firstlineno)

    @staticmethod
    def from_stack_frame(depth: int = 0) -> Location:
        """Return the place of the caller, or of one `depth` calls above it."""
        frame = sys._getframe(depth + 1)  # noqa: SLF001 - there is no other way to ask
        return Location(file=frame.f_code.co_filename, line=frame.f_lineno)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """One finding."""

    severity: Severity
    summary: str
    detail: str | None = None
    path: tuple[str, ...] | None = None
    location: Location | None = None


@dataclasses.dataclass(frozen=True)
class Diagnostics:
    """Findings, in order."""

    items: tuple[Diagnostic, ...] = ()

    def extend(self, other: Diagnostics) -> Diagnostics:
        """Return these findings and others."""
        return Diagnostics((*self.items, *other.items))

    def extend_tuple(self, pair: tuple[T, Diagnostics]) -> tuple[T, Diagnostics]:
        """Return a value, and these findings with those that came with it."""
        return pair[0], self.extend(pair[1])

    def has_error(self) -> bool:
        """Return whether one of them stops the deployment."""
        return any(item.severity is Severity.ERROR for item in self.items)

    def has_warning(self) -> bool:
        """Return whether one of them is a warning."""
        return any(item.severity is Severity.WARNING for item in self.items)

    @classmethod
    def create_error(cls, msg: str, **more: Any) -> Diagnostics:
        """Return one error; `more` are detail, location and path."""
        return cls((Diagnostic(severity=Severity.ERROR, summary=msg, **more),))

    @classmethod
    def create_warning(cls, msg: str, **more: Any) -> Diagnostics:
        """Return one warning; `more` are detail, location and path."""
        return cls((Diagnostic(severity=Severity.WARNING, summary=msg, **more),))


class Resources:
    """Resources by type and key, and findings about them.

    `add_job(resource_name, job)`, `add_pipeline` … and `jobs`, `pipelines` … are there for each
    type. Errors: AttributeError for any other.
    """

    def __init__(self) -> None:
        self.diagnostics = Diagnostics()
        self.by_type: dict[str, dict[str, Any]] = {type_: {} for type_ in TYPES}

    def add_resource(
        self, resource_name: str, resource: Resource, *, location: Location | None = None
    ) -> None:
        """Add a resource under a key of its type; one that is taken is an error of the bundle."""
        if not isinstance(resource, Resource):
            raise TypeError(f"{resource_name!r} is {resource!r}, which is no resource")
        kept = self.by_type[resource.type]
        if resource_name in kept:
            message = f"there are two {resource.type} with the key {resource_name!r}"
            path = ("resources", resource.type, resource_name)
            self.add_diagnostic_error(message, path=path, location=location)
        else:
            kept[resource_name] = resource

    def add_resources(self, other: Resources) -> None:
        """Add all resources and findings of another."""
        for resources in other.by_type.values():
            for key, resource in resources.items():
                self.add_resource(key, resource)
        self.diagnostics = self.diagnostics.extend(other.diagnostics)

    def add_diagnostic_error(self, msg: str, **more: Any) -> None:
        """Add an error; `more` are detail, location and path."""
        self.diagnostics = self.diagnostics.extend(Diagnostics.create_error(msg, **more))

    def add_diagnostic_warning(self, msg: str, **more: Any) -> None:
        """Add a warning; `more` are detail, location and path."""
        self.diagnostics = self.diagnostics.extend(Diagnostics.create_warning(msg, **more))

    def __getattr__(self, name: str) -> Any:
        if name in TYPES:
            return self.by_type[name]
        for type_ in TYPES:
            if name == f"add_{singular(type_)}":
                return self._adder(type_)
        raise AttributeError(f"Resources has no attribute {name!r}")

    def _adder(self, type_: str) -> Callable[..., None]:
        made = resource_class(type_)

        def add(
            resource_name: str, resource: Any = None, *, location: Location | None = None, **by: Any
        ) -> None:
            given = by.pop(singular(type_), resource)
            if by or given is None:
                raise TypeError(f"add_{singular(type_)} takes resource_name and {singular(type_)}")
            value = made.from_dict(given) if isinstance(given, Mapping) else given
            self.add_resource(resource_name, value, location=location)

        return add


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResourceMutator:
    """A function that returns each resource of one type, changed or not."""

    type: str
    function: Callable[..., Any]

    def __call__(self, *given: Any) -> Any:
        """Call the function as it is written."""
        return self.function(*given)


def _mutator(type_: str) -> Callable[[Callable[..., Any]], ResourceMutator]:
    return lambda function: ResourceMutator(type=type_, function=function)


def __getattr__(name: str) -> Any:
    for type_ in TYPES:
        if name == f"{singular(type_)}_mutator":
            return _mutator(type_)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_resources_from_current_package_module() -> Resources:
    """Return the resources of all modules of the package from which this is called."""
    frame = sys._getframe(1)  # noqa: SLF001 - there is no other way to ask
    return load_resources_from_package_module(sys.modules[frame.f_globals["__name__"]])


def load_resources_from_package_module(package_module: ModuleType) -> Resources:
    """Return the resources of all modules below a package, however deep."""
    found = pkgutil.walk_packages(package_module.__path__, f"{package_module.__name__}.")
    names = sorted(each.name for each in found)
    return load_resources_from_modules(map(importlib.import_module, names))


def load_resources_from_modules(modules: Iterable[ModuleType]) -> Resources:
    """Return the resources of some modules."""
    found = Resources()
    for module in modules:
        found.add_resources(load_resources_from_module(module))
    return found


def load_resources_from_module(module: ModuleType) -> Resources:
    """Return the resources that a module has as variables, by the names of these."""
    found = Resources()
    for name, value in vars(module).items():
        if isinstance(value, Resource):
            found.add_resource(name, value)
    return found
