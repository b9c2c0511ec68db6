"""Looks for processes by what stands on their command lines."""

from __future__ import annotations

from pathlib import Path


def is_running(pid: int) -> bool:
    """Return whether the process runs; one that has ended, but nobody waited for, does not."""
    return _stat(pid)[0] != "Z"


def parent_of(pid: int) -> int:
    """Return the process that started it, 0 where it is gone."""
    return int(_stat(pid)[1])


def family_of(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have."""
    found, everyone = {pid}, [int(e.name) for e in Path("/proc").iterdir() if e.name.isdecimal()]
    parents = {one: parent_of(one) for one in everyone}
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {pid})


def processes_of(text: str) -> list[int]:
    """Return the ids of the processes whose command line holds `text`."""
    return list(commands_of(text))


def commands_of(text: str) -> dict[int, str]:
    """Return the command lines that hold `text`, by the ids of their processes."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if text in line and is_running(int(entry.name)):
                found[int(entry.name)] = line
    return found


def _stat(pid: int) -> list[str]:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:  # it has ended, perhaps while it was read
        return ["Z", "0"]
    return stat.rpartition(") ")[2].split()
