"""The settings of one project: a frozen dataclass, and the only reader of the environment.

The processes that laketop starts for tasks and streams find there what they were started with.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from laketop.errors import ConfigError

STATE_FOLDER = ".laketop"
DEFAULT_RUNTIME = "default"
FIRST_WORKSPACE = "dev"
"""The workspace that every project has from the start, right in the state folder."""
_WORKSPACES = "workspaces"


def workspace_folder(state: Path, name: str) -> Path:
    """Return the folder of what one workspace keeps for itself, in the state folder of a project.

    What the workspaces share, the metastore and the accounts, is in the state folder itself.
    """
    return state if name == FIRST_WORKSPACE else state / _WORKSPACES / name


def metastore_folder(folder: Path) -> Path:
    """Return the state folder of the project, for the folder of one of its workspaces."""
    home = folder.parent.parent
    is_further = folder.parent.name == _WORKSPACES and home.name == STATE_FOLDER
    return home if is_further else folder


JOBS = "LAKETOP_JOBS_COMPUTE"
SERVERLESS = "LAKETOP_JOBS_SERVERLESS_COMPUTE"
ALL_PURPOSE = "LAKETOP_ALL_PURPOSE_COMPUTE"
SQL = "LAKETOP_SQL_COMPUTE"
SQL_PRO = "LAKETOP_SQL_PRO_COMPUTE"
SERVERLESS_SQL = "LAKETOP_SERVERLESS_SQL_COMPUTE"
SERVING = "LAKETOP_SERVERLESS_REAL_TIME_INFERENCE"
SKUS = (JOBS, SERVERLESS, ALL_PURPOSE, SQL, SQL_PRO, SERVERLESS_SQL, SERVING)
"""What usage is told as: of runs by the compute that tasks name, of warehouses by their type."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What laketop needs to know of a project and of the machine.

    Units: `engine_memory` as Java writes it ("2g"), `engine_idle_seconds` in seconds,
    0 = never; ports 0 = any free one.
    """

    root: Path
    """The folder that holds the project's databricks.yml."""
    cache: Path
    """Jars and archives, shared by every project of this user."""
    user: str = "me@laketop.local"
    """The name of the person at the laptop, as `current_user()` answers it."""
    workspace: str = ""
    """The workspace that commands act on; "" = the one in use."""
    port: int = 0
    runtime: str = DEFAULT_RUNTIME
    """The key of the versions that the engine is made of, as `laketop.engine.Runtime` reads it."""
    faults: bool = False
    """Whether clients may make their own requests fail."""
    engine_memory: str = "2g"
    engine_java_options: tuple[str, ...] = ()
    """Further options of the engine's JVM, as `java` takes them, after laketop's own."""
    engine_cores: int = 0
    """Threads that Spark may use; 0 = every core."""
    engine_idle_seconds: int = 3600
    dbus_an_hour: float = 1.0
    """The rate of the estimate in system.billing.usage. Units: DBU for an hour of what ran."""
    dbus_by_sku: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """The rates of the SKUs that have another one. Units: DBU for an hour."""
    dbu_prices: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """What system.billing.list_prices tells of SKUs. Units: USD for a DBU."""
    git_remotes: tuple[str, ...] = ()
    """How the addresses begin of the repositories that Git folders may be cloned from, and that
    jobs show stored credentials to."""
    webhooks: tuple[str, ...] = ()
    """How the addresses begin to which webhooks of the registry may send."""
    maven_repository: str | None = None
    """Base address from which jars are fetched by coordinates, instead of Ivy's own default."""
    java_home: Path | None = None
    environment: Mapping[str, str] = dataclasses.field(
        default_factory=dict, repr=False, compare=False
    )
    """The environment variables that the settings were read from, for child processes."""

    @property
    def state(self) -> Path:
        """The folder of everything that laketop keeps for this project."""
        return self.root / STATE_FOLDER

    @property
    def tool_environment(self) -> dict[str, str]:
        """The environment of a build or a task: `python` is the interpreter that runs laketop."""
        own = str(Path(sys.executable).parent)
        path = self.environment.get("PATH")
        return {**self.environment, "PATH": os.pathsep.join([own, path] if path else [own])}

    @classmethod
    def read(cls, root: Path, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings of the project at `root`, from `environment` or this process's.

        Errors: ConfigError for a variable whose value cannot be used.
        """
        environment = os.environ if environment is None else environment
        home = Path(environment.get("HOME") or environment.get("USERPROFILE") or "/")
        cache = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
        java_home = environment.get("JAVA_HOME")
        return cls(
            root=root,
            cache=cache / "laketop",
            user=environment.get("LAKETOP_USER", cls.user),
            workspace=environment.get("LAKETOP_WORKSPACE", cls.workspace),
            port=_whole(environment, "LAKETOP_PORT", cls.port),
            runtime=environment.get("LAKETOP_RUNTIME") or _runtime_of(root) or cls.runtime,
            engine_memory=environment.get("LAKETOP_ENGINE_MEMORY", cls.engine_memory),
            engine_java_options=_options(environment, "LAKETOP_ENGINE_JAVA_OPTIONS"),
            engine_cores=_whole(environment, "LAKETOP_ENGINE_CORES", cls.engine_cores),
            engine_idle_seconds=_whole(
                environment, "LAKETOP_ENGINE_IDLE_SECONDS", cls.engine_idle_seconds
            ),
            dbus_an_hour=_number(environment, "LAKETOP_DBUS_AN_HOUR", cls.dbus_an_hour),
            dbus_by_sku=_by_sku(environment, "LAKETOP_DBUS_BY_SKU"),
            dbu_prices=_by_sku(environment, "LAKETOP_DBU_PRICES"),
            git_remotes=_several(environment, "LAKETOP_GIT_REMOTES"),
            webhooks=_prefixes(environment, "LAKETOP_WEBHOOKS"),
            maven_repository=environment.get("LAKETOP_MAVEN_REPOSITORY"),
            java_home=Path(java_home) if java_home else None,
            environment=dict(environment),
        )


def bundle_root(environment: Mapping[str, str] | None = None) -> Path | None:
    """Return the bundle's folder as `DATABRICKS_BUNDLE_ROOT` names it, None where it is unset."""
    environment = os.environ if environment is None else environment
    named = environment.get("DATABRICKS_BUNDLE_ROOT")
    return Path(named) if named else None


def _runtime_of(root: Path) -> str | None:
    """Return the runtime that the project's own pyproject.toml asks for, if it does."""
    file = root / "pyproject.toml"
    try:
        text = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"{str(file)!r} cannot be read: {error.strerror}") from None
    if b"laketop" not in text or b"runtime" not in text:
        return None  # and what reads TOML is not loaded
    import tomllib

    try:
        table: Any = tomllib.loads(text.decode())
    except ValueError as error:  # of TOML or UTF-8
        raise ConfigError(f"{str(file)!r} cannot be read: {error}") from None
    for name in ("tool", "laketop"):
        table = table.get(name, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{name} in {str(file)!r} is {table!r}, which is not a table")
    key = table.get("runtime")
    if not isinstance(key, str | None):
        raise ConfigError(
            f"[tool.laketop] runtime in {str(file)!r} is {key!r}, which is not a text",
            hint='write it as runtime = "default"',
        )
    return key


def _several(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(environment.get(name, "").replace(",", " ").split())


def _prefixes(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    found = _several(environment, name)
    for one in found:
        if not names_host(one):
            raise ConfigError(
                f"{name} holds {one!r}, which is no http:// or https:// address with a whole host",
                hint="write it as https://hooks.example.com/, or http://127.0.0.1:9000/",
            )
    return found


def names_host(address: str) -> bool:
    """Tell whether an address is one of HTTP, and names a host in full."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        host.encode("idna")  # a label that is empty or too long is no name
        is_whole = bool(host) and "*" not in host and parts.port != 0
    except ValueError:
        return False
    return is_whole and parts.scheme in ("http", "https")


def _options(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    text = environment.get(name, "")
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise ConfigError(
            f"{name} is {text!r}, which cannot be read: {str(error).lower()}",
            hint=f"unset {name}, or quote it as a shell would",
        ) from None


def _whole(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name)
    if text is None or text == "":
        return default
    if not text.isdecimal():
        raise ConfigError(
            f"{name} is {text!r}, which is not a whole number of zero or more",
            hint=f"unset {name}, or set it to a number such as {default}",
        )
    return int(text)


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name)
    if text is None or text == "":
        return default
    number = _positive(text)
    if number is None:
        raise ConfigError(
            f"{name} is {text!r}, which is not a number of zero or more",
            hint=f"unset {name}, or set it to a number such as {default}",
        )
    return number


def _positive(text: str) -> float | None:
    """Return the number of zero or more that a text is, None for another text."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _by_sku(environment: Mapping[str, str], name: str) -> dict[str, float]:
    found = {}
    for one in _several(environment, name):
        sku, _, text = one.partition("=")
        number = _positive(text)
        if sku not in SKUS or number is None:
            raise ConfigError(
                f"{name} holds {one!r}, which is not a SKU and a number of zero or more",
                hint=f"write it as {JOBS}=0.15; the SKUs are {', '.join(SKUS)}",
            )
        found[sku] = number
    return found
