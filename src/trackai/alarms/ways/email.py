"""E-mail, through whatever sends messages to people here."""

from trackai.alarms.message import Message
from trackai.alarms.ways.port import Again, Outcome, Went
from trackai.errors import MailNotSent
from trackai.mail.letters import alarm
from trackai.mail.port import Mail
from trackai.storage.alarm_routes import Target

# Another process may have a mail server, or this one soon.
NOT_SET_UP = "mail_not_set_up"


class Email:
    """Writes to the route's address."""

    def __init__(self, mail: Mail | None) -> None:
        self._mail = mail
        self.ready = mail is not None

    async def tell(self, message: Message, target: Target) -> Outcome:
        """Send one message."""
        if self._mail is None:
            return Again(NOT_SET_UP)
        letter = alarm(
            message.language,
            to=target.address,
            link=message.runbook_url,
            title=message.title,
            text=message.text,
        )
        try:
            await self._mail.send(letter)
        except MailNotSent as error:
            return Again(error.code)
        return Went()
