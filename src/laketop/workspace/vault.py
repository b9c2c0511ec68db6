"""What keeps secrets at rest: AES-GCM under a key that lies beside the records, not in them."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from databricks.sdk.errors.platform import DataLoss

from laketop import durable

_KEY_BITS = 256
_NONCE_BYTES = 12


class Vault:
    """Seals and opens values; each is bound to its name, so that none can stand for another."""

    def __init__(self, key_file: Path, *, scratch: Path) -> None:
        self._cipher = AESGCM(_key(key_file, scratch))

    def seal(self, name: str, value: bytes) -> bytes:
        """Return `value` encrypted under a fresh nonce."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, value, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes:
        """Return the value that was sealed under `name`.

        Errors: DataLoss if the key is another one or a byte was changed.
        """
        try:
            nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, rest, name.encode())
        except (InvalidTag, ValueError) as error:
            raise DataLoss(
                f"The secret {name} cannot be read: it was sealed with another key than that in"
                " .laketop/secrets.key; put the value again."
            ) from error


def _key(file: Path, scratch: Path) -> bytes:
    if not file.exists():
        # A file made in the scratch folder is readable by its owner alone.
        durable.write(file, AESGCM.generate_key(_KEY_BITS), scratch=scratch)
    return file.read_bytes()
