"""Messages on the console, for a laptop without a mail server. Never in production."""

from typing import TextIO

from trackai.mail.port import Letter


class ConsoleMail:
    """Writes messages, with their links, to who started the program."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def reaches_people(self) -> bool:
        """No: whoever reads the console has to hand the link on."""
        return False

    async def send(self, letter: Letter) -> None:
        """Write a message down."""
        self._stream.write(f"\n{letter.subject}\n{letter.to}\n\n{letter.text}\n")
        self._stream.flush()
