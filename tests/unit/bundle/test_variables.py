from __future__ import annotations

import pytest

from .conftest import MakeBundle

COMPLEX = "bundle: {name: x}\nvariables: {c: {type: complex, default: {a: 1}}, p: {default: 1}}\n"
OVERRIDES = ".databricks/bundle/default/variable-overrides.json"


def test_values_come_from_the_nearest_source(make_bundle: MakeBundle) -> None:
    text = """
        bundle: {name: x}
        variables: {v: {default: declared}}
        targets: {t: {variables: {v: target}}}
    """
    file = {OVERRIDES.replace("default", "t"): '{"v": "file"}'}
    environment = {"BUNDLE_VAR_v": "environment"}
    given = {"v": "given"}
    assert make_bundle(text).variables == {"v": "target"}
    assert make_bundle(text, file).variables == {"v": "file"}
    assert make_bundle(text, environment=environment).variables == {"v": "environment"}
    bundle = make_bundle(text, variables=given, environment=environment)
    assert bundle.variables == {"v": "given"}


@pytest.mark.parametrize(
    ("over", "value"),
    [
        ("5", 5),
        ("{default: 5}", 5),
        ("{default: 5, description: five}", 5),
        ("{b: 2}", {"b": 2}),
        ("{}", {}),
        ("[1]", [1]),
    ],
)
def test_a_target_replaces_a_variable_whole(
    make_bundle: MakeBundle, over: str, value: object
) -> None:
    text = "bundle: {name: x}\nvariables: {v: {default: {a: 1}}}\n"
    bundle = make_bundle(f"{text}targets: {{t: {{variables: {{v: {over}}}}}}}\n")
    assert (bundle.variables, bundle.problems) == ({"v": value}, ())


def test_a_lookup_in_a_target_replaces_the_default(make_bundle: MakeBundle) -> None:
    text = "bundle: {name: x}\nvariables: {v: {default: a}}\n"
    bundle = make_bundle(text + "targets: {t: {variables: {v: {lookup: {cluster: big}}}}}\n")
    assert [problem.message for problem in bundle.problems] == [
        "variable v looks up the cluster 'big' in a workspace"
    ]


def test_a_complex_variable_cannot_be_given_as_text(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(COMPLEX, variables={"c": "{}"})
    assert [p.message for p in bundle.errors] == ["the complex variable c cannot be given as text"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "the file is not JSON"),
        ("[]", "the file must hold one JSON object"),
        ('{"p": {"a": 1}}', "p is a plain variable, found map"),
        ('{"c": 1}', "c is a complex variable, found int"),
    ],
)
def test_an_overrides_file_that_does_not_fit_is_told(
    make_bundle: MakeBundle, content: str, message: str
) -> None:
    (problem,) = make_bundle(COMPLEX, {OVERRIDES: content}).errors
    assert problem.message.startswith(message)
    assert problem.file == OVERRIDES


def test_a_variable_that_is_no_map_is_told(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("bundle: {name: x}\nvariables: {v: 1}\n")
    assert bundle.errors[0].message == "expected a map, found int"


def test_a_missing_value_is_told_once_however_often_it_is_used(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        variables: {v: , w: {default: "${var.v}"}}
        resources: {jobs: {j: {name: "${var.v} ${var.w}"}}}
    """)
    assert [problem.message for problem in bundle.problems] == [
        "no value assigned to required variable v"
    ]
