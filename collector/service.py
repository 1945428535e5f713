"""The collector's HTTP side: health for the supervisor, metrics for Prometheus."""

from collections.abc import Mapping
from typing import Protocol

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collector.region import Region
from fleet.rules.shelf import Shelf


class Standing(Protocol):
    """What is asked about: the regions at work here, and whether all is as it should be."""

    @property
    def ready(self) -> bool:
        """Whether the regions that are ours are served, or we stand by."""

    @property
    def problem(self) -> str | None:
        """What keeps us from knowing which are ours."""

    @property
    def shelf(self) -> Shelf:
        """Where the rules come from."""

    @property
    def regions(self) -> Mapping[str, Region]:
        """By name."""


def application(collector: Standing) -> Starlette:
    """`/healthz`: the process lives; `/readyz`: its regions are served; `/metrics`.

    A catalogue that was refused makes nothing unready: the one before it is in force.
    """

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        ready, shelf = collector.ready, collector.shelf
        body: dict[str, object] = {
            "status": "ready" if ready else "not ready",
            "problem": collector.problem,
            "regions": _stages(collector.regions),
        }
        body["catalogue"] = {
            "identity": shelf.current.identity,
            "refused": [str(problem) for problem in shelf.refused],
        }
        return JSONResponse(body, status_code=200 if ready else 503)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
    )


def _stages(regions: Mapping[str, Region]) -> dict[str, dict[str, str | None]]:
    return {
        name: {
            "stage": region.stage,
            "problem": region.problem,
            "committed_at": region.committed_at.isoformat() if region.committed_at else None,
        }
        for name, region in regions.items()
    }
