"""Whether a job's tasks fit together: keys, dependencies, clusters, environments, types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from laketop.bundle.fields import table
from laketop.bundle.nodes import Node, Path
from laketop.bundle.ordering import cycles_of
from laketop.bundle.patterns import EACH, found, tasks_of
from laketop.bundle.problems import Problems, near

_NEEDS_COMPUTE = ("spark_python_task", "python_wheel_task", "spark_jar_task", "spark_submit_task")
_COMPUTE = ("new_cluster", "existing_cluster_id", "job_cluster_key", "environment_key", "compute")


def task_types() -> tuple[str, ...]:
    """Return the keys of which each task has one: `notebook_task`, `condition_task` and so on."""
    return tuple(key for key in table().blocks["Task"] if key.endswith("_task"))


def check_jobs(resources: Node, problems: Problems) -> None:
    """Report every job whose tasks do not fit together."""
    for key, job in (resources.get("jobs") or Node({})).entries.items():
        path: Path = ("resources", "jobs", key)
        _check_dependencies(job, path, problems)
        for keys_in, name, here in (
            ("job_clusters", "job_cluster_key", "job cluster"),
            ("environments", "environment_key", "environment"),
            ("environment_variables", "environment_variables_key", "environment variables"),
        ):
            declared = _keys(job.get(keys_in), name)
            for at, task in tasks_of(job, path):
                _check_key(task, (*at, name), declared, here, problems)
        for at, task in tasks_of(job, path):
            _check_task(task, at, problems)
        _check_triggers(job, path, problems)
        for at, cluster in _clusters(job, path):
            _check_single_node(cluster, at, problems)


def _keys(sequence: Node | None, name: str) -> list[str]:
    return [] if sequence is None else [item.text_at(name) for item in sequence.elements]


def _check_key(task: Node, path: Path, declared: list[str], what: str, problems: Problems) -> None:
    node = task.get(str(path[-1]))
    if node is not None and node.text not in declared and "${" not in node.text:
        message = f"the job has no {what} {node.text!r}"
        listed = f"it has: {', '.join(declared)}" if declared else None
        problems.error(message, path, node, near(node.text, declared) or listed)


def _check_dependencies(job: Node, path: Path, problems: Problems) -> None:
    tasks = {task.text_at("task_key"): task for task in (job.get("tasks") or Node(())).elements}
    needs: dict[str, list[str]] = {key: [] for key in tasks}
    for index, (key, task) in enumerate(tasks.items()):
        for number, entry in enumerate((task.get("depends_on") or Node(())).elements):
            at: Path = (*path, "tasks", index, "depends_on", number)
            name = entry.get("task_key") or entry
            if name.text not in tasks:
                message = f"task {key!r} depends on {name.text!r}, which the job does not have"
                problems.error(message, at, name, near(name.text, tasks))
                continue
            needs[key].append(name.text)
            _check_outcome(entry, tasks[name.text], at, problems)
    for chain in cycles_of(needs):
        node = tasks[chain[0]].get("depends_on") or job
        message = f"the tasks form a cycle: {' -> '.join(chain)}"
        problems.error(message, (*path, "tasks"), node, code="dependency-cycle")


def _check_outcome(entry: Node, parent: Node, path: Path, problems: Problems) -> None:
    outcome = entry.get("outcome")
    if outcome is None:
        return
    if outcome.text not in {"true", "false"}:
        message = f"outcome is {outcome.text!r}, it can be 'true' or 'false'"
        problems.error(message, (*path, "outcome"), outcome)
    elif parent.get("condition_task") is None:
        message = f"task {parent.text_at('task_key')!r} is no condition, it has no outcome"
        problems.error(message, (*path, "outcome"), outcome)


def _check_task(task: Node, path: Path, problems: Problems) -> None:
    key = task.text_at("task_key")
    types = [name for name in task_types() if task.get(name) is not None]
    if not types:
        hint = "give it one of: notebook_task, spark_python_task, python_wheel_task, …"
        problems.error(f"task {key!r} does not say what it runs", path, task, hint)
    if len(types) > 1:
        problems.error(f"task {key!r} has both {types[0]} and {types[1]}", path, task)
    if any(name in _NEEDS_COMPUTE for name in types) and not any(
        task.get(name) is not None for name in _COMPUTE
    ):
        hint = "give it one of: environment_key, job_cluster_key, new_cluster, existing_cluster_id"
        message = f"task {key!r} requires a cluster or an environment to run"
        problems.error(message, path, task, hint)
    run_if = task.get("run_if")
    words = table().values["RunIf"]
    if run_if is not None and run_if.text not in words and "${" not in run_if.text:
        hint = near(run_if.text, words) or f"it can be {', '.join(words)}"
        problems.error(f"run_if is {run_if.text!r}", (*path, "run_if"), run_if, hint)


def _check_triggers(job: Node, path: Path, problems: Problems) -> None:
    both = [key for key in ("schedule", "continuous", "trigger") if job.get(key) is not None]
    if {"schedule", "continuous"} <= set(both):
        message = "a job has a schedule or is continuous, not both"
        problems.error(message, (*path, "continuous"), job.get("continuous"))
    if "triggers" in job.entries and both:
        problems.error(f"triggers and {both[0]} exclude each other", (*path, "triggers"), job)


def _clusters(job: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    yield from found(job, ("job_clusters", EACH, "new_cluster"), path)
    for at, task in tasks_of(job, path):
        yield from found(task, ("new_cluster",), at)


def _check_single_node(cluster: Node, path: Path, problems: Problems) -> None:
    workers = cluster.get("num_workers")
    single = cluster.get("is_single_node")
    if workers is None or workers.value != 0 or cluster.get("policy_id") is not None:
        return
    if single is not None and single.value is True:
        return
    told = (
        cluster.text_at("spark_conf", "spark.databricks.cluster.profile") == "singleNode"
        and cluster.text_at("spark_conf", "spark.master").startswith("local[*")
        and cluster.text_at("custom_tags", "ResourceClass") == "SingleNode"
    )
    if not told:
        message = "num_workers is 0, and spark_conf and custom_tags do not ask for a single node"
        problems.warning(message, (*path, "num_workers"), workers, "set is_single_node: true")


def note_doubles(resources: Node, problems: Problems) -> None:
    """Warn of tasks of one key in one list: they are merged, as the official loader does."""
    for path, node, first in _doubles((resources.get("jobs") or Node({})).entries):
        message = f"task {node.text!r} is declared twice and is merged into one"
        problems.warning(message, path, node, f"the first is at {first.place}")


def _doubles(jobs: Mapping[str, Node]) -> Iterator[tuple[Path, Node, Node]]:
    for key, job in jobs.items():
        seen: dict[str, Node] = {}
        for index, task in enumerate((job.get("tasks") or Node(())).elements):
            name = task.get("task_key")
            if name is None or not name.text:
                continue
            if name.text in seen:
                yield ("resources", "jobs", key, "tasks", index, "task_key"), name, seen[name.text]
            seen.setdefault(name.text, name)
