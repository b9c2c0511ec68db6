from __future__ import annotations

from typing import Any

from laketop.workspace.deployment.references import UNKNOWN, filled, left_in


def look_up(name: str) -> Any:
    known = {"jobs.a.id": "7", "schemas.s.name": "raw", "warehouses.w.size": 2}
    return known.get(name, UNKNOWN)


def test_a_text_that_is_one_reference_takes_over_the_type() -> None:
    body = {"size": "${resources.warehouses.w.size}", "to": ["x.${resources.schemas.s.name}.t"]}
    assert filled(body, look_up) == {"size": 2, "to": ["x.raw.t"]}


def test_an_id_is_text_but_for_the_job_of_a_task() -> None:
    a, b = "${resources.jobs.a.id}", "${resources.jobs.b.id}"
    body = {"default": a, "run_job_task": {"job_id": a}, "more": [{"job_id": b}, {"job_id": "9"}]}
    assert filled(body, look_up) == {
        "default": "7",
        "run_job_task": {"job_id": 7},
        "more": [{"job_id": b}, {"job_id": "9"}],
    }


def test_what_is_not_known_stays_and_is_told() -> None:
    body = {"a": "${resources.jobs.b.id}", "b": "x ${resources.jobs.a.id}", "c": "${var.x}"}
    assert filled(body, look_up) == {"a": "${resources.jobs.b.id}", "b": "x 7", "c": "${var.x}"}
    assert left_in(filled(body, look_up)) == ["${resources.jobs.b.id}"]


def test_text_that_holds_no_reference_is_left_alone() -> None:
    body = {"text": "{{job.id}} $x ${}", "number": 1, "none": None, "flag": True}
    assert filled(body, look_up) == body
    assert left_in(body) == []
