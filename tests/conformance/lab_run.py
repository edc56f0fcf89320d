"""Running scenarios in a lab, on a copy of the machine that a real kernel answered them on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from sysfsd.host.debug import SYSFSD_DEBUG

HERE: Final = Path(__file__).parent
REPOSITORY: Final = HERE.parents[1]
SYSFSD: Final = Path(sys.executable).with_name("sysfsd")
TIMEOUT: Final = 60
#: What the recorded machine was booted with, and what its init has.
CMDLINE: Final = "console=ttyS0 panic=-1 loglevel=4"
ENVIRONMENT: Final = {"HOME": "/", "LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "linux"}


def run(scenario: str, scratch: Path) -> str:
    """The transcript of *scenario*; a lab that takes too long is ended.

    :param scratch: an empty directory
    """
    debug: dict[str, str] = {SYSFSD_DEBUG: os.environ[SYSFSD_DEBUG]} if SYSFSD_DEBUG in os.environ else {}
    command: list[str | Path] = [
        *("timeout", "--kill-after=5", str(TIMEOUT)),
        *("unshare", "--mount", "--uts", "--propagation=private"),
        *(HERE / "lab-machine", scratch, REPOSITORY, sys.prefix),
        *(*debug.values(), "--"),
        *(SYSFSD, "lab", "--cmdline", f"{CMDLINE} scenario={scenario}", "--"),
        *("bash", HERE / "run-scenario", HERE / "scenarios" / scenario),
    ]
    done = subprocess.run(
        command,
        env=ENVIRONMENT | debug,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.stdout.decode("utf-8", "replace").replace("\r", "")  # as from the recorded machine's serial line


if __name__ == "__main__":
    import tempfile

    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as temporary:
            print(run(name, Path(temporary)), end="")
