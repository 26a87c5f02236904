"""Which addresses are of the public web."""

import ipaddress

import pytest

from trackai.tracker.public_web import is_public

PUBLIC = ["8.8.8.8", "200.160.2.3", "2606:4700:4700::1111", "2804:14c::1"]
OTHERS = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1"),
    *("0.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1"),
    *("2001:db8::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "2002:7f00:1::", "64:ff9b::7f00:1"),
    *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "64:ff9b:1::1"),
]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_may_be_asked(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", OTHERS)
def test_no_other_address_may(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))
