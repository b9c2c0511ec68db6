"""What a context remembers of its commands."""

from __future__ import annotations

from laketop.workspace.command_contexts import Command, forget


def _commands(*sizes: int) -> dict[str, Command]:
    made = [
        Command(str(number), "python", "", "Finished" if size else "Queued", size=size)
        for number, size in enumerate(sizes)
    ]
    return {one.id: one for one in made}


def test_the_oldest_results_are_forgotten_beyond_the_limit() -> None:
    commands = _commands(4, 0, 3, 2, 0)
    forget(commands, most=9)
    assert list(commands) == ["0", "1", "2", "3", "4"]
    forget(commands, most=5)
    assert list(commands) == ["1", "2", "3", "4"]


def test_the_last_result_and_what_has_not_ended_stay() -> None:
    commands = _commands(4, 0, 30)
    forget(commands, most=5)
    assert list(commands) == ["1", "2"]
