"""Apache's administration tool, rocketmq-tools 5.5.0, one process per command as an administrator has it."""

import os
import pathlib
import subprocess
import traceback

from mqadmin import checks

from .. import maven
from . import Totals

PROJECT = pathlib.Path(__file__).resolve().parents[2] / "mqadmin" / "pom.xml"
LOGGING = pathlib.Path(__file__).resolve().parents[1] / "apache" / "logback.xml"
COMMAND_S = 60


def tool(cluster, work):
    """A function that runs one command and returns what it prints."""
    class_path = maven.class_path(PROJECT, work)

    def run_command(*arguments):
        command = [maven.java(), "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Duser.home={work}",
                   f"-Drmq.logback.configurationFile={LOGGING}", f"-Drocketmq.namesrv.addr={cluster.nameserver_addresses}",
                   "-cp", class_path, "org.apache.rocketmq.tools.command.MQAdminStartup", *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=work,
                              env={**os.environ, "ROCKETMQ_HOME": str(work)}, timeout=COMMAND_S)
        with open(work / "mqadmin.log", "a") as log:
            log.write(f"$ mqadmin {' '.join(arguments)}\n{done.stdout}\n")
        return done.stdout
    return run_command


def run(context):
    admin = checks.Admin(tool(context.cluster, context.work), context.cluster)
    totals = Totals()
    for check in checks.CHECKS:
        try:
            check(admin)
            totals.passed += 1
            print(f"ok      {check.__name__}", flush=True)
        except Exception:
            totals.failed += 1
            print(f"FAILED  {check.__name__}", flush=True)
            traceback.print_exc()
    return totals
