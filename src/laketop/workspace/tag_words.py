"""What may be the key and the value of a tag."""

from __future__ import annotations

import re

from databricks.sdk.errors.platform import InvalidParameterValue

_REFUSED = re.compile(r"[.,\-=/:\x00-\x1f\x7f]|^\s|\s$")
_LONGEST_KEY, _LONGEST_VALUE = 255, 1000


def check_key(key: str) -> None:
    """Refuse what cannot be the key of a tag. Errors: InvalidParameterValue."""
    if not key or len(key) > _LONGEST_KEY or _REFUSED.search(key):
        raise InvalidParameterValue(
            f"{key[:300]!r} is no key of a tag, which has at most {_LONGEST_KEY} characters, none"
            " of . , - = / : among them."
        )


def check_value(value: str) -> None:
    """Refuse what cannot be the value of a tag. Errors: InvalidParameterValue."""
    if len(value) > _LONGEST_VALUE or re.search(r"[\x00-\x1f\x7f]", value):
        raise InvalidParameterValue(
            f"{value[:300]!r} is no value of a tag, which has at most {_LONGEST_VALUE} characters."
        )
