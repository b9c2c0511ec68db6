from __future__ import annotations

from scripts.longest import functions


def test_functions_are_found_wherever_they_stand_and_measured_whole() -> None:
    source = (
        "class A:\n    async def f(self):\n        def g():\n            pass\n        return g\n"
    )
    assert sorted(functions(source)) == [(2, 3, "g"), (4, 2, "f")]
