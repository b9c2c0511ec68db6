"""A lock tells the truth about what is installed, or says where it does not."""

from __future__ import annotations

import hashlib
from importlib.metadata import version

import pytest

from laketop.ml.locks import differences, lock_tag, pins

TRUE = f"numpy=={version('numpy')} \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"


def test_a_true_lock_is_told_by_its_digest() -> None:
    assert pins(TRUE) == {"numpy": version("numpy")}
    assert lock_tag(TRUE) == hashlib.sha256(TRUE.encode()).hexdigest()


def test_another_version_and_a_missing_package_are_told() -> None:
    lock = "# a comment\nnumpy==0.1 --hash=sha256:aa\nno-such-package==2 --hash=sha256:bb\n"
    assert differences(lock) == [
        f"numpy is {version('numpy')} here, 0.1 in the lock",
        "no-such-package is not installed here, 2 in the lock",
    ]
    assert lock_tag(lock).startswith("differs: numpy is ")


def test_what_is_for_other_systems_is_passed_over() -> None:
    lock = "pywin32==306 ; sys_platform == 'no such system' \\\n    --hash=sha256:aa\n"
    assert pins(lock) == {}


@pytest.mark.parametrize(
    ("lock", "message"),
    [
        ("numpy==2", "'numpy==2' in the lock has no hash"),
        ("numpy>=2 --hash=sha256:aa", "no pin"),
        (f"{TRUE}--requirement=more.txt\n", "'--requirement=more.txt' in the lock is no pin"),
        (f"{TRUE}-r more.txt\n", "'-r more.txt' in the lock is no pin"),
    ],
)
def test_a_lock_that_locks_nothing_is_an_error(lock: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pins(lock)
