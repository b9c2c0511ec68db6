from __future__ import annotations

import pytest

from laketop.bundle import Bundle
from laketop.bundle.artifacts import INFERRED_BUILD

from .conftest import MakeBundle


def with_dependencies(make_bundle: MakeBundle, *texts: str, **files: str) -> Bundle:
    listed = "".join(f"              - {text!r}\n" for text in texts)
    text = f"""
bundle: {{name: x}}
resources:
  jobs:
    j:
      environments:
        - environment_key: e
          spec:
            dependencies:
{listed}"""
    return make_bundle(text, {name.replace("__", "."): content for name, content in files.items()})


def dependencies(bundle: Bundle) -> list[str]:
    found: list[str] = bundle.job("j").body["environments"][0]["spec"]["dependencies"]
    return found


@pytest.mark.parametrize(
    "text",
    [
        "pandas",
        "pandas==2.2.3",
        "pandas[excel] >= 2",
        "tool @ s3://wheels/tool-1-py3-none-any.whl",
        "s3://wheels/tool-1-py3-none-any.whl",
        "/Volumes/a/b/c/tool-1-py3-none-any.whl",
        "/Workspace/Shared/tool-1-py3-none-any.whl",
        "dbfs:/tool.whl",
        "--no-index",
        "-r /Workspace/Shared/requirements.txt",
    ],
)
def test_what_is_no_local_file_stays(make_bundle: MakeBundle, text: str) -> None:
    bundle = with_dependencies(make_bundle, text)
    assert (dependencies(bundle), bundle.problems, bundle.uploads) == ([text], (), ())


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("./tool.whl", "{internal}/tool.whl"),
        ("tool.whl", "{internal}/tool.whl"),
        ("*.whl", "{internal}/tool.whl"),
        ("./tool.whl[a,b]", "{internal}/tool.whl[a,b]"),
        ("-r needs.txt", "-r {files}/needs.txt"),
        ("--requirement=needs.txt", "--requirement={files}/needs.txt"),
        ('-r "needs.txt"', '-r "{files}/needs.txt"'),
        ("-e .", "-e {files}"),
    ],
)
def test_a_local_file_becomes_its_remote_path(
    make_bundle: MakeBundle, text: str, made: str
) -> None:
    bundle = with_dependencies(make_bundle, text, tool__whl="", needs__txt="")
    internal = f"{bundle.workspace.artifact_path}/.internal"
    expected = made.format(internal=internal, files=bundle.workspace.file_path)
    assert (dependencies(bundle), bundle.problems) == ([expected], ())


def test_a_pattern_becomes_all_that_it_matches(make_bundle: MakeBundle) -> None:
    bundle = with_dependencies(make_bundle, "*.whl", "six", a__whl="", b__whl="")
    internal = f"{bundle.workspace.artifact_path}/.internal"
    assert dependencies(bundle) == [f"{internal}/a.whl", f"{internal}/b.whl", "six"]
    assert [(u.local, u.remote, u.is_pattern) for u in bundle.uploads] == [
        (str(bundle.root / "a.whl"), f"{internal}/a.whl", False),
        (str(bundle.root / "b.whl"), f"{internal}/b.whl", False),
    ]


def test_a_missing_requirements_file_is_told(make_bundle: MakeBundle) -> None:
    (problem,) = with_dependencies(make_bundle, "-r needs.txt").problems
    assert problem.message == "file needs.txt not found"
    assert problem.path == "resources.jobs.j.environments[0].spec.dependencies[0]"


def test_a_wheel_that_is_still_to_be_built_stays_a_pattern(make_bundle: MakeBundle) -> None:
    text = """
        bundle: {name: x}
        artifacts: {lib: {type: whl}}
        resources:
          jobs:
            j:
              tasks:
                - task_key: a
                  existing_cluster_id: c
                  libraries: [{whl: dist/*.whl}, {maven: {coordinates: a}}, {jar: /a.jar}]
                  python_wheel_task: {package_name: p, entry_point: e}
    """
    before = make_bundle(text)
    remote = f"{before.workspace.artifact_path}/.internal"
    (upload,) = before.uploads
    assert (upload.remote, upload.is_pattern, before.problems) == (f"{remote}/*.whl", True, ())
    assert before.artifacts[0].build == INFERRED_BUILD
    after = make_bundle(text, {"dist/p-1-py3-none-any.whl": ""})
    assert after.job("j").body["tasks"][0]["libraries"] == [
        {"whl": f"{remote}/p-1-py3-none-any.whl"},
        {"maven": {"coordinates": "a"}},
        {"jar": "/a.jar"},
    ]


def test_an_artifact_with_files_and_no_build_is_not_built(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(
        "bundle: {name: x}\nartifacts: {a: {type: whl, files: [{source: '*.whl'}]}}\n",
        {"a.whl": ""},
    )
    (artifact,) = bundle.artifacts
    assert (artifact.build, artifact.files) == (None, (str(bundle.root / "*.whl"),))


def test_a_dynamic_version_is_in_the_path_of_each_library(make_bundle: MakeBundle) -> None:
    text = """
        bundle: {name: x}
        presets: {artifacts_dynamic_version: true}
        artifacts: {a: {type: whl}}
        resources:
          jobs:
            j:
              environments:
                - environment_key: e
                  spec: {dependencies: [dist/*.whl, other/o-1-py3-none-any.whl]}
    """
    files = {"dist/p-1-py3-none-any.whl": "", "other/o-1-py3-none-any.whl": ""}
    bundle = make_bundle(text, files)
    assert bundle.artifacts[0].dynamic_version
    assert bundle.problems == ()
    built_ns = (bundle.root / "dist" / "p-1-py3-none-any.whl").stat().st_mtime_ns
    remote = f"{bundle.workspace.artifact_path}/.internal"
    spec = bundle.job("j").body["environments"][0]["spec"]
    assert spec["dependencies"] == [
        f"{remote}/p-1+{built_ns}-py3-none-any.whl",
        f"{remote}/o-1-py3-none-any.whl",
    ]


def test_only_wheels_have_dynamic_versions(make_bundle: MakeBundle) -> None:
    artifact = "{type: jar, build: x, files: [{source: a.jar}], dynamic_version: true}"
    bundle = make_bundle(f"bundle: {{name: x}}\nartifacts: {{a: {artifact}}}\n")
    (problem,) = bundle.problems
    assert problem.message == "dynamic_version has no effect: it is for wheels"
