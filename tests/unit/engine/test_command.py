from __future__ import annotations

import os
from pathlib import Path

from laketop.engine import command
from laketop.settings import Settings


def the_line(**environment: str) -> list[str]:
    return command.line(
        Settings.read(Path("/project"), environment),
        java=Path("/jre/bin/java"),
        jars=(Path("/cache/delta.jar"),),
        folder=Path("/state/engine"),
        catalog=Path("/state/catalog"),
        port=15002,
        ready=Path("/state/engine/ready"),
        confs=(("spark.plugins", "mine"),),
    )


def test_it_listens_on_loopback_only() -> None:
    line = the_line()
    assert "spark.connect.grpc.binding.address=127.0.0.1" in line
    assert "spark.driver.bindAddress=127.0.0.1" in line
    assert "spark.ui.enabled=false" in line


def test_it_ends_with_this_process_and_after_the_idle_time() -> None:
    assert the_line(LAKETOP_ENGINE_IDLE_SECONDS="900")[-3:] == [
        str(os.getpid()),
        "/state/engine/ready",
        "900",
    ]


def test_options_of_java_come_after_laketops_own() -> None:
    line = the_line(LAKETOP_ENGINE_JAVA_OPTIONS="-XX:TieredStopAtLevel=1")
    own = next(place for place, part in enumerate(line) if part.startswith("-XX:Tier4"))
    assert own < line.index("-XX:TieredStopAtLevel=1") < line.index("-cp")


def test_the_memory_is_the_settings() -> None:
    assert "-Xmx3g" in the_line(LAKETOP_ENGINE_MEMORY="3g")


def test_no_token_is_on_the_command_line() -> None:
    assert not any("token" in part.lower() for part in the_line())


def test_whatever_spark_writes_lies_in_its_own_folder() -> None:
    line = the_line()
    assert "-Djava.io.tmpdir=/state/engine/tmp" in line
    assert "spark.local.dir=/state/engine/tmp" in line
    assert "-Dderby.system.home=/state/engine" in line


def test_a_statement_is_cut_by_the_cores_and_leaves_slots_to_others() -> None:
    line = the_line(LAKETOP_ENGINE_CORES="3")
    (slots,) = (part for part in line if part.startswith("local["))
    assert int(slots.removeprefix("local[").removesuffix("]")) > 3
    assert "spark.default.parallelism=3" in line
    assert "spark.sql.shuffle.partitions=3" in line


def test_jobs_take_turns_by_a_file_that_is_there() -> None:
    line = the_line()
    assert "spark.scheduler.mode=FAIR" in line
    (file,) = (part for part in line if part.startswith("spark.scheduler.allocation.file="))
    pools = Path(file.partition("=")[2]).read_text(encoding="utf-8")
    assert '<pool name="default">' in pools
    assert "<schedulingMode>FAIR</schedulingMode>" in pools
