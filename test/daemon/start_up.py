"""What stops a start, with a text that names the setting; and what a start must see to."""

import os
import re
import resource
import socket
import subprocess

from support import Case, GET_BROKER_CONFIG, GET_BROKER_RUNTIME_INFO, PATIENCE_S, SEND, ports, remoting, wait_until


def taken(port):
    """A listener of somebody else's."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((ports.LOOPBACK, port))
    listener.listen()
    return listener


class PortInUse(Case):
    def test_the_main_port(self):
        port = ports.free_broker_port()
        with taken(port):
            said = self.broker_ends(listenPort=port)
        self.assertEqual(said.status, 1)
        self.assertIn(f"listenPort={port}: cannot listen on {ports.LOOPBACK}:{port}: Address already in use", said.err)

    def test_the_fast_port(self):
        port = ports.free_broker_port()
        with taken(port - 2):
            said = self.broker_ends(listenPort=port)
        self.assertEqual(said.status, 1)
        self.assertIn(f"listenPort={port}: cannot listen on {ports.LOOPBACK}:{port - 2} (the fast listener, "
                      "listenPort - 2): Address already in use", said.err)
        # Nothing was served, and the store is as it was: it starts.
        self.assertEqual(self.broker(listenPort=port).stop(), 0)

    def test_the_nameservers(self):
        port = ports.free_port()
        with taken(port):
            said = self.ends("tern-nameserver", "-c", self.settings_file(self.nameserver_settings(listenPort=port)))
        self.assertEqual(said.status, 1)
        self.assertRegex(said.err, rf"listenPort={port}: cannot listen on .*: Address already in use")


class Store(Case):
    """As root, permission bits stop nobody: the directories here cannot be written for other reasons. Those of their
    own file system are mounted in a namespace of the broker's, which takes the mount with it."""

    def start_on_a_mount(self, options, prepare):
        mounted = self.directory / "mounted"
        mounted.mkdir(exist_ok=True)
        file = self.settings_file(self.broker_settings(storePathRootDir=mounted / "store"))
        script = f'mount -t tmpfs -o {options} tmpfs "$0" && {prepare} && exec "$@"'
        # Root may mount as it is; a changed root directory allows no other user namespace.
        become_root = () if os.geteuid() == 0 else ("--map-root-user",)
        return self.ends("tern-broker", "-c", file, before=("unshare", *become_root, "--mount", "sh", "-c", script, str(mounted)))

    def test_below_a_file(self):
        (self.directory / "file").write_text("")
        said = self.broker_ends(storePathRootDir=self.directory / "file" / "store")
        self.assertEqual(said.status, 1)
        self.assertIn("Not a directory", said.err)
        self.assertIn("storePathRootDir", said.err)

    def test_that_is_not_writable(self):
        said = self.start_on_a_mount("size=1m,ro", "true")
        self.assertEqual(said.status, 1, said.err)
        self.assertIn("Read-only file system", said.err)
        self.assertIn("storePathRootDir", said.err)

    def test_on_a_full_file_system(self):
        said = self.start_on_a_mount("size=64k", 'dd if=/dev/zero of="$0/filler" bs=4k count=16 status=none')
        self.assertEqual(said.status, 1, said.err)
        self.assertIn("No space left on device", said.err)
        self.assertIn("storePathRootDir", said.err)
        self.assertNotIn("generic", said.err)

    def test_that_a_running_broker_uses(self):
        first = self.broker()
        with first.connect() as connection:
            connection.call(remoting.SEND_MESSAGE, SEND, b"m")
        tables = self.directory / "store" / "config" / "topics.json"
        wait_until(tables.exists, PATIENCE_S, "the topic to be saved")
        said = self.broker_ends()
        self.assertEqual(said.status, 1)
        self.assertIn("in use by another broker", said.err)
        self.assertIn("storePathRootDir", said.err)
        with first.connect() as connection:
            connection.call(GET_BROKER_CONFIG)  # it has not noticed
        self.assertEqual(first.stop(), 0)
        self.assertEqual(self.broker().stop(), 0)

    def test_of_another_broker(self):
        self.assertEqual(self.broker().stop(), 0)
        for changes in ({"brokerName": "b"}, {"brokerClusterName": "other"}):
            said = self.broker_ends(**changes)
            self.assertEqual(said.status, 1)
            self.assertIn("belongs to broker a (cluster DefaultCluster, id 0)", said.err)
            self.assertIn("storePathRootDir", said.err)
        self.assertEqual(self.broker().stop(), 0)

    def test_in_rocksdb(self):
        current = self.directory / "store" / "consumequeue" / "CURRENT"
        current.parent.mkdir(parents=True)
        current.write_text("MANIFEST-000001\n")
        said = self.broker_ends()
        self.assertEqual(said.status, 1)
        self.assertIn("RocksDB", said.err)
        self.assertEqual(current.read_text(), "MANIFEST-000001\n")


class Process(Case):
    def test_the_limit_of_descriptors_is_raised(self):
        def lower():
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, 2048))

        for program, settings in (("tern-broker", self.broker_settings()),
                                  ("tern-nameserver", self.nameserver_settings())):
            running = self.runs(program, "-c", self.settings_file(settings), preexec_fn=lower)
            limits = subprocess.run(("grep", "Max open files", f"/proc/{running.process.pid}/limits"),
                                    capture_output=True, text=True, check=True).stdout
            self.assertEqual(limits.split()[3:5], ["2048", "2048"])

    def test_a_log_file_that_cannot_be_opened(self):
        said = self.broker_ends(logFile="/proc/absent/broker.log")
        self.assertEqual(said.status, 1)
        self.assertIn("logFile=/proc/absent/broker.log: ", said.err)

    def test_the_start_table_and_the_ready_line(self):
        running = self.broker()
        self.assertRegex(running.ready, r"^tern-broker ready listen=127\.0\.0\.1:\d+ fast=127\.0\.0\.1:\d+$")
        for row in ("listener", "advertised", "fast listener", "store", "flush policy", "put lock", "authentication"):
            self.assertRegex(running.err, rf"\n    {row} +\S")

    def test_says_what_a_spin_costs(self):
        running = self.broker()
        said = re.search(r"\n    put lock spins +a spin costs (\d+\.\d) ns, k up to (\d+)\n", running.err)
        self.assertTrue(said, running.err)
        with running.connect() as connection:
            status = connection.call(GET_BROKER_RUNTIME_INFO)[1].decode()
        self.assertRegex(status, f'"putLockSpinNanos" *: *"{re.escape(said[1])}"')
        self.assertRegex(status, f'"putLockSpinsPerContextSwitch" *: *"{said[2]}"')
