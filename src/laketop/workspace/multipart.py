"""Forms with files in them, as `multipart/form-data` sends them."""

from __future__ import annotations

import email.parser
import email.policy

from databricks.sdk.errors.platform import BadRequest


def parts_of(content_type: str, body: bytes) -> dict[str, bytes]:
    """Return the parts of a form by name.

    Errors: BadRequest with MALFORMED_REQUEST for a body that is no form.
    """
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise BadRequest("Could not parse the form.", error_code="MALFORMED_REQUEST")
    found: dict[str, bytes] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            found[name] = payload
    return found
