"""The tester's hands, on the tester's side: ask a running simulator for something."""

import asyncio
import secrets

import msgspec
from mqtt5 import PubAckReasonCode

from fleet.mqtt import Broker, Connection, Filter, Message, MqttError, Session, connect
from simulator.control import CONTROL, Answer, Request
from simulator.errors import SimulatorError

PATIENCE_S = 20.0  # where nobody listens the broker says so at once


class NobodyThereError(SimulatorError):
    """No simulator answered on this broker."""


async def ask(broker: Broker, request: Request, patience_s: float = PATIENCE_S) -> Answer:
    """Send a request and return the answer; raises NobodyThereError, or SimulatorError.

    The account must be allowed to read and write `simulator/v1/#`.
    """
    word = secrets.token_hex(8)
    answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def take(_connection: Connection, message: Message) -> None:
        if message.correlation_data == word.encode() and not answer.done():
            answer.set_result(msgspec.json.decode(message.payload, type=Answer))

    try:
        connection = await connect(broker, Session(f"hands-{word}"), take)
        try:
            topic = f"simulator/v1/answer/{word}"
            await connection.subscribe([Filter(topic)])
            published = await connection.publish(
                CONTROL,
                msgspec.json.encode(request),
                response_topic=topic,
                correlation_data=word.encode(),
                message_expiry_s=int(patience_s) + 1,
            )
            if published is PubAckReasonCode.NO_MATCHING_SUBSCRIBERS:
                raise NobodyThereError(f"no simulator listens at {broker}")
            return await asyncio.wait_for(answer, patience_s)
        finally:
            await connection.disconnect()
    except TimeoutError:
        raise NobodyThereError(f"no simulator answers at {broker}") from None
    except MqttError as error:
        raise SimulatorError(f"{broker}: {error}") from error
