from __future__ import annotations

from typing import Any

from laketop.workspace.deployment.references import UNKNOWN, filled, left_in


def look_up(name: str) -> Any:
    return {"jobs.a.id": 7, "schemas.s.name": "raw"}.get(name, UNKNOWN)


def test_a_text_that_is_one_reference_takes_over_the_type() -> None:
    body = {"job_id": "${resources.jobs.a.id}", "to": ["x.${resources.schemas.s.name}.t"]}
    assert filled(body, look_up) == {"job_id": 7, "to": ["x.raw.t"]}


def test_what_is_not_known_stays_and_is_told() -> None:
    body = {"a": "${resources.jobs.b.id}", "b": "x ${resources.jobs.a.id}", "c": "${var.x}"}
    assert filled(body, look_up) == {"a": "${resources.jobs.b.id}", "b": "x 7", "c": "${var.x}"}
    assert left_in(filled(body, look_up)) == ["${resources.jobs.b.id}"]


def test_text_that_holds_no_reference_is_left_alone() -> None:
    body = {"text": "{{job.id}} $x ${}", "number": 1, "none": None, "flag": True}
    assert filled(body, look_up) == body
    assert left_in(body) == []
