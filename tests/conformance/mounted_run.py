"""Running scenarios against a mount, without the system calls: insmod and its kin go through the control files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
MODULES: Final = HERE.parent / "modules"
TIMEOUT: Final = 120

#: Paths that are the mount's, as scenarios write them.
_PATHS: Final = re.compile(
    r"(?<![\w./*])/(sys/(?:module|kernel|class|bus|devices|dev|power|firmware|fs|block|hypervisor|sysfs_top)\b|proc/(?:modules|kallsyms|version|cmdline|devices|misc|sys|proc_files(?:_top)?|stacks)\b|proc(?![\w/])"
    r"|sys(?![\w/])|dev(?![\w/])|dev/(?!(?:null|zero|full|u?random|fd|stdin|stdout|stderr|tty|pts|shm)\b)\w)"
)


def run(scenario: str, mount: Path, scratch: Path) -> str:
    """The transcript of *scenario*, in a directory of its own below *scratch*."""
    modules = scratch / "mods"
    shutil.copytree(MODULES, modules)
    modules.chmod(0o755)
    text = (HERE / "scenarios" / scenario).read_text()
    text = _PATHS.sub(r"@MOUNT@/\1", text)
    # The directories that a scenario knows, and where they are here.
    places = {"/tmp/": f"{scratch}/tmp/", "/mods": str(modules)}
    (scratch / "tmp").mkdir()
    for known, here in places.items():
        text = text.replace(known, here)
    commands = scratch / "scenario"
    commands.write_text(text)
    tools = scratch / "bin"
    tools.mkdir()
    for tool in (HERE / "mounted").iterdir():
        # Not through env: the tools run in directories that are no longer there.
        (tools / tool.name).write_text(f"#!{sys.executable} -I\n" + tool.read_text())
        (tools / tool.name).chmod(0o755)
    environment = {
        **os.environ,
        "LC_ALL": "C",
        "PATH": f"{tools}:{os.environ['PATH']}",
        "SYSFSD_MOUNT": str(mount),
        "SYSFSD_CLEARED": str(scratch / "cleared"),
    }
    done = subprocess.run(
        ["bash", HERE / "run-scenario", commands],
        cwd=modules,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT,
        check=False,
    )
    transcript = done.stdout.decode("utf-8", "replace")
    transcript = transcript.replace("@MOUNT@", "").replace(str(mount), "")
    for known, here in places.items():
        transcript = transcript.replace(here, known)
    return transcript
