from __future__ import annotations

import re
from pathlib import Path

from laketop.bundle.lint import CODES

ROOT = Path(__file__).parents[4]
PAGES = ROOT / "docs" / "lint"


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} - {"README"} == set(CODES)


def test_the_index_lists_every_page() -> None:
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\[([a-z-]+)\]\(\1\.md\)", index) == list(CODES)


def test_every_code_is_found_by_a_case_and_named_in_the_source() -> None:
    cases = (ROOT / "fixtures" / "bundles").glob("*/expected.json")
    expected = "".join(case.read_text(encoding="utf-8") for case in cases)
    room = ROOT / "src" / "laketop" / "bundle"
    source = "".join(file.read_text(encoding="utf-8") for file in room.rglob("*.py"))
    for code in CODES:
        assert f"[{code}]" in expected
        assert f'code="{code}"' in source
    assert set(re.findall(r'code="([a-z-]+)"', source)) == set(CODES)
