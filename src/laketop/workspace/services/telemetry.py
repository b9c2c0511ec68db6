"""What clients tell their maker of how they are used: taken, counted, and kept nowhere."""

from __future__ import annotations

from typing import Any

from laketop.workspace import wire
from laketop.workspace.service import Request, Service, route


class Telemetry(Service):
    """Where deployment clients send their telemetry; nothing of it leaves the laptop.

    Source: workspace-api 3.12. Some clients send it without a content type.
    """

    @route("POST /telemetry-ext", write=False, raw=True)
    def send(self, request: Request) -> dict[str, Any]:
        """Take telemetry, and throw it away."""
        logs = wire.fields_of(request.body).get("protoLogs")
        count = len(logs) if isinstance(logs, list) else 0
        return {"errors": [], "numProtoSuccess": count}
