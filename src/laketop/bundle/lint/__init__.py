"""Wiring lint: what fits the format and yet cannot work when the jobs run."""

from __future__ import annotations

from laketop.bundle.lint.codes import CODES
from laketop.bundle.lint.linting import check_wiring

__all__ = ["CODES", "check_wiring"]
