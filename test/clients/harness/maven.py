"""Published Java programs, by way of Maven: class paths of small projects, and the java command."""

import contextlib
import fcntl
import os
import pathlib
import subprocess

MAVEN = ["mvn", "-B", "-ntp"]


@contextlib.contextmanager
def downloads():
    """Suites run beside each other, and Maven's local repository takes one writer at a time."""
    repository = pathlib.Path.home() / ".m2"
    repository.mkdir(exist_ok=True)
    with open(repository / ".tern-downloads.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def class_path(project, work):
    """The class path of the dependencies of `project` (a pom.xml). Work that repeats is left to Maven's own cache."""
    project = pathlib.Path(project)
    target = pathlib.Path(work) / f"{project.parent.name}.classpath"
    if not target.exists():
        command = MAVEN + ["-q", "-f", str(project), "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath",
                           f"-Dmdep.outputFile={target}"]
        with downloads():
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"no class path for {project}:\n{done.stdout[-4000:]}")
    return target.read_text().strip()


def java():
    home = os.environ.get("JAVA_HOME")
    return os.path.join(home, "bin", "java") if home else "java"
