from __future__ import annotations

from laketop.workspace import daemon


def test_the_engine_of_the_project_answers(workspace: daemon.Contact, spark_remote: str) -> None:
    told = workspace.request("GET", "/api/laketop/1/engine")
    assert told["phase"] in {"serving", "warm"}
    assert told["pid"] > 0
    assert spark_remote.startswith("sc://localhost:")
    assert workspace.token not in str(told)
