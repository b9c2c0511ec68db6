"""databricks.yml -> frozen dataclasses: what a bundle is, as one of its targets sees it."""

from __future__ import annotations

from laketop.bundle.dynamic_versions import patched
from laketop.bundle.loading import load
from laketop.bundle.model import (
    Artifact,
    Bundle,
    Find,
    Git,
    Lookup,
    Script,
    Sync,
    Upload,
    Workspace,
)
from laketop.bundle.nodes import Place
from laketop.bundle.paths import is_notebook
from laketop.bundle.problems import Problem
from laketop.bundle.resources import NOT_RUN, SERVED, STATE_ONLY, Resource
from laketop.bundle.roots import find_root, named_root
from laketop.bundle.syncing import files_of
from laketop.bundle.targets import NoTarget

__all__ = [
    "NOT_RUN",
    "SERVED",
    "STATE_ONLY",
    "Artifact",
    "Bundle",
    "Find",
    "Git",
    "Lookup",
    "NoTarget",
    "Place",
    "Problem",
    "Resource",
    "Script",
    "Sync",
    "Upload",
    "Workspace",
    "files_of",
    "find_root",
    "is_notebook",
    "load",
    "named_root",
    "patched",
]
