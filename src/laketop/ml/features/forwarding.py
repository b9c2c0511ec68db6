"""A model that predicts in a process of another Python; MLflow loads it from this very file.

The same file is the program of that process: `python -I forwarding.py FOLDER` loads the model in
FOLDER and answers what comes on its standard input. Both sides speak in pickles of nothing but
Python's own types, since pandas and NumPy may be others here and there.
"""

from __future__ import annotations

import datetime as dt
import decimal
import os
import pickle
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

_PROTOCOL = 4  # of every Python since 3.8
_PLAIN = (str, bytes, bool, int, float, decimal.Decimal, dt.date, dt.time, type(None))
_LISTS = (list, tuple)
_NUMBERS = "biufcmM"
_LAST_WORDS = 3


def plain(value: Any) -> Any:
    """Return a frame, a column, an array, or lists and dicts of such, in Python's own types.

    Errors: TypeError for anything else.
    """
    import numpy as np
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        columns = [(name, plain(value.iloc[:, i])) for i, name in enumerate(value.columns)]
        return "frame", len(value), columns
    if isinstance(value, pd.Series):
        return "column", value.name, plain(_array(value))
    if isinstance(value, np.ndarray) and value.dtype.kind in _NUMBERS:
        return "array", value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, np.ndarray):
        return "objects", value.shape, [plain(each) for each in value.ravel().tolist()]
    if isinstance(value, Mapping):
        return "mapping", [(plain(key), plain(each)) for key, each in value.items()]
    if isinstance(value, _LISTS):
        return "list", [plain(each) for each in value]
    return _scalar(value)


def _array(column: Any) -> Any:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if is_numeric_dtype(column.dtype) and not is_bool_dtype(column.dtype) and column.hasnans:
        return column.to_numpy("float64", na_value=float("nan"))
    return column.to_numpy()


def _scalar(value: Any) -> Any:
    import numpy as np
    import pandas as pd

    if isinstance(value, (np.datetime64, np.timedelta64)):
        return "time", value.dtype.str, value.tobytes()
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime(warn=False)
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.timezone.utc)  # noqa: UP017 - Python 3.10 may run it too
    if isinstance(value, _PLAIN):
        return value
    raise TypeError(f"{type(value).__name__} cannot go from one environment to another")


def restored(told: Any) -> Any:
    """Return what `plain` was given, in the pandas and NumPy of this side."""
    import numpy as np
    import pandas as pd

    if not isinstance(told, tuple):
        return told
    kind, *parts = told
    if kind == "frame":
        rows, columns = parts
        frame = pd.DataFrame(dict(enumerate(restored(each) for _, each in columns)), range(rows))
        frame.columns = pd.Index([name for name, _ in columns])
        return frame
    if kind == "column":
        name, values = parts
        return pd.Series(restored(values), name=name)
    if kind == "array":
        dtype, shape, content = parts
        return np.frombuffer(bytearray(content), dtype=dtype).reshape(shape)
    if kind == "time":
        dtype, content = parts
        return np.frombuffer(content, dtype=dtype)[0]
    if kind == "objects":
        shape, values = parts
        array = np.empty(len(values), dtype=object)
        array[:] = [restored(each) for each in values]
        return array.reshape(shape)
    if kind == "mapping":
        return {restored(key): restored(each) for key, each in parts[0]}
    return [restored(each) for each in parts[0]]


class Forwarding:
    """The model of another environment, as MLflow's `PythonModel`; its configuration names both.

    `python` is the program of that environment, `model` the folder of the model.
    """

    def load_context(self, context: Any) -> None:
        """Start the process that predicts; it ends with `context`, or with this process.

        MLflow keeps the model that it has loaded last, but drops the context with its user.
        """
        python, model = (str(context.model_config[name]) for name in ("python", "model"))
        if not Path(python).exists():
            raise RuntimeError(f"the environment {python!r} is not where Spark's functions run")
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        process = subprocess.Popen(
            [python, "-I", __file__, model],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
        )
        self._process: Any = process
        weakref.finalize(context, _ended, process)

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:  # noqa: ARG002
        """Return what the model predicts there.

        Errors: RuntimeError with what it said when it fails there, or its process ends.
        """
        try:
            _tell(self._process.stdin, (plain(model_input), plain(params or {})))
            worked, told = pickle.load(self._process.stdout)  # noqa: S301 - of our own process
        except (BrokenPipeError, EOFError, pickle.UnpicklingError):  # the last in mid-answer
            self._process.kill()  # one that goes on has said something else on the same way
            code = self._process.wait()
            self._said.seek(0)
            words = self._said.read().decode("utf-8", errors="replace").strip().splitlines()
            said = " ".join(words[-_LAST_WORDS:]) or "nothing was said"
            raise RuntimeError(f"the model's process ended with code {code}: {said}") from None
        if not worked:
            raise RuntimeError(f"in its own environment the model says {told}")
        return restored(told)


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def _tell(pipe: IO[bytes], message: object) -> None:
    pickle.dump(message, pipe, protocol=_PROTOCOL)
    pipe.flush()


def main(folder: str) -> None:
    """Answer for the model in `folder` until nobody asks any more."""
    import mlflow

    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a model prints is no answer
    model = mlflow.pyfunc.load_model(folder)
    while True:
        try:
            rows, params = map(restored, pickle.load(sys.stdin.buffer))  # noqa: S301 - of our own
        except EOFError:
            return
        try:
            found = plain(model.predict(rows, **({"params": params} if params else {})))
        except Exception as error:  # noqa: BLE001 - whatever the model raises is told
            _tell(answers, (False, f"{type(error).__name__}: {error}"))
        else:
            _tell(answers, (True, found))


if __name__ == "__main__":
    main(sys.argv[1])
elif not __package__:  # MLflow loads this file by itself
    import mlflow

    _bases: Any = (Forwarding, mlflow.pyfunc.PythonModel)
    mlflow.models.set_model(type("ForwardingModel", _bases, {})())
