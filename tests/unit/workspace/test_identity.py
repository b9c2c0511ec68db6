"""Tokens: whose they are, and that they are kept as digests."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from laketop.workspace.identity import Token, Tokens
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


def test_a_token_opens_one_workspace(tmp_path: Path) -> None:
    dev = Tokens(Store(tmp_path / "s.db"))
    prod = dev.within("prod")
    ours, theirs = dev.issue("ann"), prod.issue("ann")
    assert (dev.user_of(ours), dev.user_of(theirs)) == ("ann", None)
    assert (prod.user_of(ours), prod.user_of(theirs)) == (None, "ann")
    assert (dev.workspace_of(ours), dev.workspace_of(theirs)) == ("dev", "prod")
    assert [one.workspace for one in dev.all()] == ["dev"]
    assert {one.workspace for one in dev.open()} == {"dev", "prod"}
    prod.revoke_all()
    assert (dev.user_of(ours), prod.user_of(theirs)) == ("ann", None)


def test_who_is_gone_is_gone_from_every_workspace(tmp_path: Path) -> None:
    dev = Tokens(Store(tmp_path / "s.db"))
    prod = dev.within("prod")
    ours, theirs = dev.issue("ann"), prod.issue("ann")
    dev.suspend(["ann"])
    assert (dev.user_of(ours), prod.user_of(theirs)) == (None, None)
    dev.suspend([])
    dev.forget("ann")
    assert (dev.user_of(ours), prod.user_of(theirs)) == (None, None)


def test_a_token_ends_by_the_clock_of_its_workspace(tmp_path: Path) -> None:
    dev = Tokens(Store(tmp_path / "s.db"), now_ms=lambda: 10)
    prod = dev.within("prod", lambda: 1000)
    ours, theirs = dev.issue("ann", expires_ms=500), prod.issue("ann", expires_ms=500)
    assert (dev.user_of(ours), prod.user_of(theirs)) == ("ann", None)


def test_a_token_of_before_there_were_workspaces_opens_the_first(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    token = Tokens(store).issue("ann")
    with store.transaction(write=True):
        [(id_, kept)] = store.table("tokens").items()
        store.table("tokens")[id_] = {n: v for n, v in kept.items() if n != "workspace"}
    again = Tokens(store)
    assert again.user_of(token) == "ann"
    assert [one.workspace for one in again.all()] == [
        dataclasses.fields(Token)[-1].default,
    ]
