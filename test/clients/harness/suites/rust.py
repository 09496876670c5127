"""The Rust tests in test/clients/rust with the published Rust client. To build the client takes minutes, ten or more on a
small machine; what is built stays in the project's target directory."""

import json
import os
import pathlib
import re
import shutil
import subprocess

from . import Totals

PROJECT = pathlib.Path(__file__).resolve().parents[2] / "rust"
# Most of the time is spent waiting: tests run next to each other, however few the processors. A test that restarts brokers
# has them to itself.
PARALLEL = 8
BUILD_S = 7200
RUN_S = 1800


def run(context):
    program = _build()
    cluster = context.cluster
    environment = {
        "TERN_NAMESERVERS": cluster.nameserver_addresses,
        "TERN_BROKERS": ",".join(f"{broker.name}={broker.address}" for broker in cluster.brokers),
        "TERN_CONTROL": context.control,
        # Where the client keeps the offsets of broadcasting consumers.
        "HOME": str(context.work / "client-home"),
    }
    command = [program, f"--test-threads={PARALLEL}"] + ([context.only] if context.only else [])
    log = context.work / "rust.log"
    with open(log, "wb") as log_file:
        status = subprocess.run(command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log_file, stderr=subprocess.STDOUT,
                                env={**os.environ, **environment}, timeout=RUN_S).returncode
    text = log.read_text(errors="replace")
    totals = _count(text)
    if status != 0:
        print("\n".join(text.splitlines()[-200:]))
        # A program that fails without a failed test has failed all the same.
        totals.failed = max(totals.failed, 1)
    else:
        print("\n".join(line for line in text.splitlines() if line.startswith("test ")))
    return totals


def _build():
    """The path of the test program."""
    if shutil.which("cargo") is None:
        raise RuntimeError("no cargo: the suite rust needs Rust 1.95 or later, which Debian 12 does not have")
    built = subprocess.run(["cargo", "test", "--no-run", "--message-format=json-render-diagnostics"], cwd=PROJECT,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=BUILD_S)
    messages = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
    programs = [message["executable"] for message in messages if message.get("executable")]
    if built.returncode != 0 or len(programs) != 1:
        raise RuntimeError(f"the Rust tests do not build:\n{built.stderr[-4000:]}")
    return programs[0]


def _count(text):
    totals = Totals()
    # What was not picked is not mentioned; a test that was skipped proves nothing, and counts as what it is: not passed.
    for passed, failed, ignored in re.findall(r"^test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored;", text, re.MULTILINE):
        totals.passed += int(passed)
        totals.failed += int(failed) + int(ignored)
    return totals
