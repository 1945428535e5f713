"""An api that kills itself at a named instant of telling: `python -m tests.integration.api.dying`.

TELLERGRID_DIE_AT says where. `gathering`: the ticket is committed, its notification is written and
not committed. `claimed`: committed and taken up, not sent. `handed over`: noted that it is about to
be sent, and not sent. `sent`: sent, and not yet marked so.
"""

import os
import signal
import sys
from typing import Any

from api.__main__ import main
from api.notifications import outbox, senders
from api.notifications.delivery import Notifier
from api.notifications.senders import Attachment


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm() -> None:
    instant = os.environ["TELLERGRID_DIE_AT"]
    queue, send = outbox.queue, senders.send
    filling: Any = outbox
    emptying: Any = senders

    async def dying_queue(*arguments: Any) -> None:
        await queue(*arguments)
        _die()

    async def dying_claimed(*_: Any) -> list[Attachment]:
        _die()
        return []

    async def dying_send(*arguments: Any) -> None:
        if instant == "sent":
            await send(*arguments)
        _die()

    if instant == "gathering":
        filling.queue = dying_queue
    elif instant == "claimed":
        notifier: Any = Notifier
        notifier._attachments = dying_claimed
    else:
        emptying.send = dying_send


if __name__ == "__main__":
    _arm()
    sys.exit(main())
