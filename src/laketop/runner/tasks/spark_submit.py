"""`spark_submit_task`: a jar or a Python file, by the words of spark-submit.

Source: databricks-sdk, `SparkSubmitTask`; Apache Spark docs, submitting applications.
"""

from __future__ import annotations

import dataclasses
import zipfile
from typing import TYPE_CHECKING, Any, Final

from laketop.errors import ConfigError, Refused
from laketop.runner.hosted import run_hosted
from laketop.runner.libraries import jar_at
from laketop.runner.main_class import jars_of, run_main_class
from laketop.runner.resolving import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from laketop.runner.context import Outcome, TaskContext

_OF_A_CLUSTER: Final = frozenset(
    {
        *("--master", "--deploy-mode", "--driver-memory", "--driver-cores", "--executor-memory"),
        *("--executor-cores", "--num-executors", "--total-executor-cores", "--queue", "--name"),
        *("--driver-java-options", "--principal", "--keytab", "--proxy-user"),
    }
)
"""Options that say where and how large: there is one engine here. Each takes a value."""
_FLAGS: Final = frozenset({"--verbose", "-v", "--supervise"})
_TAKEN: Final = ("--class", "--jars", "--conf", "-c")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Submission:
    """What the words of spark-submit ask for; `unused` are options that mean nothing here."""

    file: str
    arguments: tuple[str, ...]
    main_class: str | None = None
    jars: tuple[str, ...] = ()
    confs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    unused: tuple[str, ...] = ()


class SparkSubmitTask:
    """Runs what the parameters submit: a main class in a JVM of its own, or a Python file."""

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        """Run the file that is submitted, with the arguments after it.

        Errors: ConfigError for words that make no submission or a jar without a main class,
        Refused for options that are not known here, EngineMissing without Java.
        """
        words = [str(word) for word in task["spark_submit_task"].get("parameters") or ()]
        asked = submission(words)
        if asked.unused:
            say(f"without effect on the one engine here: {', '.join(asked.unused)}", context)
        if asked.file.endswith(".py"):
            return _python(asked, context)
        main = jar_at(asked.file, context.resolve)
        beside = (jar_at(jar, context.resolve) for jar in asked.jars)
        return run_main_class(
            asked.main_class or main_class_of(main),
            asked.arguments,
            context,
            jars=(main, *beside, *jars_of(context)),
            confs=asked.confs,
        )


def _python(asked: Submission, context: TaskContext) -> Outcome:
    given = [*(["--jars"] if asked.jars else []), *(["--conf"] if asked.confs else [])]
    if given:
        hint = "set what Spark has to know in the code: spark.conf.set, spark.addArtifacts"
        raise Refused(f"{' and '.join(given)} with a Python file in spark-submit", hint=hint)
    return run_hosted("spark_python", asked.file, context, arguments=asked.arguments)


def submission(words: Sequence[str]) -> Submission:
    """Return what these words ask for.

    >>> submission(["--class", "a.B", "--conf", "x=1", "/b.jar", "--class", "c"]).arguments
    ('--class', 'c')

    Errors: ConfigError without a file or for an option without a value, Refused for an option
    that is not known here.
    """
    given: dict[str, list[str]] = {name: [] for name in _TAKEN}
    unused: list[str] = []
    left = list(words)
    while left and left[0].startswith("-"):
        name, sign, value = left.pop(0).partition("=")
        if name in _FLAGS:
            unused.append(name)
            continue
        if name not in given and name not in _OF_A_CLUSTER:
            known = ", ".join((*_TAKEN, *sorted(_OF_A_CLUSTER)))
            raise Refused(f"the option {name!r} of spark-submit", hint=f"these are taken: {known}")
        if not sign and not left:
            raise ConfigError(f"the option {name!r} of spark-submit has no value")
        value = value if sign else left.pop(0)
        if name in _OF_A_CLUSTER:
            unused.append(name)
        else:
            given[name].append(value)
    if not left:
        raise ConfigError("a spark_submit_task names no jar or Python file", hint="see parameters")
    return Submission(
        file=left[0],
        arguments=tuple(left[1:]),
        main_class=given["--class"][-1] if given["--class"] else None,
        jars=tuple(jar for text in given["--jars"] for jar in text.split(",") if jar),
        confs=dict(_conf(text) for text in (*given["--conf"], *given["-c"])),
        unused=tuple(dict.fromkeys(unused)),
    )


def _conf(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise ConfigError(f"the setting {text!r} of spark-submit is not of the form NAME=VALUE")
    return name, value


def main_class_of(jar: Path) -> str:
    """Return the main class that the manifest of a jar names.

    Errors: ConfigError if it names none, or the file is no jar.
    """
    try:
        with zipfile.ZipFile(jar) as archive:
            manifest = archive.read("META-INF/MANIFEST.MF").decode("utf-8", "replace")
    except (zipfile.BadZipFile, KeyError):
        manifest = ""
    # A line of a manifest is at most 72 bytes long; a longer one goes on after a space.
    for line in manifest.replace("\r\n", "\n").replace("\n ", "").splitlines():
        name, _, value = line.partition(": ")
        if name == "Main-Class":
            return value.strip()
    raise ConfigError(f"the jar {jar.name!r} names no main class", hint="give it by --class")
