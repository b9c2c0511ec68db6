"""From where a table comes and where it goes, drawn, and the same of its columns."""

from __future__ import annotations

from laketop.workspace.ui.elements import link, table
from laketop.workspace.ui.graph import Node, graph
from laketop.workspace.ui.html import Child, Html, el, join
from laketop.workspace.ui.view import View, path

_NONE = "No statement has read or written it together with another table, so far as is known."


def lineage(view: View, name: str) -> Html:
    """Return the lineage of a table, as far as who looks may know of what is around it."""
    tracking = view.workspace.lineage_tracking
    tracking.intake.take()
    with view.reading():
        edges = [*tracking.around(name)]
        columns = [*tracking.columns_around(name)]
    if not edges:
        return el("p", _NONE, class_="empty")
    kinds = {edge.place: edge.kind for edge in edges}
    parents: dict[str, list[str]] = {name: []}
    for edge in edges:
        parents.setdefault(edge.source, [])
        parents.setdefault(edge.target, []).append(edge.source)
    nodes = [
        _node(place, kinds.get(place, "TABLE"), above, is_here=place == name)
        for place, above in parents.items()
    ]
    rows = [(column, word, _shown(place), el("code", its)) for column, word, place, its in columns]
    heads = ("Column", "", "Table or path", "Its column")
    return join(graph(nodes, what="tables and paths"), table(heads, rows, empty=""))


def _node(place: str, kind: str, above: list[str], *, is_here: bool) -> Node:
    where, _, last = place.rpartition("/" if kind == "PATH" else ".")
    return Node(
        key=place,
        name=last or place,
        parents=above,
        tone="ok" if is_here else "idle",
        note=where if kind == "TABLE" else f"{kind.lower()} in {where}",
        href=_page(place, kind),
    )


def _page(place: str, kind: str) -> str | None:
    return None if kind == "PATH" else path("explore", "data", *place.split(".", 2))


def _shown(place: str) -> Child:
    address = _page(place, "PATH" if "/" in place else "TABLE")
    return link(place, address) if address else el("code", place)
