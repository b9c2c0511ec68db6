from __future__ import annotations

from databricks.sdk.errors.platform import ResourceDoesNotExist, TooManyRequests

from laketop.errors import NotFound
from laketop.ml.features.online import failure_of


def test_a_workspace_that_throttles_is_told_in_its_own_words() -> None:
    gave_up = TimeoutError("Timed out after 0:00:01")
    gave_up.__cause__ = TooManyRequests("slow down")
    failure = failure_of(gave_up, ("online store", "shop"))
    assert (str(failure), failure.hint) == ("slow down", None)


def test_where_nobody_answers_the_hint_says_what_to_set() -> None:
    gave_up = TimeoutError("Timed out after 0:00:01")
    gave_up.__cause__ = ConnectionError("refused")
    failure = failure_of(gave_up)
    assert "none answers: refused" in failure.message
    assert "DATABRICKS_HOST" in str(failure.hint)


def test_only_what_was_asked_for_is_missing() -> None:
    gone = ResourceDoesNotExist("gone", error_code="RESOURCE_DOES_NOT_EXIST")
    assert isinstance(failure_of(gone, ("online store", "shop")), NotFound)
    assert not isinstance(failure_of(gone), NotFound)
