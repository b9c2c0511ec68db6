"""Experiments, looked at; and the addresses of MLflow's clients, which lead to MLflow's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from tests.integration.workspace.ui.conftest import HOSTILE, Look

if TYPE_CHECKING:
    from tests.integration.workspace.conftest import Served

    from laketop.workspace.services.mlflow import Parts

pytestmark = pytest.mark.filterwarnings("default")  # what MLflow loads warns


def test_experiments_are_listed_by_pages(look: Look, parts: Parts) -> None:
    tracking = parts.backend.tracking
    made = [tracking.create_experiment(f"/Shared/{HOSTILE.replace('/', '')}{n}") for n in range(51)]
    first = look("/ml/experiments")
    assert "/mlflow/" in first.links
    listed = {one for one in first.links if one.startswith("/ml/experiments/")}
    older = look(next(one for one in first.links if "page=" in one))
    listed |= {one for one in older.links if one.startswith("/ml/experiments/")}
    assert listed == {f"/ml/experiments/{one}" for one in made}


@pytest.mark.parametrize(
    ("printed", "opened"),
    [
        ("/ml/experiments/12", "/mlflow/#/experiments/12?workflowType=machine_learning"),
        (
            "/ml/experiments/12/runs/ab3",
            "/mlflow/#/experiments/12/runs/ab3?workflowType=machine_learning",
        ),
        (
            "/ml/experiments/12/models/m-1?o=5",
            "/mlflow/#/experiments/12/models/m-1?workflowType=machine_learning",
        ),
        (
            "/ml/experiments/%3Cb%3E%20X:%201",
            "/mlflow/#/experiments/%3Cb%3E%20X%3A%201?workflowType=machine_learning",
        ),
        ("/ml/experiments/12/traces", "/mlflow/#/experiments/12/traces"),
    ],
)
def test_what_clients_print_leads_to_mlflows_page(
    served: Served, printed: str, opened: str
) -> None:
    answer = requests.get(
        f"{served.host}{printed}",
        headers={"Authorization": f"Bearer {served.token}"},
        allow_redirects=False,
        timeout=60,
    )
    assert (answer.status_code, answer.headers.get("Location")) == (303, opened), answer.text
