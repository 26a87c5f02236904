"""`trackai golive rehearse`: placeholder."""


def rehearse() -> None:
    """Rehearse."""
