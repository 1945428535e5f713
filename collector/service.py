"""The collector's HTTP side: health for the supervisor, metrics for Prometheus."""

from collections.abc import Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collector.region import Region, Stage
from fleet.rules.shelf import Shelf

Regions = Callable[[], Mapping[str, Region]]


def application(regions: Regions, shelf: Shelf) -> Starlette:
    """`/healthz`: the process lives; `/readyz`: its regions are served or stand by; `/metrics`.

    A catalogue that was refused makes nothing unready: the one before it is in force.
    """

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        found = regions()
        ready = bool(found) and all(r.stage is not Stage.CONNECTING for r in found.values())
        body: dict[str, object] = {
            "status": "ready" if ready else "not ready",
            "regions": _stages(found),
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
            "committed_at": region.committed_at.isoformat() if region.committed_at else None,
        }
        for name, region in regions.items()
    }
