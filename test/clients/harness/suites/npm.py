"""The tests in test/clients/npm with ali-ons, a published Node.js client, in Node's own test runner."""

import os
import pathlib
import re
import subprocess

from . import Totals

PROJECT = pathlib.Path(__file__).resolve().parents[2] / "npm"
INSTALL_S = 600
RUN_S = 900


def run(context):
    install()
    cluster = context.cluster
    environment = {
        "TERN_NAMESERVERS": cluster.nameserver_addresses,
        "TERN_BROKERS": ",".join(f"{broker.name}={broker.address}" for broker in cluster.brokers),
    }
    # Named one by one: what a directory means to the runner depends on its version.
    files = sorted(str(path.relative_to(PROJECT)) for path in (PROJECT / "test").glob("*.test.js"))
    command = ["node", "--test", "--test-reporter=tap"]
    if context.only:
        command.append(f"--test-name-pattern={context.only}")
    log = context.work / "node.log"
    with open(log, "wb") as log_file:
        status = subprocess.run(command + files, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log_file,
                                stderr=subprocess.STDOUT, env={**os.environ, **environment}, timeout=RUN_S).returncode
    text = log.read_text(errors="replace")
    totals, results = _count(text)
    if status != 0:
        print("\n".join(text.splitlines()[-200:]))
        # A run that fails without a failed test has failed all the same.
        totals.failed = max(totals.failed, 1)
    else:
        print("\n".join(results))
    return totals


def install():
    """What the lock file names, unless it is there already."""
    installed = PROJECT / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= (PROJECT / "package-lock.json").stat().st_mtime:
        return
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=PROJECT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=INSTALL_S)
    if done.returncode != 0:
        raise RuntimeError(f"npm ci failed:\n{done.stdout[-4000:]}")


def _count(text):
    totals, results = Totals(), []
    for failed, name in re.findall(r"^ *(not )?ok \d+ - (.*)$", text, re.MULTILINE):
        # Some versions of the runner count a file as a test, too.
        if re.search(r"\.test\.js( #|$)", name):
            continue
        # A test that was skipped proves nothing, and counts as what it is: not passed. One that was not picked is left out.
        if "# SKIP test name does not match pattern" in name:
            continue
        good = not failed and "# SKIP" not in name and "# TODO" not in name
        totals.passed += good
        totals.failed += not good
        results.append(f"{'ok    ' if good else 'FAILED'}  {name}")
    return totals, results
