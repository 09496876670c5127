"""The Go tests in test/clients/go with the published Go client."""

import os
import pathlib
import re
import subprocess

from . import Totals

PROJECT = pathlib.Path(__file__).resolve().parents[2] / "go"
# Most of the time is spent waiting: the tests run next to each other, however few the processors.
PARALLEL = 32
BUILD_S = 900
RUN_S = 900
# The client logs whole messages.
LINE_MAX = 300


def run(context):
    program = context.work / "go-suite"
    built = subprocess.run(["go", "test", "-c", "-o", str(program), "."], cwd=PROJECT, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=BUILD_S)
    if built.returncode != 0 or not program.exists():
        raise RuntimeError(f"the Go tests do not build:\n{built.stdout[-4000:]}")
    cluster = context.cluster
    environment = {
        "TERN_NAMESERVERS": cluster.nameserver_addresses,
        "TERN_BROKERS": ",".join(f"{broker.name}={broker.address}" for broker in cluster.brokers),
        "TERN_CONTROL": context.control,
        # Where the client keeps the offsets of broadcasting consumers.
        "HOME": str(context.work / "client-home"),
        "ROCKETMQ_GO_LOG_LEVEL": "warn",
    }
    command = [str(program), "-test.v", f"-test.parallel={PARALLEL}", f"-test.timeout={RUN_S}s"]
    if context.only:
        command.append(f"-test.run={context.only}")
    # What the tests say, and what the client logs.
    out, err = context.work / "go.log", context.work / "go-client.log"
    with open(out, "wb") as out_file, open(err, "wb") as err_file:
        status = subprocess.run(command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=out_file, stderr=err_file,
                                env={**os.environ, **environment}, timeout=RUN_S + 60).returncode
    text = out.read_text(errors="replace")
    totals = _count(text)
    if status != 0:
        print("\n".join(text.splitlines()[-200:]))
        print("\n".join(line[:LINE_MAX] for line in err.read_text(errors="replace").splitlines()[-40:]))
        # A program that fails without a failed test has failed all the same.
        totals.failed = max(totals.failed, 1)
    else:
        print("\n".join(line for line in text.splitlines() if line.startswith("--- ")))
    return totals


def _count(text):
    results = re.findall(r"^--- (\w+): ", text, re.MULTILINE)
    passed = results.count("PASS")
    # A test that was skipped proves nothing, and counts as what it is: not passed.
    return Totals(passed, len(results) - passed)
