"""Degree and connected components in plain Spark, against a union-find in Python."""

from __future__ import annotations

import random
from itertools import pairwise

from pyspark.sql import SparkSession

from variants import graph


def found_by_hand(edges: list[tuple[int, int]]) -> dict[int, int]:
    above: dict[int, int] = {}

    def root(vertex: int) -> int:
        above.setdefault(vertex, vertex)
        while above[vertex] != vertex:
            vertex = above[vertex]
        return vertex

    for one, other in edges:
        low, high = sorted((root(one), root(other)))
        above[high] = low
    return {vertex: root(vertex) for vertex in above}


def test_components_are_those_of_a_union_find(spark: SparkSession, schema: str) -> None:
    drawn = random.Random(9)  # noqa: S311 - drawn for a test
    edges = [(drawn.randrange(60), drawn.randrange(60)) for _ in range(24)]
    names = list(range(300, 308))
    drawn.shuffle(names)
    edges += list(pairwise(names))  # a long path, its ids in any order
    rows = spark.createDataFrame([*edges, (None, 1)], "src bigint, dst bigint")
    found = graph.components(rows, scratch=f"{schema}.rounds").collect()
    assert {row["id"]: row["component"] for row in found} == found_by_hand(edges)
    assert len(found) == len({vertex for edge in edges for vertex in edge})


def test_degrees_count_every_end(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [("JFK", "LAX"), ("JFK", "LAX"), ("LAX", "JFK"), ("EWR", "EWR"), ("EWR", None)],
        "src string, dst string",
    )
    found = {row["id"]: tuple(row[1:]) for row in graph.degrees(rows).collect()}
    assert found == {"JFK": (1, 2, 3), "LAX": (2, 1, 3), "EWR": (1, 1, 2)}
