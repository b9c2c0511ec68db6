"""Puts a bundle on a workspace, local or remote: plans, applies, remembers, destroys.

One engine for both. A type of resource is one file in `resources/`; what is deployed is kept in
`resources.json` under the target's state path.
"""

from __future__ import annotations

from laketop.workspace.deployment.binding import bind, unbind
from laketop.workspace.deployment.finding import finder, local_finder
from laketop.workspace.deployment.messages import check_runs
from laketop.workspace.deployment.operations import (
    Deployment,
    Options,
    deploy,
    deploy_to,
    destroy,
    page_of,
    plan_of,
    summary_of,
)
from laketop.workspace.deployment.planning import Plan
from laketop.workspace.deployment.scripts import run_script
from laketop.workspace.deployment.site import Site

__all__ = [
    "Deployment",
    "Options",
    "Plan",
    "Site",
    "bind",
    "check_runs",
    "deploy",
    "deploy_to",
    "destroy",
    "finder",
    "local_finder",
    "page_of",
    "plan_of",
    "run_script",
    "summary_of",
    "unbind",
]
