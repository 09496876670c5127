"""What the disk whose power is cut keeps and loses, below a real file system."""

import os
import pathlib
import shutil
import tempfile
import unittest

from .cut_disk import CutDisk
from .write_back import START_AND_WAIT, write_back

SIZE = 64 << 20


class CutDiskTest(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tern-cut-disk-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.disk = self.enterContext(CutDisk(self.directory / "d", SIZE))
        self.file = self.disk.mounted / "file"
        self.write(b"a" * 8192, syncs=True)
        self.sync_directory()

    def write(self, data, syncs):
        with open(self.file, "r+b" if self.file.exists() else "wb") as file:
            file.write(data)
            file.flush()
            if syncs:
                os.fdatasync(file.fileno())

    def sync_directory(self):
        fd = os.open(self.disk.mounted, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)

    def cut_and_plug(self, mode="none", seed=0):
        counts = self.disk.cut(mode, seed)
        self.disk.unplug()
        self.disk.plug()
        return counts

    def write_back_without_flush(self):
        """Hands the pages to the disk, and leaves them in its cache."""
        with open(self.file, "r+b") as file:
            write_back(file.fileno(), START_AND_WAIT)

    def test_keeps_what_was_synced(self):
        self.write(b"b" * 8192, syncs=True)
        self.cut_and_plug()
        self.assertEqual(self.file.read_bytes(), b"b" * 8192)

    def test_loses_what_was_not_synced(self):
        self.write(b"b" * 8192, syncs=False)
        self.cut_and_plug()
        self.assertEqual(self.file.read_bytes(), b"a" * 8192)

    def test_loses_what_the_disk_has_and_has_not_flushed(self):
        self.write(b"b" * 8192, syncs=False)
        self.write_back_without_flush()
        pending, kept = self.cut_and_plug()
        self.assertGreaterEqual(pending, 16)
        self.assertEqual(kept, 0)
        self.assertEqual(self.file.read_bytes(), b"a" * 8192)

    def test_may_keep_any_of_it(self):
        self.write(b"b" * 8192, syncs=False)
        self.write_back_without_flush()
        self.cut_and_plug("all")
        self.assertEqual(self.file.read_bytes(), b"b" * 8192)
        self.write(b"c" * 8192, syncs=False)
        self.write_back_without_flush()
        pending, kept = self.cut_and_plug("some", 1)
        self.assertTrue(0 < kept < pending, (kept, pending))
        content = self.file.read_bytes()
        sectors = {content[at:at + 512] for at in range(0, len(content), 512)}
        self.assertEqual(sectors, {b"b" * 512, b"c" * 512})


if __name__ == "__main__":
    unittest.main()
