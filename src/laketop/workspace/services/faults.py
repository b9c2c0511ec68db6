"""Rules of faults for the caller's own requests, where `laketop up --faults` allows them."""

from __future__ import annotations

import dataclasses
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue, NotFound

from laketop.workspace import faults
from laketop.workspace.service import Fields, Request, Service, route

_PATH = "/api/laketop/1/faults"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "request": str,
    "status": int,
    "body": dict,
    "lost": bool,
    "kill": bool,
    "after": bool,
    "delay_seconds": (int, float),
    "skip": int,
    "times": int,
}


class Faults(Service):
    """Makes requests of a token fail; Databricks has no such routes."""

    shared = True

    @route(f"POST {_PATH}", write=False)
    def create(self, request: Request, fields: Fields) -> dict[str, Any]:
        """Let a fault befall the token's requests from now on."""
        rules = self._rules()
        for name, value in fields.items():
            if name not in _TYPES:
                known = ", ".join(_TYPES)
                raise InvalidParameterValue(f"A fault has no field {name[:50]!r}, only {known}.")
            if not isinstance(value, _TYPES[name]) or (
                isinstance(value, bool) and _TYPES[name] is not bool
            ):
                raise InvalidParameterValue(f"The field {name!r} of a fault is no {value!r:.50}.")
        if "request" not in fields:
            raise InvalidParameterValue("Missing required field: request")
        rules.add(_token_of(request), faults.Fault(**fields))
        return self.list(request)

    @route(f"GET {_PATH}")
    def list(self, request: Request) -> dict[str, Any]:
        """Return the faults of the token, each with how many requests it has counted."""
        return {
            "faults": [
                {**dataclasses.asdict(fault), "counted": counted}
                for fault, counted in self._rules().of(_token_of(request))
            ]
        }

    @route(f"DELETE {_PATH}", write=False)
    def delete(self, request: Request) -> None:
        """Let nothing befall the token any more."""
        self._rules().clear(_token_of(request))

    def _rules(self) -> faults.Faults:
        rules = self.workspace.faults
        if rules is None:
            raise NotFound(
                f"No API found for '{_PATH}'; it is there after `laketop up --faults`.",
                error_code="ENDPOINT_NOT_FOUND",
            )
        return rules


def _token_of(request: Request) -> str:
    return request.headers.get("authorization", "").partition(" ")[2]
