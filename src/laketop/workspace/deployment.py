"""Puts a bundle on the local workspace: wheels, files, schemas, jobs; only what changed."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import functools
import glob
import hashlib
import json
import os
import pkgutil
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from laketop.bundle import Artifact, Bundle, files_of
from laketop.engine.catalog import create_catalog, create_schema
from laketop.errors import ConfigError, LaketopError, Refused
from laketop.runner import tasks
from laketop.settings import Settings
from laketop.workspace.daemon import Contact

Say = Callable[[str], None]

_WAIT_SECONDS = 120.0

_REFERENCE = re.compile(r"\$\{resources\.jobs\.([\w-]+)\.id\}")
_NOT_SOURCE = {".git", ".laketop", ".databricks", ".venv", "__pycache__", "build", "dist"}


@dataclasses.dataclass(frozen=True)
class Deployment:
    """What a target has on the workspace: the ids of its jobs by their keys."""

    target: str
    jobs: Mapping[str, int]


def deploy(
    load: Callable[[], Bundle], settings: Settings, contact: Contact, say: Say
) -> Deployment:
    """Bring the workspace to what the bundle says, and return what is there.

    `load` reads the bundle; it is called again once artifacts are built, since only then the
    patterns that name them stand for files.
    Errors: ConfigError when the bundle has errors; LaketopError when an artifact does not build
    or another deployment of the same target is under way.
    """
    bundle = _sound(load())
    with _alone(settings):
        if _build(bundle, settings, say):
            bundle = _sound(load())
        _upload_libraries(bundle, settings)
        _upload(bundle, settings)
        _create_schemas(bundle, settings, say)
        _say_what_waits(bundle, say)
        return _deploy_jobs(bundle, settings, contact)


def _sound(bundle: Bundle) -> Bundle:
    for problem in bundle.errors:
        raise ConfigError(
            problem.message,
            file=problem.file,
            line=problem.line,
            hint="`laketop validate` tells all problems",
        )
    return bundle


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Deploy one at a time: targets share the files that are built."""
    folder = settings.state / "deployments"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    deadline = time.monotonic() + _WAIT_SECONDS
    with (folder / "lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LaketopError(
                        "another deployment of this bundle is under way",
                        hint="wait until it is done, and try again",
                    ) from None
            time.sleep(0.1)
        yield


# --- artifacts ----------------------------------------------------------------------------------


def _build(bundle: Bundle, settings: Settings, say: Say) -> bool:
    """Run the build commands of the artifacts whose sources changed; return whether one ran."""
    ran = False
    for artifact in bundle.artifacts:
        if not artifact.build:
            continue
        mark = settings.state / "builds" / f"{artifact.key}.sha256"
        digest = _digest(artifact)
        if _built(artifact) and mark.exists() and mark.read_text(encoding="ascii") == digest:
            continue
        say(f"building {artifact.key}")
        _run_build(artifact, settings)
        if not _built(artifact):
            raise LaketopError(
                f"artifact {artifact.key!r} has no file that matches {', '.join(artifact.files)}",
                hint=f"its build command {artifact.build!r} should write one",
            )
        mark.write_text(digest, encoding="ascii")
        ran = True
    return ran


def _upload_libraries(bundle: Bundle, settings: Settings) -> None:
    for upload in bundle.uploads:
        if upload.is_pattern:
            raise ConfigError(
                f"no file matches the library {upload.local!r}",
                file=upload.place.file,
                line=upload.place.line,
                hint="build it first, or name its build command under `artifacts`",
            )
        _copy(Path(upload.local), _on_disk(settings, upload.remote))


def _run_build(artifact: Artifact, settings: Settings) -> None:
    log = settings.state / "builds" / f"{artifact.key}.log"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log.open("wb") as out:
        # The bundle's own command, as the user wrote it for a shell.
        done = subprocess.run(  # noqa: S602
            artifact.build or "",
            shell=True,
            cwd=artifact.path,
            env=settings.tool_environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise LaketopError(
            f"artifact {artifact.key!r} did not build: {artifact.build!r} ended with"
            f" {done.returncode}: {words[-1] if words else 'it said nothing'}",
            hint=f"its output is {log}",
        )


def _built(artifact: Artifact) -> list[str]:
    return [file for pattern in artifact.files for file in glob.glob(pattern)]  # noqa: PTH207 - absolute patterns


def _digest(artifact: Artifact) -> str:
    told = hashlib.sha256(str(artifact.build).encode())
    for folder, folders, names in os.walk(artifact.path):
        folders[:] = sorted(f for f in folders if f not in _NOT_SOURCE and not f.endswith("-info"))
        for name in sorted(names):
            file = Path(folder, name)
            told.update(str(file.relative_to(artifact.path)).encode())
            told.update(file.read_bytes())
    return told.hexdigest()


# --- files --------------------------------------------------------------------------------------


def _upload(bundle: Bundle, settings: Settings) -> None:
    """Copy the bundle's files to its file path; nothing to do where jobs run in the project."""
    place = _on_disk(settings, bundle.workspace.file_path)
    if place.resolve() == bundle.root.resolve():
        return
    names = {file.relative_to(bundle.root) for file in files_of(bundle)}
    # What is gone goes first: a file may have become a folder.
    for folder, _, files in os.walk(place, topdown=False):
        for file in files:
            if Path(folder, file).relative_to(place) not in names:
                Path(folder, file).unlink()
        with contextlib.suppress(OSError):
            Path(folder).rmdir()
    for name in sorted(names):
        _copy(bundle.root / name, place / name)


def _copy(source: Path, destination: Path) -> None:
    told = source.stat()
    with contextlib.suppress(OSError):
        there = destination.stat()
        if (there.st_size, there.st_mtime_ns) == (told.st_size, told.st_mtime_ns):
            return
    destination.parent.mkdir(parents=True, exist_ok=True)
    fresh = destination.with_name(f".{destination.name}.new")
    shutil.copy2(source, fresh)
    fresh.replace(destination)


def _on_disk(settings: Settings, path: str) -> Path:
    """Return where a workspace path lies; a path outside of the workspace is itself."""
    for prefix in ("/Workspace/", "/Users/", "/Shared/", "/Repos/"):
        if path.startswith(prefix):
            inner = path.removeprefix("/Workspace").lstrip("/")
            return settings.state / "files" / inner
    return Path(path)


@functools.cache
def _task_types() -> frozenset[str]:
    return frozenset(module.name for module in pkgutil.iter_modules(tasks.__path__))


# --- schemas and jobs ---------------------------------------------------------------------------

_DEPLOYED = ("catalogs", "jobs", "schemas")


def _say_what_waits(bundle: Bundle, say: Say) -> None:
    """Say what the bundle asks for and a local deployment does not do yet, each by its name."""
    for kind, resources in bundle.resources.items():
        for key, resource in resources.items():
            if kind not in _DEPLOYED:
                say(f"{kind}.{key} is not created: a local deployment does not make {kind} yet")
            for what in ("permissions", "grants"):
                if getattr(resource, what):
                    say(f"the {what} of {kind}.{key} are not set on the local workspace yet")
    for key, job in bundle.resources.get("jobs", {}).items():
        for task in job.body.get("tasks", []):
            for name in task:
                if name.endswith("_task") and name.removesuffix("_task") not in _task_types():
                    say(f"task {task['task_key']} of job {key} is a {name}, which does not run yet")


def _create_schemas(bundle: Bundle, settings: Settings, say: Say) -> None:
    """Create the catalogs and schemas that the bundle names; on Databricks a catalog must exist."""
    root = settings.state / "catalog"
    for resource in bundle.resources.get("catalogs", {}).values():
        create_catalog(root, str(resource.body["name"]), owner=settings.user)
    for resource in bundle.resources.get("schemas", {}).values():
        catalog, schema = str(resource.body["catalog_name"]), str(resource.body["name"])
        if create_catalog(root, catalog, owner=settings.user):
            say(f"created catalog {catalog}, which must exist already on Databricks")
        create_schema(root, catalog, schema, owner=settings.user)


def _deploy_jobs(bundle: Bundle, settings: Settings, contact: Contact) -> Deployment:
    file = settings.state / "deployments" / f"{bundle.target}.json"
    kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    before = {key: int(entry["id"]) for key, entry in kept.get("jobs", {}).items()}
    digests = {key: entry["digest"] for key, entry in kept.get("jobs", {}).items()}
    jobs = bundle.resources.get("jobs", {})
    ids: dict[str, int] = {}
    for key in _in_order({key: _references(jobs[key].body) for key in jobs}):
        settings_of_job = _referred(jobs[key].body, ids)
        digest = hashlib.sha256(json.dumps(settings_of_job, sort_keys=True).encode()).hexdigest()
        ids[key] = _put_job(contact, before.get(key), settings_of_job, digests.get(key) == digest)
        digests[key] = digest
        # Written at once: a deployment that is cut off finds its jobs again.
        entries = {k: {"id": i, "digest": digests[k]} for k, i in {**before, **ids}.items()}
        _write(file, {"jobs": entries})
    for key in before.keys() - ids.keys():
        try:
            contact.request("POST", "/api/2.2/jobs/delete", {"job_id": before[key]})
        except LaketopError as error:
            if "does not exist" not in error.message:
                raise
    _write(file, {"jobs": {k: {"id": i, "digest": digests[k]} for k, i in ids.items()}})
    return Deployment(bundle.target, ids)


def _put_job(contact: Contact, job_id: int | None, body: Mapping[str, Any], same: bool) -> int:
    if job_id is not None:
        try:
            if not same:
                new = {"job_id": job_id, "new_settings": body}
                contact.request("POST", "/api/2.2/jobs/reset", new)
            else:
                contact.request("GET", f"/api/2.2/jobs/get?job_id={job_id}")
        except LaketopError as error:
            if "does not exist" not in error.message:
                raise
        else:
            return job_id
    return int(contact.request("POST", "/api/2.2/jobs/create", body)["job_id"])


def _references(value: object) -> set[str]:
    return set(_REFERENCE.findall(json.dumps(value)))


def _referred(body: Mapping[str, Any], ids: Mapping[str, int]) -> dict[str, Any]:
    """Return the job's settings with references to other jobs replaced by their ids."""

    def put(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: put(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [put(inner) for inner in value]
        if isinstance(value, str):
            whole = _REFERENCE.fullmatch(value)
            if whole:
                return ids[whole[1]]
            filled = _REFERENCE.sub(lambda match: str(ids[match[1]]), value)
            if "${resources." in filled:
                raise Refused(f"the reference {filled!r} of a job", hint="write the value itself")
            return filled
        return value

    return {key: put(value) for key, value in body.items()}


def _in_order(needs: Mapping[str, set[str]]) -> list[str]:
    """Return the keys so that each comes after those that it needs.

    Errors: ConfigError for a job that is not in the bundle, or for a circle.
    """
    done: list[str] = []
    path: list[str] = []

    def visit(key: str) -> None:
        if key in done:
            return
        if key in path:
            circle = " -> ".join([*path[path.index(key) :], key])
            raise ConfigError(f"jobs refer to each other in a circle: {circle}")
        if key not in needs:
            raise ConfigError(f"a job refers to job {key!r}, which the bundle does not have")
        path.append(key)
        for needed in sorted(needs[key]):
            visit(needed)
        path.pop()
        done.append(key)

    for key in sorted(needs):
        visit(key)
    return done


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)
