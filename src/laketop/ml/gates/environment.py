"""A gate that builds what the model asks for, and runs it there: time and memory in the clean."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from laketop.ml.environments import Step, StepFailed, built_for, within
from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Measure, Verdict

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
    through uv or pip as they are set up here, those of a lock with hashes from uv's cache where
    all are there; with `offline` from uv's cache alone, and a package that is not there fails by
    name.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        with tempfile.TemporaryDirectory(prefix="laketop-gate-") as folder:
            try:
                found = _measured(
                    candidate,
                    rows.features.head(rows_timed)[list(candidate.inputs)],
                    Path(folder),
                    offline=offline,
                    step=within(timeout_seconds),
                )
            except (StepFailed, subprocess.TimeoutExpired) as failure:
                told = str(failure)
                return Verdict(gate="clean_environment", passed=False, reason=told)
        return _judged(found, limit_ms, limit_mb)

    return gate


def _measured(
    candidate: Contender, sample: pd.DataFrame, folder: Path, *, offline: bool, step: Step
) -> dict[str, float]:
    import mlflow.artifacts

    if not candidate.uri:
        raise StepFailed(f"version {candidate.version!r} does not say where its files are")
    model = mlflow.artifacts.download_artifacts(candidate.uri, dst_path=str(folder / "model"))
    python = built_for(Path(model), folder / "environment", offline=offline, step=step)
    sample.to_pickle(folder / "rows.pkl")
    command = [str(python), "-I", "-c", _ASK, str(model), str(folder / "rows.pkl")]
    told = step(command, "the model does not run in its own environment")
    found: dict[str, float] = json.loads(told.strip().splitlines()[-1])
    if found["predictions"] != len(sample):
        raise StepFailed(f"{found['predictions']} predictions for {len(sample)} rows")
    return found


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
