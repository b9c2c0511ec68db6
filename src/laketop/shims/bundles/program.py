"""Calls the functions that a bundle names under `python`, in a process of their own.

`python -m laketop.shims.bundles.program ANSWER` reads a JSON object from its standard input:
`root`, `sites` (folders of packages), `target`, `variables`, `resources` (by type and key), `load`
and `mutate` (functions, `module:name`). It writes one to the file ANSWER: `resources` as they are
then, `added` (type, key, and the index of the function in `load`) and `problems`.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import site
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from laketop import shims


class _Named(Exception):
    """A function that cannot be called, or that fails: `message` is what is told of it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def main() -> None:
    """Read what is asked for, and write the answer."""
    asked = json.load(sys.stdin)
    for folder in asked["sites"]:
        site.addsitedir(folder)
    # What laketop needs is imported before a module of the bundle can have its name.
    shims.install()
    _before_the_installed()
    importlib.import_module("databricks.bundles.core")
    sys.path.insert(0, asked["root"])
    os.chdir(asked["root"])
    answer = _answer(asked)
    Path(sys.argv[1]).write_text(json.dumps(answer), encoding="utf-8")


def _before_the_installed() -> None:
    # The package itself is licensed for use with Databricks' services alone.
    import databricks

    databricks.__path__ = [str(shims.FOLDER / "databricks"), *databricks.__path__]


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    from laketop.shims.bundles.core import Bundle

    answer: dict[str, Any] = {"resources": asked["resources"], "added": [], "problems": []}
    bundle = Bundle(target=asked["target"], variables=asked["variables"])
    for index, name in enumerate(asked["load"]):
        try:
            _load(name, index, bundle, answer)
        except _Named as error:
            answer["problems"].append({"message": error.message, "at": ["resources", index]})
    for index, name in enumerate(asked["mutate"]):
        try:
            _mutate(name, bundle, answer["resources"])
        except _Named as error:
            answer["problems"].append({"message": error.message, "at": ["mutators", index]})
    return answer


def _load(name: str, index: int, bundle: Any, answer: dict[str, Any]) -> None:
    from laketop.shims.bundles.core import Resources

    function = _function(name)
    takes = len(_called(name, inspect.signature, function).parameters)
    made = _called(name, function, *([bundle] if takes else []))
    if not isinstance(made, Resources):
        raise _Named(f"{name!r} returns {made!r} instead of Resources")
    for type_, resources in made.by_type.items():
        for key, resource in resources.items():
            kept = answer["resources"].setdefault(type_, {})
            if key in kept:
                raise _Named(f"{name!r} makes {type_}.{key}, which is there already")
            kept[key] = _written(name, resource)
            answer["added"].append([type_, key, index])
    answer["problems"] += (_told(finding, index) for finding in made.diagnostics.items)


def _told(finding: Any, index: int) -> dict[str, Any]:
    place = finding.location
    where = f" ({os.path.relpath(place.file)}:{place.line})" if place is not None else ""
    return {
        "message": f"{finding.summary}{where}",
        "hint": finding.detail,
        "severity": finding.severity.value,
        "at": ["resources", index],
    }


def _mutate(name: str, bundle: Any, resources: dict[str, Any]) -> None:
    from laketop.shims.bundles.core import ResourceMutator
    from laketop.shims.bundles.models import resource_class

    mutator = _function(name)
    if not isinstance(mutator, ResourceMutator):
        raise _Named(f"{name!r} is no mutator: it has no decorator such as @job_mutator")
    made = resource_class(mutator.type)
    takes = len(_called(name, inspect.signature, mutator.function).parameters)
    for key, value in (resources.get(mutator.type) or {}).items():
        if not isinstance(value, dict):  # a reference to a variable that is a whole resource
            continue
        before = made.read(value, is_strict=False)
        written = before.as_dict()
        given = (bundle, before) if takes > 1 else (before,)
        changed = _called(name, mutator.function, *given)
        if not isinstance(changed, made):
            raise _Named(f"{name!r} returns {changed!r} for {mutator.type}.{key}")
        changed.others = {**before.others, **changed.others}  # `replace` makes one without them
        now = _written(name, changed)
        if now != written:  # else it stays as it stands, with what is empty
            resources[mutator.type][key] = now


def _written(name: str, resource: Any) -> dict[str, Any]:
    def write() -> dict[str, Any]:
        value: dict[str, Any] = json.loads(json.dumps(resource.as_dict()))
        return value

    return _called(name, write)  # type: ignore[no-any-return]  # what it calls is anything


def _function(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise _Named(f"{name!r} is no function: it is written module:function")
    found = _called(name, importlib.import_module, module)
    if not callable(getattr(found, attribute, None)):
        raise _Named(f"the module {module!r} has no function {attribute!r}")
    return getattr(found, attribute)  # type: ignore[no-any-return]


def _called(name: str, function: Callable[..., Any], *given: Any) -> Any:
    try:
        return function(*given)
    except (Exception, SystemExit) as error:
        where = "".join(f" at {place}" for place in _innermost(error))
        raise _Named(f"{name!r} fails with {type(error).__name__}: {error}{where}") from error


def _innermost(error: BaseException) -> Iterator[str]:
    # The last line of the bundle's own that the error came through.
    found = None
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if Path(file).is_relative_to(Path.cwd()):
            found = f"{os.path.relpath(file)}:{trace.tb_lineno}"
        trace = trace.tb_next
    if found is not None:
        yield found


if __name__ == "__main__":
    main()
