"""The JUnit suite in test/clients/java with one version of the published Java client."""

import os
import pathlib
import subprocess
import xml.etree.ElementTree

from .. import maven
from . import Totals

PROJECT = pathlib.Path(__file__).resolve().parents[2] / "java" / "pom.xml"
# The slowest run measured took a sixth of it.
RUN_S = 3600


def suite(version, environment=None, tag="!mixed"):
    """`tag` is a JUnit tag expression: which of the tests belong to this suite."""
    return lambda context: _run(context, version, environment or {}, tag)


def _run(context, version, environment, tag):
    reports = context.work / "surefire-reports"
    command = maven.MAVEN + [
        "-f", str(PROJECT), "test", f"-Drocketmq.version={version}", f"-Dgroups={tag}",
        f"-Dtern.nameservers={context.cluster.nameserver_addresses}",
        f"-Dtern.brokers={','.join(broker.name for broker in context.cluster.brokers)}",
        f"-Dtern.control={context.control}", f"-Dtern.home={context.work / 'client-home'}", f"-Dtern.reports={reports}",
        f"-Dtern.build={context.work / 'build'}"]
    log = context.work / "maven.log"
    with open(log, "w") as log_file:
        # Everything but the tests, so that what Maven wants for them is there before they run.
        with maven.downloads():
            status = subprocess.run(command + ["-Dtest=None", "-Dsurefire.failIfNoSpecifiedTests=false"], stdin=subprocess.DEVNULL,
                                    stdout=log_file, stderr=subprocess.STDOUT, timeout=RUN_S).returncode
        if context.only:
            command.append(f"-Dtest={context.only}")
        status = status or subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log_file, stderr=subprocess.STDOUT,
                                env={**os.environ, **environment}, timeout=RUN_S).returncode
    totals = _count(reports)
    lines = log.read_text(errors="replace").splitlines()
    if status != 0:
        print("\n".join(lines[-200:]))
        # A build that fails without a failed test has failed all the same.
        totals.failed = max(totals.failed, 1)
    else:
        print("\n".join(line for line in lines if "Tests run:" in line))
    return totals


def _count(reports):
    totals = Totals()
    for report in sorted(reports.glob("TEST-*.xml")):
        for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
            # A test that was skipped proves nothing, and counts as what it is: not passed.
            if all(case.find(kind) is None for kind in ("failure", "error", "skipped")):
                totals.passed += 1
            else:
                totals.failed += 1
    return totals
