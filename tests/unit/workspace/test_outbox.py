from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from laketop.runner.alerts import Finding
from laketop.runner.notifications import Event, Recipients
from laketop.workspace.outbox import deliver, deliver_finding

RUN = {"job_id": 7, "run_id": 100, "run_name": "nightly"}
FINDING = Finding(
    alert_id="a",
    state="OK",
    job_id=7,
    run_id=100,
    task_run_id=101,
    task_key="watch",
    told=Recipients(emails=(), webhooks=("d",)),
)
JOB = {"email_notifications": {"on_failure": ["me@here"]}}


def test_each_event_that_somebody_wants_is_a_file(tmp_path: Path) -> None:
    task = {"task_key": "a", "webhook_notifications": {"on_start": [{"id": "h"}]}}
    events = [
        Event(name="on_start", at_ms=1_000),
        Event(name="on_start", at_ms=1_001, task=task, task_run_id=101),
        Event(name="on_failure", at_ms=2_000, result="FAILED"),
    ]
    deliver(tmp_path, JOB, RUN, events)
    files = sorted((tmp_path / "outbox").iterdir())
    assert [file.name for file in files] == [
        "1001-100-a-on_start.json",
        "2000-100-on_failure.json",
    ]
    assert json.loads(files[1].read_text()) == {
        "event": "on_failure",
        "time": 2_000,
        **RUN,
        "result_state": "FAILED",
        "to": ["me@here"],
        "webhooks": [],
    }
    assert json.loads(files[0].read_text())["task_run_id"] == 101


def test_a_notification_that_cannot_be_written_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "outbox").touch()
    deliver(tmp_path, JOB, RUN, [Event(name="on_failure", at_ms=1, result="FAILED")])
    assert "a notification of run 100 is lost" in caplog.text
    caplog.clear()
    deliver_finding(tmp_path, FINDING, "nightly", 2)
    assert "a notification of run 100 is lost" in caplog.text


def test_subscribers_alone_are_told_what_a_task_found_of_an_alert(tmp_path: Path) -> None:
    nobody = dataclasses.replace(FINDING, told=Recipients(emails=(), webhooks=()))
    deliver_finding(tmp_path, nobody, "nightly", 2)
    assert not (tmp_path / "outbox").exists()
    deliver_finding(tmp_path, FINDING, "nightly", 2)
    told = json.loads((tmp_path / "outbox" / "2-100-watch-on_alert.json").read_text())
    assert (told["alert_id"], told["alert_state"], told["webhooks"]) == ("a", "OK", ["d"])
