from __future__ import annotations

import pytest

from laketop.runner import full_disk
from laketop.runner.context import Outcome

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
def test_a_full_disk_is_one_sentence_with_what_to_do(error: str) -> None:
    told = full_disk.told(Outcome("FAILED", error=error, error_trace="…"))
    assert (told.error or "").startswith(f"{full_disk.SENTENCE}\nhint: ")
    assert full_disk.SENTENCE in (told.reason or "")


def test_a_full_disk_is_found_among_the_causes_of_the_engine() -> None:
    trace = "Traceback\n  File too large\nCaused by: java.io.IOException: File too large\n"
    found = full_disk.told(Outcome("FAILED", error="TASK_WRITE_FAILED", error_trace=trace))
    assert (found.error or "").startswith(full_disk.SENTENCE)
    other = Outcome("FAILED", error="TASK_WRITE_FAILED", error_trace="  File too large\n")
    assert full_disk.told(other) is other


@pytest.mark.parametrize(
    "outcome",
    [Outcome("SUCCESS"), Outcome("FAILED", error="ValueError: no space"), Outcome("FAILED")],
)
def test_what_failed_for_another_reason_stays(outcome: Outcome) -> None:
    assert full_disk.told(outcome) is outcome
