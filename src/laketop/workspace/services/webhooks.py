"""Webhooks of MLflow's registry: told of models and prompts, at addresses that are allowed."""

from __future__ import annotations

import base64
import collections
import datetime as dt
import functools
import hashlib
import hmac
import http.client
import json
import logging
import re
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import anyio.to_thread
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.platform import (
    InvalidParameterValue,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace import outgoing
from laketop.workspace.pages import page_in_order
from laketop.workspace.registry_events import EXAMPLES
from laketop.workspace.service import Service, route
from laketop.workspace.vault import Vault

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace

SETTING: Final = "LAKETOP_WEBHOOKS"
WAITS: Final = (0.0, 1.0, 2.0, 4.0)
"""How long before each try. Units: seconds."""
_ALL: Final = "/api/2.0/mlflow/webhooks"
_NAME: Final = re.compile(r"[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", re.ASCII)
_STATUSES: Final = ("ACTIVE", "DISABLED")
MOST_WAITING: Final = 1000
"""How many events wait for a webhook; it is not told of what happens meanwhile."""
_LONGEST_SECRET: Final = 1000
_PASSING: Final = (OSError, http.client.HTTPException)
"""What another try may mend; but what laketop itself refuses is an OSError, too."""
_LONGEST_ANSWER: Final = 64 * 1024
_GRACE_SECONDS: Final = 2.0
"""How long the end waits for those who tell; what is cut off by it is told by the next process."""

Events = list[dict[str, str]]
Record = dict[str, Any]

log = logging.getLogger("laketop.workspace")


class Webhooks(Service):
    """Webhooks, which admins make; those of the metastore, whose models and prompts they tell of.

    What is to be told is kept until it was told, or was tried as often as `WAITS` says. Each
    webhook has a thread while there is something to tell it, and is told one thing after the
    other, so that one that does not answer holds up no other. What waits behind a thing that could
    not be told is tried once, until one is told.
    Source: MLflow's webhooks: mlflow.protos.webhooks_pb2, their headers and signature.
    """

    shared = True

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._ended = threading.Event()
        self._calls = outgoing.Calls()
        self._guard = threading.Lock()
        self._queues: dict[str, collections.deque[str]] = {}
        self._tellers: dict[str, threading.Thread] = {}

    def start(self) -> None:
        """Go on with what an earlier process had not told."""
        with self.store.reading():
            left = sorted(self.table("deliveries").items(), key=lambda one: str(one[1]["at"]))
        for delivery, told in left:
            self._begin(told["webhook_id"], delivery)

    def shutdown(self) -> None:
        """Stop telling; what is not told yet is told by the next process."""
        self._ended.set()
        self._calls.close()
        with self._guard:
            tellers = list(self._tellers.values())
        deadline = time.monotonic() + _GRACE_SECONDS
        for teller in tellers:  # one may be waiting for a resolver, which nothing can cut
            teller.join(max(0.0, deadline - time.monotonic()))

    # --- webhooks as objects ---

    @route(f"POST {_ALL}")
    def create(
        self,
        name: str,
        url: str,
        events: Events,
        *,
        description: str = "",
        secret: str | None = None,
        status: str = "ACTIVE",
    ) -> Record:
        """Make a webhook. Errors: PermissionDenied for an address that is not allowed."""
        self.workspace.require_admin()
        now, id_ = self.workspace.now_ms(), str(uuid.uuid4())
        made = {
            "webhook_id": id_,
            "creation_timestamp": now,
            "description": description,
            **self._checked(name=name, url=url, events=events, status=status),
            **self._sealed(id_, secret),
        }
        return self._kept({**made, "last_updated_timestamp": now})

    @route(f"GET {_ALL}")
    def list(self, max_results: int = 0, page_token: str | None = None) -> Record:
        """Return the webhooks by name, by pages, never their secrets."""
        self.workspace.require_admin()
        found = {one["name"]: one for one in self.table("webhooks").values()}
        names, more = page_in_order(sorted(found), max_results, page_token)
        return {"webhooks": [_shown(found[name]) for name in names], **more}

    @route(f"GET {_ALL}/{{webhook_id}}")
    def get(self, webhook_id: str) -> Record:
        """Return a webhook, without its secret."""
        self.workspace.require_admin()
        return {"webhook": _shown(self._existing(webhook_id))}

    @route(f"PATCH {_ALL}/{{webhook_id}}")
    def update(
        self,
        webhook_id: str,
        *,
        name: str | None = None,
        url: str | None = None,
        events: Events | None = None,
        description: str | None = None,
        secret: str | None = None,
        status: str | None = None,
    ) -> Record:
        """Change what was sent of a webhook."""
        self.workspace.require_admin()
        old = self._existing(webhook_id)
        sent = {"name": name, "url": url, "events": events, "status": status}
        new = {**old, **self._checked(old["webhook_id"], **sent)}
        new |= {} if description is None else {"description": description}
        changed = {"last_updated_timestamp": self.workspace.now_ms()}
        return self._kept({**new, **self._sealed(webhook_id, secret), **changed})

    @route(f"DELETE {_ALL}/{{webhook_id}}")
    def delete(self, webhook_id: str) -> None:
        """Forget a webhook, and what it was not told yet."""
        self.workspace.require_admin()
        self._existing(webhook_id)
        del self.table("webhooks")[webhook_id]

    @route(f"POST {_ALL}/{{webhook_id}}/test", write=False)
    async def test(self, webhook_id: str, event: dict[str, str] | None = None) -> Record:
        """Send an example once, and return how that went."""
        self.workspace.require_admin()
        with self.store.reading():
            webhook = self._existing(webhook_id)
        name = _event_of(event) if event else str(webhook["events"][0])
        return {"result": await anyio.to_thread.run_sync(self._tried, webhook, name)}

    # --- telling ---

    def fire(self, event: str, data: Mapping[str, Any]) -> None:
        """Tell the webhooks of an event, soon and not here."""
        with self.store.reading():
            wanting = [one for one in self.table("webhooks").values() if _wants(one, event)]
        webhooks = [one for one in wanting if self._has_room(one["webhook_id"])]
        if not webhooks:
            return
        told = {"event": event, "data": dict(data), "at": dt.datetime.now(dt.UTC).isoformat()}
        with self.store.writing():
            for one in webhooks:
                id_ = str(uuid.uuid4())
                self.table("deliveries")[id_] = {**told, "webhook_id": one["webhook_id"]}
                self.store.after_commit(functools.partial(self._begin, one["webhook_id"], id_))

    def _has_room(self, webhook: str) -> bool:
        with self._guard:
            has_room = len(self._queues.get(webhook, ())) < MOST_WAITING
        if not has_room:
            log.warning("webhook %s is not told: %s events wait for it", webhook, MOST_WAITING)
        return has_room

    def _begin(self, webhook: str, delivery: str) -> None:
        with self._guard:
            if self._ended.is_set():
                return
            self._queues.setdefault(webhook, collections.deque()).append(delivery)
            if webhook not in self._tellers:
                teller = threading.Thread(
                    target=self._tell, args=(webhook,), name="laketop-webhook", daemon=True
                )
                teller.start()
                self._tellers[webhook] = teller

    def _tell(self, webhook: str) -> None:
        """Tell one webhook what waits for it, one after the other."""
        waits: Sequence[float] = WAITS
        while (delivery := self._next(webhook)) is not None:
            try:
                waits = WAITS if self._deliver(delivery, waits) else WAITS[:1]
            except Exception:
                if self._ended.is_set():  # and the store may be closed
                    return
                log.exception("webhook %s: a delivery could not be noted", webhook)

    def _next(self, webhook: str) -> str | None:
        with self._guard:
            if self._queues[webhook] and not self._ended.is_set():
                return self._queues[webhook].popleft()
            del self._queues[webhook], self._tellers[webhook]
            return None

    def _deliver(self, delivery: str, waits: Sequence[float]) -> bool:
        """Tell one webhook of one event, as often as it takes and is allowed; return if it was."""
        is_told = False
        for wait in waits:
            if self._ended.wait(wait):
                return False
            with self.store.reading():
                told = self.table("deliveries").get(delivery, {})
                webhook = self.table("webhooks").get(told.get("webhook_id", ""), {})
            is_gone = webhook.get("status") != "ACTIVE"
            if is_told := is_gone or self._sent(webhook, told, delivery):
                break
        if self._ended.is_set() and not is_told:  # the last try was cut off by the end
            return False
        with self.store.writing():
            self.table("deliveries").pop(delivery, None)
        return is_told

    def _sent(self, webhook: Record, told: Mapping[str, Any], delivery: str) -> bool:
        """Send, and tell whether that is the end of it; the log names the webhook alone."""
        try:
            status, _ = self._post(webhook, told, delivery)
        except Exception as error:  # noqa: BLE001 - what no further try would mend is let go
            cause = (webhook["webhook_id"], type(error).__name__)
            if isinstance(error, _PASSING) and not isinstance(error, DatabricksError):
                log.warning("webhook %s was not told: %s", *cause)
                return False
            log.warning("webhook %s is not told: %s", *cause)
            return True
        if status >= 300:
            log.warning("webhook %s answered %s", webhook["webhook_id"], status)
        return status < 500 and status != 429

    def _tried(self, webhook: Record, event: str) -> Record:
        now = dt.datetime.now(dt.UTC).isoformat()
        told = {"event": event, "data": EXAMPLES[event], "at": now}
        try:
            status, body = self._post(webhook, told, str(uuid.uuid4()), longest=_LONGEST_ANSWER)
        except (*_PASSING, DatabricksError) as error:
            return {"success": False, "error_message": f"Failed to test webhook: {error}"}
        answered = body.decode(errors="replace")
        return {
            "success": status < 300,
            "response_status": status,
            "response_body": answered,
        }

    def _post(
        self, webhook: Record, told: Mapping[str, Any], delivery: str, *, longest: int = 0
    ) -> tuple[int, bytes]:
        entity, _, action = told["event"].partition(".")
        payload = {
            "entity": entity,
            "action": action,
            "timestamp": told["at"],
            "data": told["data"],
        }
        body, at = json.dumps(payload).encode(), str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-MLflow-Delivery-Id": delivery,
            "X-MLflow-Timestamp": at,
        }
        if "sealed" in webhook:
            sealed = base64.b64decode(webhook["sealed"])
            secret = self._vault.open(_vault_name(webhook["webhook_id"]), sealed)
            headers["X-MLflow-Signature"] = signature(secret, delivery, at, body)
        allowed = self.workspace.settings.webhooks
        return self._calls.post(
            webhook["url"], body, headers, allowed=allowed, setting=SETTING, longest=longest
        )

    # --- what the above is made of ---

    @functools.cached_property
    def _vault(self) -> Vault:
        state = self.workspace.state
        return Vault(state / "secrets.key", scratch=state / "uploads")

    def _existing(self, webhook_id: str) -> Record:
        found: Record | None = self.table("webhooks").get(webhook_id)
        if found is None:
            raise ResourceDoesNotExist(f"Webhook with ID {webhook_id[:100]} not found.")
        return found

    def _kept(self, webhook: Record) -> Record:
        self.table("webhooks")[webhook["webhook_id"]] = webhook
        return {"webhook": _shown(webhook)}

    def _sealed(self, webhook_id: str, secret: str | None) -> Record:
        if not secret:
            return {}
        if len(secret) > _LONGEST_SECRET:
            raise InvalidParameterValue(f"A secret has at most {_LONGEST_SECRET} characters.")
        sealed = self._vault.seal(_vault_name(webhook_id), secret.encode())
        return {"sealed": base64.b64encode(sealed).decode()}

    def _checked(self, itself: str = "", **sent: Any) -> Record:
        """Return what was sent, checked; what was not is left out."""
        given = {field: value for field, value in sent.items() if value is not None}
        if "name" in given:
            self._check_name(given["name"], itself)
        if "url" in given:
            outgoing.check_url(given["url"], self.workspace.settings.webhooks, setting=SETTING)
        if "events" in given:
            if not given["events"]:
                raise InvalidParameterValue("A webhook is told of one event at least.")
            given["events"] = sorted({_event_of(one) for one in given["events"]})
        if given.get("status", "ACTIVE") not in _STATUSES:
            raise InvalidParameterValue(f"The status is one of {', '.join(_STATUSES)}.")
        return given

    def _check_name(self, name: str, itself: str) -> None:
        if not _NAME.fullmatch(name):
            raise InvalidParameterValue(
                f"Webhook name {name[:100]!r} is invalid. It starts and ends with a letter or"
                " digit, and holds up to 63 letters, digits, dots, underscores and hyphens."
            )
        others = self.table("webhooks").values()
        if any(one["name"] == name and one["webhook_id"] != itself for one in others):
            raise ResourceAlreadyExists(f"A webhook named {name!r} already exists.")


def signature(secret: bytes, delivery: str, at: str, body: bytes) -> str:
    """Return the signature of what is sent: `v1,` and base64 of HMAC-SHA256."""
    signed = b".".join([delivery.encode(), at.encode(), body])
    return f"v1,{base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}"


def _event_of(sent: Mapping[str, str]) -> str:
    """Return the name of an event. Errors: InvalidParameterValue; NotImplemented for budgets."""
    name = f"{sent.get('entity', '')}.{sent.get('action', '')}".lower()
    if name == "budget_policy.exceeded":
        raise NotServed("laketop has no budget policies, of which a webhook could be told.")
    if name not in EXAMPLES:
        raise InvalidParameterValue(f"{name[:100]!r} is no event: {', '.join(EXAMPLES)}.")
    return name


def _wants(webhook: Record, event: str) -> bool:
    return webhook["status"] == "ACTIVE" and event in webhook["events"]


def _vault_name(webhook_id: str) -> str:
    return f"webhook/{webhook_id}"


def _shown(webhook: Record) -> Record:
    events = (str(event).partition(".") for event in webhook["events"])
    return {
        **{field: value for field, value in webhook.items() if field != "sealed"},
        "events": [{"entity": e.upper(), "action": action.upper()} for e, _, action in events],
    }
