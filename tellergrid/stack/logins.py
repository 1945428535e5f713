"""Lets the api log in to the database as itself: a role that owns nothing and sees nothing yet."""

from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow

API_ROLE = "tellergrid_api"
_METHOD = "scram-sha-256"


async def let_api_in(connection: AsyncConnection[TupleRow], password: str) -> None:
    """Give the api's role a password; what is sent, and may be logged, is only its verifier."""
    verifier = connection.pgconn.encrypt_password(
        password.encode(), API_ROLE.encode(), _METHOD.encode()
    )
    await connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(
            sql.Identifier(API_ROLE), sql.Literal(verifier.decode())
        )
    )
