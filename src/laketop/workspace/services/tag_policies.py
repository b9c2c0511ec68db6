"""Governed tags: which values a tag may have."""

from __future__ import annotations

import uuid
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.service.tags import TagPolicy

from laketop.workspace.kept import Kept, Record, iso, masked
from laketop.workspace.service import Fields, Service, route
from laketop.workspace.tag_words import check_key, check_value

_SET_BY_US = ("id", "create_time", "update_time")


class TagPolicies(Service):
    """Policies by the key of their tag, which assignments over REST obey.

    Source: databricks-sdk, `tags.TagPoliciesAPI`.
    """

    shared = True

    @property
    def _kept(self) -> Kept:
        return Kept(self.table("policies"), "Tag policy", TagPolicy)

    @route("POST /api/2.1/tag-policies")
    def create_tag_policy(self, fields: Fields) -> Record:
        """Keep a policy."""
        self.workspace.require_admin()
        policy = _checked(self._kept.checked(fields, without=_SET_BY_US))
        now = iso(self.workspace.now_ms())
        made = {**policy, "id": str(uuid.uuid4()), "create_time": now, "update_time": now}
        return self._kept.add(made["tag_key"], made)

    @route("GET /api/2.1/tag-policies/{tag_key}")
    def get_tag_policy(self, tag_key: str) -> Record:
        """Return a policy."""
        return self._kept.existing(tag_key)

    @route("GET /api/2.1/tag-policies")
    def list_tag_policies(
        self, page_size: int = 0, page_token: str | None = None
    ) -> dict[str, Any]:
        """Return the policies by key, by pages."""
        return self._kept.page("tag_policies", page_size, page_token)

    @route("PATCH /api/2.1/tag-policies/{tag_key}")
    def update_tag_policy(self, tag_key: str, update_mask: str, fields: Fields) -> Record:
        """Change description or values of a policy; tags that are assigned stay."""
        self.workspace.require_admin()
        old = self._kept.existing(tag_key)
        fixed = (*_SET_BY_US, "tag_key")
        sent = self._kept.checked({**fields, "tag_key": tag_key})
        new = _checked(masked(old, sent, update_mask, shape=TagPolicy, fixed=fixed))
        return self._kept.put(tag_key, {**new, "update_time": iso(self.workspace.now_ms())})

    @route("DELETE /api/2.1/tag-policies/{tag_key}")
    def delete_tag_policy(self, tag_key: str) -> None:
        """Forget a policy; its tag may have any value."""
        self.workspace.require_admin()
        self._kept.remove(tag_key)

    def check(self, key: str, value: str) -> None:
        """Refuse a value that the policy of a tag does not list; one without values lists all.

        Errors: InvalidParameterValue, for what is no tag too.
        """
        check_key(key)
        check_value(value)
        with self.store.reading():
            policy = self._kept.existing(key) if key in self._kept else {}
        values = [one["name"] for one in policy.get("values") or []]
        if values and value not in values:
            raise InvalidParameterValue(
                f"The value {value[:200]!r} of the tag {key!r} is none of its policy:"
                f" {', '.join(values)[:500]}."
            )


def _checked(policy: Record) -> Record:
    check_key(policy["tag_key"])
    names = [value["name"] for value in policy.get("values") or []]
    for name in names:
        check_value(name)
    if len(set(names)) != len(names):
        raise InvalidParameterValue("A value stands twice in the policy.")
    return policy
