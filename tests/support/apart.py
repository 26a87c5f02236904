"""Programs in processes of their own, apart from the terminal, which end in any case."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# What a worker may take to finish what it has begun, and more.
STOP_S = 40.0


def started(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> "subprocess.Popen[bytes]":
    """Start a command that stays; what it says is added to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own programs
            command,
            env={"PATH": "/usr/bin:/bin", **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def ended(process: "subprocess.Popen[bytes]", patience_s: float = STOP_S) -> int:
    """End it as a deployment does, if it is there, and by force when that takes too long.

    Return its exit status.
    """
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)  # one that was stopped cannot end
        process.terminate()
    try:
        return process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
