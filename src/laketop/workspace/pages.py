"""Pages of a list that is sorted by name."""

from __future__ import annotations

from collections.abc import Sequence

from databricks.sdk.errors.platform import InvalidParameterValue

PAGE = 1000
"""How many names a page holds that the client leaves to the server."""


def page_of(
    names: Sequence[str], max_results: int, page_token: str | None
) -> tuple[list[str], dict[str, str]]:
    """Return the names after `page_token`, at most `max_results`, and the token of the next page.

    Units: 0 results = as many as the server likes. The token is the last name of the page before.
    Errors: InvalidParameterValue for a negative number. Source: Unity Catalog API.
    """
    if max_results < 0:
        raise InvalidParameterValue("max_results is less than 0.")
    size = min(max_results or PAGE, PAGE)
    left = [name for name in names if not page_token or name > page_token]
    page = left[:size]
    return page, {"next_page_token": page[-1]} if len(left) > size else {}
