"""Alert tasks on the engine."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.runner.conftest import Run

from laketop.errors import ConfigError, LaketopError, Refused
from laketop.runner.alerts import Finding
from laketop.runner.notifications import Recipients
from laketop.runner.tasks.alert import AlertTask
from laketop.runner.tasks.sql import SqlTask


def look_up(kind: str, name: str) -> dict[str, Any]:
    if (kind, name) != ("alert", "a"):
        raise LaketopError(f"The {kind} {name} does not exist.")
    return {
        "id": name,
        "query_text": "SELECT id AS n, 9 AS most FROM range(CAST(:many AS INT)) ORDER BY id",
        "parameters": [{"name": "many", "type": "INT", "value": "5"}],
        "evaluation": {
            "source": {"name": "n", "aggregation": "SUM"},
            "comparison_operator": "GREATER_THAN",
            "threshold": {"column": {"name": "most"}},
            "empty_result_state": "OK",
        },
    }


def test_an_alert_is_evaluated_with_the_parameters_of_its_task(run: Run) -> None:
    found: list[Finding] = []
    told = {"alert_id": "a", "subscribers": [{"user_name": "ann"}, {"destination_id": "d"}]}
    outcome, _ = run(AlertTask(), {"alert_task": told}, saved=look_up, found=found.append)
    assert outcome.error is None
    assert outcome.output["alert_state"] == "TRIGGERED"
    assert [(one.alert_id, one.state) for one in found] == [("a", "TRIGGERED")]
    assert found[0].told == Recipients(emails=("ann",), webhooks=("d",))
    few = {"alert_id": "a", "parameters": {"many": 4}}
    outcome, _ = run(AlertTask(), {"alert_task": few}, saved=look_up)
    assert outcome.output["alert_state"] == "OK"
    # The older type of task evaluates it too.
    for is_paused, told_of_it in ((False, ("ann",)), (True, ())):
        subscribed = {"subscriptions": [{"user_name": "ann"}], "pause_subscriptions": is_paused}
        of_sql = {"sql_task": {"alert": {"alert_id": "a", **subscribed}}}
        outcome, _ = run(
            SqlTask(), of_sql, saved=look_up, found=found.append, job_parameters={"many": "0"}
        )
        assert outcome.output["alert_state"] == found[-1].state == "OK"
        assert found[-1].told.emails == told_of_it


def test_what_is_no_alert_task_is_refused(run: Run) -> None:
    with pytest.raises(Refused, match="workspace_path"):
        run(AlertTask(), {"alert_task": {"workspace_path": "/Workspace/a.dbalert.json"}})
    with pytest.raises(ConfigError, match="no alert_id"):
        run(AlertTask(), {"alert_task": {"warehouse_id": "w"}})
    wrong = {"alert_id": "a", "parameters": {"few": "1"}}
    with pytest.raises(ConfigError, match="no parameter 'few'"):
        run(AlertTask(), {"alert_task": wrong}, saved=look_up)
    with pytest.raises(LaketopError, match="none does not exist"):
        run(AlertTask(), {"alert_task": {"alert_id": "none"}}, saved=look_up)
