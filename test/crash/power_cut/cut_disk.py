"""A real file system whose power can be cut. Needs root: a FUSE file, a loop device on it, ext4 on that."""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


class CutDisk:
    """`directory` gets the image, which outlives the cuts, the disk and the mount point."""

    def __init__(self, directory, size):
        directory.mkdir(parents=True)
        self._image = directory / "image"
        self._device = directory / "disk"
        self.mounted = directory / "mounted"
        self._device.touch()
        self.mounted.mkdir()
        self._server = None
        with open(self._image, "wb") as image:
            image.truncate(size)
        run("mkfs.ext4", "-q", "-F", str(self._image))

    def __enter__(self):
        self.plug()
        return self

    def __exit__(self, *_):
        if self._server is not None:
            self.cut("none", 0)
            self.unplug()

    def plug(self):
        self._server = subprocess.Popen([sys.executable, "-B", str(HERE / "recorded_disk.py"), str(self._image), str(self._device)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self._server.stdout.readline().strip() != "ready":
            raise RuntimeError(f"the recorded disk did not start: status {self._server.wait()}")
        # The loop device goes with the mount.
        run("mount", "-o", "loop", str(self._device), str(self.mounted))

    def cut(self, mode, seed, writes=0):
        """After so many more writes, so that the last of them are not flushed. Of the sectors that were written and not flushed: (how many, how many of them the image got all the same)."""
        self._server.stdin.write(f"cut {mode} {seed} {writes}\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        self._server.wait()
        return tuple(map(int, answer.split()))

    def unplug(self):
        """After a cut, and when nobody uses the file system any more."""
        self._server.stdin.close()
        self._server.stdout.close()
        self._server = None
        run("umount", str(self.mounted))
        run("umount", str(self._device))


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout.strip()} (status {done.returncode})")
