"""All addresses of analytics."""

from fastapi import APIRouter

from trackai.api.analytics import campaigns, events, export, match_rate, metrics, performance

router = APIRouter(prefix="/api/v1/analytics", tags=["analytics"])
for part in (metrics, match_rate, performance, campaigns, events, export):
    router.include_router(part.router)
