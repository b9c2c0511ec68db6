"""Monitors: what tables of profile and drift metrics tell, drawn over their windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from databricks.sdk.errors.platform import NotFound

from laketop.workspace.ui.asking import Answer, ask, quoted
from laketop.workspace.ui.charts import Line, lines
from laketop.workspace.ui.elements import facts, link, notice, section, table
from laketop.workspace.ui.html import Html, el, join
from laketop.workspace.ui.seen import SeenLake
from laketop.workspace.ui.view import Page, View, page, path

_PROFILE, _DRIFT = "_profile_metrics", "_drift_metrics"
_MOST_ROWS = 5000
_MOST_LINES = 8
_WHOLE = ":table"
_OF_TABLE = (
    ("roc_auc_score", "ROC AUC"),
    ("prediction_mean", "Mean prediction"),
    ("label_mean", "Mean label"),
    ("num_labels", "Labels known"),
    ("count", "Rows"),
)
_OF_COLUMNS = (("percent_null", "Nulls, percent"), ("avg", "Mean"))
_OF_DRIFT = (("population_stability_index", "Population stability index"),)
_TOGETHER = {"prediction_mean": "label_mean"}


@page("/monitors")
def monitors(view: View) -> Page:
    """List the tables that have tables of metrics."""
    lake = SeenLake(view)
    rows = []
    for catalog, schema, name in _monitored(lake):
        where = path("explore", "data", catalog, schema)
        rows.append(
            (
                link(f"{catalog}.{schema}.{name}", path("monitors", catalog, schema, name)),
                [
                    join(link(end.strip("_").replace("_", " "), f"{where}/{name}{end}"), " ")
                    for end in (_PROFILE, _DRIFT)
                    if f"{name}{end}" in lake.tables(catalog, schema)
                ],
            )
        )
    empty = "No table is monitored yet: `laketop.ml.refresh` writes the metrics of one."
    return Page(
        title="Monitors", body=table(("Table", "Metrics"), rows, empty=empty), section="monitors"
    )


@page("/monitors/{catalog}/{schema}/{name}")
def monitor(view: View, catalog: str, schema: str, name: str) -> Page:
    """Draw the metrics of one table: its accuracy, its columns, their drift."""
    tables = SeenLake(view).tables(catalog, schema)
    there = [end for end in (_PROFILE, _DRIFT) if f"{name}{end}" in tables]
    if not there:
        raise NotFound(f"Table '{catalog}.{schema}.{name}' has no metrics.")
    read = {end: _read(view, (catalog, schema, f"{name}{end}"), end) for end in there}
    where = path("explore", "data", catalog, schema)
    body = join(
        facts(
            ("Table", link(f"{catalog}.{schema}.{name}", f"{where}/{name}")),
            ("Metrics", [join(link(f"{name}{end}", f"{where}/{name}{end}"), " ") for end in there]),
        ),
        [notice(answer.problem) for answer in read.values() if answer.problem][:1],
        _accuracy(read.get(_PROFILE)),
        _drift(read.get(_DRIFT)),
        _columns(read.get(_PROFILE)),
    )
    return Page(title=name, body=body, section="monitors", trail=[("Monitors", "/monitors")])


def _monitored(lake: SeenLake) -> Iterator[tuple[str, str, str]]:
    for catalog in lake.catalogs():
        for schema in lake.schemas(catalog):
            tables = lake.tables(catalog, schema)
            ends = (t.removesuffix(e) for t in tables for e in (_PROFILE, _DRIFT) if t.endswith(e))
            yield from ((catalog, schema, name) for name in dict.fromkeys(ends))


def _read(view: View, names: tuple[str, str, str], end: str) -> Answer:
    kept = "log_type = 'INPUT'" if end == _PROFILE else "drift_type = 'BASELINE'"
    text = (
        f"SELECT CAST(window.start AS DATE) AS at, * FROM {quoted(*names)}"  # noqa: S608 - quoted
        f" WHERE {kept} AND window.start IS NOT NULL ORDER BY window.start, column_name"
    )
    return ask(view, text, limit=_MOST_ROWS)


def _accuracy(answer: Answer | None) -> Html | None:
    """Return the figures of the whole table by window."""
    rows = [row for row in _rows(answer) if row.get("column_name") == _WHOLE]
    drawn = []
    for name, title in _OF_TABLE:
        names = [name, *([_TOGETHER[name]] if name in _TOGETHER else [])]
        if name in _TOGETHER.values() or not any(row.get(name) for row in rows):
            continue
        labels = [str(row["at"]) for row in rows]
        many = " and label" if len(names) > 1 else ""
        drawn.append(
            lines(labels, [Line(one, _values(rows, one)) for one in names], title=title + many)
        )
    return _charts("Over time", drawn)


def _drift(answer: Answer | None) -> Html | None:
    return _charts("Drift from the baseline", _by_column(_rows(answer), _OF_DRIFT))


def _columns(answer: Answer | None) -> Html | None:
    rows = [row for row in _rows(answer) if row.get("column_name") != _WHOLE]
    return _charts("Columns", _by_column(rows, _OF_COLUMNS))


def _by_column(
    rows: Sequence[Mapping[str, str | None]], wanted: Sequence[tuple[str, str]]
) -> list[Html]:
    """Return charts with a line for each column; those that move most come first, eight a chart."""
    labels = sorted({str(row["at"]) for row in rows})
    drawn = []
    for name, title in wanted:
        found: dict[str, dict[str, float | None]] = {}
        for row in rows:
            value = _float(row.get(name))
            if value is not None:
                found.setdefault(str(row["column_name"]), {})[str(row["at"])] = value
        moved = sorted(found, key=_spread(found), reverse=True)
        for start in range(0, len(moved), _MOST_LINES):
            part = moved[start : start + _MOST_LINES]
            shown = [Line(column, [found[column].get(at) for at in labels]) for column in part]
            drawn.append(lines(labels, shown, title=title))
    return drawn


def _spread(found: Mapping[str, Mapping[str, float | None]]) -> Callable[[str], float]:
    def spread(column: str) -> float:
        known = [value for value in found[column].values() if value is not None]
        return max(known) - min(known)

    return spread


def _rows(answer: Answer | None) -> list[dict[str, str | None]]:
    return [] if answer is None or answer.problem else answer.dicts()


def _values(rows: Sequence[Mapping[str, str | None]], name: str) -> list[float | None]:
    return [_float(row.get(name)) for row in rows]


def _float(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _charts(title: str, drawn: Sequence[Html]) -> Html | None:
    some = [one for one in drawn if one]
    return section(title, el("div", some, class_="charts")) if some else None
