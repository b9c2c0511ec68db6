"""The dev container has what the rest of the house asks for, and is whole before it is built."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from laketop.engine import Runtime

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".devcontainer"
PYTHON_OF = {"bookworm": "3.11", "trixie": "3.13"}
"""The Python of a release of Debian. Source: packages.debian.org, python3."""
ORDERS = {
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL"),
    *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
}
"""Source: Dockerfile reference."""


def orders() -> list[tuple[str, str]]:
    """Return the orders of the Dockerfile, each with what follows it."""
    text = (FOLDER / settings()["build"]["dockerfile"]).read_text(encoding="utf-8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    cut = (line.partition(" ") for line in lines if not line.startswith("#"))
    return [(order, " ".join(rest.split())) for order, _, rest in cut]


def settings() -> dict[str, Any]:
    told = json.loads((FOLDER / "devcontainer.json").read_text(encoding="utf-8"))
    assert isinstance(told, dict)
    return told


def release() -> str:
    """Return the release of Debian that the container is made from."""
    (image,) = (rest for order, rest in orders() if rest.startswith("BASE_IMAGE="))
    return image.rpartition(":")[2].removesuffix("-slim")


def test_the_dockerfile_is_made_of_orders_and_begins_with_an_image() -> None:
    found = orders()
    assert {order for order, _ in found} <= ORDERS
    assert next(order for order, _ in found if order != "ARG") == "FROM"
    for name in re.findall(r"\$\{(\w+)\}", " ".join(rest for _, rest in found)):
        assert any(order == "ARG" and rest.startswith(f"{name}=") for order, rest in found)


def test_it_has_a_python_and_a_java_of_the_runtime() -> None:
    runtime = Runtime.load()
    packages = " ".join(rest for order, rest in orders() if order == "RUN")
    (java,) = re.findall(r"openjdk-(\d+)-jdk-headless", packages)
    assert int(java) in runtime.java
    assert PYTHON_OF[release()] in runtime.python


def test_who_enters_it_is_made_in_it_and_finds_the_environment_of_nox() -> None:
    told, found = settings(), orders()
    commands = " ".join(rest for order, rest in found if order == "RUN")
    (user,) = (rest for order, rest in found if order == "USER")
    assert told["remoteUser"] == user
    assert re.search(rf"useradd [^&]*\b{user}\b", commands)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (install,) = set(re.findall(r"pip (install \S*nox\S*) &&", readme))
    assert install.removeprefix("install ") in commands
    session = told["postCreateCommand"].removeprefix("nox -s ")
    assert f"\ndef {session}(" in (ROOT / "noxfile.py").read_text(encoding="utf-8")
    interpreter = told["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert interpreter == f".nox/python{PYTHON_OF[release()]}/bin/python"
