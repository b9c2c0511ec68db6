from __future__ import annotations

from pathlib import Path

from laketop.engine import client
from laketop.engine.jars import own_jar


def test_a_client_has_its_own_session_first_and_no_engine_on_its_class_path() -> None:
    words = client.options([Path("/shop/app.jar")])
    names = [Path(part).name for part in words[words.index("-cp") + 1].split(":")]
    assert names[0].startswith("spark-connect-client-jvm_")
    assert names[-2:] == [own_jar().name, "app.jar"]
    assert any(name.startswith("scala-library") for name in names)
    assert not [name for name in names if name.startswith(("spark-sql_", "spark-connect_"))]


def test_words_of_an_argument_file_are_quoted_one_a_line() -> None:
    assert client.argument_file(["a b", 'say "x"', "c\\d"]) == ('"a b"\n"say \\"x\\""\n"c\\\\d"\n')
