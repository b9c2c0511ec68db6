"""The names that Unity Catalog's registry accepts: models, aliases, sources. Pure."""

from __future__ import annotations

import re

# Unity Catalog: no dot, space, slash, control character in a name; 255 characters at most. MLflow
# refuses the colon besides, which would end a name in `models:/...`.
_PART = re.compile(r"[^\x00-\x20./:@\\%\x7f]{1,255}")
_ALIAS = re.compile(r"[\w\-]{1,255}", re.ASCII)
_VERSION_ALIAS = re.compile(r"v\d+", re.IGNORECASE | re.ASCII)
_SOURCES = ("models:/", "runs:/", "dbfs:/")
_LEVELS = 3


def name_problem(name: str, kind: str = "registered model") -> str | None:
    """Return what is wrong with the full name of a model or prompt, None if nothing is.

    Source: MLflow's client adds its own hint to an error that says "specify all three levels".
    """
    parts = name.split(".")
    if len(parts) != _LEVELS:
        return (
            f"Invalid {kind} name {name!r}: specify all three levels, "
            f"as in 'catalog.schema.{kind.rsplit(maxsplit=1)[-1]}'."
        )
    for part in parts:
        if not _PART.fullmatch(part):
            return (
                f"Invalid {kind} name {name!r}: {part!r} is empty, longer than 255 "
                "characters, or holds a space, slash, colon or another character that a name "
                "in Unity Catalog cannot hold."
            )
        if part != part.lower():
            return (
                f"Invalid {kind} name {name!r}: names in Unity Catalog are stored in "
                f"lower case; use {name.lower()!r}."
            )
    return None


def alias_problem(alias: str) -> str | None:
    """Return what is wrong with an alias that is to be set, None if nothing is."""
    if not _ALIAS.fullmatch(alias):
        return (
            f"Invalid alias name: {alias!r}. An alias holds letters, digits, '_' and '-', "
            "255 characters at most."
        )
    if alias.lower() == "latest" or _VERSION_ALIAS.fullmatch(alias):
        return f"Alias name {alias!r} is reserved."
    return None


def source_problem(source: str) -> str | None:
    """Return what is wrong with the place that a version is said to come from.

    The registry never reads the source; it is kept to lead a person back to the run.
    """
    if not source.startswith(_SOURCES):
        return (
            f"Invalid model version source: {source!r}. A source starts with "
            "'models:/', 'runs:/' or 'dbfs:/'."
        )
    if ".." in re.split(r"[/\\]", source) or "%" in source or "\x00" in source:
        return f"Invalid model version source: {source!r} does not stay below its own root."
    return None
