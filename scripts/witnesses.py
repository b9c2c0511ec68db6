"""Tells which handlers of routes answered no client well, in a run of the tests.

`pytest --witnesses FILE` writes what was answered; `python scripts/witnesses.py FILE` reads it, and
fails where a handler has no witness.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from laketop.workspace.mlflow_routes import ROUTES
from laketop.workspace.service import declared_routes, expression_of, service_classes

REFUSING = {"apps.get_deployment", "pipelines.get_update", "thrift.refuse"}
"""Handlers that do nothing but refuse, with an error of their own: that is their witness."""


def without_witness(
    handlers: Mapping[str, Collection[str]], answered: Iterable[str]
) -> dict[str, str]:
    """Return the handlers that answered none of the requests, each with one of its routes.

    Shapes: `handlers` has for each its routes, `METHOD /path/{name}`: one handler serves the
    versions of an API; `answered` is lines of `STATUS METHOD /path`. Of the routes that a request
    matches it belongs to the one with the fewest captures.
    """
    by_method: dict[str, list[tuple[re.Pattern[str], str]]] = {}
    routes = [(route, handler) for handler, served in handlers.items() for route in served]
    for route, handler in sorted(routes, key=lambda one: one[0].count("{")):
        method, _, template = route.partition(" ")
        by_method.setdefault(method, []).append((expression_of(template), handler))
    seen = set()
    for request in set(answered):
        status, method, path = request.split(" ", 2)
        known = by_method.get(method, [])
        handler = next((handler for found, handler in known if found.fullmatch(path)), "")
        if int(status) < 300 or (handler in REFUSING and int(status) < 500):
            seen.add(handler)
    return {name: max(served) for name, served in handlers.items() if name not in seen}


def handlers() -> dict[str, set[str]]:
    """Return the routes of Databricks that are served, by handler; MLflow's are one by one."""
    found: dict[str, set[str]] = {route: {route} for route in ROUTES}
    for service, class_ in service_classes().items():
        for route, name in declared_routes(class_):
            if " /api/laketop/" not in route:
                found.setdefault(f"{service}.{name}", set()).add(route)
    return found


def main(*files: str) -> int:
    """Print the handlers without a witness; 1 if there are any."""
    served = handlers()
    answered = [line for file in files for line in Path(file).read_text("utf-8").splitlines()]
    lacking = without_witness(served, answered)
    print(f"{len(served) - len(lacking)} of {len(served)} handlers of routes have a witness")
    for name, route in sorted(lacking.items()):
        print(f"  without: {name}, {route}")
    return int(bool(lacking))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
