"""What goes from one environment to another arrives as it was."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import pickle
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from laketop.ml.features.forwarding import Forwarding, plain, restored

ARRAYS = npst.arrays(
    st.one_of(
        npst.integer_dtypes(endianness="<"),
        npst.floating_dtypes(sizes=(32, 64), endianness="<"),
        npst.boolean_dtypes(),
        npst.datetime64_dtypes(max_period="ns", min_period="ns", endianness="<"),
    ),
    npst.array_shapes(min_dims=1, max_dims=3, min_side=0),
)


class Names(pickle.Unpickler):
    """Reads no class but Python's own: what is sent names none of a library."""

    def find_class(self, module: str, name: str) -> Any:
        assert module in {"datetime", "decimal", "builtins", "_codecs"}, f"{module}.{name}"
        return super().find_class(module, name)


def sent(value: Any) -> Any:
    return restored(Names(io.BytesIO(pickle.dumps(plain(value), protocol=4))).load())


@given(ARRAYS)
def test_arrays_keep_every_bit_their_type_and_their_shape(array: Any) -> None:
    back = sent(array)
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable


def test_a_frame_keeps_its_columns_types_and_missing_values() -> None:
    frame = pd.DataFrame(
        {
            "n": [1.5, float("nan")],
            "i": np.array([1, 2], dtype="int32"),
            "s": ["a", None],
            "b": [b"\x00", b"\xff"],
            "t": np.array(["2013-01-01", "2013-01-02T00:00:00.000000001"], "M8[ns]"),
            "d": [Decimal("1.10"), Decimal(2)],
            "l": [[1.0, 2.0], []],
            7: [{"k": [1]}, None],
        }
    )
    pd.testing.assert_frame_equal(sent(frame), frame)
    vectors = pd.DataFrame({"v": [[1.0, 2.0], [3.0, 4.0]], "w": [np.zeros(3), np.ones(3)]})
    pd.testing.assert_frame_equal(sent(vectors), vectors)
    twice = pd.DataFrame([[1, "x"]], columns=["a", "a"])
    pd.testing.assert_frame_equal(sent(twice), twice)
    empty = pd.DataFrame({"a": pd.Series([], dtype="float64")})
    pd.testing.assert_frame_equal(sent(empty), empty)


def test_types_of_pandas_alone_become_those_that_every_pandas_has() -> None:
    whole = sent(pd.Series([1, None], dtype="Int64", name="n"))
    assert (whole.name, whole.dtype, np.isnan(whole[1])) == ("n", "float64", True)
    assert sent(pd.Series(["a", pd.NA], dtype="string")).tolist() == ["a", None]
    assert sent(pd.Series(["a", "b"], dtype="category")).tolist() == ["a", "b"]
    at = pd.Timestamp("2013-01-01T01:00", tz="Europe/Berlin")
    assert sent([at, pd.NaT]) == [dt.datetime(2013, 1, 1, tzinfo=dt.UTC), None]
    assert sent({"a": np.float32(0.5), "b": (1, np.True_)}) == {"a": 0.5, "b": [1, True]}


TIMES = [
    *(np.datetime64("2013-01-01T00:00:00.000000001", "ns"), np.datetime64("2013-01-01", "D")),
    *(np.datetime64("NaT", "s"), np.timedelta64(1, "ns"), np.timedelta64("NaT", "us")),
]


@pytest.mark.parametrize("time", TIMES, ids=repr)
def test_a_time_of_numpy_is_in_a_list_what_it_is_in_a_column(time: Any) -> None:
    found = [*sent([time]), *sent({"at": time}).values(), *sent(np.array([time]))]
    assert [(one.dtype, one.tobytes()) for one in found] == [(time.dtype, time.tobytes())] * 3


@dataclasses.dataclass
class Context:
    model_config: Mapping[str, str]


def test_a_process_that_dies_in_mid_answer_is_told_with_its_last_words(tmp_path: Path) -> None:
    answer, program = tmp_path / "answer", tmp_path / "python"
    answer.write_bytes(pickle.dumps((True, plain(list(range(1000)))), protocol=4))
    program.write_text(
        "#!/bin/sh\necho no memory is left >&2\nhead -c 10 > /dev/null\n"
        'head -c 100 "$3"\nkill -9 $$\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    config = {"python": str(program), "model": str(answer)}
    context = Context(config)
    model = Forwarding()
    model.load_context(context)
    with pytest.raises(RuntimeError, match="ended with code -9: no memory is left"):
        model.predict(context, [1])
    model._said.close()


def test_what_cannot_go_is_told_by_its_type() -> None:
    with pytest.raises(TypeError, match="complex cannot go from one environment to another"):
        plain([1j])
    with pytest.raises(TypeError, match="object cannot go"):
        plain({"a": object()})
