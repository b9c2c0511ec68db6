"""Every key that a bundle may set stands in at least one case of fixtures/bundles.

The table of fields is walked from its root; what only a workspace writes, and nothing sets, is
named in `ANSWERED` with the reason. A key that comes with another databricks-sdk is missing here
until a case has it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from laketop.bundle.fields import table
from laketop.bundle.nodes import Node
from laketop.bundle.reading import read_file
from laketop.errors import ConfigError

CASES = Path(__file__).parents[3] / "fixtures" / "bundles"

ANSWERED: dict[str, str] = {
    # These types are written as the dataclass of the answer, so that it brings along who made an
    # object and when, under which id and address it is, and how it stands.
    "resource.alerts": "create_time id lifecycle_state owner_user_name update_time",
    "AlertV2Evaluation": "last_evaluated_at state",
    "resource.apps": """active_deployment app_status compute_status create_time creator
        default_git_source default_source_code_path id oauth2_app_client_id
        oauth2_app_integration_id pending_deployment service_principal_client_id
        service_principal_id service_principal_name thumbnail_url update_time updater url""",
    "resource.dashboards": "create_time dashboard_id lifecycle_state path update_time",
    "resource.database_catalogs": "uid",
    "resource.database_instances": """child_instance_refs creation_time creator pg_version
        read_only_dns read_write_dns state uid""",
    "DatabaseInstanceRef": "uid",
    "resource.genie_spaces": "create_time space_id update_time",
    "resource.synced_database_tables": """data_synchronization_status
        unity_catalog_provisioning_state""",
    # Here it is the create call itself that takes them: of answers by their docstrings.
    "resource.quality_monitors": "latest_monitor_failure_msg",
    "resource.registered_models": """created_at created_by full_name metastore_id updated_at
        updated_by""",
    # "Read only field that indicates whether a schedule is paused or not."
    "MonitorCronSchedule": "pause_status",
    # "This field is output only and will be ignored if provided."
    "IngestionPipelineDefinition": "source_type",
    # What a deployment of an app, and a run of a job, found in Git.
    "AppsGitSource": "git_repository resolved_commit",
    "GitSource": "git_snapshot",
}
"""Keys that answers have and bundles do not set, by block. Source: databricks-sdk's docstrings."""


def is_answered(block: str, key: str) -> bool:
    """Tell whether a key is of answers alone; what is `effective_` is so by its name."""
    return key.startswith("effective_") or key in ANSWERED.get(block, "").split()


def settable() -> dict[str, set[str]]:
    """Return the keys of each block that is reached from the root by keys that can be set."""
    blocks, found = table().blocks, dict[str, set[str]]()
    ahead = ["root"]
    while ahead:
        block = ahead.pop()
        if block in found or block not in blocks:
            continue
        found[block] = {key for key in blocks[block] if not is_answered(block, key)}
        ahead += [blocks[block][key].type.strip("[]{}") for key in found[block]]
    return found


def keys_of(node: Node, type_: str) -> Iterator[tuple[str, str]]:
    """Yield the block and the name of every known key of a tree."""
    if type_.startswith("["):
        for item in node.elements:
            yield from keys_of(item, type_[1:-1])
    elif type_.startswith("{"):
        for item in node.entries.values():
            yield from keys_of(item, type_[1:-1])
    for key, item in node.entries.items():
        field = table().blocks.get(type_, {}).get(key)
        if field is not None:
            yield type_, key
            yield from keys_of(item, field.type)


def trees() -> Iterator[Node]:
    for path in sorted(CASES.rglob("*")):
        if path.suffix in {".yml", ".yaml"} or path.name == "databricks.json":
            try:
                yield read_file(path, path.name)
            except ConfigError:  # a case of what is no YAML
                continue


def test_every_key_that_can_be_set_stands_in_a_case() -> None:
    covered: dict[str, set[str]] = defaultdict(set)
    for tree in trees():
        for block, key in keys_of(tree, "root"):
            covered[block].add(key)
    missing = {block: keys - covered[block] for block, keys in settable().items()}
    assert {block: sorted(keys) for block, keys in missing.items() if keys} == {}


def test_what_is_said_to_be_of_answers_is_in_the_table_and_needed_by_no_block() -> None:
    blocks = table().blocks
    for name, keys in ANSWERED.items():
        for key in keys.split():
            assert not blocks[name][key].required, (name, key)
