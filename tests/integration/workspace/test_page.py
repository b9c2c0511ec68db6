"""The way into the page, as `laketop open` asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laketop.workspace.ui.sessions import LINK_MS

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def test_a_link_is_of_the_address_that_was_asked_and_tells_how_long_it_works(
    client: WorkspaceClient,
) -> None:
    told = client.api_client.do("POST", "/api/laketop/1/page/link", body={"path": "/jobs/runs"})
    assert isinstance(told, dict)
    assert told["url"].startswith(f"{client.config.host}/signin?link=")
    assert told["url"].endswith("&to=%2Fjobs%2Fruns")
    assert told["expires_in_ms"] == LINK_MS


def test_no_two_links_are_the_same(client: WorkspaceClient) -> None:
    links = [client.api_client.do("POST", "/api/laketop/1/page/link", body={}) for _ in range(2)]
    assert links[0] != links[1]
