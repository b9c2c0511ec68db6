from __future__ import annotations

import pytest

from laketop.bundle import Bundle, Lookup, Place
from laketop.errors import NotFound

from .conftest import MakeBundle

TEXT = """
bundle: {name: x}
variables:
  size: {default: big}
  cluster: {lookup: {cluster: "the ${var.size} one"}}
resources: {jobs: {j: {name: "on ${var.cluster}"}}}
"""


def find(kind: str, name: str) -> str:
    if (kind, name) != ("cluster", "the big one"):
        raise NotFound(kind, name)
    return "1234-abc"


def messages(bundle: Bundle) -> list[tuple[str, str]]:
    return [(problem.severity, problem.message) for problem in bundle.problems]


def test_a_lookup_has_the_id_that_the_workspace_has_for_the_name(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(TEXT, find=find)
    assert bundle.job("j").body["name"] == "on 1234-abc"
    assert bundle.variables["cluster"] == "1234-abc"
    assert (bundle.problems, bundle.lookups) == ((), ())


def test_what_the_workspace_does_not_have_is_an_error(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(TEXT, find=find, variables={"size": "small"})
    assert messages(bundle) == [("error", "the workspace has no cluster 'the small one'")]


def test_a_lookup_that_nobody_knows_yet_stays_open(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(TEXT, find=lambda _kind, _name: None)
    place = Place("databricks.yml", 5, 31)
    assert bundle.lookups == (Lookup("cluster", "cluster", "the big one", place),)
    assert bundle.job("j").body["name"] == "on ${var.cluster}"
    assert messages(bundle) == [
        ("recommendation", "variable cluster is looked up when the bundle is deployed")
    ]


def test_without_a_workspace_a_lookup_is_an_error_that_says_what_to_do(
    make_bundle: MakeBundle,
) -> None:
    (problem,) = make_bundle(TEXT).problems
    assert problem.message == "variable cluster looks up the cluster 'the big one' in a workspace"
    assert problem.hint == "give its value with --var cluster=... or BUNDLE_VAR_cluster"


def test_a_value_that_is_given_needs_no_lookup(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(TEXT, variables={"cluster": "mine"})
    assert (bundle.job("j").body["name"], bundle.problems) == ("on mine", ())


@pytest.mark.parametrize(
    ("lookup", "message"),
    [
        ("{cluster: a, job: b}", "variable v looks up cluster, job, it can look up one thing"),
        (
            "{cluster: '${var.w}'}",
            "the name '${var.w}' that variable v looks up is itself not known",
        ),
    ],
)
def test_a_lookup_is_of_one_thing_with_a_known_name(
    make_bundle: MakeBundle, lookup: str, message: str
) -> None:
    text = (
        f"bundle: {{name: x}}\nvariables: {{v: {{lookup: {lookup}}}, w: {{lookup: {{job: a}}}}}}\n"
    )
    bundle = make_bundle(text, find=lambda kind, _name: None if kind == "job" else "1")
    assert messages(bundle)[0] == ("error", message)
