"""IPython as the runner uses it: no prompt, no history, no traceback of its own, plain text."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

from IPython.core import magic
from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from laketop.runner.output import pass_on

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class _NamedCells(CachingCompiler):
    # Cells are called in tracebacks by what `cell_name` says.

    cell_name = "cell"

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:  # noqa: ARG002 - IPython's signature
        return self.cell_name


class _PlainText(DisplayHook):
    # The last value of a cell, without `Out[1]:`.

    def write_output_prompt(self) -> None:
        return

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:  # noqa: ARG002 - IPython's signature
        print(format_dict.get("text/plain", ""))


_Shell: Any = InteractiveShell  # untyped


class NotebookShell(_Shell):  # type: ignore[misc]  # the same
    """Runs Python cells, and raises what they raise."""

    compiler_class = _NamedCells
    displayhook_class = _PlainText

    def run_python(self, source: str, name: str) -> None:
        """Run one cell, which tracebacks call `name`.

        Errors: what the cell raises, BaseExceptions included.
        """
        compiler: Any = self.compile
        outer, compiler.cell_name = compiler.cell_name, name
        shown, self._shown = getattr(self, "_shown", None), None
        try:
            result = self.run_cell(source, store_history=False)
            error = result.error_before_exec or result.error_in_exec or self._shown
        finally:
            compiler.cell_name = outer
            self._shown = shown
        if error is not None:
            raise error

    def add_line_magic(self, name: str, act: Callable[[str], None]) -> None:
        """Let `%name rest` call `act("rest")`, without expansion of `$` in it."""

        def run(line: str) -> None:
            act(line)

        unexpanded: Any = magic.no_var_expand
        self.register_magic_function(unexpanded(run), "line", name)

    def reset_names(self, names: dict[str, Any]) -> None:
        """Forget all that cells have defined, and define `names`."""
        self.reset(new_session=False, aggressive=False)
        self.push(names)

    def run_process(self, command: Sequence[str]) -> int:
        """Run a program with its output in that of this process; return its exit code."""
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as child:
            pass_on(child)
            return child.wait()

    def expanded(self, line: str) -> str:
        """Return a line with `$name` and `{name}` replaced by what cells have defined."""
        return str(self.var_expand(line))

    def system(self, cmd: str) -> None:
        """Run a `!` line."""
        line = self.var_expand(cmd, depth=1)
        self.user_ns["_exit_code"] = self.run_process(["bash", "-c", line])

    def showtraceback(self, *_args: Any, **_options: Any) -> None:
        """Keep the error for `run_python`; magics of old versions show it and go on."""
        self._shown = sys.exc_info()[1]

    def showsyntaxerror(self, *_args: Any, **_options: Any) -> None:
        """Show nothing: the error is in the cell's result."""


def make_shell(names: dict[str, Any], folder: Path) -> NotebookShell:
    """Return the shell of this process, with `names` defined; `folder` is for IPython's files."""
    folder.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore", message="To exit: use")
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.ipython_dir = str(folder)
    shell: NotebookShell = NotebookShell.instance(config=config, user_ns=names)
    # IPython's own calls the `open` of the moment when it was imported; file calls may have been
    # taken to volumes since, where a process was forked.
    shell.user_ns["open"] = open
    return shell
