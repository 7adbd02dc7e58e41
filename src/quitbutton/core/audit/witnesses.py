"""What an operator may say of a witness: where it is, and the key of its cosignatures."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from quitbutton.core.audit.signed_note import COSIGNATURE, VerifierKey
from quitbutton.core.errors import SettingsError


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """One `[witnesses.NAME]` table.

    Raises `SettingsError`, naming the key and what is allowed, when a value is out of range.
    """

    url: str
    """Where checkpoints are sent: the submission prefix of a C2SP witness, or a folder as `file:///...`."""
    key: str | None = None
    """The witness's verifier key, `NAME+HASH+BASE64`, of the type of cosignatures; a folder has none."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme == "file":
            if self.key is not None or parts.netloc or not parts.path.startswith("/"):
                raise SettingsError("url names a folder as file:///FOLDER, which has no key")
            return
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise SettingsError("url must begin with https://, http:// or file:///, without a user, password or query")
        try:
            VerifierKey.read(self.key or "", COSIGNATURE)
        except ValueError as error:
            raise SettingsError(f"key must be the witness's verifier key: {error}") from error

    @property
    def folder(self) -> str | None:
        """The folder, where it is one."""
        parts = urlsplit(self.url)
        return parts.path if parts.scheme == "file" else None
