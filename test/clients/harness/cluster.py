"""Nameservers and brokers as processes: start, stop, kill, restart, and what they logged when something went wrong.

A daemon owns a directory with its configuration, its store and its output; a restart uses the same ones and the same
port. Every process is known by its pid and ended by it. A cluster is used by one thread at a time.
"""

import os
import pathlib
import signal
import subprocess

from . import remoting
from .ports import LOOPBACK
from .waiting import wait_until

REGISTER_S = 120
TAIL_LINES = 40


class DaemonFailure(Exception):
    """A daemon did not do what it was told: did not start, did not stop, or ended on its own."""


class Daemon:
    """One process of one role, "nameserver" or "broker". Subclasses say how it is commanded."""

    role = None

    def __init__(self, name, flavour, directory):
        self.name = name
        self.flavour = flavour
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.port = None
        self.settings = {}
        self._process = None
        self._starts = 0

    @property
    def running(self):
        """As far as it was told: one that ended on its own counts, until somebody notices."""
        return self._process is not None

    @property
    def address(self):
        return f"{LOOPBACK}:{self.port}"

    @property
    def output(self):
        """Of the present process: standard output, and standard error, where logs go."""
        stem = self.directory / f"{self.name}.{self._starts}"
        return stem.with_name(stem.name + ".out"), stem.with_name(stem.name + ".err")

    def start(self):
        """Returns when the daemon listens. Raises DaemonFailure with the end of its log if it does not get there."""
        assert self._process is None, f"{self.name} runs already"
        conf = self.directory / f"{self.role}.properties"
        conf.write_text("".join(f"{key}={value}\n" for key, value in self.settings.items()))
        command, environment = self._command(conf)
        self._starts += 1
        out, err = self.output
        with open(out, "wb") as out_file, open(err, "wb") as err_file:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out_file, stderr=err_file,
                                             cwd=self.directory, env={**os.environ, **environment})
        try:
            self.port = wait_until(self._ready_port, self.flavour.start_s, f"{self.name} to be ready")
        except TimeoutError as late:
            raise DaemonFailure(f"{late}\n{self.tail()}") from None
        # A restart in place must come back where clients look for it.
        self.settings["listenPort"] = str(self.port)

    def _ready_port(self):
        if self._process.poll() is not None:
            raise DaemonFailure(f"{self.name} ended with status {self._process.returncode} while starting\n{self.tail()}")
        return self.flavour.ready_port(self.role, self.settings, self.output[0].read_text(errors="replace"))

    def stop(self):
        """TERM, and the daemon drains. DaemonFailure if it takes too long, or does not end cleanly."""
        if self._process is None:
            return
        process, self._process = self._process, None
        if process.poll() is not None:
            raise DaemonFailure(f"{self.name} had ended on its own with status {process.returncode}\n{self.tail()}")
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(self.flavour.stop_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise DaemonFailure(f"{self.name} did not end within {self.flavour.stop_s} s of TERM\n{self.tail()}") from None
        if process.returncode not in self.flavour.clean_exits:
            raise DaemonFailure(f"{self.name} ended with status {process.returncode} after TERM\n{self.tail()}")

    def kill(self):
        """As a crash: no draining, nothing flushed by the process itself."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def signal(self, number):
        """SIGSTOP and SIGCONT: the process is frozen, its connections stay."""
        self._process.send_signal(number)

    def restart(self):
        self.stop()
        self.start()

    def crash(self):
        self.kill()
        self.start()

    def tail(self):
        """The end of what the process printed, for a report."""
        lines = []
        for path in self.output:
            text = path.read_text(errors="replace").splitlines() if path.exists() else []
            lines += [f"--- {self.name}: {path.name}, last lines"] + text[-TAIL_LINES:]
        return "\n".join(lines)

    def _command(self, conf):
        raise NotImplementedError


class NameServer(Daemon):
    role = "nameserver"

    def __init__(self, name, flavour, directory):
        super().__init__(name, flavour, directory)
        self.settings = flavour.nameserver_settings(self.directory)

    def _command(self, conf):
        return self.flavour.nameserver_command(self.directory, conf)

    def knows(self, broker):
        try:
            with remoting.Connection(LOOPBACK, self.port) as connection:
                _, body = connection.call(remoting.GET_CLUSTER_INFO)
        except (OSError, remoting.RemotingError):
            return False
        # The answer has unquoted keys in it, which no JSON parser reads; an address in quotes is sign enough.
        return f'"{broker.address}"' in body.decode(errors="replace")


class Broker(Daemon):
    role = "broker"

    def __init__(self, name, flavour, directory, nameservers):
        super().__init__(name, flavour, directory)
        self._nameservers = nameservers
        self.settings = flavour.broker_settings(name, self.directory)

    def _command(self, conf):
        return self.flavour.broker_command(self.directory, conf, self._nameservers())


class Cluster:
    """Some nameservers and brokers, each of its own flavour. A context manager: started on entry, stopped on exit."""

    def __init__(self, work, nameserver_flavours, broker_flavours):
        work = pathlib.Path(work)
        self.nameservers = [NameServer(name, flavour, work / name)
                            for name, flavour in self._named("nameserver", nameserver_flavours)]
        self.brokers = [Broker(name, flavour, work / name, lambda: self.nameserver_addresses)
                        for name, flavour in self._named("broker", broker_flavours)]

    @staticmethod
    def _named(role, flavours):
        return [(f"{role}-{chr(ord('a') + i)}", flavour) for i, flavour in enumerate(flavours)]

    def __enter__(self):
        try:
            for daemon in self.daemons:
                daemon.start()
            self.wait_registered()
        except BaseException:
            for daemon in self.daemons:
                daemon.kill()
            raise
        return self

    def __exit__(self, kind, *_):
        """Brokers first, so that they can take their leave. Tries all; the first failure is raised at the end, unless
        something else is on its way up already."""
        failures = []
        for daemon in reversed(self.daemons):
            if not daemon.flavour.under_test:
                daemon.kill()
                continue
            try:
                daemon.stop()
            except DaemonFailure as failure:
                failures.append(failure)
        if failures and kind is None:
            raise failures[0]

    @property
    def daemons(self):
        return self.nameservers + self.brokers

    @property
    def nameserver_addresses(self):
        return ";".join(nameserver.address for nameserver in self.nameservers)

    def daemon(self, name):
        for daemon in self.daemons:
            if daemon.name == name:
                return daemon
        raise KeyError(f"no daemon {name}; there are {', '.join(d.name for d in self.daemons)}")

    def wait_registered(self):
        """Until every nameserver that runs knows every broker that runs."""
        for nameserver in filter(lambda daemon: daemon.running, self.nameservers):
            for broker in filter(lambda daemon: daemon.running, self.brokers):
                try:
                    wait_until(lambda: nameserver.knows(broker), REGISTER_S, f"{broker.name} to register with {nameserver.name}")
                except TimeoutError as late:
                    raise DaemonFailure(f"{late}\n{broker.tail()}\n{nameserver.tail()}") from None

    def tails(self):
        return "\n".join(daemon.tail() for daemon in self.daemons)
