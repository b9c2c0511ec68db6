"""Licences and vulnerabilities of what a model brings along, without the network."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from laketop.errors import ConfigError
from laketop.ml import Contender, LabelledRows, licences, vulnerabilities
from laketop.ml.gates.requirements import is_affected, is_allowed, licence_of, pinned

EMPTY_ZIP = b"PK\5\6" + bytes(18)


def with_requirements(sound: Contender, *lines: str) -> Contender:
    return dataclasses.replace(sound, requirements=lines)


def advisory(**affected: Any) -> dict[str, Any]:
    package = {"name": "NumPy", "ecosystem": "PyPI"}
    return {"id": "PYSEC-0000-1", "affected": [{"package": package, **affected}]}


def introduced(*events: dict[str, str]) -> dict[str, Any]:
    return advisory(ranges=[{"type": "ECOSYSTEM", "events": list(events)}])


def test_locked_lines_are_read_with_hashes_markers_and_extras() -> None:
    found, loose = pinned(
        [
            "Scikit_Learn==1.6.0 \\",
            "    --hash=sha256:aa",
            "uvicorn[standard]==0.34 ; python_version > '3'",
            "pandas>=2",
            "",
            "-r other.txt",
        ]
    )
    assert found == {"scikit-learn": "1.6.0", "uvicorn": "0.34"}
    assert loose == ["pandas"]


@pytest.mark.parametrize(
    ("record", "versions"),
    [
        (introduced({"introduced": "0"}, {"fixed": "1.22"}), {"1.21": True, "1.22": False}),
        (introduced({"introduced": "2.0"}), {"1.9": False, "2.0": True, "9": True}),
        (
            introduced({"introduced": "1"}, {"last_affected": "1.5"}),
            {"1.5": True, "1.5.1": False},
        ),
        (
            introduced(
                *({"introduced": "1"}, {"fixed": "1.1"}, {"introduced": "2"}, {"fixed": "2.1"})
            ),
            {"1.0.5": True, "1.5": False, "2.0.1": True, "2.1": False},
        ),
        (advisory(versions=["1.21.0"]), {"1.21": True, "1.22": False}),
        ({**advisory(versions=["1"]), "withdrawn": "2024-01-01T00:00:00Z"}, {"1": False}),
        (advisory(versions=["0.3.2d", "1.0"]), {"0.3.2": False, "1": True}),
        (introduced({"introduced": "0"}, {"fixed": "0.3.2d"}), {"9": True}),
        (
            {
                "id": "PYSEC-0000-2",
                "affected": [
                    introduced({"introduced": "0"}, {"fixed": "0.3.2d"})["affected"][0]
                    | {"versions": ["0.3"]}
                ],
            },
            {"0.3": True, "9": False},
        ),
    ],
)
def test_an_advisory_is_about_the_versions_that_it_names(
    record: dict[str, Any], versions: dict[str, bool]
) -> None:
    assert {v: is_affected(record, "numpy", v) for v in versions} == versions
    assert not is_affected(record, "pandas", "1")


def test_an_affected_requirement_is_named_with_its_advisory(
    tmp_path: Path, rows: LabelledRows, sound: Contender
) -> None:
    file = tmp_path / "advisories.json"
    file.write_text(json.dumps([introduced({"introduced": "0"}, {"fixed": "1.22"})]))
    gate = vulnerabilities(file)
    verdict = gate(with_requirements(sound, "numpy==1.21.0", "pandas==2.2.0"), None, rows)
    assert not verdict.passed
    assert verdict.reason == "numpy 1.21.0 has PYSEC-0000-1"
    passed = gate(with_requirements(sound, "numpy==1.22"), None, rows)
    assert passed.passed
    assert passed.reason == "1 requirements, none is in 1 advisories"


def test_the_archive_of_a_database_is_read_and_its_newest_record_told(
    tmp_path: Path, rows: LabelledRows, sound: Contender
) -> None:
    file = tmp_path / "all.zip"
    records = [introduced({"introduced": "0"}, {"fixed": "1.22"}), advisory(versions=["1.23"])]
    with zipfile.ZipFile(file, "w") as archive:
        for month, record in enumerate(records, 1):
            dated = record | {
                "id": f"PYSEC-0000-{month}",
                "modified": f"2026-0{month}-03T00:00:00Z",
            }
            archive.writestr(f"PYSEC-0000-{month}.json", json.dumps(dated))
    gate = vulnerabilities(file)
    assert gate(with_requirements(sound, "numpy==1.23"), None, rows).reason == (
        "numpy 1.23 has PYSEC-0000-2"
    )
    assert gate(with_requirements(sound, "numpy==1.24"), None, rows).reason == (
        "1 requirements, none is in 2 advisories, the newest of 2026-02-03"
    )


def test_without_advisories_nothing_is_known_and_nothing_passes(
    rows: LabelledRows, sound: Contender
) -> None:
    verdict = vulnerabilities(None)(sound, None, rows)
    assert not verdict.passed
    assert "no advisory data" in verdict.reason


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"a": 1}', b'{"vulns": null}', b"[3]", b"PK\3\4", EMPTY_ZIP, b"\xff"],
)
def test_a_file_without_advisories_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "advisories.json"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"advisories\.json"):
        vulnerabilities(file)


def packed(method: int) -> bytes:
    """Return a ZIP file with one advisory."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        archive.writestr("a", json.dumps(advisory(versions=["1"])))
    return content.getvalue()


def with_field(archive: bytes, offset: int, value: int) -> bytes:
    """Return a ZIP file of one entry with a field changed, in its own header and in the central."""
    changed = bytearray(archive)
    for header in (0, archive.index(b"PK\1\2") + 2):
        changed[header + offset] = value
    return bytes(changed)


DEFLATED = packed(zipfile.ZIP_DEFLATED)
START = 30 + len("a")  # of what is packed


@pytest.mark.parametrize(
    "content",
    [
        DEFLATED[:START] + b"\xff" + DEFLATED[START + 1 :],
        packed(zipfile.ZIP_LZMA).replace(b"\x5d\0\0", b"\xff\xff\xff"),
        with_field(DEFLATED, 6, 1),
        with_field(DEFLATED, 8, 97),
        with_field(packed(zipfile.ZIP_STORED), 8, 8),
    ],
    ids=["damaged", "damaged LZMA", "encrypted", "of an unknown method", "of another method"],
)
def test_an_archive_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "all.zip"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"all\.zip.*the advisories cannot be read"):
        vulnerabilities(file)


@pytest.mark.parametrize(
    "affected",
    [
        *("numpy", "", 0, {}),
        [None],
        [{"package": None}],
        [{"package": {"name": None}}],
        [{"package": {"name": "numpy", "ecosystem": 1}}],
        [{"versions": None}],
        [{"versions": [1]}],
        [{"ranges": None}],
        [{"ranges": [{"type": "ECOSYSTEM", "events": None}]}],
        [{"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": 0}]}]}],
    ],
)
def test_a_record_that_is_none_of_osv_is_named(tmp_path: Path, affected: Any) -> None:
    file = tmp_path / "advisories.json"
    sound = advisory(versions=["1"])
    file.write_text(json.dumps([sound, {"id": "PYSEC-0000-9", "affected": affected}]))
    with pytest.raises(ConfigError, match=r"advisories\.json.*'PYSEC-0000-9' is no OSV record"):
        vulnerabilities(file)


@pytest.mark.parametrize("other", [{"affected": None}, {"affected": []}, {}])
def test_a_record_about_no_package_affects_none(
    other: dict[str, Any], tmp_path: Path, rows: LabelledRows, sound: Contender
) -> None:
    file = tmp_path / "advisories.json"
    file.write_text(json.dumps([advisory(versions=["1"]), {"id": "PYSEC-0000-9", **other}]))
    gate = vulnerabilities(file)
    assert not is_affected({"id": "PYSEC-0000-9", **other}, "numpy", "1")
    passed = gate(with_requirements(sound, "numpy==2"), None, rows)
    assert (passed.passed, passed.reason) == (True, "1 requirements, none is in 2 advisories")


def test_licences_are_those_that_the_installed_packages_state(
    rows: LabelledRows, sound: Contender
) -> None:
    named = (f"numpy=={version('numpy')}", f"mlflow=={version('mlflow')}")
    assert licences()(with_requirements(sound, *named), None, rows).passed
    refused = licences(["proprietary"])(with_requirements(sound, *named), None, rows)
    assert not refused.passed
    assert refused.measured == 2
    assert "mlflow has the licence" in refused.reason
    assert licence_of("no-such-package") is None


@pytest.mark.parametrize(
    ("told", "passes"),
    [
        ("MIT", True),
        ("BSD 3-Clause License", True),
        ("Apache License, Version 2.0", True),
        ("Apache Software License; BSD License", True),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND (Apache-2.0 OR GPL-2.0-only)", True),
        ("(GPL-2.0-only OR MIT) AND AGPL-3.0-only", False),
        ("GPL-2.0-only AND MIT", False),
        ("MIT AND GPL-2.0-only OR AGPL-3.0-only", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("GNU General Public License v3 (GPLv3)", False),
        ("GNU Affero General Public License v3", False),
        ("MIT License; GNU General Public License v2 (GPLv2)", False),
        ("Limited commercial", False),
        ("Disclaimer", False),
        ("No permission is hereby given", False),
        ("MIT and more", False),
        ("LicenseRef-MIT", False),
        ("", False),
    ],
)
def test_a_licence_is_allowed_by_its_whole_name_or_by_each_part_that_it_asks_for(
    told: str, passes: bool
) -> None:
    assert is_allowed(told) is passes


@pytest.fixture
def installed(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package `bound-to-it` of this metadata and these files, on the path."""
    metadata, files = request.param
    info = tmp_path / "bound_to_it-1.dist-info"
    info.mkdir()
    head = "Metadata-Version: 2.4\nName: bound-to-it\nVersion: 1\n"
    (info / "METADATA").write_text(f"{head}{metadata}\n")
    for name, text in files.items():
        (info / name).write_text(text)
    (info / "RECORD").write_text("".join(f"{info.name}/{name},,\n" for name in files))
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize(
    ("installed", "reason"),
    [
        (("License-Expression: AGPL-3.0-or-later", {}), "'AGPL-3.0-or-later'"),
        (
            ("Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)", {}),
            "'GNU General Public License v3 (GPLv3)'",
        ),
        (("License: Limited commercial", {}), "'Limited commercial'"),
        (
            (
                "Summary: says nothing",
                {
                    "LICENSE": "GNU General Public License",
                    "LICENSE.parts": "Permission is hereby granted, free of charge, to any person",
                },
            ),
            "'GPL; MIT'",
        ),
    ],
    indirect=["installed"],
)
@pytest.mark.usefixtures("installed")
def test_a_package_with_a_licence_that_asks_for_more_does_not_pass(
    reason: str, rows: LabelledRows, sound: Contender
) -> None:
    verdict = licences()(with_requirements(sound, "bound-to-it==1"), None, rows)
    assert not verdict.passed
    assert verdict.reason == f"bound-to-it has the licence {reason}"


@pytest.mark.parametrize("lines", [(), ("pandas>=2",), ("no-such-package==1",)])
def test_what_is_not_known_does_not_pass(
    lines: tuple[str, ...], rows: LabelledRows, sound: Contender
) -> None:
    assert not licences()(with_requirements(sound, *lines), None, rows).passed


def test_every_package_of_the_development_environment_states_a_licence() -> None:
    # huey states none in its metadata, skops only that it is approved: their files tell.
    for name in ("huey", "skops", "numpy", "pandas", "lightgbm", "scikit-learn"):
        assert licence_of(name)
