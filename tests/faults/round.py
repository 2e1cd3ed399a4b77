"""One round: the plan's faults one after another, each under a burst of writes, and after each the
proof that all members hold what they must."""
import signal
import time
from contextlib import suppress

from harness.servers import free_port
from harness.wait import wait_until
from harness.wire import ReplyError

from . import checks
from .cluster import Cluster
from .counters import Counter
from .queues import Queue
from .violation import Violation
from .writers import Burst, ShortLives, Writer

STEPS_BETWEEN = 300  # acknowledged before, during and after a fault
HEAL_SECONDS = 20


class Round:
    """Faults are methods. Each gives (what must have survived, how many full syncs are due)."""

    def __init__(self, plan):
        self.plan = plan
        self.cluster = Cluster(plan)
        writers = [Writer(family, depth, number, plan.seed)
                   for number, (family, depth) in enumerate(plan.writers)]
        queues = [Queue(kind, number, plan.seed) for number, kind in enumerate(plan.queues)]
        self.writers = [*writers, *queues, ShortLives(plan.seed)]
        self.counters = [Counter(number) for number in range(plan.counters)]
        self.events = []  # (seconds since the epoch, what this program did)
        self.counts = {"full syncs": 0, "partial syncs": 0}

    def note(self, text):
        self.events.append((time.time(), text))

    def run(self):
        self.cluster.start()
        self.tell(self.cluster.primary, "SET", "first", 1)  # so that the history is not empty
        self.cluster.settle()
        for fault in self.plan.faults:
            self.note(f"{fault} begins")
            before, partial_before = self.cluster.full_syncs()
            promise, due = getattr(self, fault.name)(fault)
            self.note(f"{fault} is over: {promise} must be there, {due} full syncs are due")
            self.check(promise, due, before, partial_before)
            self.note("checked")

    def check(self, promise, due, before, partial_before):
        self.cluster.check_alive()
        for writer in [*self.writers, *self.counters]:
            writer.verify(self.cluster.primary, promise)
        self.cluster.settle()
        self.cluster.check_alive()
        now, partial_now = self.cluster.full_syncs()
        self.counts["full syncs"] += checks.full_syncs(before, now, due)
        self.counts["partial syncs"] += sum(number - partial_before.get(process, 0)
                                            for process, number in partial_now.items())

    def acknowledged(self):
        return sum(writer.acknowledged for writer in [*self.writers, *self.counters])

    # What the faults are made of.

    def burst(self):
        replicas = len(self.cluster.below(self.cluster.primary))
        return Burst(self.writers, self.counters, self.cluster.primary, replicas)

    def progress(self, burst):
        """Writers go on for a while, unless the fault ended their connections."""
        target = burst.total() + STEPS_BETWEEN
        wait_until(lambda: burst.total() >= target or burst.over() or burst.problems,
                   f"{STEPS_BETWEEN} more steps are acknowledged", HEAL_SECONDS)

    def ended(self, burst):
        wait_until(burst.over, "every writer has seen the end of its server", HEAL_SECONDS)

    def member(self, fault):
        return self.cluster.members[fault.member]

    def proxy(self, fault):
        return self.cluster.proxy_above(self.member(fault))

    def tell(self, member, *words):
        with member.connect() as connection:
            return connection(*words)

    def last_as_long_as(self, fault):
        """A fault that nobody notices while it lasts goes on for so many milliseconds."""
        until = time.monotonic() + fault.amount / 1000
        wait_until(lambda: time.monotonic() >= until, "the fault has lasted long enough")

    # Links.

    def cut(self, fault):
        with self.burst() as burst:
            self.progress(burst)
            self.proxy(fault).cut()
            self.progress(burst)
            self.proxy(fault).resume()
            self.progress(burst)
        return "everything", 0

    def flicker(self, fault):
        with self.burst() as burst:
            for _ in range(1 + fault.amount % 4):
                self.progress(burst)
                self.proxy(fault).break_once()
        return "everything", 0

    def cut_in_the_stream(self, fault):
        with self.burst() as burst:
            self.proxy(fault).cut_after(fault.amount * 200)
            self.progress(burst)
            self.proxy(fault).cut()
            self.proxy(fault).resume()
            self.progress(burst)
        return "everything", 0

    def stall(self, fault):
        with self.burst() as burst:
            self.progress(burst)
            self.proxy(fault).stall()
            self.progress(burst)
            self.last_as_long_as(fault)
            self.proxy(fault).resume()
        return "everything", 0

    def throttle(self, fault):
        with self.burst() as burst:
            self.proxy(fault).throttle(10_000 * fault.amount)
            self.progress(burst)
            self.proxy(fault).throttle(None)
            self.progress(burst)
        return "everything", 0

    def drop_replicas(self, _fault):
        with self.burst() as burst:
            self.progress(burst)
            self.tell(self.cluster.primary, "CLIENT", "KILL", "TYPE", "replica")
            self.progress(burst)
        return "everything", 0

    def drop_clients(self, _fault):
        with self.burst() as burst:
            self.progress(burst)
            self.tell(self.cluster.primary, "CLIENT", "KILL", "TYPE", "normal")
            self.progress(burst)
        return "everything", 0

    # Processes.

    def pause_replica(self, fault):
        member = self.member(fault)
        with self.burst() as burst:
            self.progress(burst)
            member.pause()
            self.progress(burst)
            member.unpause()
        return "everything", 0

    def pause_primary(self, fault):
        with self.burst() as burst:
            self.progress(burst)
            self.cluster.primary.pause()
            self.last_as_long_as(fault)
            self.cluster.primary.unpause()
            self.progress(burst)
        return "everything", 0

    def kill_replica(self, fault):
        """Without its file it needs everything, and who follows it may too."""
        member = self.member(fault)
        with self.burst() as burst:
            self.progress(burst)
            member.kill()
            (member.folder / "dump.rdb").unlink(missing_ok=True)
            self.progress(burst)
            self.cluster.restart(member)
            self.progress(burst)
        return "everything", 1 + len(self.cluster.below(member))

    def restart_replica(self, fault):
        """From its file it goes on where it was."""
        member = self.member(fault)
        with self.burst() as burst:
            self.progress(burst)
            self.shut_down(member, "SAVE")
            self.progress(burst)
            self.cluster.restart(member)
            self.progress(burst)
        return "everything", 0

    def shut_down(self, member, *how):
        with member.connect() as connection, suppress(OSError, EOFError):
            connection("SHUTDOWN", *how)
        self.exited(member)

    def exited(self, member):
        code = member.wait_exit(HEAL_SECONDS)
        if code:
            raise Violation(f"{member} ended with {code}")

    def restart_primary_by_shutdown(self, _fault):
        with self.burst() as burst:
            self.progress(burst)
            self.shut_down(self.cluster.primary, "SAVE")
            self.ended(burst)
        return self.restart_primary()

    def restart_primary_by_signal(self, _fault):
        """With save points SIGTERM saves as well."""
        with self.burst() as burst:
            self.progress(burst)
            self.cluster.primary.process.send_signal(signal.SIGTERM)
            self.exited(self.cluster.primary)
            self.ended(burst)
        return self.restart_primary()

    def restart_primary(self):
        self.cluster.restart(self.cluster.primary)
        return "everything", 0

    def kill_primary_and_restart(self, _fault):
        """What was there when its last save began is there again; its replicas have more, and need
        everything."""
        primary = self.cluster.primary
        with self.burst() as burst:
            self.progress(burst)
            for writer in [*self.writers, *self.counters]:
                writer.mark_saved()
            self.save(primary)
            self.progress(burst)
            primary.kill()
            self.ended(burst)
        self.cluster.restart(primary)
        return "saved", len(self.cluster.members) - 1

    def save(self, member):
        def told():
            with suppress(ReplyError):  # another save, or a snapshot for a replica, runs
                return self.tell(member, "BGSAVE") == "Background saving started"

        def saved():
            info = member.info("persistence")
            return info["rdb_bgsave_in_progress"] == "0" and info["rdb_last_bgsave_status"] == "ok"

        wait_until(told, f"{member} begins a save", HEAL_SECONDS)
        wait_until(saved, f"{member} has saved", HEAL_SECONDS)

    # Roles.

    def kill_primary_and_promote(self, _fault):
        """The heir has what its replica's acknowledgement promised. A sibling may be ahead of it,
        and the former primary comes back with less or more."""
        former = self.cluster.primary
        with self.burst() as burst:
            self.progress(burst)
            former.kill()
            self.ended(burst)
        return self.succeed()

    def promote_under_load(self, _fault):
        """The former primary still takes writes that nobody will miss."""
        heir = self.cluster.below(self.cluster.primary)[0]
        with self.burst() as burst:
            self.progress(burst)
            heir.promote()
            self.progress(burst)
        return self.succeed()

    def succeed(self):
        former = self.cluster.primary
        heir = self.cluster.below(former)[0]
        siblings = len(self.cluster.below(former)) - 1
        heir.promote()
        self.cluster.make_first(heir)
        if former.process is None:
            former.start()
        self.cluster.relink()
        return "on replicas", 1 + siblings

    def hand_over(self, _fault):
        """Planned: the writers rest, the heir has everything, and nobody needs a full sync."""
        with self.burst() as burst:
            self.progress(burst)
        self.cluster.settle()
        heir = self.cluster.below(self.cluster.primary)[0]
        heir.promote()
        self.cluster.make_first(heir)
        self.cluster.relink()
        with self.burst() as burst:
            self.progress(burst)
        return "everything", 0

    def flip_primary(self, fault):
        """A replica of nobody for a moment, under load: it refuses writes, and what it accepted
        before and after is there and on its replicas."""
        primary, nobody = self.cluster.primary, free_port()
        with self.burst() as burst:
            for _ in range(1 + fault.amount % 4):
                self.progress(burst)
                primary.follow(nobody)
                primary.promote()
                wait_until(self.cluster.linked, "all have heard of it", HEAL_SECONDS)
        return "everything", 0

    def move_replica(self, _fault):
        """The last replica follows another member: from the primary to its sibling while writers
        rest, for it must not be ahead; or back, under load."""
        last, sibling = self.cluster.members[2], self.cluster.members[1]
        primary = self.cluster.primary
        if self.cluster.above[last] is not primary:
            last, sibling = (last, sibling) if self.cluster.above[last] is sibling else (
                sibling, last)
            with self.burst() as burst:
                self.progress(burst)
                self.cluster.move(last, primary)
                self.progress(burst)
            return "everything", 0
        self.cluster.move(last, sibling)
        with self.burst() as burst:
            self.progress(burst)
        return "everything", 0
