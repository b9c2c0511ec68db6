"""`dbutils.widgets`: the parameters of a notebook, all of them text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class InputWidgetNotDefined(Exception):
    """No widget has this name, and the run brought no parameter of it."""


class Widgets:
    """The widgets of one notebook: the run's parameters, %run's arguments, the defaults.

    The run's value wins over that of `%run`, which wins over the widget's default.
    """

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = dict(parameters)
        self._arguments: dict[str, str] = {}
        self._defaults: dict[str, str] = {}

    def text(self, name: str, defaultValue: str = "", label: str | None = None) -> None:  # noqa: ARG002, N803 - the platform's signature
        """Define a text widget."""
        self._defaults[name] = _text(defaultValue)

    def dropdown(
        self,
        name: str,
        defaultValue: str,  # noqa: N803 - the platform's name
        choices: Sequence[str],
        label: str | None = None,  # noqa: ARG002 - the platform's signature
    ) -> None:
        """Define a widget of one choice.

        Errors: ValueError if the default is no choice.
        """
        if defaultValue not in choices:
            raise ValueError(f"the default {defaultValue!r} of widget {name!r} is no choice of it")
        self._defaults[name] = _text(defaultValue)

    def combobox(
        self,
        name: str,
        defaultValue: str,  # noqa: N803 - the platform's name
        choices: Sequence[str],  # noqa: ARG002 - the platform's signature
        label: str | None = None,  # noqa: ARG002 - the platform's signature
    ) -> None:
        """Define a widget of one choice or any text."""
        self._defaults[name] = _text(defaultValue)

    def multiselect(
        self,
        name: str,
        defaultValue: str,  # noqa: N803 - the platform's name
        choices: Sequence[str],
        label: str | None = None,
    ) -> None:
        """Define a widget of several choices; its value joins them with commas.

        Errors: ValueError if the default is no choice.
        """
        self.dropdown(name, defaultValue, choices, label)

    def get(self, name: str) -> str:
        """Return the value of a widget, or of a parameter of the run.

        Errors: InputWidgetNotDefined if there is neither.
        """
        values = self.getAll()
        if name not in values:
            raise InputWidgetNotDefined(
                f"no input widget named {name!r} is defined\n"
                f"hint: define it by dbutils.widgets.text({name!r}, ..), or pass it to the run"
            )
        return values[name]

    def getArgument(self, name: str, defaultValue: str | None = None) -> str | None:  # noqa: N802, N803 - the platform's name
        """Return the value of a widget, or `defaultValue` if there is none.

        Errors: InputWidgetNotDefined if there is neither.
        """
        if defaultValue is None:
            return self.get(name)
        return self.getAll().get(name, defaultValue)

    def getAll(self) -> dict[str, str]:  # noqa: N802 - the platform's name
        """Return {name: value} of all widgets and parameters."""
        return {**self._defaults, **self._arguments, **self._parameters}

    def remove(self, name: str) -> None:
        """Forget a widget; the run's parameter of that name stays."""
        self._defaults.pop(name, None)
        self._arguments.pop(name, None)

    def removeAll(self) -> None:  # noqa: N802 - the platform's name
        """Forget all widgets; the run's parameters stay."""
        self._defaults.clear()
        self._arguments.clear()

    def set_arguments(self, arguments: Mapping[str, str]) -> None:
        """Take over the arguments of a `%run`."""
        self._arguments.update(arguments)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"the default of a widget is text, not {value!r}")
    return value
