"""One base class, a few leaves, each with the HTTP status its caller should see. Cause first, then the cure."""

from __future__ import annotations

import math


class QuitbuttonError(Exception):
    """Anything of ours that a caller should be told about. `str(error)` is written for that caller."""

    status = 500
    type = "server_error"
    code = "internal_error"
    param: str | None = None
    """The member of the request that is wrong, where the protocol's own errors name it."""


class BadRequest(QuitbuttonError):
    """The request cannot be read."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_request"


class TooLarge(BadRequest):
    """The request is over a named limit."""

    status = 413
    code = "request_too_large"


class UnknownCoding(BadRequest):
    """The request's body is compressed in a way that is not read here."""

    status = 415
    code = "unsupported_content_encoding"


class NotReviewed(QuitbuttonError):
    """A warning or an end was about to be recorded without the yes that it needs. A fault of ours, never of a caller."""


class NotAllowed(QuitbuttonError):
    """The caller did not show a key that may do this."""

    status = 401
    type = "invalid_request_error"
    code = "invalid_api_key"


class Forbidden(NotAllowed):
    """The caller is known, or a browser speaks for another site, and may not do this."""

    status = 403
    code = "forbidden"


class RateLimited(QuitbuttonError):
    """Too many requests in too short a time; nothing was done."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = max(1, math.ceil(retry_after))
        """Whole seconds after which it is worth trying again."""


class Overloaded(QuitbuttonError):
    """There is no room for one more turn at this gateway, or it stops; nothing was counted. Another may have room."""

    status = 503
    type = "server_error"
    code = "overloaded"
    retry_after = 1
    """Whole seconds after which it is worth trying again."""


class NotFound(QuitbuttonError):
    """There is no such thing here, or it is not the caller's."""

    status = 404
    type = "invalid_request_error"
    code = "not_found"


class PreviousNotFound(NotFound):
    """A request goes on from a response that is not there, or not the caller's; in the provider's words."""

    code = "previous_response_not_found"
    param = "previous_response_id"


class ModelNotFound(NotFound):
    """No upstream answers for the model in the protocol of the request."""

    code = "model_not_found"


class UpstreamFailed(QuitbuttonError):
    """The model behind the gateway could not be reached, or broke off."""

    status = 502
    type = "upstream_error"
    code = "upstream_failed"
    said = ""
    """The server's own words where it refused the request, and nothing of a reply came before them."""


class UpstreamTimeout(UpstreamFailed):
    """The model behind the gateway did not answer in time."""

    status = 504
    code = "upstream_timeout"


class StoreFailed(QuitbuttonError):
    """The store could not take or give a record; nothing was counted."""

    status = 503
    code = "store_unavailable"


class RecordRefused(StoreFailed):
    """The store is there, and did not take this one: another may be taken."""


class AssessorFailed(QuitbuttonError):
    """An assessor could not tell. The guard counts the turn as unknown: no harm proven."""

    status = 503
    type = "server_error"
    code = "assessor_failed"

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why
        """The cause for the record, machine-readable: `timeout`, `status:503`, `truncated`, ... Never the user's words."""


class PolicyError(QuitbuttonError, ValueError):
    """A policy key has a value that is not allowed."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_policy"


class SettingsError(QuitbuttonError, ValueError):
    """A setting has a value that is not allowed, or settings contradict one another."""
