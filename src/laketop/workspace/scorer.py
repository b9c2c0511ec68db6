"""One served model: a process that loads a version's files and answers invocations on loopback.

Started by the workspace as `python -m laketop.workspace.scorer FOLDER`, with `order.json` in the
folder: what to serve, and the token that callers must send. Tells its port, or why it has none, in
`told.json` there. The model is code, so it runs here, without the workspace's token.
"""

from __future__ import annotations

import hmac
import json
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laketop import durable
from laketop.ml.features.completing import completed
from laketop.ml.features.spec import SPEC_FILE, read_spec
from laketop.ml.serving import decode, encode
from laketop.workspace.model_files import changed
from laketop.workspace.online import NotPublished, OnlineReader

if TYPE_CHECKING:
    import pandas as pd

    Complete = Callable[[pd.DataFrame], pd.DataFrame]

_PREDICTIONS_AT_ONCE = 4
_KIND = "application/json"


def main(folder: Path) -> int:
    """Serve until the workspace ends it."""
    order = folder / "order.json"
    wanted = json.loads(order.read_text("utf-8"))
    order.unlink()
    try:
        model = _loaded(Path(wanted["folder"]), wanted["files"])
        complete = _completing(Path(wanted["folder"]), Path(wanted["online"]))
    except Exception as error:  # noqa: BLE001 - a model may break in any way
        traceback.print_exc()
        _tell(folder, {"error": f"{type(error).__name__}: {error}"})
        return 1
    listener = socket.create_server(("127.0.0.1", 0))
    _tell(folder, {"port": listener.getsockname()[1]})
    _serve(Invocations(model, wanted["token"], complete=complete), listener)
    return 0


def _tell(folder: Path, told: Mapping[str, Any]) -> None:
    durable.write(folder / "told.json", json.dumps(told).encode(), scratch=folder)


def _loaded(folder: Path, recorded: Mapping[str, str]) -> Any:
    different = changed(folder, recorded)
    if different:
        raise ValueError(
            f"files of the model changed since it was registered: {', '.join(different)}"
        )
    import mlflow.pyfunc

    return mlflow.pyfunc.load_model(str(folder))


def _completing(folder: Path, online: Path) -> Complete | None:
    """Return what adds a model's features to rows that bring keys, None if it has no features."""
    if not (folder / SPEC_FILE).is_file():
        return None
    spec, reader = read_spec(folder), OnlineReader(online)

    def complete(frame: pd.DataFrame) -> pd.DataFrame:
        try:
            return completed(spec, frame, reader.find)
        except NotPublished as error:
            raise ValueError(f"{error.message}: {error.hint}") from error

    return complete


def _serve(app: Any, listener: socket.socket) -> None:
    from laketop.workspace.listening import server

    server(app, loop="asyncio").run(sockets=[listener])


class Rejected(Exception):
    """A request that gets an error for an answer; `status` is HTTP's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Invocations:
    """The ASGI app: POST /invocations with the token, and nothing else."""

    def __init__(self, model: Any, token: str, *, complete: Complete | None = None) -> None:
        import anyio

        self._model = model
        self._signature = model.metadata.signature
        self._complete = complete
        self._bearer = f"Bearer {token}".encode()
        self._turns = anyio.CapacityLimiter(_PREDICTIONS_AT_ONCE)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        import anyio.to_thread

        headers = dict(scope["headers"])
        body = await _body(receive)
        try:
            self._check(scope, headers)
            kind = headers.get(b"content-type", b"").decode("latin-1")
            answer = await anyio.to_thread.run_sync(self._scored, kind, body, limiter=self._turns)
            status = 200
        except Rejected as error:
            code = "UNSUPPORTED_MEDIA_TYPE" if error.status == 415 else "BAD_REQUEST"
            answer = json.dumps({"error_code": code, "message": str(error)}).encode()
            status = error.status
        sent = [(b"content-type", _KIND.encode()), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": answer})

    def _check(self, scope: Any, headers: Mapping[bytes, bytes]) -> None:
        if not hmac.compare_digest(headers.get(b"authorization", b""), self._bearer):
            raise Rejected("The token is not this scorer's.", 401)
        if scope["method"] != "POST" or scope["path"] != "/invocations":
            raise Rejected("There is nothing here but POST /invocations.", 404)

    def _scored(self, kind: str, body: bytes) -> bytes:
        _check_kind(kind)
        try:
            inputs, params = decode(_payload(body), self._signature, complete=self._complete)
        except ValueError as error:
            raise Rejected(f"Invalid input. {error}") from error
        try:
            predictions = self._model.predict(inputs, params=params)
            return json.dumps({"predictions": encode(predictions)}, allow_nan=False).encode()
        except Exception as error:
            _report(error)
            raise Rejected(
                f"The model could not predict: {type(error).__name__}: {error}"
            ) from error


def _payload(body: bytes) -> dict[str, Any]:
    payload = json.loads(body)
    if isinstance(payload, dict):
        return payload
    raise ValueError("The input must be a JSON dictionary.")


async def _body(receive: Any) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _check_kind(kind: str) -> None:
    name, *parameters = [part.strip().lower() for part in kind.split(";")]
    if name != _KIND:
        raise Rejected(f"This predictor only supports the content type {_KIND}, not {kind!r}.", 415)
    for parameter in parameters:
        if parameter != "charset=utf-8":
            raise Rejected(f"Unrecognized content type parameter {parameter!r}.", 415)


def _report(error: Exception) -> None:
    """Write where the model broke, but no value of a request."""
    places = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    print(f"{type(error).__name__} in predict\n{places}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
