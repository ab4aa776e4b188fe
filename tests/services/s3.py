"""
An object storage that speaks S3's protocol, as a process of its own on loopback: moto's server.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import httpx2

from tests.services.ports import free_port

START_SECONDS_MAX = 60.0
_MAIN = "import sys; from moto.server import main; main(sys.argv[1:])"


class S3Server:
    """A running server, with buckets that tests make."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._count = 0

    @property
    def environment(self) -> Mapping[str, str]:
        """What tells S3's clients where it is."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    def make_bucket(self) -> str:
        """The URL of a prefix in an empty bucket."""
        self._count += 1
        name = f"shop-{self._count}"
        httpx2.put(f"{self.url}/{name}", trust_env=False).raise_for_status()
        return f"s3://{name}/events"


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """Ended at the end."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", _MAIN, "-H", "127.0.0.1", "-p", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        server = S3Server(f"http://127.0.0.1:{port}")
        _wait(process, server.url)
        yield server
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < until and process.poll() is None:
        with suppress(httpx2.TransportError):
            if httpx2.get(url, trust_env=False).status_code == 200:
                return
        time.sleep(0.05)
    raise RuntimeError("the S3 server did not come up")
