"""Tracebacks: the user's frames stay, the runner's go."""

from __future__ import annotations

from laketop.errors import ConfigError
from laketop.runner import trace
from laketop.runner.requirements import check


def error_of_user_code(source: str) -> BaseException:
    code = compile(source, "/Users/me/nb, cell 1", "exec")
    try:
        exec(code, {"check": check})  # noqa: S102 - the point of the test
    except Exception as error:  # noqa: BLE001 - any
        return error
    raise AssertionError(source)


def test_frames_of_the_runner_are_left_out() -> None:
    text = trace.trace(error_of_user_code("check(['no-such-package-here'])"))

    assert text is not None
    assert "cell 1" in text
    assert "requirements.py" not in text
    assert "not installed" in text


def test_causes_are_told() -> None:
    source = "try:\n    1 / 0\nexcept Exception as e:\n    raise KeyError('x') from e"
    text = trace.trace(error_of_user_code(source))

    assert text is not None
    assert text.index("ZeroDivisionError") < text.index("direct cause") < text.index("KeyError")


def test_an_error_is_described_by_class_and_message() -> None:
    assert trace.describe(ValueError("wrong")) == "ValueError: wrong"
    assert trace.describe(ConfigError("wrong", hint="do it right")) == "wrong\nhint: do it right"


def test_an_error_of_laketop_alone_needs_no_traceback() -> None:
    assert trace.trace(ConfigError("wrong")) is None
