"""Credentials of Unity Catalog: kept, without what is secret in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue
from databricks.sdk.service.catalog import CredentialInfo, CredentialPurpose

from laketop.workspace.kept import Record
from laketop.workspace.metastore_objects import MetastoreObjects
from laketop.workspace.service import Fields, route
from laketop.workspace.shapes import shaped

_CLOUDS = (
    *("aws_iam_role", "azure_managed_identity", "azure_service_principal"),
    "databricks_gcp_service_account",
)


class Credentials(MetastoreObjects):
    """Credentials for storage and for services; those for storage are `storage_credentials` too.

    Source: databricks-sdk, `catalog.CredentialsAPI`.
    """

    kind = "Credential"
    code = "CREDENTIAL"
    shape = CredentialInfo
    privilege = "CREATE STORAGE CREDENTIAL"
    field = "credentials"

    @route("POST /api/2.1/unity-catalog/credentials")
    def create_credential(self, fields: Fields) -> Record:
        """Keep a credential of one cloud."""
        return self.make(fields, str(fields.get("purpose") or "STORAGE"))

    @route("GET /api/2.1/unity-catalog/credentials/{name}")
    def get_credential(self, name: str) -> Record:
        """Return a credential."""
        return self._get(name)

    @route("GET /api/2.1/unity-catalog/credentials")
    def list_credentials(
        self,
        max_results: int = 0,
        page_token: str | None = None,
        purpose: CredentialPurpose | None = None,
    ) -> dict[str, Any]:
        """Return the credentials that the caller may see, by name, by pages."""
        return self._page(max_results, page_token, purpose=purpose and purpose.value)

    @route("PATCH /api/2.1/unity-catalog/credentials/{name}")
    def update_credential(self, name: str, fields: Fields) -> Record:
        """Change what was sent of a credential."""
        return self.change(name, fields)

    @route("DELETE /api/2.1/unity-catalog/credentials/{name}")
    def delete_credential(self, name: str, force: bool = False) -> None:
        """Forget a credential. Errors: BadRequest if a location names it, unless by `force`."""
        self.drop(name, force=force)

    def existing(self, name: str) -> Record:
        """Return a credential whoever asks. Errors: NotFound."""
        return self._kept.existing(name.lower())

    def for_storage(self, name: str) -> Record:
        """Return a credential for storage that the caller may see. Errors: NotFound."""
        found = self._get(name)
        if found["purpose"] != "STORAGE":
            raise BadRequest(f"Credential '{name[:200]}' is not one for storage.")
        return found

    def stored(self, max_results: int, page_token: str | None) -> Any:
        """Return a page of the credentials for storage that the caller may see."""
        return self._page(max_results, page_token, purpose="STORAGE")

    def make(self, sent: Mapping[str, Any], purpose: str) -> Record:
        """Keep a credential for a purpose. Errors: InvalidParameterValue unless of one cloud."""
        shaped(CredentialPurpose, purpose, "purpose")
        if sum(bool(sent.get(cloud)) for cloud in _CLOUDS) != 1:
            raise InvalidParameterValue(f"A credential has one of {', '.join(_CLOUDS)}.")
        return self._make(sent, purpose=purpose, isolation_mode="ISOLATION_MODE_OPEN")

    def change(self, name: str, sent: Mapping[str, Any]) -> Record:
        """Change what was sent of a credential; a new name is that in the locations too."""
        purpose = self._managed(name)["purpose"]
        clouds = [cloud for cloud in _CLOUDS if sent.get(cloud)]
        if len(clouds) > 1:
            raise InvalidParameterValue(f"A credential has one of {', '.join(_CLOUDS)}.")
        gone = {cloud: None for cloud in _CLOUDS if clouds and cloud not in clouds}
        changed = self._change(name, sent, purpose=purpose, **gone)
        self.workspace.external_locations.rename_credential(name.lower(), changed["name"])
        return changed

    def drop(self, name: str, *, force: bool) -> None:
        """Forget a credential. Errors: BadRequest if a location names it, unless by `force`."""
        self._managed(name)
        used = self.workspace.external_locations.names_with(name.lower())
        if used and not force:
            raise BadRequest(
                f"Credential '{name[:200]}' is named by the external location '{used[0]}'."
            )
        self._drop(name)

    def _own_fields(self, sent: Mapping[str, Any]) -> Record:
        own = super()._own_fields(sent)
        if "azure_service_principal" in own:
            public = own["azure_service_principal"]
            own["azure_service_principal"] = {
                name: value for name, value in public.items() if name != "client_secret"
            }
        return own
