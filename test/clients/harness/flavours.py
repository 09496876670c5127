"""Who the daemons are: ours, or Apache's. A flavour knows the command line, the configuration and the sign of readiness."""

import pathlib
import re

from . import maven, ports

# Levels 1 to 17 are quick, so that dead letters are; the last is longer, so that levels can be told apart.
DELAY_LEVELS = " ".join(["1s"] * 17 + ["3s"])

# Small segments: the store lives in a temporary directory, perhaps many at once.
COMMON_BROKER = {
    "brokerClusterName": "DefaultCluster",
    "brokerId": "0",
    "brokerRole": "ASYNC_MASTER",
    "flushDiskType": "ASYNC_FLUSH",
    "messageDelayLevel": DELAY_LEVELS,
    "mappedFileSizeCommitLog": str(64 * 1024 * 1024),
    # The shortest Apache allows: a restarted nameserver hears of the brokers soon.
    "registerNameServerPeriod": "10000",
    # On a small machine that does other things too, 200 ms in a queue mean nothing.
    "waitTimeMillsInSendQueue": "5000",
    "enablePropertyFilter": "true",
    # Producers are asked about undecided transactions soon, and often.
    "transactionTimeOut": "1000",
    "transactionCheckInterval": "1000",
    "recallMessageEnable": "true",
}


class Tern:
    """Our daemons. They print one line when ready; that line says where they listen."""

    name = "tern"
    # How they end is a result, too.
    under_test = True
    start_s = 20
    stop_s = 30
    clean_exits = (0,)

    def __init__(self, bin_directory):
        self._bin = pathlib.Path(bin_directory).resolve()
        for program in ("tern-nameserver", "tern-broker"):
            if not (self._bin / program).is_file():
                raise FileNotFoundError(f"no {program} in {self._bin}")

    def program(self, name):
        return str(self._bin / name)

    def nameserver_settings(self, directory):
        return {"listenPort": "0", "bindAddress": ports.LOOPBACK, "kvConfigPath": str(directory / "kvConfig.json")}

    def broker_settings(self, name, directory):
        # Clients that use the fast channel compute its port as listenPort - 2, so both must be chosen together.
        return {**COMMON_BROKER, "brokerName": name, "brokerIP1": ports.LOOPBACK, "bindAddress": ports.LOOPBACK,
                "listenPort": str(ports.free_broker_port()), "storePathRootDir": str(directory / "store")}

    def nameserver_command(self, directory, conf):
        return [str(self._bin / "tern-nameserver"), "-c", str(conf)], {}

    def broker_command(self, directory, conf, nameservers):
        return [str(self._bin / "tern-broker"), "-c", str(conf), "-n", nameservers], {}

    def ready_port(self, role, settings, output):
        """The port, once the process says it is ready; None before."""
        found = re.search(rf"^tern-{role} ready listen=[^\s]*:(\d+)", output, re.MULTILINE)
        return int(found.group(1)) if found else None


class Apache:
    """Apache's daemons, from ordinary Maven artifacts. They say nothing of use: readiness is an open port."""

    name = "apache"
    # Stopped when a suite asks for it, killed at its end: ten seconds or more that would prove nothing about ours.
    under_test = False
    # Seconds on an idle machine; a minute and more where a dozen other programs want the two processors.
    start_s = 300
    # Its broker waits for one thing after the other: 10 to 20 s on an idle machine.
    stop_s = 120
    # A JVM that ends on TERM says 143.
    clean_exits = (0, 143)

    def __init__(self, work):
        project = pathlib.Path(__file__).parent / "apache" / "pom.xml"
        self._class_path = maven.class_path(project, work)

    def nameserver_settings(self, directory):
        return {"listenPort": str(ports.free_port()), "bindAddress": ports.LOOPBACK,
                "kvConfigPath": str(directory / "kvConfig.json")}

    def broker_settings(self, name, directory):
        return {**COMMON_BROKER, "brokerName": name, "brokerIP1": ports.LOOPBACK, "brokerIP2": ports.LOOPBACK,
                "bindAddress": ports.LOOPBACK, "listenPort": str(ports.free_broker_port()),
                "storePathRootDir": str(directory / "store")}

    def nameserver_command(self, directory, conf):
        return self._java(directory, "-Xms64m", "-Xmx256m", "org.apache.rocketmq.namesrv.NamesrvStartup", "-c", str(conf))

    def broker_command(self, directory, conf, nameservers):
        return self._java(directory, "-Xms512m", "-Xmx1g", "-XX:MaxDirectMemorySize=512m",
                          "org.apache.rocketmq.broker.BrokerStartup", "-c", str(conf), "-n", nameservers)

    def ready_port(self, role, settings, output):
        port = int(settings["listenPort"])
        return port if ports.is_open(port) else None

    def _java(self, directory, *arguments):
        logging = pathlib.Path(__file__).parent / "apache" / "logback.xml"
        command = [maven.java(), f"-Duser.home={directory}", f"-Drmq.logback.configurationFile={logging}",
                   "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                   # What netty and the store reach for in a modern JVM.
                   "--add-opens=java.base/java.nio=ALL-UNNAMED", "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
                   "--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED", "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
                   "-cp", self._class_path, *arguments]
        return command, {"ROCKETMQ_HOME": str(directory)}
