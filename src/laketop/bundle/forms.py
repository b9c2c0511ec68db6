"""The defaults of resources, and their bodies in the form that the create calls take."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from laketop.bundle.nodes import Node, Path, node_of
from laketop.bundle.patterns import EACH, found
from laketop.bundle.problems import Problems
from laketop.bundle.references import REFERENCE

_OF_THE_BUNDLE = ("lifecycle", "permissions", "grants")
_MODEL_FIELDS = {"model_name": "entity_name", "model_version": "entity_version"}
_SCOPE_FIELDS = {
    "name": "scope",
    "backend_type": "scope_backend_type",
    "keyvault_metadata": "backend_azure_keyvault",
}
_MISSING = Node({})

COMPUTED: dict[str, dict[str, tuple[str, ...]]] = {
    "schemas": {"id": ("catalog_name", "name"), "full_name": ("catalog_name", "name")},
    "volumes": {
        "id": ("catalog_name", "schema_name", "name"),
        "full_name": ("catalog_name", "schema_name", "name"),
    },
    "registered_models": {
        "id": ("catalog_name", "schema_name", "name"),
        "full_name": ("catalog_name", "schema_name", "name"),
    },
    "catalogs": {"id": ("name",)},
    "secret_scopes": {"id": ("name",)},
    "model_serving_endpoints": {"id": ("name",)},
    "quality_monitors": {"id": ("table_name",)},
    "database_instances": {"id": ("name",)},
    "database_catalogs": {"id": ("name",)},
    "synced_database_tables": {"id": ("name",)},
}
"""Fields that the workspace computes of others, which makes them known before a deployment."""

LATER = frozenset(
    {
        *("id", "url", "endpoint_url", "creator", "experiment_id", "job_id"),
        *("serving_endpoint_id", "cluster_id", "instance_pool_id", "model_id"),
    }
)
"""Fields that are known only once a resource is deployed."""


def each(resources: Node) -> Iterator[tuple[str, str, Node]]:
    """Yield the type, the key and the node of every resource."""
    for type_, of_type in resources.entries.items():
        for key, resource in of_type.entries.items():
            yield type_, key, resource


_DEFAULTS: dict[str, dict[str, object]] = {
    "volumes": {"volume_type": "MANAGED"},
    "pipelines": {"edition": "ADVANCED", "channel": "CURRENT"},
    "clusters": {"autotermination_minutes": 60},
}
_IN_THE_FOLDER = frozenset({"alerts", "dashboards"})
"""Types that lie in the bundle's folder for resources if they do not say where."""


def with_defaults(resources: Node, resource_path: str) -> Node:
    """Return the resources with the defaults that the presets may still change."""
    for type_, key, resource in each(resources):
        made = _named(resource) if type_ == "jobs" else resource
        defaults = dict(_DEFAULTS.get(type_, {}))
        if type_ in _IN_THE_FOLDER:
            defaults["parent_path"] = resource_path
        for name, value in defaults.items():
            if made.get(name) is None:
                made = made.put((name,), _at(resource, value))
        if type_ == "pipelines":
            made = _labelled(made)
        resources = resources.put((type_, key), made)
    return resources


def _labelled(pipeline: Node) -> Node:
    for path, cluster in found(pipeline, ("clusters", EACH)):
        if cluster.kind == "map" and not cluster.text_at("label"):
            pipeline = pipeline.put((*path, "label"), _at(cluster, "default"))
    return pipeline


def _at(resource: Node, value: object) -> Node:
    return node_of(value, resource.place)


def _named(job: Node) -> Node:
    return job if job.text_at("name") else job.put(("name",), _at(job, "Untitled"))


def with_job_settings(resources: Node, state_path: str, run_as: Node | None) -> Node:
    """Return the resources, every job with what a deployment adds to it, its tasks sorted."""
    for key, job in (resources.get("jobs") or _MISSING).entries.items():
        resources = resources.put(("jobs", key), _job(job, state_path, run_as))
    for key, pipeline in (resources.get("pipelines") or _MISSING).entries.items():
        resources = resources.put(("pipelines", key), _deployed(pipeline, state_path, run_as))
    return resources


def _deployed(resource: Node, state_path: str, run_as: Node | None) -> Node:
    deployment = {"kind": "BUNDLE", "metadata_file_path": f"{state_path}/metadata.json"}
    if resource.get("deployment") is None:
        resource = resource.put(("deployment",), _at(resource, deployment))
    if run_as is not None and resource.get("run_as") is None:
        resource = resource.put(("run_as",), run_as)
    return resource


def _job(job: Node, state_path: str, run_as: Node | None) -> Node:
    added = {
        "max_concurrent_runs": 1,
        "queue": {"enabled": True},
        "format": "MULTI_TASK",
        "edit_mode": "UI_LOCKED",
    }
    for key, value in added.items():
        if job.get(key) is None:
            job = job.put((key,), _at(job, value))
    trigger = job.get("trigger")
    if trigger is not None and trigger.get("pause_status") is None:
        job = job.put(("trigger", "pause_status"), _at(trigger, "UNPAUSED"))
    job = _deployed(job, state_path, run_as)
    tasks = job.get("tasks")
    if tasks is None:
        return job
    ordered = sorted(tasks.elements, key=lambda task: task.text_at("task_key"))
    return job.put(("tasks",), Node(tuple(ordered), tasks.place))


def with_served_entities(resources: Node, problems: Problems) -> Node:
    """Return the resources with `served_models`, which is the old word, as `served_entities`."""
    for key, endpoint in (resources.get("model_serving_endpoints") or _MISSING).entries.items():
        old = endpoint.get("config", "served_models")
        if old is None:
            continue
        path: Path = ("model_serving_endpoints", key, "config")
        message = "served_models is the old word for served_entities"
        problems.warning(message, ("resources", *path, "served_models"), old)
        config = (endpoint.get("config") or _MISSING).without("served_models")
        made = tuple(_renamed(model, _MODEL_FIELDS) for model in old.elements)
        own = (config.get("served_entities") or Node(())).elements
        config = config.put(("served_entities",), Node((*own, *made), old.place))
        resources = resources.put(path, config)
    return resources


def _renamed(node: Node, names: dict[str, str]) -> Node:
    made = {names.get(key, key): child for key, child in node.entries.items()}
    return Node(made, node.place)


def _scope(resource: Node) -> Node:
    made = _renamed(resource, _SCOPE_FIELDS)
    if made.get("scope_backend_type") is None:
        made = made.put(("scope_backend_type",), _at(resource, "DATABRICKS"))
    return made


_FORMS: dict[str, Callable[[Node], Node]] = {"secret_scopes": _scope}


def create_form(type_: str, resource: Node) -> Node:
    """Return what the create call of a type takes, less what other calls take."""
    bare = resource.without(*_OF_THE_BUNDLE)
    return _FORMS[type_](bare) if type_ in _FORMS else bare


def with_computed(resources: Node) -> Node:
    """Return the resources with the fields that a workspace will compute of others."""
    for type_, key, resource in each(resources):
        fields = COMPUTED.get(type_, {})
        if type_ not in COMPUTED or resource.kind != "map":
            continue
        place = resource.place
        for name, parts in fields.items():
            text = ".".join(f"${{resources.{type_}.{key}.{part}}}" for part in parts)
            resources = resources.put((type_, key, name), Node(text, place))
        if type_ == "volumes":
            whole = "/".join(f"${{resources.volumes.{key}.{part}}}" for part in fields["id"])
            resources = resources.put((type_, key, "volume_path"), Node(f"/Volumes/{whole}", place))
    return resources


def captured(resources: Node) -> Node:
    """Return the resources with the names of the bundle's own catalogs and schemas as references.

    So a volume in a schema of the bundle follows it when a preset gives the schema a prefix.
    """
    catalogs = {
        catalog.text_at("name"): f"${{resources.catalogs.{key}.name}}"
        for key, catalog in _referable(resources, "catalogs")
    }
    schemas = {
        (
            schema.text_at("catalog_name"),
            schema.text_at("name"),
        ): f"${{resources.schemas.{key}.name}}"
        for key, schema in _referable(resources, "schemas")
    }
    for type_, key, resource in each(resources):
        for path in _HOLDERS.get(type_, ()):
            holder = resource.get(*path)
            if holder is not None and holder.kind == "map":
                made = _captured(holder, catalogs, schemas)
                resources = resources.put((type_, key, *path), made)
    return resources


def _referable(resources: Node, type_: str) -> Iterator[tuple[str, Node]]:
    for key, resource in (resources.get(type_) or _MISSING).entries.items():
        if REFERENCE.fullmatch(f"${{resources.{type_}.{key}.name}}"):
            yield key, resource


_HOLDERS: dict[str, tuple[Path, ...]] = {
    "schemas": ((),),
    "volumes": ((),),
    "registered_models": ((),),
    "model_serving_endpoints": (
        ("config", "auto_capture_config"),
        ("ai_gateway", "inference_table_config"),
    ),
}


def _captured(holder: Node, catalogs: dict[str, str], schemas: dict[tuple[str, str], str]) -> Node:
    catalog, schema = holder.get("catalog_name"), holder.get("schema_name")
    if schema is not None and catalog is not None and (catalog.text, schema.text) in schemas:
        text = schemas[catalog.text, schema.text]
        holder = holder.put(("schema_name",), Node(text, schema.place))
    if catalog is not None and catalog.text in catalogs:
        holder = holder.put(("catalog_name",), Node(catalogs[catalog.text], catalog.place))
    return holder
