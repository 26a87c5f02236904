"""Is something on for a tenant: asked in memory, by rules that are a few seconds old at most.

A change in the table is seen after FOUND_S at the latest; while the database is away what was
known before still counts. No request has a query of its own.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from uuid import UUID

from openfeature import api
from openfeature.evaluation_context import EvaluationContext

from trackai.errors import Unavailable
from trackai.flags.provider import TableProvider
from trackai.model.clock import new_id
from trackai.model.flag import FlagSet, OffMode, Verdict, Why
from trackai.storage.feature_flags import list_flags_all_tenants
from trackai.storage.pool import Database, Tx

FOUND_S = 5.0  # how long rules are believed
# Answers remembered until the rules are read again: as many as the edge remembers connections.
MOST_ANSWERS = 10_000

# Opens a transaction that sees everybody's rules.
Reading = Callable[[], AbstractAsyncContextManager[Tx]]


class Board:
    """Rules as they were read together; asking it waits for nothing."""

    def __init__(self, domain: str) -> None:
        self._client = api.get_client(domain)
        self._answers: dict[tuple[str, UUID], Verdict] = {}

    def of(self, key: str, tenant_id: UUID) -> Verdict:
        """Return what counts for a tenant."""
        known = self._answers.get((key, tenant_id))
        if known is None:
            known = self._ask(key, tenant_id)
            if len(self._answers) < MOST_ANSWERS:
                self._answers[(key, tenant_id)] = known
        return known

    def _ask(self, key: str, tenant_id: UUID) -> Verdict:
        # On is what every flag is by default: an evaluation that fails must hold nothing back.
        context = EvaluationContext(targeting_key=str(tenant_id))
        said = self._client.get_boolean_details(key, default_value=True, evaluation_context=context)
        told = said.flag_metadata
        mode = OffMode(str(told.get("off_mode", OffMode.STORE)))
        return Verdict(said.value, Why(str(told.get("why", Why.DEFAULT))), mode)


class Switches:
    """The flags of one process."""

    def __init__(
        self, reading: Reading, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._reading = reading
        self._monotonic = monotonic
        # OpenFeature keeps providers by domain for the whole process, which may hold several.
        self._domain = f"trackai-{new_id()}"
        self._provider = TableProvider()
        api.set_provider_and_wait(self._provider, self._domain)
        self._flags: list[FlagSet] = []
        self._board: Board | None = None
        self._read_at = 0.0
        self._alone = asyncio.Lock()

    @classmethod
    def over(cls, database: Database) -> "Switches":
        """Return the flags that a database holds."""
        return cls(database.transaction)

    async def board(self, *, max_age_s: float = FOUND_S) -> Board:
        """Return the rules; Unavailable only when they have never been read."""
        known = self._young(max_age_s)
        if known is not None:
            return known
        if self._alone.locked() and self._board is not None:
            return self._board  # somebody reads them at this moment
        async with self._alone:
            # Somebody else may have read them while this one waited.
            return self._young(max_age_s) or await self._read()

    async def of(self, key: str, tenant_id: UUID) -> Verdict:
        """Return what counts for a tenant."""
        return (await self.board()).of(key, tenant_id)

    def _young(self, max_age_s: float) -> Board | None:
        return self._board if self._monotonic() - self._read_at < max_age_s else None

    async def _read(self) -> Board:
        began = self._monotonic()
        try:
            async with self._reading() as tx:
                flags = await list_flags_all_tenants(tx)
        except Unavailable:
            if self._board is None:
                raise
            # Asked again no sooner than usual: who waits for a database holds up a webhook.
            self._read_at = began
            return self._board
        self._read_at = began
        if self._board is None or flags != self._flags:
            self._flags = flags
            self._provider.believe(flags)
            self._board = Board(self._domain)
        return self._board
