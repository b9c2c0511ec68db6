"""Search over names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.workspace.ui.conftest import BOB, HOSTILE, Look

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from laketop.workspace.services.mlflow import Parts

pytestmark = pytest.mark.filterwarnings("default")  # what MLflow loads warns


def test_everything_is_found_by_its_name(look: Look, client: WorkspaceClient, parts: Parts) -> None:
    job = client.jobs.create(name="Nightly flights", tasks=[])
    client.schemas.create("flights", "main")
    client.serving_endpoints.create("flights-delay")
    parts.registry.create_model("main.flights.delay", owner="me")
    experiment = parts.backend.tracking.create_experiment("/Shared/flights")
    links = set(look("/search?q=FLIGHTS").links)
    assert {
        f"/jobs/{job.job_id}",
        "/explore/data/main/flights",
        "/ml/endpoints/flights-delay",
        "/explore/data/models/main/flights/delay",
        f"/ml/experiments/{experiment}",
    } <= links
    assert f"/jobs/{job.job_id}" in look("/search?q=flights+night").links
    assert f"/jobs/{job.job_id}" in look(f"/search?q={job.job_id}").links


def test_an_experiment_is_found_by_those_who_may_see_it(
    look: Look, look_as_bob: Look, client: WorkspaceClient, parts: Parts
) -> None:
    client.users_v2.create(user_name=BOB)
    hidden = parts.backend.tracking.create_experiment("/Users/me@laketop.local/quiet")
    shown = parts.backend.tracking.create_experiment("/Shared/quiet")
    for page in ("/search?q=quiet", "/ml/experiments"):
        assert {f"/ml/experiments/{hidden}", f"/ml/experiments/{shown}"} <= {*look(page).links}
        seen = look_as_bob(page).links
        assert f"/ml/experiments/{shown}" in seen
        assert f"/ml/experiments/{hidden}" not in seen


def test_what_was_typed_stands_in_the_box_and_does_nothing(look: Look) -> None:
    page = look(f"/search?q={HOSTILE.replace(' ', '+')}")
    assert "Nothing is named so" in page.text
    assert "<script>alert" not in page.html


def test_nothing_typed_finds_nothing(look: Look) -> None:
    assert "Type a part of a name" in look("/search?q=+").text
    assert "Type a part of a name" in look("/search").text
