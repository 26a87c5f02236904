"""Why a file of what ads cost is refused: in English for commands, as a word for pages. Pure."""

from trackai.errors import InvalidField


class Unreadable(ValueError):
    """A value that cannot be read; `reason` is a word for why, `said` what it names."""

    def __init__(self, message: str, reason: str, **said: object) -> None:
        super().__init__(message)
        self.reason = reason
        self.said = said


class BadAdFile(InvalidField):
    """A file that is not taken; `row` below the names, where it is one row's fault."""

    def __init__(
        self, message: str, reason: str, *, row: int | None = None, **said: object
    ) -> None:
        super().__init__(message, field="file")
        self.reason = reason
        self.row = row
        self.said = said
