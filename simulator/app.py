"""A whole run: the fleet and its control, from the first connection to the last."""

import asyncio
import signal

import structlog

from fleet.mqtt import Broker, MqttError, Unreachable
from simulator.control import Control, Ping
from simulator.errors import OtherSimulatorError, SimulatorError
from simulator.fleet import Fleet
from simulator.hands import NobodyThereError, ask

log = structlog.get_logger()

LOOK_S = 5.0  # where nobody plays the broker says so at once; a busy machine needs longer


async def simulate(fleet: Fleet, broker: Broker) -> None:
    """Play a fleet until SIGTERM or SIGINT.

    Raises SimulatorError: the machine has no room for it; a terminal has no certificate; another
    simulator is there, or took over; the broker refuses us.
    """
    fleet.check()
    if fleet.share[1] == 1:
        await _be_the_only_one(broker)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, fleet.stop)
    control = Control(fleet, broker)
    log.info("simulating", terminals=fleet.figures.terminals)
    try:
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(control.run())
            await fleet.run()
            await control.leave()
            serving.cancel()
    except* MqttError as errors:
        raise SimulatorError(f"{broker}: {errors.exceptions[0]}") from errors
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    log.info("stopped", published=fleet.figures.published)


async def _be_the_only_one(broker: Broker) -> None:
    """Two simulators would throw each other's terminals out, for ever."""
    try:
        await ask(broker, Ping(), LOOK_S)
    except NobodyThereError:
        return
    except SimulatorError as error:
        if isinstance(error.__cause__, Unreachable):
            return  # the fleet waits for its broker as terminals do
        raise
    raise OtherSimulatorError(
        f"a simulator already plays on {broker}; the stack runs without one when it is started "
        "with: tellergrid up --no-simulator"
    )
