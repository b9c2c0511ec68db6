"""The list of monitored tables; their charts are in the tests of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.workspace.ui.conftest import Look

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace


def test_tables_with_metrics_are_listed_and_without_an_engine_the_page_says_so(
    look: Look, workspace: Workspace
) -> None:
    assert "No table is monitored yet" in look("/monitors").text
    for name in ("scores", "scores_profile_metrics", "scores_drift_metrics"):
        log = workspace.state / "catalog" / "main" / "default" / name / "_delta_log"
        log.mkdir(parents=True)
        (log / f"{0:020}.json").write_text("{}", encoding="utf-8")
    page = look("/monitors")
    assert "/monitors/main/default/scores" in page.links
    assert "/explore/data/main/default/scores_drift_metrics" in page.links
    assert "which is not there" in look("/monitors/main/default/scores").text
    assert look("/monitors/main/default/other", status=404).status == 404
