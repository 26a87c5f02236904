"""X-Forwarded-For is walked from the right, through trusted proxies only."""

import pytest

from trackai.ingest.client_address import TrustedProxies

PROXIES = TrustedProxies(["10.0.0.0/8", "fd00::/8", "192.0.2.1"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        # Whoever connects directly may write anything: the connection is what counts.
        ("198.51.100.9", ["6.6.6.6"], "198.51.100.9"),
        ("2001:db8::9", ["6.6.6.6"], "2001:db8::9"),
        ("198.51.100.9", [], "198.51.100.9"),
        (None, ["6.6.6.6"], None),
        ("", ["6.6.6.6"], None),
        # Through one and through several of ours.
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7, 10.0.0.2, 192.0.2.1"], "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7", "10.0.0.2"], "203.0.113.7"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        # What stands left of the first address that is not ours may be made up.
        ("10.0.0.1", ["6.6.6.6, 203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["10.9.9.9, 203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        # A proxy's own request, and a chain wholly of ours.
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        # Ports, brackets, quotes, zones, blanks, IPv4 inside IPv6.
        ("10.0.0.1", ["203.0.113.7:4711"], "203.0.113.7"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("10.0.0.1", ["[2001:db8::7]"], "2001:db8::7"),
        ("10.0.0.1", ['"203.0.113.7"'], "203.0.113.7"),
        ("10.0.0.1", ["fe80::1%eth0"], "fe80::1"),
        ("10.0.0.1", [" , 203.0.113.7 ,, "], "203.0.113.7"),
        ("::ffff:10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["::ffff:203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["2001:DB8:0:0::7"], "2001:db8::7"),
        # Garbage behind our proxy: nobody knows, and the proxy is not the client.
        ("10.0.0.1", ["unknown"], None),
        ("10.0.0.1", ["203.0.113.7, unknown"], None),
        ("10.0.0.1", ["6.6.6.6, garbage, 10.0.0.2"], None),
        ("10.0.0.1", ["999.1.1.1"], None),
        ("10.0.0.1", ["203.0.113.07"], None),
        ("10.0.0.1", ["\x00"], None),
        ("10.0.0.1", ["[2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", ["a" * 10_000], None),
    ],
)
def test_client_is_the_first_from_the_right_that_is_not_ours(
    peer: str | None, forwarded: list[str], expected: str | None
) -> None:
    assert expected == PROXIES.client_address(peer, forwarded)


def test_nobody_is_trusted_by_default() -> None:
    proxies = TrustedProxies()

    assert not proxies
    assert proxies.client_address("127.0.0.1", ["6.6.6.6"]) == "127.0.0.1"
