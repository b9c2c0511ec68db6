"""Pages of a list, sorted by name or in an order of its own."""

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


def page_in_order(
    names: Sequence[str], max_results: int, page_token: str | None
) -> tuple[list[str], dict[str, str]]:
    """Return a page as `page_of` does, of names that are unique and in whatever order.

    Errors: InvalidParameterValue for a negative number, and for a name that is not there any more.
    """
    if page_token and page_token not in names:
        raise InvalidParameterValue(f"There is no page after {page_token[:200]!r}.")
    passed = names.index(page_token) + 1 if page_token else 0
    return page_of(names[passed:], max_results, None)
