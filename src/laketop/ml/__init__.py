"""Features, gates, promotion and monitoring that run unchanged on a laptop and on Databricks."""

from __future__ import annotations
