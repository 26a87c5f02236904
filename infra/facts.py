"""What the template, its estimate and a rollout agree on. Needs no construct library."""

# Copies of each service. Two, so that one may go; the database bears what all of them open.
SERVICES = ("api", "worker")
LEAST_COPIES = 2
MOST_SERVERS = 10
MOST_WORKERS = 10
# What a container is called in each task.
CONTAINER = "trackai"
# Days in which the database can be set back to any moment.
BACKUP_DAYS = 7
# Requests of one address in five minutes; webhooks of platforms are not among them.
MOST_REQUESTS = 10_000
