"""`databricks.bundles`: the resources of a bundle written in Python.

Beside `core` there is a module for each type of resource: `jobs`, `pipelines` and so on.
Source: the public reference of Python support for bundles.
"""

from __future__ import annotations

import sys

from laketop.shims.bundles.models import modules

for _module in modules(__name__):
    sys.modules[_module.__name__] = _module
    setattr(sys.modules[__name__], _module.__name__.rpartition(".")[2], _module)
