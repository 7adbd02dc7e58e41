"""The key that signs the audit trail: Ed25519, from the settings or a file beside the database, made once."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from quitbutton.core.audit.signed_note import VerifierKey
from quitbutton.core.errors import SettingsError
from quitbutton.settings.files import private_folder, tighten, write_private

NAME = "quitbutton"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one installation."""

    private: Ed25519PrivateKey
    name: str = NAME

    @property
    def key(self) -> VerifierKey:
        """The public half, with its name."""
        return VerifierKey(self.name, self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, data: bytes) -> bytes:
        """The signature over bytes."""
        return self.private.sign(data)


def is_signed_by(key: VerifierKey, signature: bytes, data: bytes) -> bool:
    """True when the signature over these bytes is this key's."""
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def signer_of(given: str | None, file: Path | None, name: str = NAME) -> Signer:
    """The signer of a setting (32 bytes in base64), else of a file, which is made where there is none.

    Without both it is a key for this process alone. Raises `SettingsError`.
    """
    if given is not None:
        return Signer(_private(given, "The setting audit_key"), name)
    if file is None:
        return Signer(Ed25519PrivateKey.generate(), name)
    if not file.exists():
        private_folder(file.parent)
        text = base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode() + "\n"
        write_private(file, text, is_new=True)
    tighten(file)
    return Signer(_private(file.read_text("utf-8"), f"The file {file}"), name)


def _private(text: str, where: str) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError) as error:
        raise SettingsError(f"{where} must hold an Ed25519 key: 32 random bytes in base64.") from error
