"""Opening a session at one address, over TCP or TLS."""

import asyncio

from fleet.mqtt.broker import Broker
from fleet.mqtt.connection import Connection, OnMessage
from fleet.mqtt.errors import ConnectionLost, Unreachable
from fleet.mqtt.message import Clock, Session, utc_now


async def dial(
    broker: Broker, session: Session, on_message: OnMessage, clock: Clock = utc_now
) -> Connection:
    """Open a session at this very address; raises and leaves behind what `route.connect` does."""
    connection = Connection(session, on_message, clock)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(session.connect_timeout_s):
            await loop.create_connection(
                lambda: connection.wire,
                broker.host,
                broker.port,
                ssl=broker.tls,
                local_addr=None if broker.source is None else (broker.source, 0),
            )
            await connection.handshake(broker)
    except TimeoutError:
        connection.abort()
        text = f"{broker} did not answer within {session.connect_timeout_s} s"
        raise Unreachable(text) from None
    except OSError as error:
        raise Unreachable(f"{broker}: {error.strerror or error}") from error
    except ConnectionLost as error:
        raise Unreachable(f"{broker} hung up before answering CONNECT") from error
    except BaseException:
        connection.abort()
        raise
    return connection
