"""Write docs/ROUTES.md: what of the REST surface of a workspace is served.

Run it with `python scripts/routes.py`; a unit test compares the page with what this would write.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from databricks.sdk.version import __version__ as sdk_version

from laketop.workspace.known import known_routes, sent_fields
from laketop.workspace.mlflow_routes import ROUTES
from laketop.workspace.service import (
    Service,
    declared_mounts,
    declared_routes,
    read_fields,
    service_classes,
)
from laketop.workspace.services.permissions import LEVELS
from laketop.workspace.services.settings import KINDS

PAGE = Path(__file__).parents[1] / "docs" / "ROUTES.md"


def page() -> str:
    """Return the text of the page."""
    services = service_classes()
    return "\n".join([*_head(services), *_services(services), ""])


def _head(services: Mapping[str, type[Service]]) -> Iterator[str]:
    known = known_routes()
    served = {_plain(route) for one in services.values() for route, _ in declared_routes(one)}
    served |= {
        pattern.replace("{}", f"/{kind}", 1)
        for pattern in served
        if "/api/2.0/permissions{}" in pattern
        for kind in LEVELS
    }
    served |= {
        pattern.replace("{}{}", "/authorization/tokens", 1)
        for pattern in served
        if "/api/2.0/permissions{}{}" in pattern
    }
    served |= {
        pattern.replace("{}", f"/{type_}", 1)
        for pattern in served
        for type_, kind in KINDS.items()
        if "/settings/types{}" in pattern and (kind.can_be_deleted or "DELETE" not in pattern)
    }
    total = {_plain(pattern) for patterns in known.values() for pattern in patterns}
    count = len(total & served)
    mounted = {_plain(route) for route in ROUTES}
    yield "# Routes"
    yield ""
    yield "Written by `scripts/routes.py`. The routes of a workspace are those that databricks-sdk"
    yield f"{sdk_version} sends, without those of accounts and those whose path is a resource's"
    yield f"name alone: {len(total)}, of which laketop serves {count} by routes of its own and"
    yield f"{len(mounted)} by MLflow's handlers, {(count + len(mounted)) / len(total):.0%} in all."
    yield "Any other of them answers `501 NOT_IMPLEMENTED` and names itself; a path that exists"
    yield "nowhere answers `404 ENDPOINT_NOT_FOUND`. [state.md](state.md) says which objects are"
    yield "state only. `GET /api/laketop/1/dropped` counts the fields that were sent and not read."
    yield ""
    served |= mounted
    yield "| API group | served | known |"
    yield "|---|---:|---:|"
    for group, patterns in known.items():
        count = sum(_plain(pattern) in served for pattern in patterns)
        if count:
            yield f"| {group} | {count} | {len(patterns)} |"
    rest = [each for each in known.values() if not served & {_plain(route) for route in each}]
    yield f"| {len(rest)} other groups | 0 | {sum(len(patterns) for patterns in rest)} |"


def _services(services: Mapping[str, type[Service]]) -> Iterator[str]:
    for name, service in services.items():
        yield ""
        yield f"## {name}"
        yield ""
        yield "| route | what it does | fields of the client that it does not read |"
        yield "|---|---|---|"
        for pattern, method in sorted(declared_routes(service), key=_by_path):
            unread = ", ".join(f"`{field}`" for field in _unread(service, pattern, method))
            yield f"| `{pattern}` | {_summary(service, method)} | {unread} |"
        for prefix, method in declared_mounts(service):
            yield f"| everything under `{prefix}` | {_summary(service, method)} | |"


def _unread(service: type[Service], pattern: str, method: str) -> list[str]:
    read = read_fields(service, method)
    return [] if read is None else sorted(_sent().get(_plain(pattern), set()) - read)


@functools.cache
def _sent() -> dict[str, set[str]]:
    return {_plain(route): set(fields) for route, fields in sent_fields().items()}


def _by_path(route: tuple[str, str]) -> tuple[str, str]:
    method, path = route[0].split(" ")
    return path, method


def _summary(service: type[Service], method: str) -> str:
    text = inspect.getdoc(getattr(service, method)) or ""
    return text.partition("\n")[0].replace("|", "\\|")


def _plain(pattern: str) -> str:
    # The SDK puts whole paths, with the slash in front, into the hole of the Files API.
    return re.sub(r"/?\{[^}]*\}", "{}", pattern)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
