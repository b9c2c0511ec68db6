"""Tells which functions of the source are longest: for readers, nothing fails of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHOWN = 10


def functions(source: str) -> Iterator[tuple[int, int, str]]:
    """Yield each function's length in lines, its first line and its name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1, node.lineno, node.name


def main() -> None:
    """Print the longest, the longest first."""
    found = [
        (lines, f"{file.relative_to(ROOT)}:{line}", name)
        for folder in ("src", "examples/flights/src")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for lines, line, name in functions(file.read_text(encoding="utf-8"))
    ]
    print(f"the {SHOWN} longest of {len(found)} functions, in lines:")
    for lines, place, name in sorted(found, reverse=True)[:SHOWN]:
        print(f"  {lines:4} {name}  {place}")


if __name__ == "__main__":
    main()
