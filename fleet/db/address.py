"""The database's address as settings take it: refused at the start where it cannot be read."""

from typing import Annotated

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, SecretStr


def readable(url: str) -> str:
    """The same; raises `ValueError` without a word of it, for it may hold a password."""
    try:
        conninfo_to_dict(url)
    except ProgrammingError:
        pass
    else:
        return url
    raise ValueError(
        "cannot be read: write postgresql://user:password@host:5432/name, in the password %25 for %"
    )


def _secretly(url: SecretStr) -> SecretStr:
    readable(url.get_secret_value())
    return url


DatabaseUrl = Annotated[str, AfterValidator(readable)]
SecretDatabaseUrl = Annotated[SecretStr, AfterValidator(_secretly)]
