"""The notebook's context: getters with options, tags, JSON without the token."""

from __future__ import annotations

import json

import pytest

from laketop.runner.dbutils.context import CommandContext, EntryPoint, Facts, ReplContext


@pytest.fixture
def facts() -> Facts:
    known = {"notebookPath": "/Users/me/nb", "jobId": "7", "idInJob": "9", "apiToken": "hush"}
    return Facts(known, lambda: "me@laketop.local")


def test_getters_return_options(facts: Facts) -> None:
    context = EntryPoint(facts).getDbutils().notebook().getContext()

    assert context.notebookPath().get() == "/Users/me/nb"
    assert context.userName().get() == "me@laketop.local"
    assert context.clusterId().getOrElse("none") == "none"
    assert context.jobId().isDefined()
    assert context.workspaceId().isEmpty()
    with pytest.raises(LookupError):
        context.workspaceId().get()


def test_tags_and_extra_context_are_read_by_name(facts: Facts) -> None:
    context = CommandContext(facts)

    assert context.tags().apply("user") == "me@laketop.local"
    assert context.tags().get("jobId").get() == "7"
    assert context.tags().get("unknown").isEmpty()
    assert context.extraContext().get("notebook_path").get() == "/Users/me/nb"


def test_json_has_no_token(facts: Facts) -> None:
    context = CommandContext(facts)

    assert json.loads(context.safeToJson())["attributes"]["user"] == "me@laketop.local"
    assert json.loads(context.toJson())["extraContext"]["notebook_path"] == "/Users/me/nb"
    assert "hush" not in context.safeToJson() + context.toJson()


def test_an_unknown_getter_is_an_attribute_error(facts: Facts) -> None:
    with pytest.raises(AttributeError, match="nope"):
        CommandContext(facts).nope()
    with pytest.raises(AttributeError):
        ReplContext(facts, notebook=True).nope  # noqa: B018 - the access is what fails


def test_the_repl_context_has_plain_attributes(facts: Facts) -> None:
    context = ReplContext(facts, notebook=False)

    assert (context.isInNotebook, context.isInJob, context.jobId) == (False, True, "7")
    assert context.workspaceUrl is None
    assert context.clusterId is None
