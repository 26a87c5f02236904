"""Messages through a real SMTP server: taken, refused, late, encrypted."""

import datetime as dt
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs
from tests.support.ports import kept_port
from tests.support.tls import make_certificate
from tests.support.world import NOON

from trackai.errors import MailNotSent
from trackai.mail.letters import new_password
from trackai.mail.smtp import SmtpMail
from trackai.telemetry.metrics import REGISTRY

if TYPE_CHECKING:
    from tests.mail.conftest import Office, OpenOffice

LINK = "https://track.example.com/password/abc_def-123"
LETTER = new_password("pt", to="ana@example.com", link=LINK)
USER, PASSWORD = "trackai", "a secret of the server"


class Noon:
    def now(self) -> dt.datetime:
        return NOON


def mail_to(office: "Office", *, try_s: float = 30.0, **more: Any) -> SmtpMail:
    return SmtpMail(office.named(**more), Noon(), pauses_s=(0.0, 0.0), try_s=try_s)


def counted(outcome: str) -> float:
    labels = {"kind": "new_password", "outcome": outcome}
    return REGISTRY.get_sample_value("trackai_mails_total", labels) or 0.0


def trusting(directory: Path) -> ssl.SSLContext:
    """Return a client's context that believes the certificate made there, whatever its name."""
    context = ssl.create_default_context(cafile=str(directory / "certificate.pem"))
    context.check_hostname = False
    return context


async def test_a_message_arrives_whole(open_office: "OpenOffice") -> None:
    office, before = await open_office(), counted("sent")
    await mail_to(office).send(LETTER)
    (message,) = office.taken
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))

    assert office.recipients == ["ana@example.com"]
    assert (message["From"], message["To"]) == ("Track AI <no-reply@example.com>", LETTER.to)
    assert message["Subject"] == "Nova senha no Track AI"
    assert message["Date"].datetime == NOON
    assert message["Message-ID"].endswith("@example.com>")
    assert message["Auto-Submitted"] == "auto-generated"
    assert plain is not None
    assert html is not None
    assert LINK in plain.get_content()
    assert f'href="{LINK}"' in html.get_content()
    assert counted("sent") == before + 1


async def test_a_final_no_is_not_asked_again(open_office: "OpenOffice") -> None:
    office, before = await open_office(), counted("not_sent")
    office.answers = ["550 no ana@example.com here"] * 9
    with pytest.raises(MailNotSent):
        await mail_to(office).send(LETTER)

    assert (office.asked, office.taken) == (1, [])
    assert counted("not_sent") == before + 1


async def test_a_no_for_now_is_asked_again(open_office: "OpenOffice") -> None:
    office = await open_office()
    office.answers = ["451 later", "451 later"]
    await mail_to(office).send(LETTER)

    assert (office.asked, len(office.taken)) == (3, 1)


async def test_tries_come_to_an_end(open_office: "OpenOffice") -> None:
    office = await open_office()
    office.answers = ["451 later"] * 9
    with pytest.raises(MailNotSent):
        await mail_to(office).send(LETTER)

    assert (office.asked, office.taken) == (3, [])


async def test_a_server_that_never_answers_is_left(open_office: "OpenOffice") -> None:
    office = await open_office()
    office.asleep = True
    with pytest.raises(MailNotSent):
        await mail_to(office, try_s=0.5).send(LETTER)

    assert (office.asked, office.taken) == (3, [])


async def test_a_server_that_is_not_there_is_an_error_of_ours(open_office: "OpenOffice") -> None:
    office = await open_office()
    with kept_port() as office.port, pytest.raises(MailNotSent):
        await mail_to(office).send(LETTER)

    assert office.taken == []


async def test_starttls_comes_before_the_password(
    open_office: "OpenOffice", tmp_path: Path
) -> None:
    login = (USER.encode(), PASSWORD.encode())
    office = await open_office(start_tls=make_certificate(tmp_path), login=login)
    secret: dict[str, Any] = {"user": USER, "password": PASSWORD}
    await mail_to(office, encrypted=True, trust=trusting(tmp_path), **secret).send(LETTER)

    assert (office.secured, len(office.taken)) == ([True], 1)


async def test_a_server_without_starttls_is_told_nothing(open_office: "OpenOffice") -> None:
    office = await open_office()
    with pytest.raises(MailNotSent):
        await mail_to(office, encrypted=True).send(LETTER)

    assert office.asked == 0


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    open_office: "OpenOffice", tmp_path: Path
) -> None:
    office = await open_office(start_tls=make_certificate(tmp_path))
    with pytest.raises(MailNotSent):
        await mail_to(office, encrypted=True).send(LETTER)

    assert office.asked == 0


async def test_encrypted_from_the_first_byte_on(open_office: "OpenOffice", tmp_path: Path) -> None:
    office = await open_office(tls=make_certificate(tmp_path))
    trust = trusting(tmp_path)
    await mail_to(office, encrypted=True, at_once=True, trust=trust).send(LETTER)

    assert len(office.taken) == 1


async def test_a_wrong_password_is_final(open_office: "OpenOffice", tmp_path: Path) -> None:
    login = (USER.encode(), PASSWORD.encode())
    office = await open_office(start_tls=make_certificate(tmp_path), login=login)
    wrong: dict[str, Any] = {"user": USER, "password": "wrong", "trust": trusting(tmp_path)}
    with capture_logs() as logs, pytest.raises(MailNotSent):
        await mail_to(office, encrypted=True, **wrong).send(LETTER)

    assert [one["reason"] for one in logs] == ["SMTPAuthenticationError: 535"]


async def test_no_log_and_no_error_says_who_or_where(open_office: "OpenOffice") -> None:
    office = await open_office()
    with capture_logs() as logs:
        await mail_to(office).send(LETTER)
        office.answers = ["550 no ana@example.com here"]
        with pytest.raises(MailNotSent) as refused:
            await mail_to(office).send(LETTER)
    told = f"{logs} {refused.value} {refused.value.__context__!r} {LETTER!r} {office.named()!r}"

    assert [(one["event"], one.get("reason")) for one in logs] == [
        ("mail.sent", None),
        ("mail.not_sent", "recipient refused: 550"),
    ]
    for word in ("ana@", LINK, "/password/"):
        assert word not in told


@pytest.mark.parametrize("to", ["a..b@example.com", "=?utf-8?q?ana?=@example.com", "é@example.com"])
async def test_an_address_that_says_something_else_is_sent_nothing(
    open_office: "OpenOffice", to: str
) -> None:
    office = await open_office()
    with pytest.raises(MailNotSent):
        await mail_to(office).send(new_password("pt", to=to, link=LINK))

    assert office.asked == 0
