"""Whether what is finished is kept, whatever dies, whoever shares the folder: real searches, tortured.

    python test/bench/torture.py [--tries N] [--only KIND] [--seed SEED] [--keep FOLDER]

| kind | does to a search |
|---|---|
| `kills` | SIGKILL, SIGTERM, SIGINT to the command, a model's server, a guard, or all, at any moment; then --resume |
| `ranks` | the same to what Swift/T runs: a rank, a keeper, the launcher |
| `cuts` | every stored file cut, emptied, changed; then every command that reads it |
| `disk` | a disk that fills, and has room again |
| `nolocks` | two processes at once where the file system has no locks, one of them killed |
| `vanish` | a folder that is moved or removed meanwhile |
| `holders` | two at once; one that is stopped, and goes on after another has taken its place |
| `clock` | a clock that jumps back by an hour |
| `limits` | few descriptors, small files (ulimit) |

`--tries` is the number of tries of each kind; of `cuts` that of the damages to each file, and with as many as the file
has it is cut at every 37th byte. Prints a table, and what happened where a number is not 0; exit status 1 then. What
a try does is told by its seed, `SEED/KIND/NUMBER`, as far as the moments are the same; the folder of one that found
something is kept.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.update(COLUMNS="200", TERM="dumb", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import torture_desk
from torture_desk import Desk, Tally, library, limited, pause, program_of

from comparator.results import holder, lease
from comparator.results.frozen import FORMAT
from comparator.results.run_store import RunStore

NO_LOCKS = "#include <errno.h>\nint flock(int fd, int how) { errno = ENOLCK; return -1; }\n"
CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long calls;
static long back(void) {
    const char *after = getenv("TORTURE_JUMP");
    return __sync_add_and_fetch(&calls, 1) > (after ? atol(after) : 1000) ? 3600 : 0;
}
int clock_gettime(clockid_t clock, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, at);
    if (status == 0 && clock == CLOCK_REALTIME) at->tv_sec -= back();
    return status;
}
int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
CUT_BYTES = 37
#: A number that is given up waiting for takes this long, beside what a busy machine adds.
GRACE_SECONDS = 60.0


class Skipped(Exception):
    """A kind cannot be tried here; the text says why."""


# Kills


def kills(desk: Desk, rng: random.Random, tally: Tally) -> None:
    """End something of a search at a random moment, perhaps of what goes on with it too; then finish it."""
    report, servers = rng.random() < 0.12, False
    for number in range(rng.choice([1, 1, 2])):
        if number > 0:  # anew, with what is in the store
            shutil.rmtree(desk.experiments / "t")
        command = desk.search(report=report, anew=rng.random() < 0.3)
        moment(desk, command, rng, report)
        victim = rng.choice(["command", "command", "all", "server", "guard"])
        servers |= end_something(command, victim, rng)
        command.ends(tally)
        desk.see_nothing_left(tally)
        kept = desk.kept()
        if rng.random() < 0.3:
            again = desk.search()
            moment(desk, again, rng, False)
            servers |= end_something(again, victim, rng)
            again.ends(tally)
            desk.compare(tally, kept)
            kept = desk.kept()
        desk.finish(tally)
        desk.compare(tally, kept)
    if report:
        made = desk.type("report", "t")
        if made.ends(tally) != 0:
            tally.note("other", f"report: {made.last_line}")
    desk.judge(tally, allowed="the model's process" if servers else "no failure is")


def moment(desk: Desk, command, rng: random.Random, report: bool) -> None:
    """Wait for some moment of a search."""
    made = desk.experiments / "t" / "experiment.json"
    lines = rng.randrange(torture_desk.EVALUATIONS)
    happened = {
        "time": lambda: False,
        "making": lambda: any(desk.experiments.glob(".unfinished-*")) or made.exists(),
        "made": made.exists,
        "record": lambda: desk.lines() > lines,
        "report": lambda: (desk.experiments / "t" / "figures").exists(),
    }
    chosen = rng.choice(["report"] if report else ["time", "making", "made", "record", "record"])
    if chosen == "time":
        command.until(lambda: False, rng.uniform(0, 4))
    else:
        command.until(happened[chosen])
        pause(rng, 4 if report else 0.05)


def end_something(command, victim: str, rng: random.Random) -> bool:
    """Whether a model's process was among what was ended while its command goes on."""
    number = rng.choice(SIGNALS)
    programs = {"server": "server.py", "guard": "guard.py"}
    started = command.processes
    if victim in programs:
        chosen = [pid for pid in started if programs[victim] in program_of(pid)]
        if victim == "server":  # a guard's command line has its server's too
            chosen = [pid for pid in chosen if "guard.py" not in program_of(pid)]
        if chosen:
            command.signal(number, rng.choice(chosen))
            return True
    for pid in [*([] if victim == "command" else started), command.pid]:
        command.signal(signal.SIGKILL if victim == "all" else number, pid)
    return False


def ranks(desk: Desk, rng: random.Random, tally: Tally) -> None:
    """End one of the processes of a search over MPI; then finish it, on either engine."""
    if shutil.which("swift-t") is None:
        raise Skipped("there is no swift-t")
    command = desk.search(engine="swift-t", anew=rng.random() < 0.5)
    lines = rng.choice([None, 0, 1, 3, 6, 10])
    if lines is None:
        command.until(lambda: False, rng.uniform(0, 12))
    else:
        command.until(lambda: desk.lines() > lines)
    started = [pid for pid in command.processes if program_of(pid)]
    is_model = lambda pid: "model/server.py" in program_of(pid) or "model/guard.py" in program_of(pid)  # noqa: E731
    if started and rng.random() < 0.85:
        chosen = rng.choice(started)
        tally_of_models = is_model(chosen)
        command.signal(rng.choice(SIGNALS), chosen)
    else:
        tally_of_models = False
        command.signal(rng.choice(SIGNALS))
    command.ends(tally)
    desk.see_nothing_left(tally)
    kept = desk.kept()
    desk.finish(tally, engine=rng.choice(["local", "swift-t"]))
    desk.compare(tally, kept)
    desk.judge(tally, allowed="the model's process" if tally_of_models else "no failure is")


# Cuts


class Cuts:
    """Damages every file that is stored of one experiment, one damage a try."""

    #: Commands that read an experiment; making a report takes seconds, so it is made of every so many damages.
    REPORT_EVERY = 15

    def __init__(self, folder: Path, seed: str, damages: int) -> None:
        self._desk, self._rng, self._damages = Desk(folder, sleep="0.0"), random.Random(seed), damages
        self._whole = folder / "whole"
        self._reported = 0

    def run(self, tally: Tally) -> None:
        desk = self._desk
        desk.finish(tally)
        path = desk.experiments / "t"
        run = next(iter(sorted(desk.experiments.glob("runs/*/*/result.json")))).parent
        self._make_launch(path)
        desk.type("report", "t").ends(tally)
        shutil.copytree(desk.experiments, self._whole)
        before = self._read(tally)
        for name in ("experiment.json", "evaluations.jsonl", "state.json", "launch-1/launch.json"):
            self._damage(tally, f"t/{name}")
        for run in self._rng.sample(sorted(desk.experiments.glob("runs/*/*/result.json")), 2):
            self._damage(tally, str(run.relative_to(desk.experiments)))
        for machine in (holder.this_machine(), "elsewhere"):
            dead = holder.this_holder("").model_copy(update={"pid": 2**22 + 1, "machine": machine})
            (self._whole / "t" / "lease").write_text(json.dumps(dead.model_dump()) + "\n")
            self._damage(tally, "t/lease")
        (self._whole / "t" / "lease").unlink()
        self._restore()
        if self._read(tally) != before:
            tally.note("lost", "restored, it does not read as before")
        RunStore(desk.experiments).withdraw(run.parent.name, "of the bench")
        shutil.rmtree(self._whole)
        shutil.copytree(desk.experiments, self._whole)
        for name in ("t/withdrawn.jsonl", str(run.with_name("withdrawn.json").relative_to(desk.experiments))):
            self._damage(tally, name)
        desk.see_no_traceback(tally)
        desk.see_nothing_left(tally)

    def _make_launch(self, path: Path) -> None:
        """As Swift/T leaves it."""
        (path / "launch-1").mkdir()
        (path / "launch-1" / "launch.json").write_text(json.dumps({"site": {"scheduler": "none"}, "pid": 2**22 + 1}))
        state = json.loads((path / "state.json").read_text())
        (path / "state.json").write_text(json.dumps(state | {"launch": "launch-1"}))

    def _restore(self) -> None:
        shutil.rmtree(self._desk.experiments)
        shutil.copytree(self._whole, self._desk.experiments)

    def _damage(self, tally: Tally, name: str) -> None:
        content = (self._whole / name).read_bytes()
        cuts = [content[:at] for at in range(0, len(content), CUT_BYTES)]
        others = [b"{}", b"[]", b"null", b"[" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b"\xff\xfe\0"]
        others += [f'{{"format": {FORMAT + 1}}}'.encode(), b"1" * 5000, b'"text"', b"-0.0", b"NaN", b"\n\n"]
        others += [content.replace(b": 2", b": -2"), content + content, content.replace(b"\n", b"")]
        others += [content.replace(b'"tortured"', rb'"\ud800"'), content.replace(b'"ok"', rb'"\ud800"')]
        for _ in others[:]:  # as many flipped bits
            at = self._rng.randrange(len(content))
            others.append(content[:at] + bytes([content[at] ^ 1 << self._rng.randrange(8)]) + content[at + 1 :])
        for damages in (cuts, others):
            for damaged in self._rng.sample(damages, min(self._damages, len(damages))):
                if damaged != content:
                    self._try(tally, name, damaged)
        print(f"{CUTS}: {name}: {tally.tries} damages so far, {len(tally.found)} findings", file=sys.stderr)

    def _try(self, tally: Tally, name: str, damaged: bytes) -> None:
        desk = self._desk
        tally.tries += 1
        self._restore()
        (desk.experiments / name).write_bytes(damaged)
        desk.commands.clear()
        faults = len(tally.found)
        anew = self._rng.random() < 0.01
        report = tally.tries % self.REPORT_EVERY == 0
        self._read(tally, anew=anew, report=report)
        before = (desk.experiments / name).read_bytes()
        if before != damaged:
            tally.note("other", f"a reader has changed {name}")
        resumed = desk.search(before=_short_leases, anew=False)
        if resumed.ends(tally) not in (0, 1, 2):
            tally.note("other", f"resume ended with {resumed.code}")
        if resumed.code and not resumed.last_line.startswith("comparator: "):
            tally.note("other", f"resume ended with {resumed.code} and says {resumed.last_line!r}")
        if resumed.code == 0:  # what is recorded is right, or verify says what is not
            self._read(tally, only=("export", "verify"))
        desk.see_no_traceback(tally)
        if len(tally.found) > faults:
            kept = desk.folder / f"damage-{tally.tries}"
            kept.write_bytes(damaged)
            tally.found[faults:] = [f"{name} as in {kept}: {words}" for words in tally.found[faults:]]

    def _read(self, tally: Tally, *, anew: bool = False, report: bool = False, only: Sequence[str] = ()) -> list[str]:
        """What the commands that read say, each within its time."""
        table = self._desk.folder / "table.csv"
        table.unlink(missing_ok=True)
        commands = [["list"], ["watch", "t"], ["export", "t", "--to", str(table)], ["verify", "t", "--sample", "0"]]
        commands += [["report", "t"]] if report else []
        said = []
        for words in commands:
            if only and words[0] not in only:
                continue
            command = self._desk.type(*words, anew=anew)
            code = command.ends(tally)
            if code not in (0, 1, 2) or (code and not command.said.strip()):
                tally.note("other", f"{words[0]} ended with {code}, and says {command.last_line!r}")
            said.append(f"{code} {command.said}")
            if words[0] == "verify":
                self._see_numbers(tally, table, is_believed=code == 0)
        return said

    def _see_numbers(self, tally: Tally, table: Path, *, is_believed: bool) -> None:
        """A wrong number in the exported table is one that verify finds."""
        if not table.exists() or not is_believed:
            return
        with table.open(newline="") as file:
            for row in csv.DictReader(file):
                if row.get("metric.val_loss") and row.get("submodel") in ("0", "1"):
                    try:
                        given = float(row["point.x"]), int(row["point.n"]), float(row["submodel"]), int(row["seed"])
                        right = self._desk.loss_of(*given) == float(row["metric.val_loss"])
                    except (KeyError, ValueError):
                        right = False
                    if not right:
                        tally.note("wrong", f"believed: {row}")


def _short_leases() -> None:
    lease.EXPIRES_SECONDS, lease.LOOK_SECONDS = 0.3, 0.05


# Disks, locks, folders


def disk(desk: Desk, rng: random.Random, tally: Tally) -> None:
    """Fill the disk at a random moment; then make room."""
    desk.experiments.mkdir()
    size = rng.choice([None, rng.randrange(40, 700)])
    how = f"size={20_000 if size is None else size}k"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", how, "tmpfs", desk.experiments], capture_output=True)
    if mounted.returncode != 0:
        raise Skipped(f"no tmpfs can be mounted: {mounted.stderr.decode().strip()}")
    try:
        filler = desk.experiments / ".filler"
        command = desk.search(report=rng.random() < 0.1, anew=rng.random() < 0.3)
        if size is None:
            lines = rng.randrange(-1, torture_desk.EVALUATIONS)
            command.until(lambda: desk.lines() > lines)
            pause(rng, 0.1)
            with filler.open("wb", buffering=0) as file:
                try:
                    while file.write(bytes(65536)) == 65536:
                        pass
                except OSError:
                    pass
        _ends_with_a_line(command, tally)
        filler.unlink(missing_ok=True)
        subprocess.run(["mount", "-o", "remount,size=50000k", desk.experiments], check=True)
        kept = desk.kept()
        desk.finish(tally)
        desk.compare(tally, kept)
        desk.judge(tally)
    finally:
        desk.end_all()
        shutil.copytree(desk.experiments, desk.folder / "was", ignore_dangling_symlinks=True)
        subprocess.run(["umount", "-l", desk.experiments], check=False)


def _ends_with_a_line(command, tally: Tally, *codes: int) -> None:
    """A search that ends in a fault of the machine says so in one line, and fails."""
    code = command.ends(tally)
    said = [line for line in command.said.splitlines() if line.startswith("comparator: ")]
    if code not in (0, 1, *codes) or (code and len(said) != 1):
        tally.note("other", f"'{' '.join(command.words)}' ended with {code}, and says: {command.said[-400:]!r}")


def nolocks(desk: Desk, rng: random.Random, tally: Tally) -> None:
    """Where there are no locks: two begin at once, or one is killed and two go on at once."""
    made = library(desk.folder.parent, NO_LOCKS)
    if made is None:
        raise Skipped("there is no C compiler")
    how = {"anew": True, "LD_PRELOAD": str(made)}
    if rng.random() < 0.7:
        first = desk.search(**how)
        lines = rng.randrange(torture_desk.EVALUATIONS - 2)
        first.until(lambda: desk.lines() > lines)
        first.signal(signal.SIGKILL)
        first.ends(tally)
    kept = desk.kept()
    both = [desk.search(**how)]
    pause(rng, 0.3)
    both.append(desk.search(**how))
    codes = [command.ends(tally) for command in both]
    if 0 not in codes or not set(codes) <= {0, 2}:
        tally.note("other", f"two at once ended with {codes}: {[command.last_line for command in both]}")
    desk.compare(tally, kept)
    desk.judge(tally)


def vanish(desk: Desk, rng: random.Random, tally: Tally) -> None:
    """Move or remove the experiment's folder, the runs, or all; put back what was moved, and go on."""
    command = desk.search(anew=rng.random() < 0.2)
    lines = rng.randrange(torture_desk.EVALUATIONS - 2)
    command.until(lambda: desk.lines() > lines)
    pause(rng, 0.1)
    which = rng.choice(["experiments/t", "experiments/runs", "experiments"])
    place, moves, away = desk.folder / which, rng.random() < 0.6, desk.folder / "away"
    kept = desk.kept()
    if moves:
        place.rename(away)
    else:
        shutil.rmtree(place, ignore_errors=True)
    _ends_with_a_line(command, tally)
    desk.see_nothing_left(tally)
    if moves:
        if place.exists():
            here = sorted(str(path.relative_to(place)) for path in place.glob("**/*"))
            if which != "experiments/runs":
                tally.note("other", f"{which} was made again: {here}")
            shutil.rmtree(place)
        away.rename(place)
    elif (desk.experiments / "t").exists() and not (desk.experiments / "t" / "experiment.json").exists():
        left = sorted(path.name for path in (desk.experiments / "t").iterdir())
        tally.note("other", f"a folder is left that is no experiment: {left}")
        shutil.rmtree(desk.experiments / "t")
    desk.finish(tally)
    if moves and which != "experiments/runs":
        desk.compare(tally, kept)
    desk.judge(tally, verify=moves and which != "experiments/runs")


# Holders


def holders(desk: Desk, rng: random.Random, tally: Tally) -> None:
    rng.choice([two_at_once, stopped_run, taken_over])(desk, rng, tally)


def two_at_once(desk: Desk, rng: random.Random, tally: Tally) -> None:
    """Two processes begin, or go on with, one experiment."""
    if rng.random() < 0.6:
        first = desk.search()
        first.until(lambda: desk.lines() > 3)
        first.signal(rng.choice(SIGNALS))
        first.ends(tally)
    kept = desk.kept()
    both = [desk.search(), desk.search()]
    codes = [command.ends(tally) for command in both]
    if 0 not in codes or not set(codes) <= {0, 2}:
        tally.note("other", f"two at once ended with {codes}: {[command.last_line for command in both]}")
    desk.compare(tally, kept)
    desk.judge(tally)


def stopped_run(desk: Desk, rng: random.Random, tally: Tally) -> None:
    """One that is stopped holds a run; another experiment that needs it ends, and says who."""
    first = desk.search("t")
    first.until(lambda: desk.lines() > rng.randrange(4) and any(desk.experiments.glob("runs/*/*/lease")))
    first.signal(signal.SIGSTOP)
    held = any(desk.experiments.glob("runs/*/*/lease"))
    settings = (desk.folder / "torture.toml").read_text()
    (desk.folder / "torture.toml").write_text(settings.replace("run_timeout = 120", "run_timeout = 1"))
    second = desk.search("second")
    code = second.ends(tally, GRACE_SECONDS)
    if code not in (0, 1) or (code == 1 and f"process {first.pid} of" not in second.last_line) or (held and code == 0):
        is_there = [path.name for path in desk.experiments.glob("runs/*/*/lease")]
        tally.note("other", f"beside a stopped holder (of {is_there}) it ended with {code}: {second.last_line}")
    first.signal(signal.SIGCONT)
    if first.ends(tally) != 0:
        tally.note("other", f"going on, the stopped one ended with {first.code}: {first.last_line}")
    desk.finish(tally, "second")
    desk.judge(tally, "t")
    desk.judge(tally, "second")
    desk.see_once(tally)


def taken_over(desk: Desk, rng: random.Random, tally: Tally) -> None:
    """One that seemed dead to another machine wakes up; it writes no more."""

    def elsewhere() -> None:
        _short_leases()
        lease.try_lock = lambda descriptor, kind=0: True
        holder.this_machine.cache_clear()
        holder.this_machine = lambda: "elsewhere"

    def without_locks() -> None:
        lease.try_lock = lambda descriptor, kind=0: True

    first = desk.search(before=without_locks)
    lines = rng.randrange(torture_desk.EVALUATIONS - 4)
    first.until(lambda: desk.lines() > lines)
    pause(rng, 0.05)
    first.signal(signal.SIGSTOP)
    kept = desk.kept()
    desk.finish(tally, before=elsewhere)
    files = [desk.record(), *(desk.experiments / "t").glob("*.json")]
    others = [path.read_bytes() for path in files]
    results = {run: _told(result) for run, result in desk.results()}
    first.signal(signal.SIGCONT)
    _ends_with_a_line(first, tally)
    if first.code != 1:
        tally.note("other", f"taken over, it ended with {first.code}: {first.last_line}")
    changed = [path.name for path, other in zip(files, others, strict=True) if path.read_bytes() != other]
    if changed:
        tally.note("wrong", f"taken over, it has written on in {changed}")
    changed = [run for run, result in desk.results() if results.get(run, _told(result)) != _told(result)]
    if changed:
        tally.note("wrong", f"taken over, it has written other results: {changed}")
    desk.compare(tally, kept)
    desk.judge(tally)


def _told(result: dict) -> dict:
    """A result without what is noted of it later: whether it may serve others."""
    return {key: value for key, value in result.items() if key != "no_reuse"}


# Clocks and limits


def clock(desk: Desk, rng: random.Random, tally: Tally) -> None:
    """Have the clock jump back, in every process after so many looks."""
    made = library(desk.folder.parent, CLOCK)
    if made is None:
        raise Skipped("there is no C compiler")
    how = {"anew": True, "LD_PRELOAD": str(made), "TORTURE_JUMP": str(rng.choice([1, 30, 300, 1000, 3000]))}
    command = desk.search(**how)
    if rng.random() < 0.5:
        command.until(lambda: desk.lines() > 6)
        command.signal(signal.SIGTERM)
        if command.ends(tally) not in (0, 130):
            tally.note("other", f"stopped, it ended with {command.code}: {command.last_line}")
        kept = desk.kept()
        desk.finish(tally, **how)
        desk.compare(tally, kept)
    elif command.ends(tally) != 0:
        tally.note("other", f"it ended with {command.code}: {command.last_line}")
    watched = desk.type("watch", "t", **how)
    if watched.ends(tally) != 0:
        tally.note("other", f"watch ended with {watched.code}: {watched.last_line}")
    desk.judge(tally)
    desk.see_once(tally)


def limits(desk: Desk, rng: random.Random, tally: Tally) -> None:
    """Give a search few descriptors, or small files; then enough."""
    limit = limited(resource.RLIMIT_NOFILE, rng.randrange(12, 61))
    if rng.random() < 0.3:
        limit = limited(resource.RLIMIT_FSIZE, rng.randrange(2_000, 40_000))
    command = desk.search(anew=rng.random() < 0.7, before=limit)
    _ends_with_a_line(command, tally, 2)
    kept = desk.kept()
    desk.finish(tally)
    desk.compare(tally, kept)
    desk.judge(tally)


KINDS: dict[str, tuple[Callable[[Desk, random.Random, Tally], None], int]] = {
    "kills": (kills, 24),
    "ranks": (ranks, 4),
    "disk": (disk, 10),
    "nolocks": (nolocks, 8),
    "vanish": (vanish, 10),
    "holders": (holders, 9),
    "clock": (clock, 5),
    "limits": (limits, 12),
}
CUTS, DAMAGES = "cuts", 5


def torture(kind: str, tries: int | None, seed: int, place: Path) -> Tally:
    """Carry out the tries of a kind; raises `Skipped` where it cannot be tried here."""
    tally = Tally()
    if kind == CUTS:
        Cuts(place / CUTS, f"{seed}/{CUTS}", tries or DAMAGES).run(tally)
        return tally
    function, default = KINDS[kind]
    for number in range(tries or default):
        desk, own = Desk(place / kind / f"{number}"), f"{seed}/{kind}/{number}"
        try:
            function(desk, random.Random(own), tally_of_try := Tally())
        finally:
            desk.end_all()
        tally.tries += 1
        tally.ends += tally_of_try.ends
        for name in TABLE[1:]:
            setattr(tally, name, getattr(tally, name) + getattr(tally_of_try, name))
        tally.found += [f"{own}: {words} ({desk.folder})" for words in tally_of_try.found]
        if not tally_of_try.found:
            shutil.rmtree(desk.folder)
    return tally


TABLE = ("tries", "lost", "twice", "wrong", "duplicates", "left", "tracebacks", "other")


def main() -> None:
    kinds = [*KINDS, CUTS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tries", type=int)
    parser.add_argument("--only", choices=kinds)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="where the tries lie; a temporary folder if not given")
    asked = parser.parse_args()
    place = asked.keep or Path(tempfile.mkdtemp(prefix="torture-"))
    _import_late()
    rows, found = [], []
    for kind in [asked.only] if asked.only else kinds:
        try:
            tally = torture(kind, asked.tries, asked.seed, place)
        except Skipped as reason:
            print(f"{kind}: skipped: {reason}")
            continue
        rows.append([kind, *(str(getattr(tally, name)) for name in TABLE)])
        found += tally.found
        ends = ", ".join(f"{times} with {code}" for code, times in sorted(tally.ends.items()))
        print(f"{kind}: {tally.tries} tries, {len(tally.found)} findings; commands ended: {ends}", flush=True)
    header = ["kind", *TABLE]
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    for words in found:
        print(f"\n{words}")
    if not found and asked.keep is None:
        shutil.rmtree(place)
    sys.exit(1 if found else 0)


def _import_late() -> None:
    """What commands import when they come to it, so that those that begin after the imports have it."""

    import comparator.cli.carry_out
    import comparator.cli.experiments
    import comparator.cli.verify
    import comparator.experiment.opening
    import comparator.experiment.planning
    import comparator.report.page
    import comparator.studies
    import comparator.verification.verify  # noqa: F401


if __name__ == "__main__":
    main()
