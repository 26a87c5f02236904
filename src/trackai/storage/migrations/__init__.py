"""Alembic's side of the migrations: a revision names itself and runs the SQL file beside it."""

from collections.abc import Callable
from pathlib import Path

from alembic import op

# A migration waits this long for a table that others use, then gives up and can be run again.
LOCK_TIMEOUT = "30s"


def script_of(revision_file: str) -> Callable[[], None]:
    """Return the upgrade of a revision: its SQL file, whole, in the transaction of its version."""
    path = Path(revision_file).with_suffix(".sql")

    def upgrade() -> None:
        script = path.read_text(encoding="utf-8")
        bind = op.get_bind()
        # The first statement through SQLAlchemy opens the transaction that the script runs in.
        bind.exec_driver_sql(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
        # The driver's own execute takes several statements at once; SQLAlchemy's does not.
        bind.connection.dbapi_connection.run_async(  # type: ignore[union-attr]
            lambda connection: connection.execute(script)
        )

    return upgrade


def downgrade() -> None:
    """Refuse: migrations only go forward; a mistake is mended by the next revision."""
    raise NotImplementedError(downgrade.__doc__)
