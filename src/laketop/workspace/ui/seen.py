"""What of the catalogs the person who looks may know of: pages hide what the API hides."""

from __future__ import annotations

from laketop.workspace import lake
from laketop.workspace.lake import Lake
from laketop.workspace.securables import Securables
from laketop.workspace.ui.view import View

_TYPES = {"volumes": "VOLUME", "functions": "FUNCTION"}


class SeenLake:
    """The catalogs on disk, as the person who looks is allowed to see them.

    Errors: as `Lake`; PermissionDenied for a name that the person may not know of.
    """

    def __init__(self, view: View) -> None:
        self.all = Lake(view.workspace.metastore / "catalog")
        self._rights = Securables(view.workspace)

    def require(self, type_: str, *names: str) -> None:
        """Let only people pass who may know of a CATALOG, SCHEMA, TABLE, VOLUME or FUNCTION."""
        self._rights.require_sees(type_, ".".join(lake.checked(name) for name in names))

    def require_read(self, *names: str) -> None:
        """Let only people pass who may read the files of a volume."""
        self._rights.require("READ VOLUME", "VOLUME", ".".join(lake.checked(n) for n in names))

    def catalogs(self) -> list[str]:
        """Return the names of the catalogs, sorted."""
        return self._seen("CATALOG", self.all.catalogs())

    def schemas(self, catalog: str) -> list[str]:
        """Return the names of a catalog's schemas, sorted."""
        return self._seen("SCHEMA", self.all.schemas(catalog), catalog)

    def tables(self, catalog: str, schema: str) -> list[str]:
        """Return the names of a schema's tables and views, sorted."""
        return self._seen("TABLE", self.all.tables(catalog, schema), catalog, schema)

    def listed(self, kind: str, catalog: str, schema: str) -> list[str]:
        """Return the names of a schema's `volumes` or `functions`, sorted."""
        return self._seen(_TYPES[kind], self.all.listed(kind, catalog, schema), catalog, schema)

    def _seen(self, type_: str, names: list[str], *above: str) -> list[str]:
        at = [one.lower() for one in above]
        return [name for name in names if self._rights.sees(type_, ".".join((*at, name)))]
