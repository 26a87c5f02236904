"""Whose address a request came from; X-Forwarded-For is believed only from trusted proxies.

No I/O. The header is walked from the right, the end our own proxies write: whoever stands behind
the first address that is not ours may have made up everything to its left.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class TrustedProxies:
    """Networks whose X-Forwarded-For is believed; none by default."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = tuple(ip_network(network, strict=False) for network in networks)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def client_address(self, peer: str | None, forwarded: Sequence[str]) -> str | None:
        """Return the client's address, or None when it cannot be known.

        `peer` is the other end of the connection, `forwarded` the values of all X-Forwarded-For
        headers in the order received. A trusted proxy that names nothing readable makes the
        client unknown: the proxy's own address would be a wrong answer.
        """
        address = parse_address(peer or "")
        if address is None or not self._trusts(address):
            return _text(address)
        for hop in reversed(",".join(forwarded).split(",")):
            if not hop.strip():
                continue
            address = parse_address(hop)
            if address is None or not self._trusts(address):
                break
        return _text(address)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


@lru_cache(maxsize=4096)
def parse_address(text: str) -> Address | None:
    """Read an address with or without port, brackets or zone; None when it is none."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _text(address: Address | None) -> str | None:
    return None if address is None else str(address)
