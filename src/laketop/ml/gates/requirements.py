"""Gates on what a model brings along: licences, and vulnerabilities that are known.

Neither reaches for the network. Licences are read from what is installed here; vulnerabilities
from a file of advisories in the OSV format, which the Python Packaging Advisory Database is
published in.
"""

from __future__ import annotations

import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from laketop.errors import ConfigError
from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Verdict

PERMISSIVE = (
    *("Apache-1.1", "Apache-2.0", "Apache", "Apache Software License"),
    *("BSD-1-Clause", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "BSD", "New BSD", "3-Clause BSD"),
    *("MIT", "MIT-0", "MIT-CMU", "MIT No Attribution License (MIT-0)", "ISC", "ISC (ISCL)"),
    *("PSF", "PSF-2.0", "Python-2.0", "CNRI-Python", "Python Software Foundation License"),
    *("MPL-1.1", "MPL-2.0", "Mozilla Public License 1.1 (MPL 1.1)"),
    *("Mozilla Public License 2.0 (MPL 2.0)", "Mozilla Public License 2.0"),
    *("Zlib", "zlib/libpng License", "Unlicense", "The Unlicense (Unlicense)", "HPND", "NCSA"),
    *("CC0-1.0", "CC0", "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication"),
    "Historical Permission Notice and Disclaimer (HPND)",
    "University of Illinois/NCSA Open Source License",
)
"""Licences that ask for no more than a notice: SPDX's identifiers, and the names of classifiers."""

_WORDS = {
    "gnu affero general public license": "AGPL",
    "gnu lesser general public license": "LGPL",
    "gnu general public license": "GPL",
    "permission is hereby granted, free of charge, to any person": "MIT",
    "redistribution and use in source and binary forms": "BSD",
    "apache license version 2.0": "Apache-2.0",
}

_PINNED = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*===?\s*([^\s;,#*]+)\s*(?:[;#\\].*)?")
_NAMED = re.compile(r"\s*([A-Za-z0-9._-]+)")
_BESIDE = {"the", "license", "licence", "version"}  # words that tell no licence from another

_UNREADABLE = (  # a ZIP file may be damaged, encrypted, or packed in a way that is not known here
    *(OSError, ValueError, EOFError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
_EVENT = dict.fromkeys(("introduced", "fixed", "last_affected", "limit"), str)
_RANGE = {"type": str, "events": [_EVENT]}
_AFFECTED = {"package": {"name": str, "ecosystem": str}, "versions": [str], "ranges": [_RANGE]}
_RECORD = {"affected": [_AFFECTED]}
"""What is read of an OSV record, by the names of its fields. Source: the OSV schema."""


def pinned(requirements: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the packages with their versions, and those that are not pinned to one.

    Comments, options and hashes are passed over.

    >>> pinned(["numpy==2.3.1", "# why", "pandas>=2"])
    ({'numpy': '2.3.1'}, ['pandas'])
    """
    versions: dict[str, str] = {}
    loose = []
    for line in requirements:
        text = line.strip()
        if not text or text.startswith(("#", "-")):
            continue
        match = _PINNED.fullmatch(text)
        if match:
            versions[canonical(match[1])] = match[2]
        else:
            named = _NAMED.match(text)
            loose.append(canonical(named[1]) if named else text)
    return versions, loose


def canonical(name: str) -> str:
    """Return a package's name as the index compares it.

    >>> canonical("Scikit_Learn")
    'scikit-learn'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def licences(allowed: Sequence[str] = PERMISSIVE) -> Gate:
    """Return a gate that wants the licence of every locked requirement to be allowed.

    `allowed` are whole names, as `is_allowed` compares them. The licence of a package is what the
    one installed here says of itself; one that is not installed here, or says nothing, does not
    pass. `measured` counts the faults.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        del rows
        versions, loose = pinned(candidate.requirements)
        faults = _unlocked(versions, loose)
        for name in versions:
            told = licence_of(name)
            if told is None:
                faults.append(f"{name} is not installed here, so its licence is not known")
            elif not is_allowed(told, allowed):
                faults.append(f"{name} has the licence {told!r}")
        return Verdict(
            gate="licences",
            passed=not faults,
            measured=float(len(faults)),
            limit=0.0,
            reason="; ".join(faults) or f"{len(versions)} requirements, every licence is allowed",
        )

    return gate


def is_allowed(told: str, allowed: Sequence[str] = PERMISSIVE) -> bool:
    """Return whether a stated licence is allowed: by its whole name, or as an SPDX expression.

    Of an expression, every part of an AND has to be allowed and one of an OR; an exception (WITH)
    only takes duties away. Of names divided by "; ", as classifiers are, each has to be.
    Source: annex D of SPDX 2.3, which AND binds more strongly than OR in.

    >>> is_allowed("Apache License, Version 2.0"), is_allowed("MIT AND GPL-2.0-only")
    (True, False)
    """
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    names = {_name(one) for one in allowed}

    def passes(one: str) -> bool:
        if _name(one) in names:
            return True
        try:
            expression = canonicalize_license_expression(one)
        except InvalidLicenseExpression:
            return False
        return _either(re.findall(r"[()]|[^\s()]+", expression), names)

    return all(map(passes, told.split("; ")))


def _name(text: str) -> tuple[str, ...]:
    """Return the words of a licence's name that tell it from others."""
    words = re.findall(r"[a-z0-9.+]+", re.sub(r"\bv(?=[0-9])", "", text.lower()))
    return tuple(word for word in words if word not in _BESIDE)


def _either(tokens: list[str], names: set[tuple[str, ...]]) -> bool:
    """Take an OR of a sound expression from the front of `tokens`; return whether it is allowed."""
    found = _both(tokens, names)
    while tokens and tokens[0] == "OR":
        del tokens[0]
        found = _both(tokens, names) or found
    return found


def _both(tokens: list[str], names: set[tuple[str, ...]]) -> bool:
    found = _part(tokens, names)
    while tokens and tokens[0] == "AND":
        del tokens[0]
        found = _part(tokens, names) and found
    return found


def _part(tokens: list[str], names: set[tuple[str, ...]]) -> bool:
    first = tokens.pop(0)
    if first == "(":
        found = _either(tokens, names)
        del tokens[0]  # the parenthesis that closes it
        return found
    if tokens and tokens[0] == "WITH":
        del tokens[:2]
    return _name(first) in names


def licence_of(name: str) -> str | None:
    """Return the licence that an installed package states, None where it is not installed.

    Source: the fields License-Expression, Classifier and License of the core metadata; where they
    say nothing, the wording of the licence's file.
    """
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        package = distribution(name)
    except PackageNotFoundError:
        return None
    told: Any = package.metadata  # an email.message.Message
    expression = told.get("License-Expression")
    classifiers = [
        line.rpartition("::")[2].strip()
        for line in told.get_all("Classifier") or []
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    text = (told.get("License") or "").strip().splitlines()
    stated = expression or "; ".join(classifiers) or (text[0] if text else "")
    return stated or _worded(package)


def _worded(package: Any) -> str:
    """Return the licences whose wording a package's files have, "" where none is known."""
    found = set()
    for file in package.files or ():
        if file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING")):
            text = " ".join(file.locate().read_text(encoding="utf-8", errors="replace").split())
            found |= {name for words, name in _WORDS.items() if words in text.lower()}
    return "; ".join(sorted(found))


def vulnerabilities(advisories: str | Path | None) -> Gate:
    """Return a gate that wants no locked requirement to have a known vulnerability.

    `advisories` is a JSON file of OSV records: a list, one record, or an object with `vulns`; or a
    ZIP file of such files, as OSV publishes those of PyPI. Without one nothing is known, and the
    gate does not pass. `measured` counts what was found; the reason tells the newest record, since
    what has become known after it is not looked for.
    Errors: ConfigError when the file cannot be read, holds no advisory, or one that is none of OSV.
    """
    known = None if advisories is None else _records(Path(advisories))
    about = _by_package(known or ())

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        del rows
        if known is None:
            return Verdict(
                gate="vulnerabilities",
                passed=False,
                limit=0.0,
                reason="no advisory data was given, so nothing is known of vulnerabilities",
            )
        versions, loose = pinned(candidate.requirements)
        faults = _unlocked(versions, loose)
        faults += [
            f"{name} {version} has {record['id']}"
            for name, version in versions.items()
            for record in about.get(name, ())
            if is_affected(record, name, version)
        ]
        return Verdict(
            gate="vulnerabilities",
            passed=not faults,
            measured=float(len(faults)),
            limit=0.0,
            reason="; ".join(faults) or f"{len(versions)} requirements, none is in {_told(known)}",
        )

    return gate


def _by_package(records: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the records about each package: of all of PyPI there are tens of thousands."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        named = {one.get("package", {}).get("name", "") for one in _affected(record)}
        for name in map(canonical, named):
            found.setdefault(name, []).append(record)
    return found


def _told(records: Sequence[Mapping[str, Any]]) -> str:
    newest = max(str(record.get("modified", "")) for record in records)
    return f"{len(records)} advisories" + (f", the newest of {newest[:10]}" if newest else "")


def is_affected(record: Mapping[str, Any], name: str, version: str) -> bool:
    """Return whether an OSV record is about this version of a package of PyPI.

    Old packages have versions that Python's rules do not know, such as joblib 0.3.2d. None of them
    is `version`; a range that ends at one is read from the list of its versions, and where there
    is none every version is taken to be in it.
    Errors: packaging's InvalidVersion when `version` is none.
    Source: the OSV schema, `affected[].versions` and `affected[].ranges[].events`.
    """
    from packaging.version import Version

    if record.get("withdrawn"):
        return False
    at = Version(version)
    for affected in _affected(record):
        package = affected.get("package", {})
        if package.get("ecosystem") != "PyPI" or canonical(package.get("name", "")) != name:
            continue
        listed = affected.get("versions", [])
        if at in map(_version, listed):
            return True
        if any(
            _is_within(at, part.get("events", []), unread=not listed)
            for part in affected.get("ranges", [])
            if part.get("type") == "ECOSYSTEM"
        ):
            return True
    return False


def _affected(record: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return what a record is about; OSV's schema allows a list, null, and nothing."""
    return record.get("affected") or ()


def _version(text: str) -> Any:
    """Return a version that compares, or None for text that is none."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except InvalidVersion:
        return None


def _is_within(at: Any, events: Sequence[Mapping[str, str]], *, unread: bool) -> bool:
    """Return whether a version lies in a range, `unread` where its ends cannot be read."""
    placed = [
        (kind, _version("0.dev0" if text == "0" else text))
        for event in events
        for kind, text in event.items()
    ]
    if any(place is None for _, place in placed):
        return unread
    inside = False
    for kind, place in sorted(placed, key=lambda event: event[1]):
        if kind == "introduced" and at >= place:
            inside = True
        if kind == "fixed" and at >= place:
            inside = False
        if kind == "last_affected" and at > place:
            inside = False
    return inside


def _unlocked(versions: Mapping[str, str], loose: Sequence[str]) -> list[str]:
    if not versions and not loose:
        return ["the model lists no requirements"]
    return [f"{name} is not pinned to a version" for name in loose]


def _records(file: Path) -> list[Mapping[str, Any]]:
    try:
        found = [record for text in _texts(file) for record in _listed(json.loads(text))]
    except _UNREADABLE as error:
        raise ConfigError(
            f"the advisories cannot be read: {error}",
            file=str(file),
            hint="hand in a JSON file of OSV records",
        ) from error
    if not found or not all(isinstance(one, dict) and "id" in one for one in found):
        raise ConfigError(
            "the file holds no OSV records", file=str(file), hint="each has an `id` and `affected`"
        )
    for record in found:
        if record.get("affected") is not None and not _fits(record, _RECORD):
            raise ConfigError(
                f"the advisory {record['id']!r} is no OSV record",
                file=str(file),
                hint="`affected` is a list, each with a `package`, which has a `name`",
            )
    return found


def _fits(value: Any, shape: Any) -> bool:
    """Return whether a value has a shape: a type, a list of one, or fields that may be missing."""
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(one, shape[0]) for one in value)
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(
            _fits(value[name], of) for name, of in shape.items() if name in value
        )
    return isinstance(value, shape)


def _texts(file: Path) -> Iterator[str | bytes]:
    with file.open("rb") as content:
        if not zipfile.is_zipfile(content):
            content.seek(0)
            yield content.read()
            return
        with zipfile.ZipFile(content) as archive:
            yield from (archive.read(name) for name in archive.namelist() if name[-1:] != "/")


def _listed(content: Any) -> Iterator[Any]:
    if isinstance(content, dict) and isinstance(content.get("vulns"), list):
        yield from content["vulns"]
    elif isinstance(content, list):
        yield from content
    else:
        yield content
