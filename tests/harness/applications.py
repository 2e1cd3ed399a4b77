"""Applications of others, run as their users run them, against a server of a test.

Those of npm are in tests/applications: package.json names them, package-lock.json their exact
versions. node_modules() installs them into build/applications, once a lock. Each program there does
one scenario and prints what it saw as JSON. What is missing fails the test; nothing is skipped.
"""
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

from .servers import ROOT
from .signals import signals_held_back
from .wait import wait_until

PROGRAMS = ROOT / "tests" / "applications"
INSTALLED = ROOT / "build" / "applications"
INSTALL_SECONDS = 240
PROGRAM_SECONDS = 45  # no scenario takes ten


def program(name):
    """The path of a program that a Debian package brings."""
    path = shutil.which(name)
    assert path, f"{name} is missing: tools/install_packages tests/applications/packages.txt"
    return path


def node_modules():
    """The folder that holds the programs beside what they import."""
    npm = program("npm")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / "turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        named = [PROGRAMS / "package.json", PROGRAMS / "package-lock.json"]
        wanted = hashlib.sha256(b"".join(file.read_bytes() for file in named)).hexdigest()
        done = INSTALLED / "installed"
        if not done.exists() or done.read_text() != wanted:
            for file in named:
                shutil.copy(file, INSTALLED)
            # What these packages would do at their installation is to download and to compile.
            run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], INSTALLED,
                INSTALL_SECONDS)
            done.write_text(wanted)
        # An import is looked up from the folder of who imports.
        for file in PROGRAMS.glob("*.mjs"):
            shutil.copy(file, INSTALLED)
    return INSTALLED


def node(name, *arguments, seconds=PROGRAM_SECONDS):
    """What a program of tests/applications printed. It must end by itself, with nothing open."""
    command = [program("node"), f"{name}.mjs", *(str(argument) for argument in arguments)]
    return json.loads(run(command, node_modules(), seconds))


def run(command, folder, seconds=PROGRAM_SECONDS, **options):
    """Its standard output; what it said goes into the failure, if it fails or takes too long."""
    with signals_held_back():
        process = subprocess.Popen([str(word) for word in command], cwd=folder, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True, **options)
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        end_group(process)
        output, errors = process.communicate()
        raise AssertionError(f"{command} still ran after {seconds} s:\n{output}{errors}") from None
    finally:
        end_group(process)
    assert process.returncode == 0, f"{command} ended with {process.returncode}:\n{output}{errors}"
    return output


def end_group(process):
    """Kills it and what it started. Once it was waited for, its number may be another's."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Running:
    """A program that serves until it is stopped; `log` is what it said."""

    def __init__(self, command, folder, **options):
        self.name = Path(command[0]).name
        self.log = Path(folder) / f"{self.name}.log"
        with self.log.open("wb") as log, signals_held_back():
            self.process = subprocess.Popen([str(word) for word in command], cwd=folder, stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL,
                                            start_new_session=True, **options)

    def said(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, condition, what, seconds=30):
        """The condition's first true value, while the program runs."""
        def unless_ended():
            assert self.process.poll() is None, f"{self.name} ended:\n{self.said()}"
            return condition()

        try:
            return wait_until(unless_ended, what, seconds)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self.name} said:\n{self.said()}") from None

    def stop(self, seconds=20):
        """Its exit status after a polite request."""
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        finally:
            end_group(self.process)


@contextmanager
def running(command, folder, **options):
    """A Running that is gone at the end of the block, however that comes."""
    one = Running(command, folder, **options)
    try:
        yield one
    finally:
        end_group(one.process)
