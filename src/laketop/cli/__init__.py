"""The command `laketop`: one file a command."""
