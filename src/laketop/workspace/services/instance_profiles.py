"""Instance profiles, kept as they were sent: the laptop has no cloud to take on roles of."""

from __future__ import annotations

import re
from typing import Any

from databricks.sdk.errors.platform import (
    InvalidParameterValue,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)

from laketop.workspace.service import Service, route

_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:instance-profile/[\w+=,.@/-]{1,512}")


class InstanceProfiles(Service):
    """Instance profiles as objects. Source: databricks-sdk, `compute.InstanceProfilesAPI`."""

    @property
    def _profiles(self) -> Any:
        return self.table("profiles")

    @route("POST /api/2.0/instance-profiles/add")
    def add(
        self,
        instance_profile_arn: str,
        iam_role_arn: str | None = None,
        is_meta_instance_profile: bool = False,
        skip_validation: bool = False,  # noqa: ARG002 - nobody could validate it
    ) -> None:
        """Keep a profile."""
        self.workspace.require_admin()
        if not _ARN.fullmatch(instance_profile_arn):
            raise InvalidParameterValue(
                f"{instance_profile_arn[:200]!r} is not the ARN of an instance profile."
            )
        if instance_profile_arn in self._profiles:
            raise ResourceAlreadyExists(f"{instance_profile_arn} has been added already.")
        self._keep(instance_profile_arn, iam_role_arn, is_meta_instance_profile)

    @route("GET /api/2.0/instance-profiles/list")
    def list(self) -> dict[str, Any]:
        """Return every profile."""
        return {"instance_profiles": [*self._profiles.values()]}

    @route("POST /api/2.0/instance-profiles/edit")
    def edit(
        self,
        instance_profile_arn: str,
        iam_role_arn: str | None = None,
        is_meta_instance_profile: bool = False,
    ) -> None:
        """Change a profile."""
        self.workspace.require_admin()
        self._check(instance_profile_arn)
        self._keep(instance_profile_arn, iam_role_arn, is_meta_instance_profile)

    @route("POST /api/2.0/instance-profiles/remove")
    def remove(self, instance_profile_arn: str) -> None:
        """Forget a profile."""
        self.workspace.require_admin()
        self._check(instance_profile_arn)
        del self._profiles[instance_profile_arn]

    def _check(self, arn: str) -> None:
        if arn not in self._profiles:
            raise ResourceDoesNotExist(f"The instance profile {arn[:200]} does not exist.")

    def _keep(self, arn: str, role: str | None, is_meta: bool) -> None:
        told = {"instance_profile_arn": arn, "is_meta_instance_profile": is_meta}
        self._profiles[arn] = {**told, **({"iam_role_arn": role} if role else {})}
