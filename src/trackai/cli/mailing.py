"""How messages to people leave an installation."""

import sys

from trackai.mail.console import ConsoleMail
from trackai.mail.port import Mail
from trackai.mail.smtp import Server, SmtpMail
from trackai.model.clock import SystemClock
from trackai.settings import MailTls, Settings
from trackai.telemetry.logging import get_logger


def mail_of(settings: Settings) -> Mail | None:
    """Return the way to send messages; in production None without a server for it."""
    if settings.smtp_host is None or settings.mail_from is None:
        if settings.production:
            get_logger().warning("mail.not_set_up", set="TRACKAI_SMTP_HOST, TRACKAI_MAIL_FROM")
            return None
        return ConsoleMail(sys.stdout)
    password = settings.smtp_password
    server = Server(
        *(settings.smtp_host, settings.smtp_port, settings.mail_from, settings.smtp_user),
        password=password.get_secret_value() if password else None,
        encrypted=settings.smtp_tls is not MailTls.NONE,
        at_once=settings.smtp_tls is MailTls.TLS,
    )
    return SmtpMail(server, SystemClock())
