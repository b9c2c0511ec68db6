"""The runner: what a job run does next, and the processes that do it."""
