"""tools/install_packages where something is missing, on machines made of programs that pretend."""
import os
import shutil
import subprocess

import pytest

from harness.servers import ROOT

GUARD = "/usr/sbin/policy-rc.d"
LISTED = ["one-dev", "two", "redis-server", "four"]
COREUTILS = ["bash", "cat", "chmod", "dirname", "env", "grep", "mktemp", "rm", "sh", "tail", "tee"]

# Each writes down how it was called. STATE is the folder of what is so on the machine.
FAKES = {
    "id": 'cat "$STATE/user"',
    "sudo": 'echo "sudo $*" >>"$STATE/calls"; AS_ROOT=1 exec "$@"',
    "dpkg-query": """
        case ${!#} in
          *Provides*) cat "$STATE/provided" ;;
          *) cat "$STATE/packages/${!#}" 2>/dev/null ;;
        esac
    """,
    "systemctl": """
        echo "${AS_ROOT:+root: }systemctl $*" >>"$STATE/calls"
        exit $(cat "$STATE/code")
    """,
    "apt-get": r"""
        words=" $* "
        case $words in *" update "*) verb=update ;; *) verb=install ;; esac
        guard=none
        if [ -x "$STATE/policy-rc.d" ]; then
          "$STATE/policy-rc.d" redis-server start && guard=yes || guard=$?
        fi
        echo "${AS_ROOT:+root: }apt-get guarded by $guard, $DEBIAN_FRONTEND:$words" >>"$STATE/calls"
        if [ -e "$STATE/signal" ]; then kill -s $(cat "$STATE/signal") $PPID $$; fi
        echo "what $verb says"
        echo "and what went wrong" >&2
        ! grep -q $verb "$STATE/failing"
    """,
}


class Machine:
    """A user, some packages, and the programs above."""

    def __init__(self, folder, installed, user="0", without=()):
        self.state, self.programs = folder / "state", folder / "bin"
        self.make_tree(folder, installed)
        files = {"calls": "", "user": user + "\n", "failing": "", "code": "0", "provided": ""}
        for name, text in files.items():
            (self.state / name).write_text(text)
        for name in COREUTILS:
            (self.programs / name).symlink_to(shutil.which(name))
        for name, text in FAKES.items():
            if name not in without:
                (self.programs / name).write_text(f"#!/bin/bash\n{text}\n")
                (self.programs / name).chmod(0o755)

    def make_tree(self, folder, installed):
        for path in (self.state / "packages", self.programs, folder / "tools", folder / "scratch"):
            path.mkdir(parents=True)
        for name in installed:
            (self.state / "packages" / name).write_text("install ok installed")
        (folder / "packages.txt").write_text("\n".join(["# A comment.", *LISTED]) + "\n")
        text = (ROOT / "tools" / "install_packages").read_text()
        assert text.count(GUARD) == 1
        self.script = folder / "tools" / "install_packages"
        self.script.write_text(text.replace(GUARD, str(self.state / "policy-rc.d")))
        self.script.chmod(0o755)
        self.scratch = folder / "scratch"

    def run(self, *lists):
        """What it did: the calls, without those of sudo for files."""
        done = subprocess.run([self.script, *lists], env={
            "PATH": str(self.programs), "STATE": str(self.state), "TMPDIR": str(self.scratch)},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        self.code, self.told, self.errors = done.returncode, done.stdout, done.stderr
        calls = (self.state / "calls").read_text().splitlines()
        self.sudo_calls = [call for call in calls if call.startswith("sudo ")]
        return [call for call in calls if not call.startswith("sudo ")]

    def guard(self):
        return self.state / "policy-rc.d"


@pytest.fixture
def machine(tmp_path):
    return lambda *installed, **options: Machine(tmp_path / "machine", installed, **options)


def apt(words, guard="101"):
    return (f"apt-get guarded by {guard}, noninteractive:"
            f" -q -y -o DPkg::Lock::Timeout=300 {words} ")


def test_nothing_is_done_where_all_is_there(machine):
    complete = machine(*LISTED, user="1000", without=["sudo", "apt-get"])
    assert complete.run() == [] and complete.code == 0
    assert complete.told == complete.errors == ""


def test_what_is_missing_is_installed_and_no_service_started(machine):
    """Packages removed but for their configuration are missing too."""
    bare = machine("one-dev")
    (bare.state / "packages" / "four").write_text("deinstall ok config-files")
    calls = bare.run()
    assert (bare.code, bare.told, bare.errors) == (0, "installing: two redis-server four\n", "")
    assert calls == [apt("update"), apt("install --no-install-recommends two redis-server four"),
                     "systemctl disable redis-server"]
    assert not bare.sudo_calls and not bare.guard().exists()
    assert list(bare.scratch.iterdir()) == []


def test_other_lists_are_installed_with_the_first(machine):
    fuller = machine(*LISTED)
    (fuller.state / "more.txt").write_text("# More.\nfive\n")
    assert fuller.run(fuller.state / "more.txt")[1] == apt("install --no-install-recommends five")
    assert fuller.told == "installing: five\n"


def test_what_another_package_stands_for_is_there(machine):
    """But not what one stands for that was removed, nor one whose name only begins alike."""
    other = machine("one-dev", "redis-server")
    (other.state / "provided").write_text(
        "installed two-new, two (= 1.2), three\nconfig-files four\ninstalled four-dev\n")
    other.run()
    assert other.told == "installing: four\n"


def test_a_service_that_was_there_stays_as_it_is(machine):
    other = machine("redis-server")
    assert other.run() == [apt("update"), apt("install --no-install-recommends one-dev two four")]


def test_without_systemctl_nothing_is_to_be_disabled(machine):
    container = machine(without=["systemctl"])
    assert len(container.run()) == 2 and (container.code, container.errors) == (0, "")


def test_a_service_that_stays_enabled_is_told(machine):
    stubborn = machine()
    (stubborn.state / "code").write_text("1")
    stubborn.run()
    assert stubborn.code == 0
    assert stubborn.errors == ("redis-server will start at the next boot: see systemctl disable "
                               "redis-server\n")


def test_a_guard_that_was_there_is_kept(machine):
    guarded = machine()
    guarded.guard().write_text("#!/bin/sh\nexit 104\n")
    guarded.guard().chmod(0o755)
    assert guarded.run()[0] == apt("update", "104")
    assert guarded.guard().read_text() == "#!/bin/sh\nexit 104\n"


def test_sudo_is_asked_by_who_is_not_root(machine):
    personal = machine(user="1000")
    calls = personal.run()
    assert personal.code == 0 and len(calls) == 3
    assert all(call.startswith("root: ") for call in calls), calls
    files = [call for call in personal.sudo_calls if "policy-rc.d" in call]
    assert [call.split()[1] for call in files] == ["tee", "chmod", "rm"]
    assert not personal.guard().exists()


def test_without_sudo_it_says_what_to_run(machine):
    helpless = machine("one-dev", user="1000", without=["sudo"])
    assert helpless.run() == [] and helpless.code == 1
    assert helpless.errors == "run as root once: apt-get install two redis-server four\n"


@pytest.mark.parametrize("verb", ["update", "install"])
def test_a_failure_is_told_in_the_words_of_apt(machine, verb):
    broken = machine()
    (broken.state / "failing").write_text(verb)
    calls = broken.run()
    assert broken.code == 1 and len(calls) == (1 if verb == "update" else 2)
    assert broken.errors.endswith(f"what {verb} says\nand what went wrong\n")
    assert not broken.guard().exists()


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP"])
def test_no_guard_stays_when_it_is_ended_early(machine, name):
    """A machine that kept it would start no service any more. The signal is for apt-get as well."""
    ended = machine()
    (ended.state / "signal").write_text(name)
    assert len(ended.run()) < 3 and ended.code != 0
    assert not ended.guard().exists()


def test_its_lists_are_of_names():
    texts = [(ROOT / folder / "packages.txt").read_text() for folder in ("", "tests/applications")]
    names = [line for text in texts for line in text.splitlines() if line[0] != "#"]
    assert names == list(dict.fromkeys(names)) and "redis-server" in names and "npm" in names
    assert os.access(ROOT / "tools" / "install_packages", os.X_OK)
