from __future__ import annotations

from laketop.workspace.scorers import clean


def test_a_scorer_inherits_where_programs_are_and_nothing_that_opens_a_door() -> None:
    environment = {
        "PATH": "/usr/bin",
        "LC_ALL": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "DATABRICKS_TOKEN": "t",
        "MLFLOW_TRACKING_URI": "databricks",
        "AWS_SECRET_ACCESS_KEY": "k",
        "PYTHONSTARTUP": "/x.py",
        "HTTP_PROXY": "http://user:password@proxy",
    }

    assert dict(clean(environment)) == {
        "PATH": "/usr/bin",
        "LC_ALL": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
    }
