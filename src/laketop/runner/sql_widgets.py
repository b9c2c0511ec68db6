"""Statements of SQL cells that define and remove widgets.

Source: Databricks docs, widgets in SQL.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laketop.runner.dbutils.widgets import Widgets

_NAME = r"(?P<name>`[^`]+`|'[^']+'|\"[^\"]+\"|[\w.-]+)"
_CREATE = re.compile(
    r"\s*CREATE\s+WIDGET\s+(?P<kind>TEXT|DROPDOWN|COMBOBOX|MULTISELECT)\s+"
    + _NAME
    + r"\s+DEFAULT\s+(?P<default>'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|[^\s'\"]+)"
    r"(?:\s+CHOICES\s+(?P<choices>.+?))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_REMOVE = re.compile(rf"\s*REMOVE\s+WIDGET\s+{_NAME}\s*", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class WidgetStatement:
    """CREATE WIDGET, or REMOVE WIDGET where `kind` is None; `choices` is a query."""

    name: str
    kind: str | None = None
    default: str = ""
    choices: str | None = None

    def apply(self, widgets: Widgets, column: Callable[[str], Sequence[str]]) -> None:
        """Do what the statement says; `column` returns the first column of a query as text.

        Errors: ValueError if the default is no choice of a widget that wants one.
        """
        if self.kind is None:
            widgets.remove(self.name)
        elif self.kind == "TEXT":
            widgets.text(self.name, self.default)
        else:
            choices = column(self.choices) if self.choices else [self.default]
            getattr(widgets, self.kind.lower())(self.name, self.default, choices)


def widget_statement(text: str) -> WidgetStatement | None:
    """Return what a statement without comments says of a widget, None for any other statement.

    >>> widget_statement("create widget text day default '2013-01-01'")
    WidgetStatement(name='day', kind='TEXT', default='2013-01-01', choices=None)
    """
    if removed := _REMOVE.fullmatch(text):
        return WidgetStatement(_bare(removed["name"]))
    created = _CREATE.fullmatch(text)
    if created is None:
        return None
    return WidgetStatement(
        name=_bare(created["name"]),
        kind=created["kind"].upper(),
        default=re.sub(r"\\(.)", r"\1", _bare(created["default"])),
        choices=created["choices"],
    )


def _bare(text: str) -> str:
    return text[1:-1] if text[0] in "`'\"" else text
