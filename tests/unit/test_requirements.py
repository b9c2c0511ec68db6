"""The compiled requirements hold pins with their digests, and each file what it is for."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from laketop.engine import Runtime

ROOT = Path(__file__).parents[2]
PIN = re.compile(
    r"^([^\s=]+==[^\\\n]+?) *\\?$((?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)*)", re.MULTILINE
)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def digests_of(name: str) -> dict[str, set[str]]:
    """Return every pin with its digests, which are all that the file holds."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert PIN.sub("", text).strip() == ""
    return {pin: set(DIGEST.findall(digests)) for pin, digests in PIN.findall(text)}


def pins(name: str) -> dict[str, Requirement]:
    """Return the pins that hold for this Python and system."""
    read = map(Requirement, digests_of(name))
    return {canonicalize_name(one.name): one for one in read if _holds(one)}


def version_of(pin: Requirement) -> str:
    (only,) = pin.specifier
    assert only.operator == "=="
    return only.version


def _holds(requirement: Requirement, extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _needed_by(wanted: Requirement) -> list[Requirement]:
    """Return what an installed distribution asks for, with the extras that are wanted of it."""
    asked = map(Requirement, requires(wanted.name) or ())
    return [one for one in asked if any(_holds(one, extra) for extra in ("", *wanted.extras))]


@pytest.mark.parametrize(
    ("name", "key"), [("dev", "default"), ("local", "default"), ("17.3-lts", "17.3-LTS")]
)
def test_every_pin_has_digests_and_spark_and_delta_are_those_of_the_runtime(
    name: str, key: str
) -> None:
    runtime, pinned = Runtime.load(key), pins(name)
    assert version_of(pinned["pyspark"]) == runtime.spark
    assert version_of(pinned["delta-spark"]) == runtime.delta
    assert len(pinned) > 50
    assert all(digests_of(name).values())


def test_the_pins_are_what_the_extra_needs_and_agree_with_what_everybody_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert extras["local"][0] == "laketop[local-base]"
    waiting = [Requirement(text) for text in (*extras["local"][1:], *extras["local-base"])]
    pinned, seen = pins("local"), set[str]()
    while waiting:
        wanted = waiting.pop()
        version = version_of(pinned[canonicalize_name(wanted.name)])
        assert wanted.specifier.contains(version, prereleases=True), f"{wanted} is not {version}"
        if str(wanted) not in seen:
            seen.add(str(wanted))
            waiting += _needed_by(wanted)
    needed = {canonicalize_name(Requirement(text).name) for text in seen}
    assert needed == pinned.keys()


def test_who_develops_laketop_installs_the_very_files_that_a_user_gets() -> None:
    developed = {pin.partition(" ")[0]: digests for pin, digests in digests_of("dev").items()}
    for pin, digests in digests_of("local").items():
        assert developed[pin.partition(" ")[0]] == digests, pin
