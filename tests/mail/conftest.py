"""A real mail server on this machine, as well or as unwell as a test wants it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from trackai.mail.smtp import Server


@dataclass
class Office:
    """A server, what it took, and how it is."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    # What it says to the next recipients, instead of yes.
    answers: list[str] = field(default_factory=list)
    # Set: it answers no recipient at all.
    asleep: bool = False
    asked: int = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Say whether a recipient is known here."""
        del server, session, options
        self.asked += 1
        if self.asleep:
            await asyncio.Event().wait()
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take a message."""
        del server
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append(BytesParser(EmailMessage, policy=default).parsebytes(content))
        self.recipients += envelope.rcpt_tos
        self.secured.append(session.ssl is not None)
        return "250 OK"

    def named(self, **more: Any) -> Server:
        """Return this server as the program names it."""
        values: dict[str, Any] = {
            "encrypted": False,
            "sender": "Track AI <no-reply@example.com>",
        } | more
        return Server("127.0.0.1", self.port, **values)


OpenOffice = Callable[..., Awaitable[Office]]


@pytest.fixture
async def open_office() -> AsyncIterator[OpenOffice]:
    """Yield what starts a server, which stops with the test."""
    async with AsyncExitStack() as stack:

        async def opened(
            *,
            start_tls: ssl.SSLContext | None = None,
            tls: ssl.SSLContext | None = None,
            login: tuple[bytes, bytes] | None = None,
        ) -> Office:
            office = Office()

            def check(*given: Any) -> AuthResult:
                data = given[4]
                assert isinstance(data, LoginPassword)
                return AuthResult(success=(data.login, data.password) == login, handled=False)

            options: dict[str, Any] = {
                "tls_context": start_tls,
                "require_starttls": bool(start_tls),
            }
            if login is not None:
                options |= {"authenticator": check, "auth_required": True}
            server = await asyncio.get_running_loop().create_server(
                lambda: SMTP(office, hostname="mail.example.com", **options),
                *("127.0.0.1", 0),
                ssl=tls,
            )
            stack.callback(server.close)
            office.port = server.sockets[0].getsockname()[1]
            return office

        yield opened
