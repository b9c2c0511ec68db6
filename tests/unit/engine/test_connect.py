"""Addresses of the engine."""

from __future__ import annotations

import pytest
from pyspark.sql.connect.client import DefaultChannelBuilder

from laketop.engine.connect import CALLER, called


@pytest.mark.parametrize(
    "remote", ["sc://localhost:1/;token=t", "sc://localhost:1", "sc://localhost:1/"]
)
def test_a_client_sends_its_caller_as_a_header_and_all_else_as_before(remote: str) -> None:
    own = DefaultChannelBuilder(remote)
    told = DefaultChannelBuilder(called(remote, "JOB:1:2:3"))
    assert (CALLER, "JOB:1:2:3") in list(told.metadata())
    assert told.endpoint == own.endpoint
    assert told.token == own.token
