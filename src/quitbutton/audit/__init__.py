"""The audit trail of an installation: its head, its signer, its witnesses."""
