"""Services of objects that are kept as they were sent, and that permissions are kept on."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from databricks.sdk.errors.platform import InvalidParameterValue

from laketop.bundle.cron import Cron
from laketop.errors import ConfigError
from laketop.workspace.kept import Kept, Record
from laketop.workspace.service import Service

CREATOR = "creator_user_name"
"""The field that holds who made an object, whether answers show it or not."""


class PermittedService(Service):
    """The service of one kind of them; its creator holds the strongest level."""

    kind: ClassVar[str]
    """As sentences name it."""
    shape: ClassVar[type]
    """The dataclass of the SDK that an answer is."""
    objects: ClassVar[str]
    """As permissions name it."""
    id_field: ClassVar[str]
    """The field that holds the key."""

    @property
    def _kept(self) -> Kept:
        return Kept(self.table(self.objects), self.kind, self.shape)

    def existing(self, key: str) -> Record:
        """Return an object whoever asks, inside a transaction. Errors: ResourceDoesNotExist."""
        return self._kept.existing(key)

    def _require(self, key: str, level: str) -> Record:
        found = self.existing(key)
        self.workspace.permissions.require(self.objects, key, level)
        return found

    def _allowed(self, level: str) -> Callable[[Record], bool]:
        return lambda one: bool(
            self.workspace.permissions.allows(self.objects, one[self.id_field], level)
        )

    def _forget(self, key: str) -> Record:
        found = self._kept.remove(key)
        self.workspace.permissions.forget(self.objects, key)
        return found


def check_cron(expression: str, zone: str) -> None:
    """Refuse what is no schedule of Quartz's. Errors: InvalidParameterValue that names the part."""
    try:
        Cron.of(expression, zone)
    except ConfigError as error:
        raise InvalidParameterValue(f"{error.message}.") from error
