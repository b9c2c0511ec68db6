"""`python -m laketop.cli`."""

from __future__ import annotations

import sys

from laketop.cli.main import main

sys.exit(main())
