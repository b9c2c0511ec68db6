"""Where a bundle is deployed to: a workspace's API, its files, and what is said on the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from laketop.settings import FIRST_WORKSPACE, Settings, workspace_folder
from laketop.workspace.daemon import Contact
from laketop.workspace.deployment.api import Api, LocalApi, RemoteApi
from laketop.workspace.deployment.folders import DiskFolder, Folder, RemoteFolder

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Site:
    """One workspace, and the project's state folder, in which builds are remembered."""

    api: Api
    folder: Folder
    url: str
    is_local: bool
    settings: Settings
    say: Say
    environment: Mapping[str, str] = dataclasses.field(repr=False)
    """Of the bundle's own scripts; on the local workspace it names that one, with its token."""
    workspace: str = FIRST_WORKSPACE
    """The name of a local one."""

    @property
    def state(self) -> Path:
        """The state folder of the project."""
        return self.settings.state

    @classmethod
    def local(cls, settings: Settings, contact: Contact, say: Say) -> Site:
        """Return the workspace of the project that `contact` reaches."""
        folder = DiskFolder(workspace_folder(settings.state, contact.workspace))
        environment = {**settings.tool_environment, **contact.environment()}
        return cls(
            LocalApi(contact),
            folder,
            contact.url,
            True,
            settings,
            say,
            environment,
            workspace=contact.workspace,
        )

    @classmethod
    def remote(cls, settings: Settings, client: WorkspaceClient, say: Say) -> Site:
        """Return the workspace that a client of the SDK speaks to, over REST alone."""
        url = str(client.config.host).rstrip("/")
        environment = settings.tool_environment
        return cls(RemoteApi(client), RemoteFolder(client), url, False, settings, say, environment)
