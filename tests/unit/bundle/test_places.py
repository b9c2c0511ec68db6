from __future__ import annotations

import pytest

from laketop.bundle.places import expanded, friendly_name, short_name

from .conftest import MakeBundle


@pytest.mark.parametrize(
    ("user", "short", "friendly"),
    [
        ("jane@example.com", "jane", "jane"),
        ("jane.van-doe@example.com", "jane_van_doe", "jane-van-doe"),
        ("1234-abcd", "1234_abcd", "1234-abcd"),
    ],
)
def test_a_user_has_short_names(user: str, short: str, friendly: str) -> None:
    assert (short_name(user), friendly_name(user)) == (short, friendly)


@pytest.mark.parametrize(
    ("path", "whole"),
    [
        ("~", "/Workspace/Users/me"),
        ("~/a", "/Workspace/Users/me/a"),
        ("~a", "~a"),
        ("/Users/me/a", "/Workspace/Users/me/a"),
        ("/Shared/a", "/Workspace/Shared/a"),
        ("/Workspace/Shared/a", "/Workspace/Shared/a"),
        ("/Volumes/a/b/c", "/Volumes/a/b/c"),
    ],
)
def test_a_workspace_path_is_written_in_full(path: str, whole: str) -> None:
    assert expanded(path, "me") == whole


def test_the_paths_follow_the_root_path(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        variables: {place: {default: "~/own"}}
        workspace:
          root_path: ${var.place}/${bundle.target}
          state_path: /Shared/${workspace.current_user.short_name}
        targets: {dev: {}}
    """)
    place = "/Workspace/Users/me@laketop.local/own/dev"
    assert bundle.workspace.root_path == place
    assert bundle.workspace.file_path == f"{place}/files"
    assert bundle.workspace.artifact_path == f"{place}/artifacts"
    assert bundle.workspace.state_path == "/Workspace/Shared/me"


def test_the_host_in_use_is_not_the_declared_one(make_bundle: MakeBundle) -> None:
    text = """
        bundle: {name: x}
        workspace: {host: "https://far.example.org", profile: p}
        variables: {h: {default: "${workspace.host}"}}
    """
    near = make_bundle(text, host="http://127.0.0.1:8000")
    assert near.variables == {"h": "http://127.0.0.1:8000"}
    assert near.workspace.host == "http://127.0.0.1:8000"
    assert near.workspace.declared_host == "https://far.example.org"
    assert near.workspace.profile == "p"
    far = make_bundle(text, host=None)
    assert far.variables == {"h": "https://far.example.org"}
