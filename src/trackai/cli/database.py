"""`trackai migrate` and `trackai secret-key`: what a production installation starts with."""

from trackai.cli.installation import open_installation, run
from trackai.cli.output import Json, show_one
from trackai.storage.envelope import new_key_text
from trackai.storage.migrate import migrate as run_migrations


def migrate(json: Json = False) -> None:
    """Bring the database's schema up to date; safe to run from several places at once."""

    async def work() -> list[str]:
        async with open_installation(migrated=False) as here:
            applied = await run_migrations(here.url)
            await here.make_missing_keys()
            return applied

    applied = run(work())
    show_one({"applied": applied if json else ", ".join(applied) or "nothing to do"}, json=json)


def secret_key() -> None:
    """Print a fresh key for TRACKAI_SECRET_KEY; keep it with the other secrets, nowhere else."""
    print(new_key_text())
