"""The command: scripts/bench says how it is called."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import Final

from . import code, files, growth, labs, loading, table, worlds
from .measure import OURS, Bench, Finding, Question, ask

QUESTIONS: Final[dict[str, Question]] = {
    question.name: question for area in (files, growth, labs, loading, code) for question in area.QUESTIONS
}
#: What ends a run before its end.
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def arguments() -> argparse.Namespace:
    names = "".join(f"\n  {question.name:11} {question.title}" for question in QUESTIONS.values())
    parser = argparse.ArgumentParser(
        prog="bench",
        description="Measure what sysfsd costs, beside what people would use otherwise, on this machine.",
        epilog=f"questions (default: all):{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("questions", nargs="*", metavar="QUESTION")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller numbers")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples to FILE")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw a picture for each question in DIR")
    options = parser.parse_args()
    if unknown := [name for name in options.questions if name not in QUESTIONS]:
        parser.error(f"no such question: {' '.join(unknown)}")
    return options


def machine() -> str:
    """On what it was measured."""
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    processor = found[1] if found else platform.machine()
    return (
        f"Linux {platform.release()}, {len(os.sched_getaffinity(0))} processors ({processor}),"
        f" Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}"
    )


def interrupted(number: int, frame: FrameType | None) -> None:
    """All is taken down again, which nothing interrupts."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    options = arguments()
    if options.plots:
        options.plots.mkdir(parents=True, exist_ok=True)
    for number in SIGNALS:
        signal.signal(number, interrupted)
    findings: list[Finding] = []
    with tempfile.TemporaryDirectory(prefix="bench") as scratch:
        Path(scratch).chmod(0o755)
        bench = Bench(options.quick, Path(scratch), worlds.build_client(Path(scratch)))
        for question in [QUESTIONS[name] for name in options.questions] or QUESTIONS.values():
            start = time.perf_counter()
            print(f"{question.title} ... ", end="", file=sys.stderr, flush=True)
            findings.append(ask(bench, question))
            print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)
    print(table.table(findings))
    print(f"\n{machine()}{', a quick run' if options.quick else ''}")
    if options.json:
        found = {"machine": machine(), "quick": options.quick, "questions": table.json(findings)}
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if options.plots:
        from .plots import plot

        for finding in findings:
            plot(finding, options.plots)
    return 1 if any(OURS in finding.missing for finding in findings) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
