"""What may go wrong with a request; `api.problem` says how each is answered."""

from collections.abc import Sequence


class ApiError(Exception):
    """A request that cannot be served; the message is for whoever asked."""


class NotFound(ApiError):
    """It does not exist, or not for this caller: the two are not told apart."""

    def __init__(self, what: str, key: object) -> None:
        super().__init__(f"There is no {what} {key}.")


class Unauthenticated(ApiError):
    """No token, or none that is good."""


class Forbidden(ApiError):
    """The caller is known and may not do this."""


class Invalid(ApiError):
    """One field of the request is wrong in a way that its type does not show."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Stale(ApiError):
    """The thing has changed since the caller read it."""


class Conflict(ApiError):
    """Something stands in the way that is so by now."""


class TooMany(ApiError):
    """Too often for now; `wait_s` is how long to wait."""

    def __init__(self, message: str, wait_s: int) -> None:
        super().__init__(f"{message} Try again in {wait_s} seconds.")
        self.wait_s = wait_s


class Unreachable(ApiError):
    """Something that the answer depends on does not answer itself."""


class MoveRefused(ApiError):
    """The ticket cannot make this move now; `allowed` are the events it can."""

    def __init__(self, message: str, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.allowed = list(allowed)
