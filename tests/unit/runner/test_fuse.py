"""Plain Python file calls reach volumes, and name what was asked for when they fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import laketop
from laketop.runner.paths import Places

PROGRAM = """
import glob, importlib, io, os, pathlib, pickle, shutil, sys
from laketop.runner import fuse
from laketop.runner.paths import Places

fuse.mount(Places.of_state(pathlib.Path(sys.argv[1])))
top = "/Volumes/main/default/raw"
os.makedirs(top + "/a/b")
with open(top + "/a/b/x.txt", "w") as file:
    file.write("hello")
assert pathlib.Path(top, "a", "b", "x.txt").read_text() == "hello"
assert os.path.exists(top + "/a") and os.path.isdir(top) and not os.path.exists(top + "/none")
assert os.listdir(top) == ["a"] and [p.name for p in pathlib.Path(top).iterdir()] == ["a"]
assert glob.glob(top + "/*/*/*.txt") == [top + "/a/b/x.txt"]
assert [found for found in os.walk(top)][-1] == (top + "/a/b", [], ["x.txt"])
shutil.copy(top + "/a/b/x.txt", top + "/y.txt")
os.rename(top + "/y.txt", top + "/z.txt")
shutil.copytree(top + "/a", top + "/c")
shutil.rmtree(top + "/a")
assert sorted(os.listdir(top)) == ["c", "z.txt"]
os.chdir(top)
assert io.open("z.txt").read() == "hello"
for call in (open, os.stat):
    try:
        call(top + "/none")
    except FileNotFoundError as error:
        assert error.filename == top + "/none", error
with open(top + "/inside.py", "w") as file:
    file.write("value = 7")
sys.path.insert(0, top)
assert importlib.import_module("inside").value == 7
class Holder:
    read = open
assert Holder().read(top + "/z.txt").read() == "hello"
assert pickle.loads(pickle.dumps(os.listdir)) is os.listdir
assert pickle.loads(pickle.dumps(open)) is io.open
assert not os.path.exists("/Volumes/main/default/other")
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    lake = Places.of_state(tmp_path).lake / "main" / "default"
    (lake / "_volumes").mkdir(parents=True)
    (lake / "_files" / "raw").mkdir(parents=True)
    (lake / "_volumes" / "raw.json").write_text("{}", encoding="utf-8")
    return tmp_path


def test_open_os_pathlib_shutil_glob_and_imports_reach_a_volume(state: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(state)],
        env={"PYTHONPATH": str(Path(laketop.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert (state / "catalog/main/default/_files/raw/z.txt").read_text(encoding="utf-8") == "hello"
