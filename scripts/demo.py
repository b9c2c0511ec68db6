"""The demo: the twelve steps of MLOps on the reference project, and a table of what came out.

Every figure is computed in this run; the script itself only starts commands and reads tables.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scripts.memory import Peak

from laketop.cli import _console
from laketop.cli.open import link
from laketop.cli.sql import ask
from laketop.errors import LaketopError
from laketop.settings import Settings
from laketop.workspace import daemon

PROJECT = Path(__file__).parents[1] / "examples" / "flights"
LEAST_AUC = 0.68
"""What the champion promises over April to December, with inputs known 2 h before departure."""
SLICE = {"origin": "LGA", "last_month": "2013-06"}
"""What the dev target learns from: one airport, half a year."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table: a step, what ran, on what, what came out, in how many seconds.

    The seconds are those within the step; starting engine, tasks and imports are the part's.
    """

    step: int
    what: str
    on: str
    figure: str
    seconds: float


def main() -> int:
    """Run the parts one after the other and print the table; 1 where a part fails."""
    began = time.monotonic()
    rows: list[Row] = []
    parts: tuple[tuple[str, Callable[[], Iterator[Row]]], ...] = (
        ("steps 1 to 3: explore and train in dev, with the commit recorded", develop),
        ("steps 4 and 5: unit tests, and the whole job on a slice", merge_request),
        ("step 6: the bundle deployed anew under staging and prod", release),
        ("steps 7 to 12: the job in prod, on every flight", production),
    )
    took: list[tuple[str, float]] = []
    try:
        with Peak(_processes) as peak:
            for title, part in parts:
                _console.say("")
                _console.say(title)
                start = time.monotonic()
                rows += part()
                took.append((title, time.monotonic() - start))
    except LaketopError as error:
        _console.say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        _console.say("interrupted")
        return 1
    rows.sort(key=_step)
    shown = [(r.step, r.what, r.on, r.figure, f"{r.seconds:.1f} s") for r in rows]
    _console.table(("", "step", "on", "figure", "time in step"), shown)
    _where_to_look()
    _console.say("where the time went, with engine, deployment and the start of tasks:")
    for title, seconds in took:
        _console.say(f"  {seconds:4.0f} s  {title}")
    _console.say(f"the twelve steps took {time.monotonic() - began:.0f} s")
    if peak.bytes:
        _console.say(f"engine, workspace and tasks held {peak.bytes / 1e9:.1f} GB, the most seen")
    return 0


def _processes() -> Iterator[int]:
    """Return the demo's own process, and the workspace's, which is that of the engine too."""
    yield os.getpid()
    reached = daemon.find(Settings.read(PROJECT))
    if reached is not None:
        yield reached.pid


def _step(row: Row) -> int:
    return row.step


def develop() -> Iterator[Row]:
    """Explore and train on a slice in dev."""
    run = laketop_run("dev", {**SLICE, **code()}, only="ingest,explore,refresh_features,train")
    figures = figures_of("dev", run)
    yield _recorded(figures, "explore").at(1, "explore: notebook, SQL, summary")
    yield _recorded(figures, "train").at(2, "train: point-in-time features, LightGBM, MLflow")
    began = time.monotonic()
    recorded = _tags(latest_version("dev"))["code_version"]
    yield Row(
        3, "code: the commit recorded", "dev.flights.delay", recorded, time.monotonic() - began
    )


def merge_request() -> Iterator[Row]:
    """Run the unit tests and, beside them, the end-to-end job on a slice, as a pipeline does."""
    with ThreadPoolExecutor(2) as pool:
        unit = pool.submit(pytest, 4, "merge request: unit tests", "tests/unit")
        whole = pool.submit(
            pytest, 5, "merge request: end-to-end job", "tests/integration/test_mlops.py"
        )
        yield unit.result()
        yield whole.result()


def release() -> Iterator[Row]:
    """Deploy under the next targets."""
    began = time.monotonic()
    counts = []
    for target in ("staging", "prod"):
        done = json.loads(laketop("deploy", "-t", target, "--json"))
        counts.append(f"{target} {len(done['jobs'])} jobs")
    yield Row(
        6, "release: deployed anew", "staging, prod", ", ".join(counts), time.monotonic() - began
    )


def production() -> Iterator[Row]:
    """Run the job in prod and read what it wrote down."""
    with reviewed("prod"):
        run = laketop_run("prod", {"replay": "true", **code()})
    _check_champion()
    figures = figures_of("prod", run)
    names = (
        (7, "refresh features", 0, "feature refresh: weather, recent delay"),
        (8, "train", 0, "production training, registered"),
        (9, "reproduce", 0, "trained again from its recipe, and compared"),
        (9, "evaluate", 0, "evaluation: every gate"),
        (9, "promote", 0, "promotion, approved: challenger → champion"),
        (10, "score", 0, "batch scoring"),
        (10, "serve", 0, "REST scoring"),
        (11, "monitor", 0, "monitoring, month by month"),
        (12, "check drift", 0, "drift: threshold crossed"),
        (12, "retrain", 0, "retraining"),
        (12, "reproduce", 1, "its model trained again"),
        (12, "evaluate", 1, "and through the same gates"),
        (12, "promote the retrained", 0, "and against the champion"),
    )
    for step, name, number, title in names:
        yield _recorded(figures, name, number).at(step, title)


def _recorded(figures: dict[str, list[Figure]], name: str, number: int = 0) -> Figure:
    """Return what the step `name` wrote down the first time (0), or the second (1)."""
    if len(figures.get(name, [])) <= number:
        raise LaketopError(f"the job has written no figure number {number + 1} for step {name!r}")
    return figures[name][number]


# --- what the parts are made of -----------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Figure:
    """What a step of a job wrote down."""

    on: str
    figure: str
    seconds: float

    def at(self, step: int, what: str) -> Row:
        """Return it as a line of the table."""
        return Row(step, what, self.on, self.figure, self.seconds)


def laketop(*arguments: str) -> str:
    """Run a command of laketop in the project, talking on stderr, and return its output.

    Errors: LaketopError when it fails.
    """
    ended, told = output_of([sys.executable, "-m", "laketop.cli", *arguments])
    if ended != 0:
        raise LaketopError(f"`laketop {' '.join(arguments)}` ended with {ended}")
    return told


def output_of(command: Sequence[str]) -> tuple[int, str]:
    """Run a command in the project; return its exit code and what it printed.

    A Ctrl-C reaches the command as well, and is waited for: it has a run to cancel.
    """
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        try:
            told, _ = process.communicate()
        except KeyboardInterrupt:
            process.wait()
            raise
    return process.returncode, told


def code(folder: Path = PROJECT) -> dict[str, str]:
    """Return the parameter that says "uncommitted" where files differ from the commit.

    Else the bundle's own default, the commit, is right; so it is where Git is not installed.
    """
    git = shutil.which("git")
    if git is None:
        return {}
    done = subprocess.run(
        [git, "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=False
    )
    return {"git_commit": "uncommitted"} if done.stdout.strip() or done.returncode else {}


def laketop_run(target: str, parameters: dict[str, str], only: str = "") -> dict[str, Any]:
    """Run the job `mlops` to its end and return the run."""
    given = [part for k, v in parameters.items() for part in ("--params", f"{k}={v}")]
    chosen = ["--only", only] if only else []
    told: dict[str, Any] = json.loads(
        laketop("run", "mlops", "-t", target, *given, *chosen, "--json")
    )
    return told


@contextlib.contextmanager
def reviewed(catalog: str) -> Iterator[None]:
    """Approve meanwhile, as somebody other than the author, what promotions wait for."""
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.3):
            version = latest_version(catalog) if _promotes() else None
            if version is not None and "approved_by" not in _tags(version):
                name = f"{catalog}.flights.delay"
                laketop("approve", name, version["version"], "--by", "reviewer@laketop.local")

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        try:
            yield
        finally:
            ended.set()
        looking.result()


def _promotes() -> bool:
    """Whether a task `promote` is running."""
    path = "/api/2.2/jobs/runs/list?active_only=true&expand_tasks=true"
    runs = contact().request("GET", path).get("runs", ())
    tasks = [task for run in runs for task in run.get("tasks", ())]
    return ("promote", "RUNNING") in [
        (task["task_key"], task["state"]["life_cycle_state"]) for task in tasks
    ]


def _tags(version: dict[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in version.get("tags", ())}


def figures_of(catalog: str, run: dict[str, Any]) -> dict[str, list[Figure]]:
    """Return what the steps of this run wrote into `run_figures`, by their names, in order."""
    _, rows = ask(
        contact().spark_remote,
        "SELECT what, on, figure, seconds FROM "
        f"{catalog}.flights.run_figures WHERE run = '{int(run['run_id'])}' ORDER BY recorded_at",
        1000,
    )
    figures: dict[str, list[Figure]] = {}
    for what, on, figure, seconds in rows:
        figures.setdefault(what, []).append(Figure(on, figure, seconds))
    return figures


def latest_version(catalog: str) -> dict[str, Any]:
    """Return the newest version of the model, as the registry answers it."""
    registry = "/api/2.0/mlflow/unity-catalog/model-versions"
    name = f"{catalog}.flights.delay"
    found = contact().request("GET", f"{registry}/search?filter=name%3D%27{name}%27")
    version = max(int(v["version"]) for v in found["model_versions"])
    told = contact().request("GET", f"{registry}/get?name={name}&version={version}")
    return dict(told["model_version"])


def pytest(step: int, what: str, folder: str) -> Row:
    """Run tests of the project.

    Errors: LaketopError when one fails, or none ran.
    """
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", folder, "-q", "-p", "no:cacheprovider"]
    ended, printed = output_of(command)
    told = re.findall(r"^\d+ passed in .*", printed, re.MULTILINE)
    if ended != 0 or not told:  # nothing failed, nothing was skipped, something ran
        for line in printed[-5000:].splitlines():
            _console.say(line)
        raise LaketopError(f"the tests in {folder} ended with {ended}")
    return Row(step, what, folder, told[-1].split(" in ")[0], time.monotonic() - began)


def contact() -> daemon.Contact:
    """Return how to reach the workspace of the project."""
    return daemon.start(Settings.read(PROJECT))


def _check_champion() -> None:
    """Look at the champion's months after its training; errors as `require_promised`."""
    _, rows = ask(
        contact().spark_remote,
        "SELECT count(*), avg(roc_auc_score) FROM prod.flights.predictions_profile_metrics"
        " WHERE column_name = ':table' AND log_type = 'INPUT'",
        1,
    )
    require_promised(*rows[0])


def require_promised(months: int, mean: float | None) -> None:
    """Let only a champion pass that keeps what the project promises.

    Errors: LaketopError unless its AUC averages LEAST_AUC over nine months, April to December.
    """
    if months != 9 or mean is None or mean < LEAST_AUC:
        raise LaketopError(
            f"the champion's AUC averages {mean} over {months} months, {LEAST_AUC} is promised"
        )


def is_at_hand(path: str) -> bool:
    """Whether a shell finds `laketop` without this environment, which nox has put on the path."""
    own = Path(sys.executable).parent
    others = [place for place in path.split(os.pathsep) if place and Path(place) != own]
    return shutil.which("laketop", path=os.pathsep.join(others)) is not None


def _where_to_look() -> None:
    reached = contact()
    _console.say("where to look:")
    if not is_at_hand(os.environ.get("PATH", "")):
        place = os.path.relpath(Path(sys.executable).parent / "activate")
        _console.say(f"  . {place}   # `laketop` is installed there")
    _console.say(f"  cd {os.path.relpath(PROJECT)} && laketop status")
    _console.say('  laketop sql "select * from prod.flights.model_evaluations"')
    _console.say('  laketop sql "show tables in prod.flights"')
    _console.say(f"  the page, by a link that works once: {link(reached)}")
    _console.say(f"  MLflow's own page, once signed in: {reached.url}/mlflow/")
    _console.say(
        '  `laketop open` prints another link; `eval "$(laketop env)"` is for your own tools'
    )
    _console.say("  `laketop down` ends it; what it stored stays in .laketop/")


if __name__ == "__main__":
    sys.exit(main())
