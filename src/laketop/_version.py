"""The version of laketop, read by the build and by `laketop version`."""

__version__ = "0.1.0"
