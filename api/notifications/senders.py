"""Sends a message over a channel: signed webhooks by ourselves, anything else by Apprise."""

import asyncio
import json
import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from time import time
from typing import Any
from uuid import UUID

import apprise
import httpx
from apprise.attachment.memory import AttachMemory

from api.notifications.channels import Channel
from fleet.notifications.signing import headers, secret_bytes
from fleet.notifications.words import Message

_PATIENCE_S = 10
_TITLE_BYTES = 300
"""Apprise does not fold the subject of a mail, in which a byte may take three characters; and mail
servers refuse lines of more than 998."""


class SendFailed(Exception):
    """It did not arrive, as far as we know; says why, and names no address."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """What goes out: the same at each attempt. `items` are for programs: kind, time and facts."""

    id: UUID
    recipient: str
    message: Message
    at: datetime
    items: Sequence[dict[str, Any]]


def keep_addresses_out_of_logs() -> None:
    """Libraries tell what they call, and addresses hold secrets."""
    for name in ("apprise", "httpx", "httpcore", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


async def send(channel: Channel, delivery: Delivery, attachments: Sequence[Attachment]) -> None:
    """Send it, or raise `SendFailed`."""
    if channel.secret is not None:
        await _post(channel, delivery)
    else:
        await _notify(channel, delivery, attachments)


async def _post(channel: Channel, delivery: Delivery) -> None:
    assert channel.secret is not None  # noqa: S101 - who calls has looked
    body = json.dumps(
        {
            "id": str(delivery.id),
            "to": delivery.recipient,
            "at": delivery.at.isoformat(),
            "title": delivery.message.title,
            "body": delivery.message.body,
            "items": list(delivery.items),
        },
        ensure_ascii=False,
    ).encode()
    key = secret_bytes(channel.secret.get_secret_value())
    signed = headers(key, str(delivery.id), int(time()), body)
    try:
        # What stands in the answer is not read: it may be without end.
        async with (
            asyncio.timeout(_PATIENCE_S),
            httpx.AsyncClient(verify=_trusted()) as client,
            client.stream(
                "POST",
                channel.address(delivery.recipient),
                content=body,
                headers=signed | {"Content-Type": "application/json"},
            ) as answer,
        ):
            status, arrived = answer.status_code, answer.is_success
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise SendFailed(type(error).__name__) from None
    if not arrived:
        raise SendFailed(f"answered with {status}")


@cache
def _trusted() -> ssl.SSLContext:
    """Whom we trust over TLS, read once: everything else stands still while it is read."""
    return httpx.create_ssl_context()


async def _notify(channel: Channel, delivery: Delivery, attachments: Sequence[Attachment]) -> None:
    service = apprise.Apprise()
    service.add(channel.address(delivery.recipient))
    files = [
        AttachMemory(  # type: ignore[no-untyped-call]  # Apprise types its constructor in part
            content=one.content, name=one.name, mimetype=one.media_type
        )
        for one in attachments
    ]
    message = _fitting(delivery.message)
    # Said to be plain, it is made into what a service takes: lines stay apart in mail, and what
    # stands in a title is no markup.
    sent = await service.async_notify(
        title=message.title,
        body=message.body,
        body_format=apprise.NotifyFormat.TEXT,
        attach=files or None,
    )
    if not sent:
        raise SendFailed("Apprise could not deliver it")


def _fitting(message: Message) -> Message:
    """With a title that every service takes; one that is too long is whole above the body."""
    title = message.title.encode()
    if len(title) <= _TITLE_BYTES:
        return message
    short = title[: _TITLE_BYTES - len("…".encode())].decode(errors="ignore")
    return Message(f"{short}…", f"{message.title}\n{message.body}")
