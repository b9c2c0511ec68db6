from __future__ import annotations

import pytest
from scripts.witnesses import handlers, without_witness

SERVED = {
    "jobs.get": {"GET /api/2.2/jobs/get", "GET /api/2.1/jobs/get"},
    "tables.get": {"GET /tables/{name}"},
    "tables.list": {"GET /tables/all"},
    "thrift.refuse": {"POST /sql/{http_path...}"},
}


def test_a_handler_that_answered_nobody_is_told_with_a_route() -> None:
    assert without_witness(SERVED, []) == {name: max(routes) for name, routes in SERVED.items()}


@pytest.mark.parametrize(
    ("answered", "witnessed"),
    [
        ("200 GET /api/2.1/jobs/get", "jobs.get"),
        ("200 GET /tables/a.b.c", "tables.get"),
        ("200 GET /tables/all", "tables.list"),
        ("400 POST /sql/1.0/warehouses/x", "thrift.refuse"),
        ("404 GET /tables/a.b.c", ""),
        ("500 POST /sql/1.0/warehouses/x", ""),
        ("200 DELETE /tables/a.b.c", ""),
        ("200 GET /tables/a/b", ""),
    ],
)
def test_a_success_is_a_witness_of_the_route_that_it_belongs_to(
    answered: str, witnessed: str
) -> None:
    assert set(SERVED) - set(without_witness(SERVED, [answered])) == {witnessed} - {""}


def test_handlers_are_those_of_databricks_own_routes() -> None:
    found = handlers()
    assert "GET /api/2.2/jobs/get" in found["jobs.get"]
    assert not any("/api/laketop/" in route for routes in found.values() for route in routes)
