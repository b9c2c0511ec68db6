from __future__ import annotations

from pathlib import Path

import pytest

from laketop.bundle import find_root, load
from laketop.errors import ConfigError


@pytest.mark.parametrize("name", ["databricks.yml", "databricks.yaml", "bundle.yml", "bundle.yaml"])
def test_the_root_is_the_nearest_folder_upward_with_a_root_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("bundle: {name: x}\n")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_root(inner) == tmp_path
    assert load(tmp_path).name == "x"


def test_no_root_is_told_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no databricks\.yml") as caught:
        find_root(tmp_path)
    assert "--project" in (caught.value.hint or "")
    with pytest.raises(ConfigError, match=r"no databricks\.yml"):
        load(tmp_path)


def test_two_root_files_are_an_error(tmp_path: Path) -> None:
    for name in ("databricks.yml", "bundle.yml"):
        (tmp_path / name).write_text("bundle: {name: x}\n")
    with pytest.raises(ConfigError, match="has both"):
        load(tmp_path)


def test_a_root_whose_path_reads_as_a_pattern_is_an_error(tmp_path: Path) -> None:
    root = tmp_path / "a[b]"
    root.mkdir()
    (root / "databricks.yml").write_text("bundle: {name: x}\n")
    with pytest.raises(ConfigError, match="which patterns use"):
        load(root)


def test_a_root_file_that_is_no_map_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("- a\n")
    with pytest.raises(ConfigError, match="expected a map at the top, found a sequence"):
        load(tmp_path)


def test_the_sources_are_listed_each_once_and_the_root_first(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text(
        "bundle: {name: x}\ninclude: [more.yml, '*.yml', more.json]\n"
    )
    (tmp_path / "more.yml").write_text("variables: {a: {default: 1}}\n")
    (tmp_path / "more.json").write_text('{"variables": {"b": {"default": 2}}}')
    bundle = load(tmp_path)
    assert [path.name for path in bundle.sources] == ["databricks.yml", "more.yml", "more.json"]
    assert bundle.variables == {"a": 1, "b": 2}


def test_an_include_may_go_up_and_its_paths_are_its_own(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    root.mkdir()
    (root / "databricks.yml").write_text(
        "bundle: {name: x}\ninclude: [../shared.yml]\nsync: {paths: [..]}\n"
    )
    (tmp_path / ".git").mkdir()
    (tmp_path / "run.py").write_text("")
    (tmp_path / "shared.yml").write_text(
        "resources: {jobs: {j: {tasks: [{task_key: a, existing_cluster_id: c,"
        " spark_python_task: {python_file: run.py}}]}}}\n"
    )
    bundle = load(root)
    assert bundle.problems == ()
    task = bundle.job("j").body["tasks"][0]
    assert task["spark_python_task"]["python_file"].endswith("/files/run.py")
    assert bundle.job("j").position.file == "../shared.yml"


def test_an_included_file_that_is_no_map_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: x}\ninclude: [a.yml]\n")
    (tmp_path / "a.yml").write_text("text\n")
    assert [str(p) for p in load(tmp_path).problems] == [
        "a.yml:1:1: error: expected a map at the top, found a string"
    ]


def test_an_empty_include_matches_nothing(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: x}\ninclude: ['']\n")
    assert [p.message for p in load(tmp_path).problems] == ["the file '' is not there"]


def test_include_that_is_no_list_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: x}\ninclude: a.yml\n")
    assert [p.message for p in load(tmp_path).problems] == ["expected a sequence, found a string"]


def test_a_file_named_for_one_resource_should_define_only_that(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: x}\ninclude: ['*.yml']\n")
    (tmp_path / "a.job.yml").write_text("resources: {jobs: {a: {name: a}}}\n")
    (tmp_path / "b.job.yml").write_text(
        "resources: {jobs: {b: {}}, schemas: {c: {name: c, catalog_name: c}}}\n"
    )
    (tmp_path / "c.schema.yml").write_text("variables: {}\n")
    assert [str(problem) for problem in load(tmp_path).problems] == [
        (
            "b.job.yml:1:1: recommendation: 'b.job.yml' is named for one job,"
            " and defines 1 jobs, 1 schemas"
        ),
        (
            "c.schema.yml:1:1: recommendation: 'c.schema.yml' is named for one schema,"
            " and defines no resource"
        ),
    ]
