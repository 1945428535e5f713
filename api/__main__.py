"""Starts the api: `python -m api`, with its settings in the environment."""

import asyncio
import gc
import os
import sys
from collections.abc import Sequence
from socket import (
    IPPROTO_TCP,
    SO_KEEPALIVE,
    SOL_SOCKET,
    TCP_KEEPCNT,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
    TCP_USER_TIMEOUT,
    socket,
)
from types import FrameType

import structlog
import uvicorn
from pydantic import ValidationError

from api import logs
from api.app import create_app
from api.heads import BoundedHeads
from api.notifications.channels import ChannelsError
from api.settings import Settings
from fleet import refusals
from fleet.rules.errors import RuleError
from fleet.usage import take_no_arguments

_ABOUT = "Serves faults, tickets and uptime over HTTP, and does what is scheduled, until told to."
_GRACE_S = 10
# Longer than proxies and browsers keep a connection that lies idle, mostly a minute: who hangs up
# first should be the one who asks, or what is asked next is lost now and then.
_IDLE_S = 75
# A phone that lost its signal says nothing more: what it sent of a photo would be kept for ever.
# So would what waits for somebody who is there and takes none of it: the kernel asks them for ever.
_LET_GO = (
    (SOL_SOCKET, SO_KEEPALIVE, 1),
    (IPPROTO_TCP, TCP_KEEPIDLE, 60),
    (IPPROTO_TCP, TCP_KEEPINTVL, 30),
    (IPPROTO_TCP, TCP_KEEPCNT, 10),
    (IPPROTO_TCP, TCP_USER_TIMEOUT, 360_000),
)
_log = structlog.get_logger("api")


class _Server(uvicorn.Server):
    """Ends the event streams before it waits for requests to end, or it would wait for ever."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begin to listen; who is connected and is gone without a word is let go after minutes.

        Connections have what the listening socket has.
        """
        await super().startup(sockets)
        for server in self.servers:
            for listening in server.sockets:
                for level, option, value in _LET_GO:
                    listening.setsockopt(level, option, value)

    async def serve(self, sockets: list[socket] | None = None) -> None:
        """Serve until a signal asks to stop."""
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """Stop taking requests, end the streams, finish what is under way; asked again, just end.

        Unlike uvicorn's own, it does not raise the signal anew: to stop as asked is success.
        """
        _log.info("stopping", signal=sig)
        self.force_exit = self.should_exit
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)


def main(arguments: Sequence[str] = ()) -> int:
    """Run until SIGTERM or SIGINT; returns the exit status."""
    take_no_arguments(arguments, "python -m api", _ABOUT, Settings)
    try:
        settings = Settings()
    except ValidationError as error:
        for each in refusals.of_settings(error):
            sys.stderr.write(f"{each}\n")
        return 2
    logs.configure(settings.log_level)
    stopping = asyncio.Event()
    try:
        app = create_app(settings, stopping)
    except (ChannelsError, RuleError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    config = uvicorn.Config(
        app,
        http=BoundedHeads,
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,
        access_log=False,
        # Else whoever calls from this machine would say themselves from where: to the audit, and to
        # the limits of an address.
        proxy_headers="FORWARDED_ALLOW_IPS" in os.environ,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    # What is there by now stays: looking through all of it for garbage holds up every request.
    gc.collect()
    gc.freeze()
    _log.info("starting", host=settings.api_host, port=settings.api_port)
    _Server(config, stopping).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
