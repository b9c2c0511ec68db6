from __future__ import annotations

import json
import urllib.request

from tests.integration.workspace.conftest import Served


def test_the_status_names_user_and_version_and_no_token(served: Served) -> None:
    call = urllib.request.Request(
        f"{served.host}/api/laketop/1/status",
        headers={"Authorization": f"Bearer {served.token}"},
    )
    with urllib.request.urlopen(call) as answer:
        text = answer.read().decode()
    told = json.loads(text)
    assert told["user"] == "me@laketop.local"
    assert told["active_runs"] == 0
    assert served.token not in text
