"""Deploys a bundle, and kills itself once so many calls have changed the workspace.

Arguments: local or remote, host, token, the project's folder, the state's project, the calls.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from pathlib import Path
from typing import Any

from laketop import bundle
from laketop.settings import Settings
from laketop.workspace.daemon import Contact
from laketop.workspace.deployment import Site, deploy_to
from laketop.workspace.deployment.api import Api, LocalApi, RemoteApi


class Dying:
    """An API that kills the process after a number of changes, before it is told of the last."""

    def __init__(self, api: Api, calls: int) -> None:
        self._api = api
        self._left = calls

    def do(self, method: str, path: str, *, query: Any = None, body: Any = None) -> Any:
        answer = self._api.do(method, path, query=query, body=body)
        self._left -= method != "GET"
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def main() -> None:
    kind, host, token, root, home, calls = sys.argv[1:]
    settings = Settings(root=Path(home), cache=Path(home))
    if kind == "local":
        contact = Contact(host, token, "", 0, "", "")
        whole = Site.local(settings, contact, print)
        api: Api = LocalApi(contact)
    else:
        from databricks.sdk import WorkspaceClient

        client = WorkspaceClient(host=host, token=token)
        whole = Site.remote(settings, client, print)
        api = RemoteApi(client)
    site = dataclasses.replace(whole, api=Dying(api, int(calls)))
    linked = None if whole.is_local else False
    deploy_to(site, lambda: bundle.load(Path(root), source_linked=linked, host=host))


if __name__ == "__main__":
    main()
