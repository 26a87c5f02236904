"""A stand-in for AWS Secrets Manager that can go away and come back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from tests.support.ports import kept_port


@dataclass
class Amazon:
    """The stand-in's server; what it keeps outlives it."""

    port: int
    server: Any = None

    def come(self) -> None:
        """Answer."""
        from moto.server import ThreadedMotoServer  # noqa: PLC0415 - takes a second to import

        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port)
        self.server.start()

    def go(self) -> None:
        """Answer nobody."""
        if self.server is not None:
            self.server.stop()
            self.server = None


@contextmanager
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    """Point the ordinary AWS settings at a stand-in for the length of a block."""
    with kept_port() as port:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_DEFAULT_REGION": "sa-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            monkeypatch.setenv(name, value)
        amazon = Amazon(port)
        amazon.come()
        try:
            yield amazon
        finally:
            amazon.go()
