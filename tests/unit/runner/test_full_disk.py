from __future__ import annotations

from pathlib import Path

import pytest

from laketop.runner import full_disk
from laketop.runner.context import Outcome
from laketop.runner.request import RESULT_FILE

OF_SPARK = (
    "SparkConnectGrpcException: (org.apache.spark.SparkException) Job aborted due to stage failure:"
    " java.io.IOException: No space left on device\n\tat java.base/java.io.FileOutputStream"
)


@pytest.mark.parametrize(
    "error",
    [
        OF_SPARK,
        "OSError: [Errno 27] File too large: 'x'",
        "OSError: [Errno 122] Disk quota exceeded",
    ],
)
def test_a_full_disk_is_one_sentence_with_what_to_do(error: str, tmp_path: Path) -> None:
    told = full_disk.told(Outcome("FAILED", error=error, error_trace="…"), tmp_path)
    assert (told.error or "").startswith(f"{full_disk.SENTENCE}\nhint: ")
    assert full_disk.SENTENCE in (told.reason or "")


def test_a_full_disk_is_found_among_the_causes_of_the_engine(tmp_path: Path) -> None:
    trace = "Traceback\n  File too large\nCaused by: java.io.IOException: File too large\n"
    found = full_disk.told(
        Outcome("FAILED", error="TASK_WRITE_FAILED", error_trace=trace), tmp_path
    )
    assert (found.error or "").startswith(full_disk.SENTENCE)
    other = Outcome("FAILED", error="TASK_WRITE_FAILED", error_trace="  File too large\n")
    assert full_disk.told(other, tmp_path) is other


@pytest.mark.parametrize(
    "outcome",
    [Outcome("SUCCESS"), Outcome("FAILED", error="ValueError: no space"), Outcome("FAILED")],
)
def test_what_failed_for_another_reason_stays(outcome: Outcome, tmp_path: Path) -> None:
    assert full_disk.told(outcome, tmp_path) is outcome


def test_a_process_that_could_not_write_how_it_ended_has_met_a_full_disk(tmp_path: Path) -> None:
    ended = Outcome("FAILED", error="the process ended with exit code 1", exit_code=1)
    assert full_disk.told(ended, tmp_path) is ended
    found = full_disk.told(ended, tmp_path, room=2**62)
    assert (found.error or "").startswith(full_disk.SENTENCE)
    (tmp_path / RESULT_FILE).write_text('{"error": "ValueError: no"}', encoding="utf-8")
    assert full_disk.told(ended, tmp_path, room=2**62) is ended


def test_a_task_that_found_no_room_to_say_why_it_failed_has_met_a_full_disk(tmp_path: Path) -> None:
    more_than_any_disk = 2**62
    found = full_disk.told(Outcome("FAILED"), tmp_path, room=more_than_any_disk)
    assert (found.error or "").startswith(full_disk.SENTENCE)
    done = Outcome("SUCCESS")
    assert full_disk.told(done, tmp_path, room=more_than_any_disk) is done
