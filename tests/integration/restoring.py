"""A dump, and a restore into another server, as docs/how-to/back-up-and-restore.md has them."""

import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from fleet.db.pool import connect
from tellergrid.stack.ports import free_port
from tests.engines import DatabaseServer

_PAGE = Path(__file__).parents[2] / "docs/how-to/back-up-and-restore.md"
_ROLES = re.compile(r"```sql\n(.*?)```", re.DOTALL)


@contextmanager
def new_server(like: DatabaseServer) -> Iterator[DatabaseServer]:
    """A server that has nothing in it and has counted few transactions yet."""
    data = like.cluster.data.with_name("new-server")
    server = DatabaseServer(
        replace(like.cluster, data=data, port=free_port()), data.with_suffix(".log")
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(data)


def dump(server: DatabaseServer, url: str, file: Path) -> None:
    """Everything of a database, in one file."""
    _run(server, "pg_dump", "--format=custom", f"--file={file}", url)


async def restore(server: DatabaseServer, file: Path) -> str:
    """Into a new database of a server; returns its URL."""
    found = _ROLES.search(_PAGE.read_text(encoding="utf-8"))
    assert found is not None
    admin = server.cluster.url("postgres")
    async with await connect(admin, name="test", autocommit=True) as connection:
        for statement in textwrap.dedent(found[1]).split(";")[:-1]:
            await connection.execute(statement.encode())
    url = server.cluster.url("restored")
    async with await connect(url, name="test", autocommit=True) as connection:
        await connection.execute("CREATE EXTENSION timescaledb")
        await connection.execute("SELECT timescaledb_pre_restore()")
    _run(server, "pg_restore", "--exit-on-error", f"--dbname={url}", str(file))
    async with await connect(url, name="test", autocommit=True) as connection:
        await connection.execute("SELECT timescaledb_post_restore()")
    return url


def _run(server: DatabaseServer, program: str, *arguments: str) -> None:
    executable = server.cluster.engine.bin / program
    subprocess.run([executable, *arguments], check=True, capture_output=True)
