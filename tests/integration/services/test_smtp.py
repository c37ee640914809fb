"""Mails to real mail servers: encryption, login, refusals, and servers that go away."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

from reference_services.common.database import open_database
from reference_services.common.environment import Common, Environment
from reference_services.reminder.mail import Mailbox, MailServerAwayError
from reference_services.reminder.mailer import BATCH, Mailer
from reference_services.reminder.mailserver import MailServer
from reference_services.reminder.models import NewTicket, TicketQuery, metadata
from reference_services.reminder.store import TicketStore
from tests.integration.services.mailhost import PASSWORD, USER, MailHost, make_certificate
from tests.integration.services.platform import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.integration.services.lone import Nursery
    from tests.integration.services.mailhost import Certificate

# aiosmtpd warns of logins without TLS, of which some of these tests are.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

SENDER = "desk@example.com"
AT_ONCE = (timedelta(0),) * 3
TRIES = len(AT_ONCE) + 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate that the mail servers of this module have."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TicketStore]:
    """Tickets in a database of the test's own."""
    common = Common.read("reminder", Environment({}))
    database = open_database(Flask("tickets"), f"sqlite:///{tmp_path / 'tickets.db'}", metadata, common)
    yield TicketStore(database)
    database.engine.dispose()


def login(host: MailHost, scheme: str, options: str, password: str = PASSWORD) -> Mailbox:
    """Give a mailbox that logs in."""
    return Mailbox(MailServer.parse(f"{scheme}://{USER}:{password}@127.0.0.1:{host.port}{options}"), SENDER)


def due(store: TicketStore, *recipients: str) -> None:
    """Make a ticket for each."""
    for recipient in recipients:
        store.add(NewTicket(subject="s", content="c", recepient_email=recipient))


def statuses(store: TicketStore) -> dict[str, str]:
    """Give the status of each recipient's ticket."""
    return {one["recepientEmail"]: one["status"] for one in store.list(TicketQuery())}


def mailer_of(store: TicketStore, host: MailHost, waits: Sequence[timedelta] = AT_ONCE) -> Mailer:
    """Give a mailer whose waits are short."""
    return Mailer(store, Mailbox(MailServer.parse(host.url), SENDER), SENDER, waits=waits)


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_an_encrypted_login(certificate: Certificate, way: str) -> None:
    """A server that takes no mail without encryption and login takes ours, when `cafile` signs its certificate."""
    context = certificate.server_side()
    secure: dict[str, dict[str, Any]] = {
        "starttls": {"tls_context": context, "require_starttls": True},
        "tls": {"ssl_context": context},
    }
    with MailHost(auth_required=True, auth_require_tls=way == "starttls", **secure[way]) as host:
        scheme, option = {"starttls": ("smtp", "starttls=required&"), "tls": ("smtps", "")}[way]
        mailbox = login(host, scheme, f"?{option}cafile={certificate.cert}")
        for number in range(2):
            mailbox.send("ann@example.com", f"Message-ID: <{number}>\r\n\r\nHello.\r\n".encode())
        assert mailbox.ready() is None
        mailbox.close()
        assert host.moods.taken == [("ann@example.com", "<0>"), ("ann@example.com", "<1>")]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_certificate_that_nobody_vouches_for(certificate: Certificate, scheme: str) -> None:
    """It is refused before the password is sent, with the way out in the sentence; `verify=no` takes it."""
    secure = {"smtp": {"tls_context": certificate.server_side()}, "smtps": {"ssl_context": certificate.server_side()}}
    option = {"smtp": "?starttls=required", "smtps": "?"}[scheme]
    with MailHost(auth_require_tls=scheme == "smtp", **secure[scheme]) as host:
        mailbox = login(host, scheme, option)
        with pytest.raises(MailServerAwayError, match=r"certificate that is not accepted .*: name who signs it by"):
            mailbox.prove()
        assert "certificate" in str(mailbox.ready())
        trusting = login(host, scheme, f"{option}&verify=no")
        trusting.prove()
        assert trusting.ready() is None
        trusting.close()


def test_a_server_without_starttls_gets_no_password() -> None:
    """Where STARTTLS is required and not offered, no session comes about."""
    with MailHost(auth_require_tls=False) as host:
        mailbox = login(host, "smtp", "?starttls=required")
        with pytest.raises(MailServerAwayError, match="does not offer what SMTP_URL asks for: STARTTLS"):
            mailbox.send("ann@example.com", b"")
        assert host.moods.heard == {}


def test_a_refused_login_is_the_servers_trouble_until_it_lets_us_in() -> None:
    """No mail's try is counted for a refused login; the sentence names the user, never the password."""
    with MailHost(auth_require_tls=False) as host:
        host.passwords = {}
        mailbox = login(host, "smtp", "")
        for _ in range(2):
            with pytest.raises(MailServerAwayError, match=f'refuses the login of "{USER}"') as caught:
                mailbox.prove()
            assert PASSWORD not in f"{caught.value} {mailbox.ready()}"
        assert f'login of "{USER}"' in str(mailbox.ready())
        host.passwords = {USER: PASSWORD}
        mailbox.prove()
        assert mailbox.ready() is None
        mailbox.close()


def test_a_server_that_wants_a_login_that_we_have_not(store: TicketStore) -> None:
    """A server that takes mails only after a login is in trouble, and the mail is not."""
    due(store, "ann@example.com")
    with MailHost(auth_require_tls=False, auth_required=True) as host:
        mailer = mailer_of(store, host)
        for _ in range(TRIES + 1):
            with pytest.raises(MailServerAwayError, match="530"):
                mailer.step()
    assert statuses(store) == {"ann@example.com": "PENDING"}


@pytest.mark.parametrize("stage", ["recipient", "mail"])
@pytest.mark.parametrize("answer", ["550 No such box", "451 Later"])
def test_a_mail_that_is_refused_for_ever_fails_after_its_last_try(store: TicketStore, stage: str, answer: str) -> None:
    """It is `FAILED` after one try and one more for each wait, is not tried again, and no other mail waits for it."""
    due(store, "bad@example.com", "ann@example.com", "bob@example.com")
    with MailHost() as host:
        host.moods.answers = {"bad@example.com": [answer] * 99}
        if stage == "mail":
            host.moods.answers = {"DATA": [answer] * TRIES}
        mailer = mailer_of(store, host)
        for _ in range(TRIES + 3):
            mailer.step()
        heard = host.moods.heard
    if stage == "recipient":
        assert statuses(store) == {
            "bad@example.com": "FAILED",
            "ann@example.com": "SUCCESS",
            "bob@example.com": "SUCCESS",
        }
        assert heard == {"bad@example.com": TRIES, "ann@example.com": 1, "bob@example.com": 1}
        assert host.moods.recipients == ["ann@example.com", "bob@example.com"]
    else:
        assert set(statuses(store).values()) == {"SUCCESS"}
        assert sum(heard.values()) == 3 + TRIES


def test_a_greylisting_server_takes_the_mail_later(store: TicketStore) -> None:
    """A mail that is put off is tried again, and arrives once."""
    due(store, "ann@example.com")
    with MailHost() as host:
        host.moods.answers = {"ann@example.com": ["451 Greylisted", "451 Greylisted"]}
        mailer = mailer_of(store, host)
        for _ in range(3):
            assert statuses(store) == {"ann@example.com": "PENDING"}
            mailer.step()
        assert host.moods.recipients == ["ann@example.com"]
    assert statuses(store) == {"ann@example.com": "SUCCESS"}


def test_the_next_try_waits(store: TicketStore) -> None:
    """A refused mail is not tried again before its wait is over."""
    due(store, "ann@example.com")
    with MailHost() as host:
        host.moods.answers = {"ann@example.com": ["451 Later"]}
        mailer = mailer_of(store, host, (timedelta(hours=1),))
        for _ in range(3):
            mailer.step()
        assert host.moods.heard == {"ann@example.com": 1}


@pytest.mark.parametrize("way", ["gone", "closing"])
def test_a_server_that_is_away_costs_no_try(store: TicketStore, way: str) -> None:
    """However often it is away, or says that it closes, the mail stays due, and arrives when it is back."""
    due(store, "ann@example.com")
    with MailHost() as host:
        mailer = mailer_of(store, host)
        if way == "gone":
            host.stop()
        else:
            host.moods.answers = {"ann@example.com": ["421 Closing"] * (TRIES + 2)}
        for _ in range(TRIES + 2):
            with pytest.raises(MailServerAwayError):
                mailer.step()
        if way == "gone":
            host.start()
        mailer.step()
        assert host.moods.recipients == ["ann@example.com"]
    assert statuses(store) == {"ann@example.com": "SUCCESS"}


@pytest.mark.parametrize("number", [1, BATCH + 1])
def test_mails_at_which_the_server_hangs_up_hold_up_no_other(store: TicketStore, number: int) -> None:
    """They are due first, and fail whenever they come; the others are mailed, and they themselves once they may be."""
    bad = [f"bad-{one}@example.com" for one in range(number)]
    good = [f"good-{one}@example.com" for one in range(BATCH)]
    due(store, *bad, *good)
    with MailHost() as host:
        host.moods.answers = {one: ["421 Not this one"] * 3 for one in bad}
        mailer, failures = mailer_of(store, host), 0
        while "PENDING" in statuses(store).values() and failures <= 3 * number:
            try:
                mailer.step()
            except MailServerAwayError:
                failures += 1
        assert host.moods.recipients == good + bad
    assert failures == 3 * number


class Forgetful(TicketStore):
    """A store whose database is away when mails are noted, a few times."""

    away = 2

    def sent(self, ids: Sequence[int]) -> None:
        """Note, or not."""
        if self.away:
            self.away -= 1
            raise ConnectionError
        super().sent(ids)


def test_a_mail_that_was_accepted_and_not_noted_is_not_sent_again(store: TicketStore) -> None:
    """While the database takes no note, nothing is sent; afterwards the accepted mail is noted, not repeated."""
    store.__class__ = Forgetful
    due(store, "ann@example.com", "bob@example.com")
    with MailHost() as host:
        mailer = mailer_of(store, host)
        for _ in range(2):
            with pytest.raises(ConnectionError):
                mailer.step()
        mailer.step()
        assert host.moods.recipients == ["ann@example.com", "bob@example.com"]
    assert set(statuses(store).values()) == {"SUCCESS"}


def test_the_service_tells_of_a_refused_login_and_logs_no_password(nursery: Nursery) -> None:
    """`/health` is a 503 with the reason, before any mail is due, and ready as soon as the server lets us in."""
    with MailHost(auth_require_tls=False, auth_required=True) as host:
        host.passwords = {}
        url = f"smtp://{USER}:{PASSWORD}@127.0.0.1:{host.port}"
        settings = {"DATABASE_URL": nursery.database("tickets"), "BUS_URL": nursery.bus, "SMTP_URL": url}
        reminder = nursery.start("reminder", **settings)

        def health() -> str:
            answer = reminder.service.call("GET", "/health")
            return f"{answer.status} {answer.message}"

        wait_until(
            lambda: f"503 Not ready: the mail server at 127.0.0.1:{host.port} refuses the login" in health(),
            "the reason",
        )
        host.passwords = {USER: PASSWORD}
        wait_until(lambda: health().startswith("200"), "ready")
        assert PASSWORD not in reminder.log.read_text(encoding="utf-8")
