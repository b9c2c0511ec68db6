"""A gate that builds what the model asks for, and runs it there: time and memory in the clean."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Measure, Verdict
from laketop.ml.locks import LOCK_FILE

if TYPE_CHECKING:
    import pandas as pd

_ASK = """\
import json, resource, sys, time
import mlflow.pyfunc, pandas
begin = time.perf_counter()
model = mlflow.pyfunc.load_model(sys.argv[1])
loaded = time.perf_counter() - begin
rows = pandas.read_pickle(sys.argv[2])
took = []
for _ in range(3):
    begin = time.perf_counter()
    answer = model.predict(rows)
    took.append(time.perf_counter() - begin)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"predictions": len(answer), "load_s": loaded, "predict_ms": 1000 * min(took),
    "peak_mb": peak / (2**20 if sys.platform == "darwin" else 2**10)}))
"""


def clean_environment(
    *,
    limit_ms: float,
    limit_mb: float,
    rows_timed: int = 1000,
    offline: bool = False,
    timeout_seconds: float = 900,
) -> Gate:
    """Return a gate that runs the model in a new environment made of its own requirements.

    The environment holds what the model's lock names, or its requirements file where it has no
    lock, and nothing else; a process of its own loads the model there and predicts `rows_timed`
    rows, best of three. It fails when the environment cannot be built, the model does not run in
    it, `limit_ms` or `limit_mb` (the peak of memory, imports and all) is exceeded. Packages come
    through uv or pip as they are set up here; with `offline` from uv's cache alone, and a package
    that is not there fails by name.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        with tempfile.TemporaryDirectory(prefix="laketop-gate-") as folder:
            try:
                found = _measured(
                    candidate,
                    rows.features.head(rows_timed)[list(candidate.inputs)],
                    Path(folder),
                    offline=offline,
                    timeout=timeout_seconds,
                )
            except (StepFailed, subprocess.TimeoutExpired) as failure:
                told = str(failure)
                return Verdict(gate="clean_environment", passed=False, reason=told)
        return _judged(found, limit_ms, limit_mb)

    return gate


class StepFailed(Exception):
    """A step did not work; the sentence says which and why."""


def _measured(
    candidate: Contender, sample: pd.DataFrame, folder: Path, *, offline: bool, timeout: float
) -> dict[str, float]:
    import mlflow.artifacts

    if not candidate.uri:
        raise StepFailed(f"version {candidate.version!r} does not say where its files are")
    model = mlflow.artifacts.download_artifacts(candidate.uri, dst_path=str(folder / "model"))
    there = [Path(model) / name for name in (LOCK_FILE, "requirements.txt")]
    requirements = next((file for file in there if file.exists()), None)
    if requirements is None:
        raise StepFailed("the model has no requirements.txt to build an environment from")
    python = built(folder / "environment", requirements, offline=offline, timeout=timeout)
    sample.to_pickle(folder / "rows.pkl")
    command = [str(python), "-I", "-c", _ASK, str(model), str(folder / "rows.pkl")]
    told = _run(command, "the model does not run in its own environment", timeout)
    found: dict[str, float] = json.loads(told.strip().splitlines()[-1])
    if found["predictions"] != len(sample):
        raise StepFailed(f"{found['predictions']} predictions for {len(sample)} rows")
    return found


def built(place: Path, requirements: Path, *, offline: bool, timeout: float) -> Path:
    """Return the Python of a new environment with these requirements.

    Errors: StepFailed with what the installer said, TimeoutExpired.
    """
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    uv = _uv()
    failed = "the model's environment cannot be built"
    if uv is None:
        if offline:
            raise StepFailed(f"{failed}: offline it takes uv, which is not installed")
        _run([sys.executable, "-m", "venv", str(place)], failed, timeout)
        _run([str(python), "-m", "pip", "install", "-q", "-r", str(requirements)], failed, timeout)
        return python
    cache_only = ["--offline"] if offline else []
    _run([uv, "venv", "-q", "--python", sys.executable, str(place), *cache_only], failed, timeout)
    install = [uv, "pip", "install", "-q", "--python", str(python), "-r", str(requirements)]
    _run([*install, *cache_only], failed, timeout)
    return python


def _uv() -> str | None:
    try:
        from uv import find_uv_bin
    except ImportError:
        return shutil.which("uv")
    return str(find_uv_bin())


def _run(command: list[str], failed: str, timeout: float) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    if done.returncode != 0:
        raise StepFailed(f"{failed}: {_gist(done.stderr) or f'exit code {done.returncode}'}")
    return done.stdout


def _gist(printed: str) -> str:
    """Return what an installer printed, which begins with the package, or a traceback's end."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    return " ".join(lines[-3:] if len(lines) > 12 else lines)


def _judged(found: dict[str, float], limit_ms: float, limit_mb: float) -> Verdict:
    took, peak = found["predict_ms"], found["peak_mb"]
    is_heavy = peak > limit_mb
    return Verdict(
        gate="clean_environment",
        passed=took <= limit_ms and not is_heavy,
        measured=peak if is_heavy else took,
        limit=limit_mb if is_heavy else limit_ms,
        reason=f"{took:.1f} ms of {limit_ms:g}, {peak:.0f} MB of {limit_mb:g}, "
        f"loaded in {found['load_s']:.1f} s",
        measures=tuple(Measure(metric=name, measured=value) for name, value in found.items()),
    )
