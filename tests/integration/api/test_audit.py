"""The audit: what is kept of each change, and that no kind of tampering goes unnoticed."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from psycopg import AsyncConnection, errors
from psycopg.rows import TupleRow, dict_row

from api.audit.sealing import HEADS, export, seal
from fleet.chain import BEGINNING, Entry, link, public_key, signing_key
from fleet.db.pool import connect
from tellergrid.audit.chain import Finding, Kind, Verdict, read_heads, verify
from tests.integration.api.conftest import SignIn
from tests.integration.api.test_scheduled import listening, tickets_are, until
from tests.integration.api.world import SomeFault, fire

Database = AsyncConnection[TupleRow]
SECRET = "what only the api's owner knows, 32 bytes"
PUBLIC = public_key(SECRET)


async def entries(connection: Database, subject: str) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("SELECT * FROM audit WHERE subject = %s ORDER BY id", (subject,))
        return await cursor.fetchall()


async def test_who_did_what_when_from_where_before_and_after(
    connection: Database, sign_in: SignIn
) -> None:
    """The engine raises and assigns, T01 accepts: each is kept, with what was and what is."""
    client = await sign_in("tech01")
    await listening(connection)
    await fire(connection, SomeFault())
    await until(partial(tickets_are, connection, "ASSIGNED"))
    body = {"event": "accept", "note": "on my way"}
    assert (await client.post("/api/v1/tickets/1/transitions", json=body)).status_code == 200
    raised, assigned, accepted = await entries(connection, "ticket")
    assert (raised["actor"], raised["change"], raised["before"]) == ("engine", "insert", None)
    assert raised["after"]["state"] == "NEW"
    assert (assigned["actor"], assigned["after"]["state"]) == ("engine", "ASSIGNED")
    assert (accepted["actor"], accepted["origin"], accepted["key"]) == ("tech01", "127.0.0.1", "1")
    assert (accepted["before"]["state"], accepted["after"]["state"]) == ("ASSIGNED", "ACCEPTED")
    assert "title" not in accepted["after"]
    notes = [one["after"]["note"] for one in await entries(connection, "ticket_transition")]
    assert notes == [None, None, "on my way"]


async def test_what_is_written_at_a_shell_is_kept_too(connection: Database) -> None:
    """Whoever owns the tables goes round the api, not round the audit; secrets are not kept."""
    await connection.execute("UPDATE account SET password_hash = 'x' WHERE username = 'ops'")
    await connection.execute("UPDATE account SET username = username")
    *_, last = await entries(connection, "account")
    assert (last["actor"], last["change"]) == ("tellergrid", "update")
    assert last["before"] == last["after"] == {"password_hash": "(not kept)"}
    assert "argon2" not in str(await entries(connection, "account"))


async def test_a_callers_own_table_takes_no_entries(connection: Database) -> None:
    """Whoever could write SQL in a role of the api might make a temporary table of that name."""
    async with connection.transaction():
        await connection.execute("SET LOCAL ROLE tellergrid_whole")
        await connection.execute("CREATE TEMP TABLE audit (LIKE public.audit INCLUDING ALL)")
        await connection.execute("GRANT ALL ON pg_temp.audit TO PUBLIC")
        await connection.execute("UPDATE technician SET name = 'unseen' WHERE code = 'T01'")
        await connection.execute("DROP TABLE pg_temp.audit")
    *_, last = await entries(connection, "technician")
    assert last["after"] == {"name": "unseen"}


@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_audit_is_append_only(connection: Database, statement: str) -> None:
    """Even to its owner, who would have to switch that off first."""
    for table, column in (("audit", "actor"), ("audit_seal", "hash")):
        with pytest.raises(errors.Error, match=r"append-only|foreign key"):
            await connection.execute(statement.format(table, column, column).encode())


@pytest.fixture
async def superuser(connection: Database, tmp_path: Path) -> Database:
    """Somebody who may do anything, on a database whose audit was sealed and exported twice."""
    for name in ("one", "two"):
        await connection.execute("UPDATE technician SET name = %s", (name,))
        async with connection.transaction():
            await seal(connection)
        await export(connection, signing_key(SECRET), tmp_path)
    await connection.execute("SET session_replication_role = replica")  # no triggers
    return connection


async def test_transactions_are_sealed_in_their_order_not_in_that_of_their_digits(
    connection: Database,
) -> None:
    """As text 10 comes before 9. A chain that was sealed so goes on behind what it has."""
    await connection.execute("SET session_replication_role = replica")
    await connection.execute("UPDATE audit SET tx = '9' WHERE id = 1")
    await connection.execute("UPDATE audit SET tx = '10' WHERE id = 2")
    await seal(connection)
    assert (await sealed(connection))[:2] == [1, 2]
    [*_, last] = found = await sealed(connection)
    await connection.execute("UPDATE audit SET tx = '8' WHERE id = %s", (last,))
    await connection.execute("SET session_replication_role = origin")
    await connection.execute("UPDATE technician SET name = 'three' WHERE code = 'T01'")
    await seal(connection)
    [*before, _] = await sealed(connection)
    assert before == found


async def sealed(connection: Database) -> list[int]:
    """The ids of the entries in the chain, in its order."""
    cursor = await connection.execute("SELECT audit_id FROM audit_seal ORDER BY number")
    return [key async for (key,) in cursor]


async def looked(connection: Database, folder: Path, public: str = PUBLIC) -> Verdict:
    return await verify(connection, read_heads([folder / HEADS]), public)


async def test_an_audit_that_nobody_touched_is_sound(superuser: Database, tmp_path: Path) -> None:
    """All that the demo's seeding wrote, and the changes after it; what came since waits."""
    await superuser.execute("SET session_replication_role = origin")
    await superuser.execute("UPDATE technician SET name = 'three'")
    found = await looked(superuser, tmp_path)
    assert found.sound, found.findings
    assert (found.heads, found.waiting) == (2, 3)
    assert found.entries > 20


# Each as a superuser does it, without any trigger; 10 is in the middle of the chain.
_ENTRY = "(SELECT audit_id FROM audit_seal WHERE number = 10)"
TAMPERING: dict[str, tuple[list[str], set[tuple[Kind, int]]]] = {
    "who did it": (
        [f"UPDATE audit SET actor = 'somebody' WHERE id = {_ENTRY}"],
        {(Kind.CHANGED, 10)},
    ),
    "when": (
        [f"UPDATE audit SET at = at - interval '1 microsecond' WHERE id = {_ENTRY}"],
        {(Kind.CHANGED, 10)},
    ),
    "from where": (
        [f"UPDATE audit SET origin = '10.0.0.1' WHERE id = {_ENTRY}"],
        {(Kind.CHANGED, 10)},
    ),
    "what was before": (
        [f"UPDATE audit SET before = '{{}}' WHERE id = {_ENTRY}"],
        {(Kind.CHANGED, 10)},
    ),
    "what is after": (
        [f'UPDATE audit SET after = after || \'{{"code": "X"}}\' WHERE id = {_ENTRY}'],
        {(Kind.CHANGED, 10)},
    ),
    "an entry is gone": (
        [f"DELETE FROM audit WHERE id = {_ENTRY}"],
        {(Kind.DELETED, 10)},
    ),
    "an entry is gone with its seal": (
        [f"DELETE FROM audit WHERE id = {_ENTRY}", "DELETE FROM audit_seal WHERE number = 10"],
        {(Kind.MISSING, 10), (Kind.CHANGED, 11)},
    ),
    "the first is gone with its seal": (
        [
            "DELETE FROM audit WHERE id = (SELECT audit_id FROM audit_seal WHERE number = 1)",
            "DELETE FROM audit_seal WHERE number = 1",
        ],
        {(Kind.MISSING, 1), (Kind.CHANGED, 2)},
    ),
    "a seal is gone, its entry is not": (
        ["DELETE FROM audit_seal WHERE number = 10"],
        {(Kind.MISSING, 10), (Kind.CHANGED, 11), (Kind.INSERTED, 0)},
    ),
    "two change places": (
        [
            "CREATE TEMPORARY TABLE swapped AS SELECT * FROM audit_seal WHERE number IN (10, 11)",
            "DELETE FROM audit_seal WHERE number IN (10, 11)",
            "INSERT INTO audit_seal SELECT 21 - number, audit_id, hash FROM swapped",
        ],
        {(Kind.CHANGED, 10), (Kind.CHANGED, 11), (Kind.CHANGED, 12)},
    ),
    "an entry is put in between": (
        ["INSERT INTO audit VALUES (DEFAULT, '3', now(), 'somebody', '', 'ticket', '1', 'insert')"],
        {(Kind.INSERTED, 0)},
    ),
    "a hash is another": (
        ["UPDATE audit_seal SET hash = sha256('x') WHERE number = 10"],
        {(Kind.CHANGED, 10), (Kind.CHANGED, 11)},
    ),
}


def places(findings: Sequence[Finding]) -> set[tuple[Kind, int]]:
    """What was found where; an entry without a place is at 0."""
    return {(one.kind, 0 if one.kind is Kind.INSERTED else one.place) for one in findings}


@pytest.mark.parametrize("story", TAMPERING)
async def test_tampering_is_found_where_it_was_done(
    superuser: Database, tmp_path: Path, story: str
) -> None:
    """Edits, deletions, changed order, insertions: each is found, and nothing beside it."""
    statements, expected = TAMPERING[story]
    for statement in statements:
        await superuser.execute(statement.encode())
    found = await looked(superuser, tmp_path)
    assert not found.sound
    assert places(found.findings) == expected


@pytest.mark.parametrize("kept", [0, 10], ids=["all of it", "its end"])
async def test_truncation_is_found_up_to_the_last_exported_head(
    superuser: Database, tmp_path: Path, kept: int
) -> None:
    """The chain that is left is sound by itself: only the heads know that there was more."""
    await superuser.execute(
        "DELETE FROM audit WHERE id NOT IN (SELECT audit_id FROM audit_seal WHERE number <= %s)",
        (kept,),
    )
    await superuser.execute("DELETE FROM audit_seal WHERE number > %s", (kept,))
    found = await looked(superuser, tmp_path)
    assert {one.kind for one in found.findings} == {Kind.TRUNCATED}
    assert len(found.findings) == 2


async def test_a_chain_that_was_rewritten_whole_ends_at_another_head(
    superuser: Database, tmp_path: Path
) -> None:
    """An entry is edited and every hash from there on made anew, as the program does it."""
    await superuser.execute(f"UPDATE audit SET actor = 'somebody' WHERE id = {_ENTRY}".encode())
    await rewrite(superuser)
    found = await looked(superuser, tmp_path)
    assert {one.kind for one in found.findings} == {Kind.REWRITTEN}
    assert len(found.findings) == 2


async def rewrite(connection: Database) -> None:
    cursor = await connection.execute(
        "SELECT number, audit.id, to_char(at AT TIME ZONE 'UTC',"
        """ 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), actor, origin, subject, key, change,"""
        " before::text, after::text"
        " FROM audit_seal JOIN audit ON audit.id = audit_id ORDER BY number"
    )
    digest = BEGINNING
    for number, *columns in await cursor.fetchall():
        digest = link(digest, number, Entry(*columns))
        await connection.execute(
            "UPDATE audit_seal SET hash = %s WHERE number = %s", (digest, number)
        )


async def test_heads_of_another_key_prove_nothing(superuser: Database, tmp_path: Path) -> None:
    """Whoever rewrites the heads too lacks the secret: their signature is not of the key."""
    await export(superuser, signing_key("another secret, as long as it must be"), tmp_path)
    (tmp_path / HEADS).write_bytes(
        (tmp_path / HEADS).read_bytes().replace(b'"number":', b'"number":1')
    )
    found = await looked(superuser, tmp_path)
    assert {one.kind for one in found.findings} == {Kind.FORGED_HEAD}
    assert len(found.findings) == 2


async def test_a_head_is_exported_once_and_survives_a_torn_line(
    superuser: Database, tmp_path: Path
) -> None:
    """Nothing new, no new line; a line that a crash cut off spoils no other."""
    path = tmp_path / HEADS
    before = path.read_bytes()
    await export(superuser, signing_key(SECRET), tmp_path)
    assert path.read_bytes() == before
    path.write_bytes(before + b'{"head":{"num')
    await superuser.execute("SET session_replication_role = origin")
    await superuser.execute("UPDATE technician SET name = 'three'")
    await seal(superuser)
    await export(superuser, signing_key(SECRET), tmp_path)
    assert len(read_heads([path])) == 3
    assert (await looked(superuser, tmp_path)).sound


async def test_entries_are_chained_in_the_order_of_their_commit(
    connection: Database, database_url: str
) -> None:
    """A transaction that began earlier and commits later holds up the sealing and loses nothing."""
    async with await connect(database_url, name="slow") as slow:
        await slow.execute("UPDATE technician SET name = 'slow' WHERE code = 'T01'")
        await connection.execute("UPDATE technician SET name = 'quick' WHERE code = 'T02'")
        await seal(connection)
        assert "quick" not in await sealed_names(connection)
        await slow.commit()
    await seal(connection)
    assert (await sealed_names(connection))[-2:] == ["slow", "quick"]
    assert (await verify(connection, [], PUBLIC)).sound


async def sealed_names(connection: Database) -> list[str]:
    cursor = await connection.execute(
        "SELECT after ->> 'name' FROM audit_seal JOIN audit ON audit.id = audit_id"
        " WHERE subject = 'technician' ORDER BY number"
    )
    return [name for (name,) in await cursor.fetchall()]


async def test_the_command_says_it_with_its_exit_status(
    superuser: Database, database_url: str, tmp_path: Path
) -> None:
    """`tellergrid audit verify`: 0 sound, 1 not, 2 when there is no head to hold it against."""

    def said(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "tellergrid", "audit", *arguments],
            env=os.environ
            | {"TELLERGRID_DATABASE_URL": database_url, "TELLERGRID_AUDIT_KEY": SECRET},
            capture_output=True,
            check=False,
            text=True,
        )
        return done.returncode, done.stdout

    assert said("key") == (0, f"{PUBLIC}\n")
    heads = ("verify", "--heads", str(tmp_path / HEADS), "--json")
    code, printed = said(*heads)
    assert (code, json.loads(printed)["sound"]) == (0, True)
    assert said("verify", "--heads", str(tmp_path / "none"))[0] == 2
    await superuser.execute(f"DELETE FROM audit WHERE id = {_ENTRY}".encode())
    code, printed = said(*heads, "--key", PUBLIC)
    assert (code, json.loads(printed)["findings"][0]["kind"]) == (1, "deleted")
