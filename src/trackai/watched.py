"""What is watched by settings: the same in the processes that serve and in those that work."""

from trackai.alarms.metrics_log import MetricsLog, open_metrics_log
from trackai.alarms.watchman import House
from trackai.housekeeping.rollups import FOLD
from trackai.housekeeping.schedule import TASKS, backup_tasks
from trackai.settings import ELSEWHERE, MetricsLogFormat, Pager, Settings


def house_of(settings: Settings, log: MetricsLog | None) -> House:
    """Return what is watched, and as whom people are called."""
    return House(
        *(settings.base_url, settings.environment.value, settings.production),
        tasks=[*TASKS, FOLD, *backup_tasks(settings.vault, ours=settings.database_url is None)],
        pages=settings.pager is Pager.PROGRAM,
        pagerduty_url=settings.pagerduty_url,
        log=log,
        backups_elsewhere=settings.backup_to == ELSEWHERE,
    )


def metrics_log_of(settings: Settings) -> MetricsLog | None:
    """Return where a process writes its metrics, if it is to."""
    on = settings.metrics_log is MetricsLogFormat.EMF
    return open_metrics_log(settings.environment.value, settings.base_url, on=on)
