"""`python -m simulator`: play a fleet against a broker until told to stop."""

import argparse
import asyncio
import sys
from pathlib import Path

import uvloop
from pydantic import ValidationError

from fleet import logs, refusals
from simulator.app import simulate
from simulator.certificates import OURSELVES, Certificates
from simulator.errors import SimulatorError
from simulator.fleet import CONNECTS_PER_S, Fleet, Plan, share
from simulator.scenario import EVERYDAY, load, names
from simulator.settings import Settings


def main() -> int:
    """Run the simulator; 0 when told to stop, 1 when it cannot work, with the reason."""
    arguments = _arguments()
    try:
        settings = Settings()
        logs.configure(settings.log_level)
        plan = Plan(
            terminals=arguments.terminals,
            cells=arguments.cells,
            seed=arguments.seed,
            rate=arguments.rate,
            scenario=load(arguments.scenario),
            state=arguments.state or settings.state,
            share=share(arguments.share),
            multiplex=arguments.multiplex,
            certificates=arguments.certificates and Certificates(arguments.certificates),
            sources=tuple(arguments.source_address),
            connects_per_s=arguments.connects_per_s,
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(plan, settings))
    except ValidationError as error:
        for each in refusals.of_settings(error):
            print(f"simulator: {each}", file=sys.stderr)
        return 1
    except (SimulatorError, ValueError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(plan: Plan, settings: Settings) -> None:
    secret, broker = settings.terminal_secret, settings.broker
    if plan.certificates is not None:
        broker = plan.certificates.of(OURSELVES, broker)
    fleet = Fleet(plan, broker, None if secret is None else secret.get_secret_value())
    await simulate(fleet, broker)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m simulator", description=__doc__)
    parser.add_argument("--terminals", type=int, default=200, help="how many [200]")
    parser.add_argument("--cells", type=int, help="grid cells [one for ten terminals]")
    parser.add_argument("--seed", type=int, default=1, help="what all chance follows from [1]")
    parser.add_argument(
        "--rate",
        type=float,
        default=1.0,
        help="how fast the world lives: 60 makes a minute of an hour; heartbeats keep pace [1]",
    )
    parser.add_argument(
        "--scenario",
        default=EVERYDAY,
        help=f"{', '.join(names())}, or a .yaml file [{EVERYDAY}]",
    )
    parser.add_argument(
        "--share", default="1/1", help="play part K of N; each with a state of its own [1/1]"
    )
    parser.add_argument(
        "--multiplex", type=int, default=0, help="share so many connections [0: one each]"
    )
    parser.add_argument(
        "--source-address", action="append", default=[], help="connect from there; may be repeated"
    )
    parser.add_argument(
        "--connects-per-s", type=float, default=CONNECTS_PER_S, help="how fast they connect [200]"
    )
    parser.add_argument(
        "--certificates", type=Path, help="a folder: log in by certificate, with ca.pem, ID.pem, …"
    )
    parser.add_argument("--state", type=Path, help="where boots and numbers are kept")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
