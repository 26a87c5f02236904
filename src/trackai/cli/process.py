"""What every long-running process does before it begins."""

import gc

# New objects until the collector looks for cycles among them. Python's 700 makes it walk the
# thousands of objects of a batch again and again while they are in use; there are few cycles here.
NEW_OBJECTS = 100_000


def calm_collector() -> None:
    """Look for garbage less often, and never among what was imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 20)
