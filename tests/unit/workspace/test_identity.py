"""Tokens: whose they are, and that they are kept as digests."""

from __future__ import annotations

from pathlib import Path

from laketop.workspace.identity import Tokens
from laketop.workspace.store import Store


def test_a_token_is_of_the_user_it_was_issued_to(tmp_path: Path) -> None:
    tokens = Tokens(Store(tmp_path / "s.db"))
    ann, ben = tokens.issue("ann"), tokens.issue("ben")
    assert (tokens.user_of(ann), tokens.user_of(ben)) == ("ann", "ben")
    assert tokens.user_of("other") is None
    assert tokens.user_of("") is None
    assert tokens.user_of("\udcff") is None


def test_tokens_outlive_the_process_until_they_are_revoked(tmp_path: Path) -> None:
    token = Tokens(Store(tmp_path / "s.db")).issue("ann")
    tokens = Tokens(Store(tmp_path / "s.db"))
    assert tokens.user_of(token) == "ann"
    tokens.revoke_all()
    assert tokens.user_of(token) is None
    assert Tokens(Store(tmp_path / "s.db")).user_of(token) is None


def test_no_file_holds_a_token(tmp_path: Path) -> None:
    token = Tokens(Store(tmp_path / "s.db")).issue("ann")
    assert len(token) >= 43
    assert not [f for f in tmp_path.iterdir() if token.encode() in f.read_bytes()]
