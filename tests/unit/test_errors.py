from __future__ import annotations

import laketop
from laketop import errors
from laketop.errors import ConfigError, GateFailed, LaketopError, NotFound, printable


def test_an_error_shows_its_hint_on_a_line_of_its_own() -> None:
    assert str(LaketopError("it broke", hint="mend it")) == "it broke\nhint: mend it"


def test_a_config_error_begins_with_its_place() -> None:
    assert str(ConfigError("no name", file="databricks.yml", line=3)) == "databricks.yml:3: no name"


def test_not_found_names_kind_and_name() -> None:
    assert str(NotFound("job", "train")) == "no job named 'train'"


def test_a_failed_gate_tells_measure_and_limit() -> None:
    assert str(GateFailed("auc", measured=0.61, limit=0.68)) == (
        "gate 'auc' measured 0.61, the limit is 0.68"
    )


def test_a_gate_without_a_measure_has_not_passed() -> None:
    error = GateFailed("approval", measured=float("nan"), limit=float("nan"))
    assert str(error) == "gate 'approval' has not passed"


def test_the_public_names_are_there_and_sorted() -> None:
    assert laketop.__all__ == sorted(laketop.__all__)
    assert all(hasattr(laketop, name) for name in laketop.__all__)


def test_every_error_is_a_public_name() -> None:
    kinds = {name for name, kind in vars(errors).items() if _is_error(kind)}
    assert kinds <= set(laketop.__all__)


def _is_error(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, errors.LaketopError)


def test_what_somebody_named_moves_no_cursor_and_begins_no_line() -> None:
    assert printable("a\x1b[2Jb\r\nc\x9b\x7f\u2028 ä\t") == (
        "a\\x1b[2Jb\\r\\nc\\x9b\\x7f\\u2028 ä\t"
    )
    assert printable("a\n\x1b", keep="\n") == "a\n\\x1b"
