"""The scheduled work of the api: what is done how often, and what when something happened."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from zoneinfo import ZoneInfo

from api.accounts import attempts, sessions
from api.audit.sealing import export, seal
from api.idempotency import forget
from api.listener import Listener
from api.metrics import Metrics
from api.notifications import outbox
from api.notifications.delivery import Notifier
from api.notifications.monthly import report_month
from api.notifications.outbox import Channels
from api.notifications.senders import keep_addresses_out_of_logs
from api.retention import keep
from api.scheduled import Job, Work, background, run_in_turn_when, scheduled
from api.settings import Settings
from api.tickets.engine import Patience, follow_faults
from api.tickets.watching import ClockWatch
from api.uptime.summing import summing_in
from api.windows.expansion import expand
from fleet.chain import signing_key
from fleet.db.pool import Pool

_HOUR_S = 3600
_MINUTE_S = 60
_SEALED_WITHIN_S = 1


class Timetable:
    """All of it; `kept` while the api runs. The process that leads does it."""

    def __init__(
        self,
        settings: Settings,
        told: Channels,
        pool: Pool,
        metrics: Metrics,
        listener: Listener,
    ) -> None:
        self._settings = settings
        self._told = told
        self._pool = pool
        self._metrics = metrics
        self._listener = listener

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Do it while the block lasts: by the clock, tickets and telling also when woken."""
        often_s = self._settings.poll_seconds
        following = self._following()
        telling = list(self._telling())
        clocked = list(self._by_the_clock())
        async with AsyncExitStack() as stack:
            for job, seconds in clocked:
                stack.enter_context(scheduled(job, seconds))
            for job in (following, *telling):
                stack.enter_context(scheduled(job, often_s))
            for runs in (
                [following.run],
                [job.run for job in telling],
                [job.catch_up for job, _ in clocked],
            ):
                woken = stack.enter_context(self._listener.wakeups())
                await stack.enter_async_context(background(run_in_turn_when(woken, *runs)))
            yield

    def _job(self, name: str, work: Work) -> Job:
        return Job(name, work, self._pool, self._metrics, lambda: self._listener.leads)

    def _by_the_clock(self) -> Iterator[tuple[Job, float]]:
        settings = self._settings
        zone = settings.time_zone
        reporting = partial(report_month, zone=ZoneInfo(zone), channels=self._told)
        yield self._job("watch_clocks", ClockWatch().look), settings.poll_seconds
        yield self._job("seal_audit", seal), _SEALED_WITHIN_S
        yield self._job("sum_uptime", summing_in(zone)), _MINUTE_S
        yield self._job("expand_windows", expand), _HOUR_S
        yield self._job("keep", partial(keep, retention=settings.retention)), _HOUR_S
        yield self._job("report_month", reporting), _HOUR_S
        yield self._job("forget_answers", forget), _HOUR_S
        yield self._job("forget_attempts", attempts.forget), _HOUR_S
        yield self._job("forget_sessions", sessions.forget), _HOUR_S
        yield self._job("forget_notifications", outbox.forget), _HOUR_S
        if settings.audit_key is not None and settings.audit_folder is not None:
            key = signing_key(settings.audit_key.get_secret_value())
            exporting = partial(export, key=key, folder=settings.audit_folder)
            yield self._job("export_audit", exporting), _MINUTE_S * settings.audit_minutes

    def _following(self) -> Job:
        settings = self._settings
        patience = Patience(settings.accept_window, settings.verify_window)
        return self._job("follow_faults", partial(follow_faults, patience=patience))

    def _telling(self) -> Iterator[Job]:
        """What fills the outbox, and what empties it; without channels it stays empty."""
        keep_addresses_out_of_logs()
        yield self._job("gather_notifications", partial(outbox.gather, channels=self._told))
        if self._told:
            notifier = Notifier(self._told, self._pool, self._metrics)
            yield self._job("send_notifications", notifier.deliver)
