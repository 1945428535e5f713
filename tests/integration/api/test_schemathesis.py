"""Requests made from the OpenAPI: none is answered by 5xx, none by what is not documented.

Schemathesis reads the description and makes requests that fit it and requests that do not. Bounded
here; TELLERGRID_FUZZ_EXAMPLES=500 makes it thorough.
"""

import asyncio
import os
import shutil
import sys
from functools import partial
from pathlib import Path

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from tellergrid.stack.ports import free_port
from tests.integration.api.conftest import token
from tests.integration.api.test_process import SECRET, ready, started
from tests.integration.api.test_scheduled import tickets_are, until
from tests.integration.api.world import SomeFault, fire
from tests.machine import PATIENCE_S

Database = AsyncConnection[TupleRow]
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
DESCRIPTION = "openapi.json"
# A stream has no end, and who signs out is out.
NOT_ASKED = ("/api/v1/events", "/api/v1/sign-out")


# Who asks, what, and how thoroughly: operations may do the most, a technician the least.
RUNS = {
    "ops": ["--phases", "examples,coverage,fuzzing", "--max-examples", "1"],
    "tech01": ["--phases", "examples,fuzzing", "--max-examples", "2"],
    "admin": [
        *("--phases", "examples,fuzzing", "--max-examples", "5"),
        *("--include-path-regex", "^/api/v1/(accounts|audit)"),
    ],
}


@pytest.mark.parametrize("username", RUNS)
async def test_every_answer_is_documented(
    connection: Database, database_url: str, tmp_path: Path, username: str
) -> None:
    """As operations, as a technician, and as an admin where only admins may."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"DATABASE_URL": database_url, "TOKEN_SECRET": SECRET, "API_PORT": str(port)}
    settings |= {"REQUESTS_PER_MINUTE": "0"}
    async with started(**settings) as process:
        await ready(url)
        await fire(connection, SomeFault())
        await until(partial(tickets_are, connection, "ASSIGNED"))
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as client:
            bearer = await token(client, username)
            described = (await client.get("/api/v1/openapi.json")).raise_for_status()
        (tmp_path / DESCRIPTION).write_bytes(described.content)
        code, printed = await schemathesis(url, bearer, tmp_path, RUNS[username])
        assert process.returncode is None
        if code != 0:
            process.terminate()
            _, errors = await process.communicate()
            pytest.fail(f"{printed}\n{errors.decode()[-6000:]}")


async def schemathesis(url: str, bearer: str, folder: Path, options: list[str]) -> tuple[int, str]:
    """Run it; gives its exit status and what it printed."""
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    assert program is not None
    # From a file: for an answer to come that takes long to make it would not wait.
    command = [program, "run", DESCRIPTION, "--url", url, "--checks", CHECKS, *options]
    if longer := os.environ.get("TELLERGRID_FUZZ_EXAMPLES"):
        command += ["--max-examples", longer]
    command += ["--header", f"Authorization: Bearer {bearer}", "--seed", "1", "--no-color"]
    # Python 3.11 parses no code safely in two threads at once (python/cpython issue 106905).
    command += ["--generation-database", "none", "--workers", "1"]
    command += ["--request-timeout", str(PATIENCE_S), "--suppress-health-check", "too_slow"]
    for path in NOT_ASKED:
        command += ["--exclude-path", path]
    running = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await running.communicate()
    assert running.returncode is not None
    return running.returncode, printed.decode()[-6000:]
