"""Messages through an SMTP server (RFC 5321): some tries, each bounded, then an error.

Logs and errors say what kind of message it was and how it ended, never whose or with which link.
"""

import asyncio
import ssl
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr

import aiosmtplib

from trackai.errors import MailNotSent
from trackai.mail.port import Letter
from trackai.model.clock import Clock
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import MAILS

# Pauses between tries, in seconds: there is one try more than pauses.
PAUSES_S = (1.0, 4.0)
# Longest try, from the connection to the server's word for the whole message.
TRY_S = 15.0
# Connections at once from one process.
AT_ONCE = 4
# From here on a server's answer is final (RFC 5321, 4.2.1).
FINAL = 500


@dataclass(frozen=True, slots=True)
class Server:
    """Which server takes messages, and who they are from."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = field(repr=False, default=None)
    encrypted: bool = True
    # From the first byte on (port 465); otherwise by STARTTLS.
    at_once: bool = False
    # Whose certificates are believed; None: the machine's.
    trust: ssl.SSLContext | None = None


class SmtpMail:
    """Opens a connection for each message: there are few."""

    def __init__(
        self,
        server: Server,
        clock: Clock,
        *,
        pauses_s: tuple[float, ...] = PAUSES_S,
        try_s: float = TRY_S,
    ) -> None:
        self._server = server
        self._clock = clock
        self._pauses_s = pauses_s
        self._try_s = try_s
        self._turn = asyncio.Semaphore(AT_ONCE)

    @property
    def reaches_people(self) -> bool:
        """Yes."""
        return True

    async def send(self, letter: Letter) -> None:
        """Send a message; MailNotSent when it was refused, or after the last try."""
        reason = await self._sent(letter)
        MAILS.labels(letter.kind, "not_sent" if reason else "sent").inc()
        if reason:
            get_logger().warning("mail.not_sent", kind=letter.kind.value, reason=reason)
            raise MailNotSent
        get_logger().info("mail.sent", kind=letter.kind.value)

    async def _sent(self, letter: Letter) -> str:
        """Return why it did not go; blank when it went."""
        try:
            message = self._message(letter)
        except (ValueError, MessageError):
            return "an address that cannot be written into a message"
        reason = ""
        for pause_s in (*self._pauses_s, None):
            final, reason = await self._try(message, letter.to)
            if not reason or final or pause_s is None:
                break
            await asyncio.sleep(pause_s)
        return reason

    async def _try(self, message: EmailMessage, to: str) -> tuple[bool, str]:
        """Return whether it makes no sense to try again, and why; blank when it went."""
        try:
            async with self._turn, asyncio.timeout(self._try_s):
                await self._hand_over(message, to)
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [one.code for one in error.recipients]
            return all(code >= FINAL for code in codes), f"recipient refused: {max(codes)}"
        except aiosmtplib.SMTPResponseException as error:
            return error.code >= FINAL, f"{type(error).__name__}: {error.code}"
        except aiosmtplib.SMTPNotSupported as error:
            return True, type(error).__name__
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return False, type(error).__name__
        return False, ""

    async def _hand_over(self, message: EmailMessage, to: str) -> None:
        server = self._server
        await aiosmtplib.send(
            message,
            # Said again: a header may be read as something else than was written into it.
            recipients=[to],
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.encrypted and server.at_once,
            start_tls=server.encrypted and not server.at_once,
            tls_context=server.trust,
            timeout=self._try_s,
        )

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._server.sender
        message["To"] = Address(addr_spec=letter.to)
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = make_msgid(domain=parseaddr(self._server.sender)[1].split("@")[-1])
        # Nobody is to answer it, and no holiday notice either (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        return message
