"""The versions of registered models, in Unity Catalog's own REST API."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.service.catalog import ModelVersionInfo, ModelVersionInfoStatus

from laketop.workspace import lake
from laketop.workspace.service import Service, route

_PATH = "/api/2.1/unity-catalog/models/{full_name}"
_LARGEST_PAGE = 1000

Got = TypeVar("Got")


class ModelVersions(Service):
    """Model versions, over the registry that MLflow's clients use. Source: Unity Catalog API.

    Versions are made by MLflow's clients: Unity Catalog has no call for it here.
    """

    @route(f"GET {_PATH}/versions")
    async def list(
        self, full_name: str, max_results: int = 0, page_token: str | None = None
    ) -> dict[str, Any]:
        """Return the versions of a model, the newest change first."""
        lake.parts(full_name, 3, "model")
        if max_results < 0 or (page_token and not re.fullmatch(r"[\w=+/-]{1,200}", page_token)):
            raise InvalidParameterValue("max_results or page_token cannot be used.")

        def search() -> Any:
            self._registry.model(full_name)
            return self._registry.search_versions(
                filter_string=f"name='{full_name}'",
                max_results=min(max_results or _LARGEST_PAGE, _LARGEST_PAGE),
                page_token=page_token,
            )

        page, token = await self._of_registry(search)
        # MLflow's store makes tokens of bytes.
        more = {"next_page_token": token.decode() if isinstance(token, bytes) else token}
        return {"model_versions": [_info(one).as_dict() for one in page], **(more if token else {})}

    @route(f"GET {_PATH}/versions/{{version}}")
    async def get(self, full_name: str, version: int) -> ModelVersionInfo:
        """Return a version."""
        lake.parts(full_name, 3, "model")
        return await self._of_registry(lambda: _info(self._registry.version(full_name, version)))

    @route(f"GET {_PATH}/aliases/{{alias}}")
    async def get_by_alias(self, full_name: str, alias: str) -> ModelVersionInfo:
        """Return the version that an alias points at."""
        lake.parts(full_name, 3, "model")
        return await self._of_registry(lambda: _info(self._registry.by_alias(full_name, alias)))

    @route(f"PATCH {_PATH}/versions/{{version}}")
    async def update(
        self, full_name: str, version: int, comment: str | None = None
    ) -> ModelVersionInfo:
        """Change the comment of a version."""
        lake.parts(full_name, 3, "model")
        return await self._of_registry(
            lambda: _info(self._registry.update_version(full_name, version, description=comment))
        )

    @route(f"DELETE {_PATH}/versions/{{version}}")
    async def delete(self, full_name: str, version: int) -> None:
        """Delete a version, its aliases and its files."""
        lake.parts(full_name, 3, "model")
        await self._of_registry(lambda: self._registry.delete_version(full_name, version))

    @property
    def _registry(self) -> Any:
        return self.workspace.model_registry.registry

    async def _of_registry(self, act: Callable[[], Got]) -> Got:
        found: Got = await self.workspace.registered_models.of_registry(act)
        return found


_STATUSES = {
    "PENDING_REGISTRATION": ModelVersionInfoStatus.PENDING_REGISTRATION,
    "READY": ModelVersionInfoStatus.READY,
    "FAILED_REGISTRATION": ModelVersionInfoStatus.FAILED_REGISTRATION,
}


def _info(version: Any) -> ModelVersionInfo:
    catalog, schema, name = version.name.split(".")
    return ModelVersionInfo(
        catalog_name=catalog,
        schema_name=schema,
        model_name=name,
        version=version.version,
        comment=version.description or None,
        source=version.source,
        run_id=version.run_id,
        status=_STATUSES.get(version.status),
        created_at=version.created_ms,
        created_by=version.owner or None,
        updated_at=version.updated_ms,
        updated_by=version.owner or None,
        storage_location=f"dbfs:/Models/{catalog}/{schema}/{name}/{version.version}",
    )
