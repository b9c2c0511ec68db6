"""Whether the SDK's dataclasses read all of what the workspace answers."""

from __future__ import annotations

import collections
import dataclasses
import functools
import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from databricks.sdk import service as groups
from databricks.sdk.service import jobs
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MISREAD: list[str] = []
"""What of the answers so far the SDK did not read, as `METHOD /path: field`."""

# An attempt is shown as a run, with the fields of its task.
_OF_TASKS = {field.name for field in dataclasses.fields(jobs.RunTask)}
# The first of an iteration's attempts, by which the rest are found; the format of settings; and
# the trigger MODEL, which the SDK has no word for yet.
_OF_RUNS = {
    *("format", "trigger"),
    *("tasks.original_attempt_run_id", "iterations.original_attempt_run_id"),
}
# What MLflow's own handlers answer.
_OF_EXPERIMENTS = {"workspace", "experiment.workspace"}
_OF_ENTITIES = {
    f"{config}.{served}.type"  # UC_MODEL
    for config in ("config", "pending_config")
    for served in ("served_entities", "served_models")
}
BEYOND: dict[str, set[str]] = {
    "Run": _OF_RUNS | _OF_TASKS,
    "BaseRun": _OF_RUNS,
    "RunOutput": {f"metadata.{field}" for field in _OF_RUNS | _OF_TASKS},
    "ObjectInfo": {"repos_export_format"},  # the Databricks CLI reads it
    "Experiment": _OF_EXPERIMENTS,
    "GetExperimentResponse": _OF_EXPERIMENTS,
    "GetExperimentByNameResponse": _OF_EXPERIMENTS,
    "GetRunResponse": {"run.outputs"},
    "ServingEndpointDetailed": _OF_ENTITIES,
    # MLflow's client reads them, which is sent here by MLFLOW_ENABLE_UC_NATIVE_MODEL_REGISTRY.
    "RegisteredModelInfo": {"tags", "deployment_job_id", "deployment_job_state"},
    "ModelVersionInfo": {
        *("tags", "model_id", "model_params", "model_metrics", "deployment_job_state"),
    },
}
"""Fields by dataclass that are answered though the SDK does not read them."""


@dataclasses.dataclass(frozen=True)
class Reading:
    """How the SDK reads the answer of one of its methods.

    `shape` is the dataclass; of a list or a page `field` names what holds the items, "" where the
    answer is the list itself.
    """

    shape: Any
    field: str | None = None


class Watched:
    """An app whose answers are read as the SDK reads them, before they are sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun: Message = {}
        body = bytearray()

        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.update(message)
                MISREAD.extend(_cookies(scope["method"], scope["raw_path"].decode(), message))
            elif begun.get("status") == 200 and _is_json(begun):
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    read = misread(scope["method"], scope["raw_path"].decode(), bytes(body))
                    MISREAD.extend(read)
            await send(message)

        await self._app(scope, receive, heard)


def _cookies(method: str, path: str, begun: Message) -> list[str]:
    """Return the cookies that an answer sets, but for that of the page. Source: reliability S5."""
    names = {name.lower() for name, _ in begun.get("headers", ())}
    is_page = path.startswith("/signin")
    return [] if is_page or b"set-cookie" not in names else [f"{method} {path}: Set-Cookie"]


def _is_json(begun: Message) -> bool:
    headers = dict(begun.get("headers", ()))
    return bool(headers.get(b"content-type", b"").startswith(b"application/json"))


def misread(method: str, path: str, body: bytes) -> list[str]:
    """Return the fields of an answer that the SDK does not read, as `METHOD /path: field`.

    Of several methods that send to the same path the one that reads most counts.
    """
    found = _readings_of(method, path)
    if not found or not body:
        return []
    answer = json.loads(body)
    left = min((sorted(set(unread(one, answer))) for one in found), key=len)
    return [f"{method} {path}: {field} ({found[0].shape.__name__})" for field in left]


def _readings_of(method: str, path: str) -> list[Reading]:
    found = [each for each in readings()[method] if each[0].fullmatch(path)]
    most = max((_exactness(expression) for expression, _ in found), default=0)
    best = [reading for expression, reading in found if _exactness(expression) == most]
    return [reading for reading in best if reading is not None]


def _exactness(expression: re.Pattern[str]) -> int:
    return len(expression.pattern.replace(_HOLE, ""))


def unread(reading: Reading, answer: Any) -> Iterator[str]:
    """Yield the dotted names of the fields of an answer that do not come back as they were."""
    if reading.field is None:
        yield from _lost(reading.shape, answer)
        return
    items = answer.get(reading.field) or [] if reading.field else answer
    for item in items:
        yield from _lost(reading.shape, item)
    if reading.field:
        known = _of_page(reading)
        yield from (name for name in answer if _plain(name) not in known)


def _lost(shape: Any, sent: Any) -> Iterator[str]:
    left = BEYOND.get(shape.__name__, set())
    for name in _differing(full(sent), full(shape.from_dict(sent).as_dict()), ""):
        if name not in left:
            yield name


def _differing(sent: Any, read: Any, name: str) -> Iterator[str]:
    if isinstance(sent, dict) and isinstance(read, dict):
        for key in sorted({*sent, *read}):
            yield from _differing(sent.get(key), read.get(key), f"{name}.{key}".lstrip("."))
    elif isinstance(sent, list) and isinstance(read, list) and len(sent) == len(read):
        for one, other in zip(sent, read, strict=True):
            yield from _differing(one, other, name)
    elif sent != read:
        yield name


def full(value: Any) -> Any:
    """Return a value without what is empty, which dataclasses do not tell from what is absent."""
    if isinstance(value, dict):
        inner = {name: full(one) for name, one in value.items()}
        return {n: v for n, v in inner.items() if v not in (None, [], {}, "", 0, False)}
    return [full(one) for one in value] if isinstance(value, list) else value


def _of_page(reading: Reading) -> set[str]:
    """Return the fields of the dataclasses that are a page of such items, their names plain."""
    module = importlib.import_module(reading.shape.__module__)
    field = _plain(reading.field or "")
    found = {field, "nextpagetoken"}
    for shape in vars(module).values():
        fields = getattr(shape, "__dataclass_fields__", {})
        named = {_plain(name): str(one.type) for name, one in fields.items()}
        if reading.shape.__name__ in named.get(field, ""):
            found |= set(named)
    return found


def _plain(name: str) -> str:
    """Return a name as it is both in Python and on the wire, where SCIM writes `itemsPerPage`."""
    return name.replace("_", "").lower()


# --- how the SDK reads --------------------------------------------------------------------------

_HOLE = "[^/]+"
_NAMELESS = re.compile(r"/api/[0-9.]+/(mlflow/)?\{")
"""A path that is a resource's name alone, and would match whatever is asked for."""
_SENDS = re.compile(r'_api\.do\(\s*"([A-Z]+)",\s*f?"([^"]+)"')
_READS = re.compile(r"\b(\w+)\.from_dict\((\w+)\)")
_ITEMS = re.compile(r'for v in \w+\["(\w+)"\]')


@functools.cache
def readings() -> dict[str, list[tuple[re.Pattern[str], Reading | None]]]:
    """Return by HTTP method how the SDK reads what is answered at paths that match, if it does.

    Source: every method of the SDK has one `self._api.do("METHOD", f"/path..")`, and one call of
    `from_dict` with what comes back if that is an object, or with each item of a list.
    """
    found: dict[str, list[tuple[re.Pattern[str], Reading | None]]]
    found = collections.defaultdict(list)
    for module in pkgutil.iter_modules(groups.__path__):
        loaded = importlib.import_module(f"{groups.__name__}.{module.name}")
        source = Path(str(loaded.__file__)).read_text(encoding="utf-8")
        for text in re.split(r"^    def ", source, flags=re.MULTILINE):
            sends, reads = _SENDS.findall(text), _READS.findall(text)
            if len(sends) == 1:
                method, path = sends[0]
                if _NAMELESS.match(path):
                    continue
                found[method].append((_expression(path), _reading(loaded, reads, text)))
    return found


def _reading(module: ModuleType, reads: list[tuple[str, str]], text: str) -> Reading | None:
    if len(reads) != 1:
        return None
    shape, argument = reads[0]
    return Reading(getattr(module, shape), _field(argument, text))


def _field(argument: str, source: str) -> str | None:
    if argument != "v":
        return None
    named = _ITEMS.search(source)
    return named[1] if named else ""


def _expression(path: str) -> re.Pattern[str]:
    return re.compile(_HOLE.join(re.escape(part) for part in re.split(r"\{[^}]*\}", path)))
