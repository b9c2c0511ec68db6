"""What happens in the registry of models and prompts that a webhook may be told. Pure.

Source: MLflow's webhooks: names of events, and what each tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Told = Callable[[str, Mapping[str, Any]], None]
"""Is handed an event, and what it tells."""

_TAGS: Final = {"example_key": "example_value"}
_SOURCE: Final = {"source": "models:/123", "run_id": "abcd1234abcd5678"}
_TAG: Final = {"key": "example_key", "value": "example_value"}

EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "registered_model.created": {"name": "c.s.m", "tags": _TAGS, "description": "a model"},
    "model_version.created": {
        "name": "c.s.m",
        "version": "1",
        **_SOURCE,
        "tags": _TAGS,
        "description": "a version",
    },
    "model_version_tag.set": {"name": "c.s.m", "version": "1", **_TAG},
    "model_version_tag.deleted": {"name": "c.s.m", "version": "1", "key": "example_key"},
    "model_version_alias.created": {"name": "c.s.m", "alias": "champion", "version": "1"},
    "model_version_alias.deleted": {"name": "c.s.m", "alias": "champion"},
    "prompt.created": {"name": "c.s.p", "tags": _TAGS, "description": "a prompt"},
    "prompt_version.created": {
        "name": "c.s.p",
        "version": "1",
        "template": "Hello {{name}}!",
        "tags": _TAGS,
        "description": "a version",
    },
    "prompt_tag.set": {"name": "c.s.p", **_TAG},
    "prompt_tag.deleted": {"name": "c.s.p", "key": "example_key"},
    "prompt_version_tag.set": {"name": "c.s.p", "version": "1", **_TAG},
    "prompt_version_tag.deleted": {"name": "c.s.p", "version": "1", "key": "example_key"},
    "prompt_alias.created": {"name": "c.s.p", "alias": "production", "version": "1"},
    "prompt_alias.deleted": {"name": "c.s.p", "alias": "production"},
}
"""The events that there are, each with what a test of a webhook sends."""
