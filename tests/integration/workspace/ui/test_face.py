"""Who may look at the page, and what a browser is told of it."""

from __future__ import annotations

import contextlib
import http.client
import logging
import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from tests.integration.workspace.conftest import Served
from tests.integration.workspace.ui.conftest import Look, seen

from laketop.workspace.app import Face

pytestmark = pytest.mark.filterwarnings("default")  # what MLflow loads warns

_HTML = {"Accept": "text/html,*/*"}


@pytest.fixture(scope="module")
def face(served: Served) -> Face:
    return Face(served.workspace)


def _link(served: Served, path: str = "/") -> str:
    answer = requests.post(
        f"{served.host}/api/laketop/1/page/link",
        headers={"Authorization": f"Bearer {served.token}"},
        json={"path": path},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["url"])


def _cookie(served: Served) -> str:
    given = requests.get(_link(served), timeout=60).headers["Set-Cookie"]
    return given.partition(";")[0]


def _paths(face: Face) -> list[str]:
    filled = [p.replace("...", "").replace("{", "").replace("}", "") for p in face.page.patterns]
    assert len(filled) > 4
    return [*filled, "/mlflow/", "/mlflow/ajax-api/2.0/mlflow/experiments/search"]


def test_a_link_signs_a_browser_in_once(served: Served) -> None:
    link = _link(served, "/jobs")
    first = requests.get(link, timeout=60)
    assert first.status_code == 200
    assert seen(first).links == ["/jobs"]
    given = first.headers["Set-Cookie"]
    assert given.endswith("; Path=/; HttpOnly; SameSite=Strict")
    assert served.token not in given + link
    page = requests.get(
        f"{served.host}/jobs", headers={"Cookie": given.partition(";")[0]}, timeout=30
    )
    assert page.status_code == 200
    again = requests.get(link, headers=_HTML, timeout=60)
    assert again.status_code == 403
    assert "Set-Cookie" not in again.headers
    assert "laketop open" in seen(again).text


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "/a b"]
)
def test_a_link_leads_nowhere_but_to_this_workspace(served: Served, path: str) -> None:
    answer = requests.post(
        f"{served.host}/api/laketop/1/page/link",
        headers={"Authorization": f"Bearer {served.token}"},
        json={"path": path},
        timeout=60,
    )
    assert answer.status_code == 400
    link = parse_qs(urlsplit(_link(served)).query)["link"][0]
    signed = requests.get(f"{served.host}/signin", params={"link": link, "to": path}, timeout=60)
    assert seen(signed).links == ["/"]


def test_nobody_looks_without_being_signed_in(served: Served, face: Face) -> None:
    for path in _paths(face):
        for headers in (
            {},
            {"Cookie": f"{face.page.cookie}=guessed"},
            {"Cookie": f"{face.page.cookie}={served.token}"},
            {"Cookie": "=;;\x7f="},
            {"Authorization": "Bearer wrong"},
        ):
            answer = requests.get(f"{served.host}{path}", headers={**headers, **_HTML}, timeout=60)
            assert answer.status_code == 401, (path, headers)
            assert "Set-Cookie" not in answer.headers
            assert served.workspace.settings.user not in answer.text
            assert served.workspace.settings.root.name not in answer.text


def test_the_cookie_opens_no_route_of_the_api(served: Served) -> None:
    face = Face(served.workspace)
    cookie = {"Cookie": _cookie(served)}
    mounted = [(m, f"{p}/x") for one in face.mounts for p in one.prefixes for m in ("GET", "POST")]
    routes = [(r.method, r.template) for r in face.routes if not r.is_open] + mounted
    for method, path in routes:
        answer = requests.request(method, f"{served.host}{path}", headers=cookie, timeout=60)
        assert answer.status_code == 401, (method, path)
        assert "Set-Cookie" not in answer.headers


def test_no_answer_but_the_link_sets_a_cookie(served: Served, face: Face) -> None:
    for path in [*_paths(face), "/assets/page.css", "/signin", "/nothing", "/api/2.2/jobs/list"]:
        answer = requests.get(
            f"{served.host}{path}", headers={"Authorization": f"Bearer {served.token}"}, timeout=60
        )
        assert "Set-Cookie" not in answer.headers, path


def test_pages_are_only_read(served: Served, face: Face) -> None:
    cookie = {"Cookie": _cookie(served)}
    for path in ["/", "/jobs", "/signin", *_paths(face)[:-2]]:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = requests.request(method, f"{served.host}{path}", headers=cookie, timeout=60)
            assert answer.status_code == 403, (method, path)


def test_the_page_of_another_address_cannot_look(served: Served) -> None:
    cookie = {"Cookie": _cookie(served)}
    for fetched, status in (
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200),
    ):
        answer = requests.get(f"{served.host}/", headers={**cookie, **fetched}, timeout=60)
        assert answer.status_code == status, fetched


def test_what_a_revoked_token_opened_is_closed(served: Served) -> None:
    token = served.workspace.tokens.issue("other@laketop.local")
    asked = {"Authorization": f"Bearer {token}"}
    address = f"{served.host}/api/laketop/1/page/link"
    link = requests.post(address, headers=asked, json={}, timeout=60).json()["url"]
    cookie = requests.get(link, timeout=60).headers["Set-Cookie"].partition(";")[0]
    page = f"{served.host}/"
    assert "other@laketop.local" in requests.get(page, headers={"Cookie": cookie}, timeout=60).text
    served.workspace.tokens.revoke_all()
    served.workspace.tokens.add(served.token, served.workspace.settings.user)
    assert requests.get(page, headers={"Cookie": cookie}, timeout=60).status_code == 401


def test_a_browser_runs_only_the_scripts_of_this_address(look: Look) -> None:
    page = look("/")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.headers


@pytest.mark.parametrize("name", ["page.css", "page.js", "icon.svg"])
def test_how_pages_look_is_there_for_everybody_and_asks_nobody_else(
    served: Served, name: str
) -> None:
    answer = requests.get(f"{served.host}/assets/{name}", timeout=60)
    assert answer.status_code == 200
    assert "http" not in answer.text.replace("http://www.w3.org/2000/svg", "")


def test_a_page_that_is_not_there_says_so(look: Look) -> None:
    assert "There is no page" in look("/jobs/1/2/3", status=404).text
    assert "does not exist" in look("/jobs/123456", status=400).text
    assert "There is no job" in look("/jobs/%3Cscript%3E", status=404).text
    assert "not UTF-8" in look("/jobs/%ff", status=400).text


def test_no_path_and_no_query_makes_a_page_fail(served: Served, face: Face) -> None:
    words = (
        "..",
        "%2e%2e%2f",
        "%00",
        "%27",
        "`",
        "9" * 30,
        "main",
        "a" * 3000,
        "%F0%9F%A6%86",
        "1",
    )
    odd = ("-1", "9" * 30, "%00", "%ff", "x%27--", "%3Cscript%3E", "1")
    connection = http.client.HTTPConnection(urlsplit(served.host).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {served.token}", "Accept": "text/html"}
    asked = 0
    with contextlib.closing(connection):
        for pattern in face.page.patterns:
            filled = {re.sub(r"\{[a-z_.]+\}", word, pattern) for word in words}
            queries = [f"?page={one}&tab={one}&q={one}" for one in odd]
            for target in [
                *filled,
                *(f"{pattern}{query}" for query in queries if "{" not in pattern),
            ]:
                connection.putrequest("GET", target)
                for name, value in headers.items():
                    connection.putheader(name, value)
                connection.endheaders()
                answer = connection.getresponse()
                body = answer.read()
                assert answer.status < 500, (target, body[:500])
                assert answer.status != 200 or answer.getheader("Content-Security-Policy"), target
                asked += 1
    assert asked > 100


def test_a_page_that_fails_tells_nothing_but_where_to_look(
    served: Served, look: Look, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hidden = "a secret"

    def broken(**_: object) -> None:
        raise RuntimeError(hidden)

    monkeypatch.setattr(served.workspace.jobs, "list", broken)
    with caplog.at_level(logging.ERROR, logger="laketop.workspace"):
        page = look("/jobs", status=500)
    assert "its log tells more" in page.text
    assert hidden not in page.html + caplog.text
    assert "RuntimeError" in caplog.text


def test_a_head_is_answered_without_a_body(served: Served) -> None:
    answer = requests.head(f"{served.host}/", headers={"Cookie": _cookie(served)}, timeout=60)
    assert answer.status_code == 200
    assert answer.content == b""
