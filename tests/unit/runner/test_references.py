"""Dynamic value references: what is replaced, what stays, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from laketop.errors import ConfigError
from laketop.runner.references import (
    Scope,
    has_reference,
    moment,
    reference,
    resolve,
    text_of,
    values_in,
)

SCOPE = Scope(
    {
        "job": Scope(
            {
                "id": 7,
                "name": "nightly",
                "parameters": Scope({"day": "monday", "run-date": "2026-01-02", "x.y": "z"}),
            }
        ),
        "tasks": Scope(
            {"first": Scope({"values": Scope({"rows": 12, "ok": True, "list": [1, "é"]})})}
        ),
        "input": Scope({"city": "Oslo"}, itself={"city": "Oslo"}),
        "job_id": 7,
    }
)


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("{{job.id}}", "7"),
        ("{{ job.name }}", "nightly"),
        ("a-{{job.id}}-{{job.id}}-b", "a-7-7-b"),
        ("{{job.parameters.day}}", "monday"),
        ("{{job.parameters.[day]}}", "monday"),
        ("{{job.parameters.`run-date`}}", "2026-01-02"),
        ("{{job.parameters.`x.y`}}", "z"),
        ("{{tasks.first.values.rows}}", "12"),
        ("{{tasks.first.values.ok}}", "true"),
        ("{{tasks.first.values.list}}", '[1, "é"]'),
        ("{{input}}", '{"city": "Oslo"}'),
        ("{{input.city}}", "Oslo"),
        ("{{job_id}}", "7"),
    ],
)
def test_a_reference_becomes_the_text_of_its_value(text: str, resolved: str) -> None:
    assert resolve(text, SCOPE) == resolved


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "{{elsewhere.id}}",
        "{{job.parameters.run-date}}",
        "{{job.id",
        "{job.id}",
        "{{}}",
        "{{job.}}",
        "{{job.id + 1}}",
        "{{my_own}}",
    ],
)
def test_what_is_broken_or_of_no_known_namespace_stays_as_it_is(text: str) -> None:
    assert resolve(text, SCOPE) == text


@pytest.mark.parametrize(
    "text",
    [
        "{{job.notebook_url}}",
        "{{job}}",
        "{{job.parameters}}",
        "{{job.parameters.night}}",
        "{{tasks.second.values.rows}}",
        "{{tasks.first.values.rows.more}}",
        "{{task.name}}",
        "{{backfill.iso_date}}",
    ],
)
def test_an_unknown_key_of_a_known_namespace_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError, match="leads to nothing"):
        resolve(text, SCOPE)


def test_the_error_says_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"after 'job\.parameters' there can be day, run-date"):
        resolve("{{job.parameters.night}}", SCOPE)


def test_settings_are_resolved_however_deep_and_nothing_else_is_touched() -> None:
    settings = {"a": [{"b": "{{job.id}}"}, 3, None], "{{job.id}}": True}
    assert resolve(settings, SCOPE) == {"a": [{"b": "7"}, 3, None], "{{job.id}}": True}


def test_what_a_reference_stands_for_is_not_read_again() -> None:
    scope = Scope({"job": Scope({"name": "{{job.id}}", "id": 7})})
    assert resolve("{{job.name}}", scope) == "{{job.id}}"


@pytest.mark.parametrize("settings", ["{{x}}", ["a", "{{"], {"a": {"b": ["{{job.id}}"]}}])
def test_settings_with_a_reference_are_found(settings: Any) -> None:
    assert has_reference(settings)


@pytest.mark.parametrize("settings", ["{x}", 3, None, {"{{a}}": "b"}, []])
def test_settings_without_a_reference_are_known(settings: Any) -> None:
    assert not has_reference(settings)


def test_a_reference_is_written_with_backticks_where_they_are_needed() -> None:
    assert reference("tasks", "a-b", "values", "k") == "{{tasks.`a-b`.values.k}}"


@pytest.mark.parametrize("part", ["", "a`b", "a{b", "}"])
def test_a_part_that_cannot_be_written_is_refused(part: str) -> None:
    with pytest.raises(ConfigError, match="cannot be part of a reference"):
        reference("job", part)


def test_the_values_of_references_keep_their_types() -> None:
    text = "{{tasks.first.values.rows}} {{nowhere}} {{tasks.first.values.list}}"
    assert values_in(text, SCOPE) == [12, [1, "é"]]


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (1, "1"), (1.5, "1.5"), (False, "false"), (None, "null"), ({"a": 1}, '{"a": 1}')],
)
def test_a_value_that_is_no_text_is_put_in_as_json(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_a_moment_is_utc_in_eleven_forms() -> None:
    assert moment(1_767_312_245_678) == {
        "iso_date": "2026-01-02",
        "iso_datetime": "2026-01-02T00:04:05",
        "year": 2026,
        "month": 1,
        "day": 2,
        "hour": 0,
        "minute": 4,
        "second": 5,
        "timestamp_ms": 1_767_312_245_678,
        "iso_weekday": 5,
        "is_weekday": True,
    }
