from __future__ import annotations

import os
import subprocess

import pytest
from databricks.sdk.errors.platform import InvalidParameterValue, PermissionDenied

from laketop.runner.git_source import with_settings
from laketop.workspace.git import Credential, check_url


@pytest.mark.parametrize("allowed", ["https://git.example.com/team", "https://git.example.com/"])
def test_a_remote_below_an_allowed_one_is_taken(allowed: str) -> None:
    check_url("https://git.example.com/team/a.git", [allowed])


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.com.example.org/a.git",
        "https://git.example.community/a.git",
        "https://example.com/a.git",
        "https://git.example.com/../a.git",
        "https://git.example.com/%2e%2e/a.git",
        "https://git.example.com/..%5ca.git",
    ],
)
def test_a_remote_that_only_begins_alike_is_refused(url: str) -> None:
    with pytest.raises(PermissionDenied, match="LAKETOP_GIT_REMOTES"):
        check_url(url, ["https://git.example.com"])


@pytest.mark.parametrize(
    "url", ["ssh://git.example.com/a", "https://me:word@git.example.com/a", "file://host/a"]
)
def test_other_protocols_and_passwords_are_refused(url: str) -> None:
    with pytest.raises(InvalidParameterValue):
        check_url(url, ["https://git.example.com"])


@pytest.mark.parametrize(
    ("url", "is_shown"),
    [
        ("https://git.example.com/team/a.git", True),
        ("https://git.example.com/team/b.git", False),
        ("https://example.org/team/a.git", False),
    ],
)
def test_git_shows_a_credential_to_its_own_remote_alone(url: str, is_shown: bool) -> None:
    settings = Credential("me", "t0ken").settings("https://git.example.com/team/a.git")
    bare = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
    }
    asked = subprocess.run(
        ["git", "config", "--get-urlmatch", "http.extraHeader", url],
        env=with_settings(bare, settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("Authorization: Basic" in asked.stdout) is is_shown
