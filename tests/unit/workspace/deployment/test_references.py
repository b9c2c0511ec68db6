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
    task = {"task_key": "t", "run_job_task": {"job_id": a}}
    body = {"default": a, "tasks": [{"for_each_task": {"task": task}}, {"run_job_task": b}]}
    assert filled(body, look_up) == {
        "default": "7",
        "tasks": [
            {"for_each_task": {"task": {"task_key": "t", "run_job_task": {"job_id": 7}}}},
            {"run_job_task": b},
        ],
    }
    assert filled({"run_job_task": {"job_id": b}}, look_up) == {"run_job_task": {"job_id": b}}


def test_a_parameter_named_job_id_is_text() -> None:
    named = {"job_id": "${resources.jobs.a.id}"}
    text = {"job_id": "7"}
    body = {
        "notebook_task": {"base_parameters": named},
        "python_wheel_task": {"named_parameters": named},
        "run_job_task": {"job_id": named["job_id"], "job_parameters": named},
    }
    assert filled(body, look_up) == {
        "notebook_task": {"base_parameters": text},
        "python_wheel_task": {"named_parameters": text},
        "run_job_task": {"job_id": 7, "job_parameters": text},
    }


def test_what_is_not_known_stays_and_is_told() -> None:
    body = {"a": "${resources.jobs.b.id}", "b": "x ${resources.jobs.a.id}", "c": "${var.x}"}
    assert filled(body, look_up) == {"a": "${resources.jobs.b.id}", "b": "x 7", "c": "${var.x}"}
    assert left_in(filled(body, look_up)) == ["${resources.jobs.b.id}"]


def test_text_that_holds_no_reference_is_left_alone() -> None:
    body = {"text": "{{job.id}} $x ${}", "number": 1, "none": None, "flag": True}
    assert filled(body, look_up) == body
    assert left_in(body) == []
