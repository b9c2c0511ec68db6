"""Webhooks of the registry, through MLflow's own client, told to a server on this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, PermissionDenied
from databricks.sdk.errors.platform import NotImplemented as NotServed
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.webhooks.delivery import _generate_hmac_signature
from tests.dripping import dripping
from tests.integration.workspace.conftest import Served, serving
from tests.integration.workspace.test_model_registry import register
from tests.integration.workspace.test_model_registry import registry as registry  # noqa: PLC0414

from laketop.workspace import outgoing
from laketop.workspace.services import webhooks as told
from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

SECRET = "a secret of the webhook"
ROUTES = "/api/2.0/mlflow/webhooks"


@dataclasses.dataclass(frozen=True)
class Post:
    """What the server was sent."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class Receiver:
    """A server that keeps what it is posted, and answers with `statuses`, then 200."""

    def __init__(self) -> None:
        self.got: queue.Queue[Post] = queue.Queue()
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}
        self._answers = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length).decode()
                outer.got.put(Post(self.path, dict(self.headers), body))
                with outer.held():
                    self.send_response(outer.statuses.pop(0) if outer.statuses else 200)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"thanks")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks"

    def next(self) -> Post:
        return self.got.get(timeout=60)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Let nothing be answered meanwhile."""
        with self._answers:
            yield


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(told, "WAITS", (0.0, 0.01, 0.01, 0.01))
    found = Receiver()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
def hooks(registry: MlflowClient, workspace: Workspace, receiver: Receiver) -> Iterator[Any]:
    """MLflow's client of webhooks, which may be sent to the receiver."""
    del registry  # which tells the client where the workspace is
    before = workspace.settings
    workspace.settings = dataclasses.replace(before, webhooks=(receiver.url,))
    client = MlflowClient(registry_uri="databricks")
    yield client
    workspace.settings = before
    for webhook in client.list_webhooks():
        client.delete_webhook(webhook.webhook_id)


def test_a_webhook_reads_as_it_was_made_and_never_tells_its_secret(
    hooks: Any, receiver: Receiver, client: WorkspaceClient, workspace: Workspace
) -> None:
    made = hooks.create_webhook(
        name="mine",
        url=f"{receiver.url}/a",
        events=["model_version.created", "model_version_alias.created"],
        description="tells",
        secret=SECRET,
    )
    found = hooks.get_webhook(made.webhook_id)
    assert (found.name, found.url, found.description) == ("mine", f"{receiver.url}/a", "tells")
    assert {str(event) for event in found.events} == {
        *("model_version.created", "model_version_alias.created"),
    }
    told_of_it = json.dumps(client.api_client.do("GET", f"{ROUTES}/{made.webhook_id}"))
    assert SECRET not in told_of_it
    assert "sealed" not in told_of_it
    kept = [file.read_bytes() for file in workspace.state.rglob("*") if file.is_file()]
    assert not [one for one in kept if SECRET.encode() in one]

    changed = hooks.update_webhook(made.webhook_id, name="other", status="DISABLED")
    assert (changed.name, changed.url, str(changed.status)) == ("other", found.url, "DISABLED")
    hooks.delete_webhook(made.webhook_id)
    with pytest.raises(MlflowException, match="not found"):
        hooks.get_webhook(made.webhook_id)


def test_webhooks_come_by_pages(hooks: Any, receiver: Receiver) -> None:
    for number in range(5):
        hooks.create_webhook(f"hook{number}", receiver.url, events=["prompt.created"])
    page = hooks.list_webhooks(max_results=2)
    names = [one.name for one in page]
    while page.token:
        page = hooks.list_webhooks(max_results=2, page_token=page.token)
        names += [one.name for one in page]
    assert names == [f"hook{number}" for number in range(5)]


def test_what_happens_to_a_model_is_told_and_signed(
    hooks: Any, receiver: Receiver, registry: MlflowClient, request: pytest.FixtureRequest
) -> None:
    name = f"main.ml.told_{request.node.callspec.id}"
    events = (
        *("registered_model.created", "model_version.created"),
        *("model_version_alias.created", "model_version_alias.deleted"),
        *("model_version_tag.set", "model_version_tag.deleted"),
    )
    hooks.create_webhook("all", f"{receiver.url}?key=1", events=list(events), secret=SECRET)
    register(name)
    registry.set_registered_model_alias(name, "champion", "1")
    registry.delete_registered_model_alias(name, "champion")
    registry.set_model_version_tag(name, "1", "k", "v")
    registry.delete_model_version_tag(name, "1", "k")

    posts = [receiver.next() for _ in events]
    by_event = {f"{one.data['entity']}.{one.data['action']}": one.data["data"] for one in posts}
    assert set(by_event) == set(events)
    assert by_event["registered_model.created"]["name"] == name
    opened = by_event["model_version.created"]
    assert (opened["name"], opened["version"]) == (name, "1")
    assert opened["source"].startswith("models:/m-")
    assert by_event["model_version_alias.created"] == {
        "name": name,
        "alias": "champion",
        "version": "1",
    }
    assert by_event["model_version_tag.set"] == {
        "name": name,
        "version": "1",
        "key": "k",
        "value": "v",
    }
    for post in posts:
        assert post.path == "/hooks?key=1"
        delivery, at = post.headers["X-MLflow-Delivery-Id"], post.headers["X-MLflow-Timestamp"]
        wanted = _generate_hmac_signature(SECRET, delivery, at, post.body)
        assert post.headers["X-MLflow-Signature"] == wanted
        assert abs(int(at) - time.time()) < 300


def test_what_happens_to_a_prompt_is_told(hooks: Any, receiver: Receiver) -> None:
    events = ["prompt.created", "prompt_version.created", "prompt_alias.created"]
    hooks.create_webhook("prompts", receiver.url, events=events)
    name = f"main.ml.p{time.time_ns()}"
    mlflow.genai.register_prompt(name, "Hello {{who}}")
    mlflow.genai.set_prompt_alias(name, "production", version=1)
    found = {post.data["entity"]: post.data["data"] for post in (receiver.next() for _ in events)}
    assert found["prompt"]["name"] == name
    assert found["prompt_version"]["template"] == '"Hello {{who}}"'
    assert found["prompt_alias"]["alias"] == "production"


def test_a_server_that_fails_is_told_again_and_one_that_refuses_is_not(
    hooks: Any, receiver: Receiver, registry: MlflowClient, workspace: Workspace
) -> None:
    hooks.create_webhook("again", receiver.url, events=["registered_model.created"])
    receiver.statuses = [503, 429, 400]
    first = f"main.ml.again{time.time_ns()}"
    registry.create_registered_model(first)
    posts = [receiver.next() for _ in range(3)]
    assert {post.data["data"]["name"] for post in posts} == {first}
    assert len({post.headers["X-MLflow-Delivery-Id"] for post in posts}) == 1
    second = f"main.ml.again{time.time_ns()}"
    registry.create_registered_model(second)
    assert receiver.next().data["data"]["name"] == second
    _until(lambda: not _waiting(workspace))
    assert receiver.got.empty()


def test_a_disabled_webhook_is_told_nothing(
    hooks: Any, receiver: Receiver, registry: MlflowClient, workspace: Workspace
) -> None:
    event = ["registered_model.created"]
    hooks.create_webhook("off", f"{receiver.url}/off", events=event, status="DISABLED")
    hooks.create_webhook("on", f"{receiver.url}/on", events=event)
    registry.create_registered_model(f"main.ml.off{time.time_ns()}")
    assert receiver.next().path == "/hooks/on"
    _until(lambda: not _waiting(workspace))
    assert receiver.got.empty()


def test_a_test_tells_how_it_went(hooks: Any, receiver: Receiver) -> None:
    made = hooks.create_webhook("tested", receiver.url, events=["model_version.created"])
    result = hooks.test_webhook(made.webhook_id)
    assert (result.success, result.response_status, result.response_body) == (True, 200, "thanks")
    assert receiver.next().data["entity"] == "model_version"
    receiver.statuses = [500]
    failed = hooks.test_webhook(made.webhook_id, event="prompt_tag.set")
    assert (failed.success, failed.response_status) == (False, 500)
    assert receiver.next().data["data"]["key"] == "example_key"


def test_a_redirect_is_not_followed(hooks: Any, receiver: Receiver) -> None:
    made = hooks.create_webhook("moved", receiver.url, events=["model_version.created"])
    receiver.statuses, receiver.headers = [307], {"Location": f"{receiver.url}/elsewhere"}
    result = hooks.test_webhook(made.webhook_id)
    assert (result.success, result.response_status) == (False, 307)
    assert receiver.next().path == "/hooks"
    assert receiver.got.empty()


def test_only_addresses_that_are_allowed_are_kept(
    hooks: Any, client: WorkspaceClient, receiver: Receiver
) -> None:
    def make(url: str) -> object:
        event = [{"entity": "PROMPT", "action": "CREATED"}]
        return client.api_client.do("POST", ROUTES, body={"name": "n", "url": url, "events": event})

    port = receiver.server.server_address[1]
    for url in (
        *("http://169.254.169.254/latest/meta-data", "https://example.org/hooks"),
        *(f"http://127.0.0.1:{port}/", f"{receiver.url}/../up", f"{receiver.url}/%2e%2e/up"),
        *(f"{receiver.url}.evil.example", f"http://localhost:{port}/hooks"),
    ):
        with pytest.raises(PermissionDenied, match="LAKETOP_WEBHOOKS"):
            make(url)
    for url in (
        "ftp://127.0.0.1/x",
        "hooks",
        "",
        "http://u:p@127.0.0.1/",
        "http://a b/",
        "http://",
    ):
        with pytest.raises(InvalidParameterValue):
            make(url)
    assert list(hooks.list_webhooks()) == []


def test_an_address_that_is_no_longer_allowed_is_told_nothing(
    hooks: Any, receiver: Receiver, registry: MlflowClient, workspace: Workspace
) -> None:
    made = hooks.create_webhook("gone", receiver.url, events=["registered_model.created"])
    workspace.settings = dataclasses.replace(workspace.settings, webhooks=())
    registry.create_registered_model(f"main.ml.gone{time.time_ns()}")
    result = hooks.test_webhook(made.webhook_id)
    assert not result.success
    assert "LAKETOP_WEBHOOKS allows: none" in result.error_message
    _until(lambda: not _waiting(workspace))
    assert receiver.got.empty()


def test_what_cannot_be_is_refused(hooks: Any, client: WorkspaceClient, receiver: Receiver) -> None:
    def make(**other: Any) -> Any:
        event = [{"entity": "PROMPT", "action": "CREATED"}]
        body = {"name": "taken", "url": receiver.url, "events": event, **other}
        return client.api_client.do("POST", ROUTES, body=body)

    made = make()["webhook"]["webhook_id"]
    with pytest.raises(MlflowException, match="already exists"):
        hooks.create_webhook("taken", receiver.url, events=["prompt.created"])
    wrongs: list[dict[str, Any]] = [
        *({"name": "-x"}, {"events": []}, {"status": "ASLEEP"}, {"secret": "s" * 1001}),
        {"name": "n", "events": [{"entity": "PROMPT", "action": "EXCEEDED"}]},
    ]
    for wrong in wrongs:
        with pytest.raises(InvalidParameterValue):
            make(**{"name": "new", **wrong})
        with pytest.raises(InvalidParameterValue):
            client.api_client.do("PATCH", f"{ROUTES}/{made}", body=wrong)
    with pytest.raises(NotServed, match="budget"):
        make(name="b", events=[{"entity": "BUDGET_POLICY", "action": "EXCEEDED"}])


def test_webhooks_are_for_admins(hooks: Any, ann: WorkspaceClient, receiver: Receiver) -> None:
    made = hooks.create_webhook("admins", receiver.url, events=["prompt.created"]).webhook_id
    body = {"name": "n", "url": receiver.url, "events": [{"entity": "PROMPT", "action": "CREATED"}]}
    for method, path, sent in (
        *(("POST", ROUTES, body), ("GET", ROUTES, None), ("GET", f"{ROUTES}/{made}", None)),
        *(("PATCH", f"{ROUTES}/{made}", body), ("DELETE", f"{ROUTES}/{made}", None)),
        ("POST", f"{ROUTES}/{made}/test", {}),
    ):
        with pytest.raises(PermissionDenied):
            ann.api_client.do(method, path, body=sent)
    assert receiver.got.empty()


def test_what_fails_is_logged_without_address_and_secret(
    hooks: Any, receiver: Receiver, registry: MlflowClient, caplog: pytest.LogCaptureFixture
) -> None:
    event = ["registered_model.created"]
    hooks.create_webhook("logged", f"{receiver.url}?key=hidden", events=event, secret=SECRET)
    receiver.statuses = [404]
    with caplog.at_level(logging.WARNING, logger="laketop.workspace"):
        registry.create_registered_model(f"main.ml.logged{time.time_ns()}")
        receiver.next()
        _until(lambda: "answered 404" in caplog.text)
    assert "hidden" not in caplog.text
    assert SECRET not in caplog.text


def test_what_was_not_told_is_told_by_the_next_process(tmp_path: Path, receiver: Receiver) -> None:
    place = (tmp_path / "project", tmp_path / "cache")
    with serving(*place, webhooks=(receiver.url,)) as served:
        webhook = _make(served, receiver.url)
        with served.workspace.store.writing():
            served.workspace.webhooks.table("deliveries")["d"] = {
                "event": "prompt.created",
                "data": {"name": "a.b.c"},
                "at": "now",
                "webhook_id": webhook,
            }
    assert receiver.got.empty()
    with serving(*place, webhooks=(receiver.url,)) as served:
        assert receiver.next().data["data"] == {"name": "a.b.c"}
        _until(lambda: not _waiting(served.workspace))


def test_who_does_not_answer_holds_up_neither_other_webhooks_nor_the_end(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "SECONDS", 600)  # so that nothing but the end cuts it off
    monkeypatch.setattr(told, "WAITS", (0.0,))
    place = (tmp_path / "project", tmp_path / "cache")
    names = [f"a.b.c{number}" for number in range(8)]
    with dripping() as slow:
        allowed = (receiver.url, slow.url)
        with serving(*place, webhooks=allowed) as served:
            _make(served, slow.url)
            _make(served, receiver.url)
            for name in names:
                _fire(served.workspace, name)
            assert [receiver.next().data["data"]["name"] for _ in names] == names
            slow.came.get(timeout=60)
            _until(lambda: len(_waiting(served.workspace)) == len(names))
            assert slow.came.empty()  # one call at a time
            assert slow.hung_up.empty()
        slow.hung_up.get(timeout=60)
        with serving(*place, webhooks=allowed) as served:
            slow.came.get(timeout=60)
            assert len(_waiting(served.workspace)) == len(names)


def test_what_waits_behind_what_could_not_be_told_is_tried_once_until_one_is_told(
    tmp_path: Path, receiver: Receiver
) -> None:
    place = (tmp_path / "project", tmp_path / "cache")
    names = [f"a.b.c{number}" for number in range(7)]
    with serving(*place, webhooks=(receiver.url,)) as served:
        _make(served, receiver.url)
        # Of the first four tries are in vain, then one of each, until one is told.
        receiver.statuses = [*[503] * 6, 200, 503, 200]
        with receiver.held():
            for name in names:
                _fire(served.workspace, name)
        found = [receiver.next().data["data"]["name"] for _ in range(11)]
        assert found == [*[names[0]] * 4, *names[1:4], names[4], *names[4:]]
        _until(lambda: not _waiting(served.workspace))
        assert receiver.got.empty()


def test_no_more_than_so_many_events_wait_for_one_webhook(
    tmp_path: Path,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(told, "MOST_WAITING", 3)
    place = (tmp_path / "project", tmp_path / "cache")
    with serving(*place, webhooks=(receiver.url,)) as served:
        webhook = _make(served, receiver.url)
        with receiver.held():
            _fire(served.workspace, "a.b.c0")
            first = receiver.next()
            for number in range(1, 7):
                _fire(served.workspace, f"a.b.c{number}")
        posts = [first, *(receiver.next() for _ in range(3))]
        assert [one.data["data"]["name"] for one in posts] == [f"a.b.c{n}" for n in range(4)]
        assert caplog.text.count(f"webhook {webhook} is not told: 3 events wait") == 3
        _until(lambda: not _waiting(served.workspace))
        assert receiver.got.empty()


def test_of_an_answer_to_what_happened_only_the_head_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "SECONDS", 600)
    place = (tmp_path / "project", tmp_path / "cache")
    with (
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n") as slow,
        serving(*place, webhooks=(slow.url,)) as served,
    ):
        _make(served, slow.url)
        _fire(served.workspace, "a.b.c")
        slow.hung_up.get(timeout=60)
        _until(lambda: not _waiting(served.workspace))


@pytest.mark.parametrize("sealed", ["AAAA", "A"])  # by a key that is gone, and broken
def test_what_cannot_be_sent_is_logged_and_let_go(
    sealed: str, tmp_path: Path, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    place = (tmp_path / "project", tmp_path / "cache")
    with serving(*place, webhooks=(receiver.url,)) as served:
        webhook = _make(served, receiver.url)
        kept = served.workspace.webhooks.table("webhooks")
        with served.workspace.store.writing():
            kept[webhook] = {**kept[webhook], "sealed": sealed}
        _fire(served.workspace, "a.b.c")
        _until(lambda: not _waiting(served.workspace))
        assert caplog.text.count(f"webhook {webhook} is not told") == 1
        assert "was not told" not in caplog.text
        assert receiver.got.empty()


def _make(served: Served, url: str) -> str:
    event = [{"entity": "PROMPT", "action": "CREATED"}]
    body = {"name": f"n{time.time_ns()}", "url": url, "events": event}
    made: Any = served.client.api_client.do("POST", ROUTES, body=body)
    return str(made["webhook"]["webhook_id"])


def _fire(workspace: Workspace, name: str) -> None:
    workspace.webhooks.fire("prompt.created", {"name": name})


def _waiting(workspace: Workspace) -> list[str]:
    with workspace.store.reading():
        return list(workspace.webhooks.table("deliveries"))


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
