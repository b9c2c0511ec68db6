"""Files of SQL statements with what they answer, under fixtures/sql: reading and writing them.

A file is one family of statements. `## …` begins a case, a statement ends with a semicolon at the
end of a line, `| a, b` picks columns of its result, and lines after `>` are what is expected: the
columns with their types and the rows, or the condition of an error.

What another runtime than the default one answers to the same statements lies in a folder with its
key, `fixtures/sql/17.3-LTS`: only the cases that differ.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from laketop.settings import DEFAULT_RUNTIME

FOLDER = Path(__file__).parents[1] / "fixtures" / "sql"
REFUSED = "UNSUPPORTED_FEATURE"
"""The condition of what is refused by name; the sentence is kept with it."""


@dataclasses.dataclass
class Step:
    """One statement, the columns that are looked at, and the lines that are expected."""

    sql: str
    columns: str = ""
    expected: list[str] = dataclasses.field(default_factory=list)

    def text(self) -> str:
        picked = f"| {self.columns}\n" if self.columns else ""
        return f"{self.sql};\n{picked}" + "".join(f"> {line}\n" for line in self.expected)


@dataclasses.dataclass
class Case:
    """What is shown, and the statements that show it."""

    title: str
    steps: list[Step] = dataclasses.field(default_factory=list)

    @property
    def refusal(self) -> str | None:
        """The sentence, or the condition, with which the last statement is refused."""
        last = self.steps[-1].expected
        found = re.fullmatch(rf"error {REFUSED}(?:: (.*))?", last[0]) if last else None
        return found and (found[1] or REFUSED)

    @property
    def errors(self) -> list[str]:
        """The conditions of the errors that the statements end in, each once."""
        found = [
            step.expected[0].split()[1].rstrip(":")
            for step in self.steps
            if step.expected and step.expected[0].startswith("error ")
        ]
        return list(dict.fromkeys(found))

    @property
    def works(self) -> bool:
        """Whether any of the statements does what it says."""
        return any(
            not step.expected or not step.expected[0].startswith("error ") for step in self.steps
        )

    def text(self) -> str:
        return f"## {self.title}\n" + "".join(step.text() for step in self.steps)


def read(file: Path) -> list[Case]:
    """Return the cases of a file."""
    cases: list[Case] = []
    open_: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("## ") and not open_:
            cases.append(Case(line.removeprefix("## ")))
        elif line.startswith("> ") and not open_:
            cases[-1].steps[-1].expected.append(line.removeprefix("> "))
        elif line.startswith("| ") and not open_:
            cases[-1].steps[-1].columns = line.removeprefix("| ")
        elif line.strip() or open_:
            open_.append(line)
            script = open_[0].strip() == "BEGIN"
            if line.endswith(";") and (not script or line == "END;"):
                cases[-1].steps.append(Step("\n".join(open_).removesuffix(";")))
                open_ = []
    return cases


def text(cases: list[Case]) -> str:
    """Return the text of a file with these cases."""
    return "\n".join(case.text() for case in cases)


def differing(file: Path, runtime: str) -> Path:
    """Return the file of the cases of a family that answer otherwise on a runtime."""
    return file.parent / runtime / file.name


def read_for(file: Path, runtime: str) -> list[Case]:
    """Return the cases of a file with the answers of a runtime."""
    own = differing(file, runtime)
    others = {case.title: case for case in read(own)} if own.exists() else {}
    return [others.get(case.title, case) for case in read(file)]


def write_for(file: Path, runtime: str, cases: list[Case]) -> None:
    """Write the answers of a runtime: all of the default one's, those that differ of another's."""
    if runtime == DEFAULT_RUNTIME:
        file.write_text(text(cases), encoding="utf-8")
        return
    own, common = differing(file, runtime), read(file)
    others = [case for case in cases if case not in common]
    own.parent.mkdir(exist_ok=True)
    own.unlink(missing_ok=True)
    if others:
        own.write_text(text(others), encoding="utf-8")
