from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from laketop.workspace.model_files import (
    changed,
    digests,
    registration_problem,
    remove,
    seal,
    seal_of,
)

SIGNATURE = (
    "signature:\n"
    '  inputs: \'[{"type": "double", "name": "a"}]\'\n'
    '  outputs: \'[{"type": "double"}]\'\n'
)

_BOMB = "\n".join(
    ["a0: &a0 [x]", *(f"a{n + 1}: &a{n + 1} [{f'*a{n},' * 9}]" for n in range(8)), SIGNATURE]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "1"
    (found / "data").mkdir(parents=True)
    (found / "MLmodel").write_text(SIGNATURE)
    (found / "data" / "weights").write_bytes(b"123")
    return found


def test_every_file_has_its_sha256(folder: Path) -> None:
    assert digests(folder) == {
        "MLmodel": hashlib.sha256(SIGNATURE.encode()).hexdigest(),
        "data/weights": hashlib.sha256(b"123").hexdigest(),
    }


def test_a_link_among_the_files_is_refused(folder: Path) -> None:
    (folder / "link").symlink_to("/etc/passwd")

    with pytest.raises(OSError, match=r"'link'.* is a link"):
        digests(folder)


def test_files_that_changed_are_named(folder: Path) -> None:
    recorded = digests(folder)
    assert changed(folder, recorded) == []

    (folder / "added").touch()
    (folder / "data" / "weights").write_bytes(b"124")
    assert changed(folder, recorded) == ["added", "data/weights"]

    (folder / "MLmodel").unlink()
    assert changed(folder, recorded) == ["MLmodel", "added", "data/weights"]


def test_of_a_folder_that_is_gone_every_file_changed(folder: Path) -> None:
    recorded = digests(folder)
    remove(folder)

    assert changed(folder, recorded) == ["MLmodel", "data/weights"]


def test_a_seal_lies_beside_its_folder_and_goes_with_it(folder: Path) -> None:
    seal(folder)
    seal(folder)
    assert seal_of(folder).exists()
    assert "1.sealed" not in digests(folder)

    remove(folder)
    remove(folder)
    assert list(folder.parent.iterdir()) == []


def test_a_signature_of_inputs_and_outputs_is_what_unity_catalog_takes(folder: Path) -> None:
    assert registration_problem(folder) is None


@pytest.mark.parametrize(
    ("description", "problem"),
    [
        ("flavors: {}", "did not contain any signature"),
        ("signature: null", "did not contain any signature"),
        ("signature: {inputs: '[]', outputs: '[{}]'}", "without inputs"),
        ("signature: {inputs: '[{}]'}", "includes only inputs"),
        ("signature: {inputs: '[{}]', outputs: null}", "includes only inputs"),
        ("signature: {inputs: '['}", "cannot be read"),
        ("signature: text", "cannot be read"),
        ("- a", "cannot be read"),
        (f"a: {'x' * 1_000_000}", "cannot be read: MLmodel: the file has 1000003 bytes"),
        (_BOMB, "cannot be read: MLmodel:6:5: the file has more than 100000 values"),
        ("[" * 5000, "cannot be read"),
        ("a: [", "cannot be read"),
    ],
)
def test_a_description_without_a_whole_signature_is_refused(
    folder: Path, description: str, problem: str
) -> None:
    (folder / "MLmodel").write_text(description)

    assert problem in (registration_problem(folder) or "")


def test_files_without_a_description_are_no_model(folder: Path) -> None:
    (folder / "MLmodel").unlink()

    assert "no MLmodel" in (registration_problem(folder) or "")


@pytest.mark.parametrize("package", ["feature_store", "feature_engineering"])
def test_a_model_that_loads_through_databricks_own_module_is_not_taken(
    folder: Path, package: str
) -> None:
    (folder / "MLmodel").write_text(
        SIGNATURE
        + f"flavors:\n  python_function:\n    loader_module: databricks.{package}.mlflow_model\n"
    )

    assert f"'databricks.{package}.mlflow_model'" in (registration_problem(folder) or "")
