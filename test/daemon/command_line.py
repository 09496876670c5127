"""What is said on the command line and in the settings file, and what --check-config makes of it."""

import pathlib
import re

from support import Case, GET_BROKER_RUNTIME_INFO

CONF = pathlib.Path(__file__).resolve().parents[2] / "conf"
PROGRAMS = ("tern-broker", "tern-nameserver")

# Lines that --check-config and a start must both refuse, and what the text must name besides file, line and key.
REFUSED_BY_A_BROKER = (
    ("messageDelayLevel=foo", "numbers with the unit s, m, h or d"),
    ("brokerIP1=localhost", "an IP address"),
    ("bindAddress=nonsense", "an IP address"),
    ("namesrvAddr=foo", "host:port"),
    ("deleteWhen=99", "hours from 0 to 23"),
    ("listenPort=1", "0, 3 to 65534"),
    ("listenPort=2", "0, 3 to 65534"),
    ("listenPort=65535", "0, 3 to 65534"),
    ("brokerId=1", "replication is not supported"),
    ("brokerRole=SLAVE", "replication"),
    ("flushDiskType=SOMETIMES", "SYNC_FLUSH"),
    ("maxMessageSize=-1", "10 to 16000000"),
    ("ioThreads=many", "0 to 256"),
    ("flushDiskTyp=SYNC_FLUSH", "unknown key; did you mean flushDiskType?"),
    ("aclEnable=true", "promises"),
)
REFUSED_BY_A_NAMESERVER = (
    ("bindAddress=nonsense", "an IP address"),
    ("listenPort=65536", "0 to 65535"),
    ("lisenPort=1", "unknown key; did you mean listenPort?"),
)


class CommandLine(Case):
    def test_version(self):
        for program in PROGRAMS:
            said = self.ends(program, "--version")
            self.assertEqual((said.status, said.err), (0, ""))
            self.assertRegex(said.out, rf"^{program} \d+\.\d+\.\d+\n$")

    def test_help_names_every_flag(self):
        for program in PROGRAMS:
            said = self.ends(program, "--help")
            self.assertEqual(said.status, 0)
            for flag in ("-c", "-n", "-p", "-m", "--check-config", "--version", "--allow-unknown-keys"):
                self.assertRegex(said.out, rf"(^|\s){flag}\b", program)

    def test_a_flag_that_nobody_knows(self):
        for program in PROGRAMS:
            said = self.ends(program, "--frobnicate")
            self.assertEqual(said.status, 2)
            self.assertIn("--frobnicate", said.err)

    def test_p_prints_all_settings_as_they_would_be(self):
        file = self.settings_file("maxMessageSize=70000\nnamesrvAddr=file:1\n")
        said = self.ends("tern-broker", "-c", file, "-n", "flag:2", "-p")
        self.assertEqual((said.status, said.err), (0, ""))
        lines = said.out.splitlines()
        self.assertIn("maxMessageSize=70000", lines)
        self.assertIn("namesrvAddr=flag:2", lines, "the flag wins over the file")
        self.assertIn("listenPort=10911", lines, "defaults too")

    def test_m_prints_the_important_ones(self):
        for program in PROGRAMS:
            everything = set(self.ends(program, "-p").out.splitlines())
            important = set(self.ends(program, "-m").out.splitlines())
            self.assertLess(important, everything)
            self.assertTrue(any(line.startswith("listenPort=") for line in important))

    def test_n_is_checked_like_the_file(self):
        said = self.ends("tern-broker", "-n", "foo")
        self.assertEqual(said.status, 2)
        self.assertIn("-n foo: namesrvAddr may be host:port", said.err)

    def test_a_file_that_is_not_there(self):
        for program in PROGRAMS:
            said = self.ends(program, "-c", self.directory / "absent.conf")
            self.assertEqual(said.status, 2)
            self.assertIn(f"{self.directory}/absent.conf: cannot be read", said.err)


class CheckConfig(Case):
    def test_what_is_in_conf_is_good(self):
        for program in PROGRAMS:
            file = CONF / f"{program.removeprefix('tern-')}.properties"
            said = self.ends(program, "-c", file, "--check-config")
            self.assertEqual((said.status, said.err), (0, ""))
            self.assertIn("the settings are good", said.out)

    def test_agrees_with_a_start_on_what_is_refused(self):
        for program, settings, rows in (("tern-broker", self.broker_settings(), REFUSED_BY_A_BROKER),
                                        ("tern-nameserver", self.nameserver_settings(), REFUSED_BY_A_NAMESERVER)):
            for line, allowed in rows:
                with self.subTest(program=program, line=line):
                    file = self.settings_file(settings + line + "\n")
                    number = settings.count("\n") + 1
                    checked = self.ends(program, "-c", file, "--check-config")
                    started = self.ends(program, "-c", file)
                    self.assertEqual((checked.status, started.status), (2, 2), started.err)
                    self.assertEqual(checked.err, started.err)
                    self.assertNotIn("good", checked.out)
                    key = line.split("=")[0]
                    self.assertRegex(started.err, rf"{re.escape(str(file))}:{number}: {key}\b.*{re.escape(allowed)}")
        self.assertFalse((self.directory / "store").exists(), "nothing was begun")

    def test_apaches_keys_choose_the_put_lock(self):
        limit = "spinLockCollisionRetreatOptimalDegree=70"
        for lines, lock, key in (("useABSLock=true", "abs", ""),
                                 ("useReentrantLockWhenPutMessage=false", "kBackoff", ""),
                                 ("useReentrantLockWhenPutMessage=true", "mutex", ""),
                                 (limit, "mutex", f", unless {limit} says otherwise"),
                                 (f"useABSLock=true\n{limit}", "abs", f", unless {limit} says otherwise")):
            with self.subTest(lines=lines):
                file = self.settings_file(self.broker_settings() + lines + "\n")
                self.assertEqual(self.ends("tern-broker", "-c", file, "--check-config").status, 0)
                running = self.runs("tern-broker", "-c", file)
                self.assertRegex(running.err, rf"\n    put lock +{lock}\n")
                self.assertRegex(running.err, rf"\n    put lock spins +a spin costs \d+\.\d ns, k up to \d+{key}\n")
                with running.connect() as connection:
                    status = connection.call(GET_BROKER_RUNTIME_INFO)[1].decode()
                if lock != "mutex":  # which has no k
                    self.assertRegex(status, f'"putLockSpinLimit" *: *"{70 if key else "[1-9][0-9]*"}"')
                self.assertEqual(running.stop(), 0)

    def test_names_every_problem_at_once(self):
        said = self.ends("tern-broker", "-c", self.settings_file("brokerId=1\nnobodyKnows=1\ndeleteWhen=x\n"))
        self.assertEqual(len(said.err.splitlines()), 3, said.err)

    def test_lists_keys_of_apache_that_have_no_effect(self):
        said = self.ends("tern-broker", "-c", self.settings_file("enableDetailStat=true\n"), "--check-config")
        self.assertEqual(said.status, 0)
        self.assertIn("no effect on this broker: enableDetailStat", said.out)

    def test_unknown_keys_are_allowed_if_asked(self):
        for program, settings in (("tern-broker", self.broker_settings()),
                                  ("tern-nameserver", self.nameserver_settings())):
            file = self.settings_file(settings + "lisenPort=1\n")
            checked = self.ends(program, "-c", file, "--check-config", "--allow-unknown-keys")
            self.assertEqual((checked.status, checked.err), (0, ""))
            self.assertIn("lisenPort: unknown key, ignored; did you mean listenPort?", checked.out)
            running = self.runs(program, "-c", file, "--allow-unknown-keys")
            self.assertIn("lisenPort: unknown key, ignored", running.err)
            self.assertEqual(running.stop(), 0)
