"""Which keys a bundle may have, and of which type: a table, read from two texts.

A line is `Name: field=type field!=type`, where `!` means required and a type is `str`, `int`,
`float`, `bool`, `any`, `[type]`, `{type}` (a map from text) or the name of another line; or it is
`Name: VALUE|VALUE`, the values of an enumeration. `fields.txt` holds what the REST API takes, as
databricks-sdk's dataclasses say it (a test compares); the blocks below are the bundle's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from laketop.bundle.resources import SERVED, STATE_ONLY, WITH_GRANTS, WITH_PERMISSIONS

BLOCKS = """
root: bundle=bundle include=[str] variables={variable} workspace=workspace artifacts={artifact}
  sync=sync permissions=[bundle_permission] run_as=run_as resources=resources targets={target}
  environments={target} presets=presets python=python scripts={script} experimental=experimental
target: default=bool mode=mode git=git cluster_id=str compute_id=str bundle=bundle
  variables={any} workspace=workspace artifacts={artifact} sync=sync run_as=run_as
  permissions=[bundle_permission] resources=resources presets=presets
mode: development|production
bundle: name=str uuid=str databricks_cli_version=str cluster_id=str compute_id=str engine=engine
  git=git deployment=deployment
engine: direct|terraform
git: branch=str origin_url=str
deployment: fail_on_active_runs=bool lock=lock
lock: enabled=bool force=bool
variable: default=any description=str lookup=lookup type=variable_type
variable_type: complex
lookup: alert=str cluster=str cluster_policy=str dashboard=str instance_pool=str job=str
  metastore=str notification_destination=str pipeline=str query=str service_principal=str
  warehouse=str
workspace: root_path=str file_path=str artifact_path=str state_path=str resource_path=str host=str
  profile=str auth_type=str account_id=str workspace_id=str client_id=str azure_client_id=str
  azure_environment=str azure_login_app_id=str azure_tenant_id=str azure_use_msi=bool
  azure_workspace_resource_id=str google_service_account=str metadata_service_url=str
artifact: type=artifact_type path=str build=str executable=executable files=[artifact_file]
  dynamic_version=bool
artifact_type: whl|jar
executable: bash|sh|cmd
artifact_file: source!=str
sync: paths=[str] include=[str] exclude=[str]
bundle_permission: level!=bundle_level user_name=str service_principal_name=str group_name=str
bundle_level: CAN_MANAGE|CAN_VIEW|CAN_RUN
run_as: user_name=str service_principal_name=str
presets: name_prefix=str tags={str} trigger_pause_status=PauseStatus
  jobs_max_concurrent_runs=int pipelines_development=bool source_linked_deployment=bool
  artifacts_dynamic_version=bool
python: resources=[str] mutators=[str] venv_path=str
script: content!=str env={str}
experimental: python_wheel_wrapper=bool skip_name_prefix_for_schema=bool scripts={str}
  use_legacy_run_as=bool pydabs=any python=any skip_artifact_cleanup=bool
  record_deployment_history=bool immutable_folder=bool
lifecycle: prevent_destroy=bool started=bool
permission: level!=str user_name=str service_principal_name=str group_name=str
grant: principal=str privileges=[str]
secret_scope: name!=str backend_type=ScopeBackendType
  keyvault_metadata=AzureKeyVaultSecretScopeMetadata
"""

REQUIRED = {"registered_models": ("catalog_name", "name", "schema_name")}
"""Fields that a bundle needs although the dataclass leaves them open."""

FREE = {"volumes": ("volume_type",), "EndpointCoreConfigInput": ("name",)}
"""Fields that a bundle fills in although the dataclass asks for them."""

_IN_THE_BUNDLE = {"secret_scopes": "secret_scope"}

_OPEN = frozenset({"alerts", "clusters", "genie_spaces", "instance_pools", "job_runs", "secrets"})
"""Types that leave the workspace to say which of their fields are missing."""

_OWN: dict[str, dict[str, str]] = {
    "alerts": {"file_path": "str"},
    "apps": {"config": "any"},
    "dashboards": {
        "file_path": "str",
        "embed_credentials": "bool",
        "dataset_catalog": "str",
        "dataset_schema": "str",
        "serialized_dashboard": "any",
    },
    "genie_spaces": {"file_path": "str", "serialized_space": "any"},
    "postgres_branches": {"parent": "str", "branch_id": "str"},
    "postgres_endpoints": {"parent": "str", "endpoint_id": "str"},
    "postgres_projects": {"project_id": "str"},
}
"""Fields that a bundle has beside those of the create call."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a block: its type as the table writes it, and whether it must be there."""

    type: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The fields of every block, and the values of every enumeration."""

    blocks: Mapping[str, Mapping[str, Field]]
    values: Mapping[str, tuple[str, ...]]


@cache
def table() -> Table:
    """Return the whole table: the bundle's own blocks, the REST API's, and the resources."""
    text = resources.files(__package__).joinpath("fields.txt").read_text(encoding="utf-8")
    blocks, values = _parsed(text + BLOCKS)
    blocks["resources"] = {
        type_: Field(f"{{resource.{type_}}}") for type_ in sorted((*SERVED, *STATE_ONLY))
    }
    for type_ in (*SERVED, *STATE_ONLY):
        fields = blocks[_IN_THE_BUNDLE.get(type_, type_)]
        if type_ in _OPEN:
            fields = {name: Field(field.type) for name, field in fields.items()}
        blocks[f"resource.{type_}"] = {**fields, **_extra(type_)}
    _adjust(blocks)
    return Table(blocks, values)


def _parsed(text: str) -> tuple[dict[str, Mapping[str, Field]], dict[str, tuple[str, ...]]]:
    blocks: dict[str, Mapping[str, Field]] = {}
    values: dict[str, tuple[str, ...]] = {}
    for line in text.replace("\n  ", " ").splitlines():
        name, _, rest = line.partition(":")
        if "=" not in rest and rest.strip():
            values[name] = tuple(rest.strip().split("|"))
        elif name:
            blocks[name] = dict(map(_field, rest.split()))
    return blocks, values


def _field(text: str) -> tuple[str, Field]:
    name, _, type_ = text.partition("=")
    return name.removesuffix("!"), Field(type_, name.endswith("!"))


def _extra(type_: str) -> dict[str, Field]:
    fields = {"lifecycle": Field("lifecycle")}
    fields.update({name: Field(own) for name, own in _OWN.get(type_, {}).items()})
    if type_ in WITH_PERMISSIONS:
        fields["permissions"] = Field("[permission]")
    if type_ in WITH_GRANTS:
        fields["grants"] = Field("[grant]")
    return fields


def _adjust(blocks: dict[str, Mapping[str, Field]]) -> None:
    for asked, required in ((REQUIRED, True), (FREE, False)):
        for block, names in asked.items():
            name = block if block[0].isupper() else f"resource.{block}"
            changed = {one: Field(blocks[name][one].type, required) for one in names}
            blocks[name] = {**blocks[name], **changed}
    blocks["Task"] = {**blocks["Task"], "run_if": Field("str")}  # `wiring` has its values
