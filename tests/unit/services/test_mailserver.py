"""Reading `SMTP_URL`."""

from __future__ import annotations

import pytest

from reference_services.common.errors import ConfigError
from reference_services.reminder.mailserver import MailServer

PLACES = [
    ("smtp://mail", ("mail", 25, "", "", None, False)),
    ("smtp://mail:1025", ("mail", 1025, "", "", None, False)),
    ("smtp://mail:1025/", ("mail", 1025, "", "", None, False)),
    ("smtp://ann%40x.org:p%2Fw%3A1@mail:587?starttls=required", ("mail", 587, "ann@x.org", "p/w:1", True, True)),
    ("smtp://ann:p%2Fw%3A1@mail:587?starttls=required&verify=no", ("mail", 587, "ann", "p/w:1", False, True)),
    ("smtp://mail?starttls=no", ("mail", 25, "", "", None, False)),
    ("smtps://ann:p%2Fw%3A1@mail", ("mail", 465, "ann", "p/w:1", True, False)),
    ("smtps://[::1]:4650?verify=no", ("::1", 4650, "", "", False, False)),
]


@pytest.mark.parametrize(("url", "place"), PLACES)
def test_a_url_is_a_place(url: str, place: tuple[object, ...]) -> None:
    """Login, encryption and verification are what the URL says, and nothing is tried that it does not say."""
    found = MailServer.parse(url)
    verified = None if found.tls is None else found.tls.check_hostname and found.tls.verify_mode.name == "CERT_REQUIRED"
    assert (found.host, found.port, found.user, found.password, verified, found.starttls) == place
    assert "p/w:1" not in f"{found!r} {found.name}"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mail:25", "is no smtp://host:port"),
        ("http://ann:pw-7@mail", "is no smtp://host:port"),
        ("smtp://", "is no smtp://host:port"),
        ("smtp://ann:pw-7@mail:port", "is no smtp://host:port"),
        ("smtp://ann:pw-7@mail/inbox", "is no smtp://host:port"),
        ("smtp://ann:pw-7@mail?starttls=maybe", 'starttls is "required" or "no"'),
        ("smtps://ann:pw-7@mail?starttls=required", "only for smtp://"),
        ("smtp://ann:pw-7@mail?tls=yes", 'the option "tls" is not known; known are: cafile, starttls, verify'),
        ("smtp://ann:pw-7@mail?verify=no", "cafile and verify are for"),
        ("smtps://ann:pw-7@mail?verify=", '"yes" or "no"'),
        ("smtps://ann:pw-7@mail?cafile=/nowhere/ca.pem", "/nowhere/ca.pem cannot be used"),
    ],
)
def test_a_mistake_is_a_sentence_without_the_password(url: str, problem: str) -> None:
    """Each names the variable and what is wrong with it."""
    with pytest.raises(ConfigError) as caught:
        MailServer.parse(url)
    assert str(caught.value).startswith("SMTP_URL: ")
    assert problem in str(caught.value)
    assert "pw-7" not in str(caught.value)
