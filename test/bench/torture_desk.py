"""Where experiments are tortured: a folder with a small model, real commands, and what is to be found afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from comparator.cli import main as comparator
from comparator.engine.jobs import state_of
from comparator.model.guard import descendants
from comparator.results.lease import holder_of
from comparator.results.state import last_word
from comparator.results.tally import count

COMPARATOR = [sys.executable, "-c", "from comparator.cli import main; main()"]
EVALUATIONS = 14
#: A command that has not ended by then hangs; a machine that is busy otherwise takes its time.
HANGS_SECONDS = 180.0
#: A model's server ends within a second of its command, on a machine with nothing else to do.
LEFT_SECONDS = 15.0
MARK = "TORTURE_MARK"
MODEL = """
import os, random, time
COUNT = {count!r}
def initialize_parameters():
    return {{"x": 0.0, "n": 500, "shift": 0.0, "rng_seed": 1, "sleep": 0.0}}
def loss_of(x, n, shift, seed):
    return 1.0 + shift * (x / 50) ** 2 * (n / 500) + random.Random(f"{{seed}} {{x}} {{n}} {{shift}}").gauss(0, 0.02)
def run(params):
    own = float(params["x"]), int(params["n"]), float(params["shift"]), int(params["rng_seed"])
    loss = loss_of(*own)
    time.sleep(params["sleep"] * random.Random(repr(own)).uniform(0.2, 2))
    file = os.open(COUNT, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, (" ".join(map(repr, own)) + "\\n").encode())
    os.close(file)
    return {{"val_loss": loss}}
"""
SPACE = [
    {"name": "x", "type": "float", "lower": 0, "upper": 50},
    {"name": "n", "type": "int", "lower": 500, "upper": 1000},
]
HYPERPARAMETERS = """
[Global_Params]
cmp_model_name = 'model.py'
cmp_0_shift = 0.0
cmp_1_shift = 1.0
sleep = 0.03
"""
EXPERIMENT = f"""
title = "tortured"
hyperparameters = "cmp.txt"
space = "space.json"
run_timeout = 120
[search]
strategy = "steady_state"
population = 4
evaluations = {EVALUATIONS}
[confirm]
points = 1
seeds = 2
splits = false
"""

Own = tuple[float, int, float, int]


@dataclass
class Tally:
    """What one kind of torture has found; all but `tries` should be 0."""

    tries: int = 0
    lost: int = 0
    twice: int = 0
    wrong: int = 0
    duplicates: int = 0
    left: int = 0
    tracebacks: int = 0
    other: int = 0
    #: What happened, a line each.
    found: list[str] = field(default_factory=list)
    #: How the commands ended, so that it is seen whether the tries came to something.
    ends: Counter[int] = field(default_factory=Counter)

    def note(self, kind: str, words: str, times: int = 1) -> None:
        setattr(self, kind, getattr(self, kind) + times)
        self.found.append(f"{kind}: {words}")


class Command:
    """A command that was typed: in a process that begins anew, or in one that has Python's imports behind it."""

    def __init__(
        self,
        desk: Desk,
        words: Sequence[str],
        *,
        anew: bool = False,
        before: Callable[[], None] = lambda: None,
        **environment: str,
    ) -> None:
        self.words, self.mark = words, f"{desk.folder.name}-{len(desk.commands)}"
        self._said = desk.folder / f"said-{len(desk.commands)}.txt"
        self.code: int | None = None
        given = desk.environment | environment | {MARK: self.mark}

        def begin() -> None:
            os.setsid()
            signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the bench runs in the background
            before()

        if anew:
            with self._said.open("wb") as said:
                self.pid = subprocess.Popen(
                    [*COMPARATOR, *words], cwd=desk.folder, env=given, stdout=said, stderr=said, preexec_fn=begin
                ).pid
        else:
            self.pid = os.fork()
            if self.pid == 0:
                self._carry_out(desk.folder, given, begin)
        desk.commands.append(self)

    def _carry_out(self, folder: Path, environment: dict[str, str], begin: Callable[[], None]) -> None:
        code = 99
        try:
            said = os.open(self._said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            for stream in (1, 2):
                os.dup2(said, stream)
            os.close(said)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            sys.argv[1:] = self.words
            begin()
            comparator()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            with contextlib.suppress(BaseException):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    @property
    def is_over(self) -> bool:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def until(self, happened: Callable[[], bool], seconds: float = HANGS_SECONDS) -> bool:
        """Wait for something, or the command's end; whether it happened."""
        end = time.monotonic() + seconds
        while not self.is_over and time.monotonic() < end:
            if happened():
                return True
            time.sleep(0.002)
        return happened()

    def ends(self, tally: Tally, seconds: float = HANGS_SECONDS) -> int:
        """Its exit status; one that hangs is noted and ended."""
        if not self.until(lambda: False, seconds) and not self.is_over:
            tally.note("other", f"'{' '.join(self.words)}' hangs; it said: {self.last_line!r}")
            self.signal(signal.SIGKILL)
            self.until(lambda: False)
        code = self.code if self.code is not None else -99
        tally.ends[code] += 1
        return code

    def signal(self, number: int, pid: int | None = None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid if pid is None else pid, number)

    @property
    def processes(self) -> list[int]:
        """Those that it has started and that run, in whatever session."""
        mark, found = f"{MARK}={self.mark}".encode(), set(descendants(self.pid)) if not self.is_over else set()
        for name in (each.name for each in Path("/proc").glob("[0-9]*")):
            with contextlib.suppress(OSError):
                if mark in Path("/proc", name, "environ").read_bytes().split(b"\0") or os.getsid(int(name)) == self.pid:
                    found.add(int(name))
        return sorted(pid for pid in found - {self.pid} if _runs(pid))

    @property
    def said(self) -> str:
        return self._said.read_text(errors="replace") if self._said.exists() else ""

    @property
    def last_line(self) -> str:
        return (self.said.strip().splitlines() or [""])[-1]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def program_of(pid: int) -> str:
    """What a process is, by its command line."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


@dataclass(frozen=True)
class Kept:
    """What was kept at a moment: the lines of the record, and how often what is in the store was trained."""

    record: bytes
    trained: dict[Own, int]


class Desk:
    """A folder with an experiment in it, and the commands typed there."""

    def __init__(self, folder: Path, **changes: str) -> None:
        """`changes` are other words in the experiment's file or the hyperparameters."""
        folder.mkdir(parents=True)
        self.folder, self.experiments, self.count = folder, folder / "experiments", folder / "trained.txt"
        self.commands: list[Command] = []
        texts = {"cmp.txt": HYPERPARAMETERS, "torture.toml": EXPERIMENT, "space.json": json.dumps(SPACE)}
        texts["model.py"] = MODEL.format(count=str(self.count))
        for name, text in texts.items():
            for old, new in changes.items():
                lines = [f"{old} = {new}" if line.startswith(f"{old} =") else line for line in text.splitlines()]
                text = "\n".join(lines) + "\n"
            (folder / name).write_text(text)
        self.count.touch()
        names: dict = {}
        exec(texts["model.py"], names)
        self.loss_of: Callable[..., float] = names["loss_of"]

    @property
    def environment(self) -> dict[str, str]:
        own = {"COMPARATOR_EXPERIMENTS": str(self.experiments), "CANDLE_DATA_DIR": str(self.folder / "data")}
        return {**os.environ, **own, "SITE_CORES": "2"}

    def type(self, *words: str, **how) -> Command:
        return Command(self, words, **how)

    def search(self, identifier: str = "t", *, report: bool = False, engine: str = "local", **how) -> Command:
        """A new search, or, where there is one of this name, the same gone on with."""
        path = self.experiments / identifier
        begin = (
            ["--resume", identifier] if (path / "experiment.json").exists() else ["torture.toml", "--id", identifier]
        )
        other = [] if report else ["--no-report"]
        return self.type("search", *begin, "--workers", "2", "--engine", engine, *other, **how)

    def record(self, identifier: str = "t") -> Path:
        return self.experiments / identifier / "evaluations.jsonl"

    def lines(self, identifier: str = "t") -> int:
        """How many evaluations are recorded."""
        with contextlib.suppress(OSError):
            return self.record(identifier).read_bytes().count(b"\n")
        return 0

    def see_once(self, tally: Tally) -> None:
        """Every run was trained once; one that cannot serve two experiments yet is a run of each."""
        runs = Counter(own_of(result["hyperparameters"]) for _, result in self.results())
        often = {own: times for own, times in self.times_trained().items() if times > max(1, runs[own])}
        if often:
            tally.note("twice", f"trained more than once: {often}", len(often))

    # What is kept, and judged

    def times_trained(self) -> Counter[Own]:
        lines = [line.split() for line in self.count.read_text().splitlines()]
        return Counter((float(x), int(n), float(shift), int(seed)) for x, n, shift, seed in lines)

    def results(self) -> Iterator[tuple[str, dict]]:
        """The results in the store, by the names of their runs."""
        for path in self.experiments.glob("runs/*/*/result.json"):
            yield path.parent.name, json.loads(path.read_text())

    def kept(self, identifier: str = "t") -> Kept:
        record = self.record(identifier).read_bytes() if self.record(identifier).exists() else b""
        owns = [own_of(result["hyperparameters"]) for _, result in self.results() if result["status"] == "ok"]
        times = self.times_trained()  # after the results: the search may go on meanwhile
        return Kept(record[: record.rfind(b"\n") + 1], {own: times[own] for own in owns})

    def compare(self, tally: Tally, kept: Kept, identifier: str = "t") -> None:
        """Whether all that was kept is there as it was, and none of it was trained again."""
        now = self.kept(identifier)
        if not now.record.startswith(kept.record):
            gone = set(kept.record.splitlines()) - set(now.record.splitlines())
            tally.note("lost", f"{len(gone)} recorded evaluations are gone or changed", max(1, len(gone)))
        again = {own: now.trained.get(own, 0) - times for own, times in kept.trained.items()}
        if any(times for times in again.values()):
            tally.note("twice", f"trained again: {[own for own, times in again.items() if times]}", sum(again.values()))

    def finish(self, tally: Tally, identifier: str = "t", **how) -> None:
        """Go on with an experiment to its end, which one command should reach."""
        command = self.search(identifier, **how)
        if command.ends(tally) != 0:
            tally.note("other", f"'{' '.join(command.words)}' ended with {command.code}: {command.last_line}")

    def judge(
        self, tally: Tally, identifier: str = "t", *, allowed: str = "no failure is", verify: bool = True
    ) -> None:
        """What is wrong with a finished experiment; a failed evaluation only, if its reason has the `allowed` words."""
        self.see_nothing_left(tally)
        path = self.experiments / identifier
        if not self.record(identifier).exists():
            tally.note("other", f"{identifier}: there is no record")
            return
        from comparator.results.record_file import read_records
        from comparator.results.whole import whole_evaluations

        records = whole_evaluations(read_records(self.record(identifier)))
        for number, times in Counter(record.evaluation for record in records).items():
            if times > 1:
                tally.note("duplicates", f"evaluation {number} stands {times} times", times - 1)
        for record in records:
            values: dict[int, dict[int, float]] = {}
            for run in record.runs:
                own = own_of(record.point | {"shift": float(run.submodel), "rng_seed": run.seed})
                if run.status == "ok":
                    values.setdefault(run.replicate, {})[run.submodel] = self.loss_of(*own)
                    if run.metrics != {"val_loss": self.loss_of(*own)}:
                        tally.note("wrong", f"evaluation {record.evaluation}: {run.metrics}, not {self.loss_of(*own)}")
                if run.seconds is not None and run.seconds < 0:
                    tally.note("wrong", f"evaluation {record.evaluation}: a run took {run.seconds} s")
            if record.status != "ok":
                reasons = [record.reason or "", *(run.reason or "" for run in record.runs)]
                if not any(allowed in reason for reason in reasons):
                    tally.note("other", f"evaluation {record.evaluation} is recorded as {record.status}: {reasons}")
                continue
            pairs = [-abs(pair[1] - pair[0]) / max(pair.values()) for pair in values.values() if len(pair) == 2]
            if record.value is None or abs(record.value - sum(pairs) / len(pairs)) > 1e-9:
                tally.note("wrong", f"evaluation {record.evaluation}: value {record.value}, not the mean of {pairs}")
            if record.seconds is not None and record.seconds < 0:
                tally.note("wrong", f"evaluation {record.evaluation}: took {record.seconds} s")
        for run, result in self.results():
            if result["status"] == "ok":
                own = own_of(result["hyperparameters"])
                if result["metrics"] != {"val_loss": self.loss_of(*own)} or result["seconds"] < 0:
                    tally.note("wrong", f"run {run}: {result['metrics']}, {result['seconds']} s")
        if state_of(path).state != "finished" or count(records).done < EVALUATIONS:
            done = f"{count(records).done} of {EVALUATIONS} done"
            tally.note("other", f"{identifier} is {last_word(path).state}, {done}")
        if verify:
            checked = self.type("verify", identifier, "--sample", "0")
            if checked.ends(tally) != 0:
                tally.note("wrong", f"verify says: {checked.said.strip()}")
        self.see_no_traceback(tally)

    def see_nothing_left(self, tally: Tally) -> None:
        """No process, and nothing that is held by none."""
        end = time.monotonic() + LEFT_SECONDS
        left = [pid for command in self.commands for pid in command.processes]
        while left and time.monotonic() < end:
            time.sleep(0.1)
            left = [pid for pid in left if _runs(pid)]
        if left:
            tally.note("left", f"processes: {[program_of(pid) for pid in left]}", len(left))
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        held = [lock.parent for lock in self.experiments.glob("**/lock")]
        while held := [folder for folder in held if holder_of(folder) is not None]:
            if time.monotonic() > end:  # a process that is dying lets go of its files last
                tally.note("other", f"held by none: {held}", len(held))
                break
            time.sleep(0.1)

    def see_no_traceback(self, tally: Tally) -> None:
        for command in self.commands:
            if "Traceback" in command.said:
                tally.note("tracebacks", f"'{' '.join(command.words)}': {command.said[-1500:]}")
        for errors in self.experiments.glob("*/errors.log"):
            tally.note("tracebacks", f"{errors}: {errors.read_text()[-1500:]}")

    def end_all(self) -> None:
        """End whatever a try has left."""
        for command in self.commands:
            for pid in [*command.processes, *([] if command.is_over else [command.pid])]:
                for number in (signal.SIGCONT, signal.SIGKILL):
                    command.signal(number, pid)
            command.until(lambda: False, 10)


def own_of(hyperparameters: dict) -> Own:
    """What a run's number depends on."""
    given = {"x": 0.0, "n": 500, "shift": 0.0} | hyperparameters
    return float(given["x"]), int(given["n"]), float(given["shift"]), int(given["rng_seed"])


def limited(what: int, limit: int) -> Callable[[], None]:
    """What sets a limit of the process that it is called in, as a shell's ulimit does."""
    return lambda: resource.setrlimit(what, (limit, limit))


def library(folder: Path, source: str) -> Path | None:
    """A library to load before others, made of C; None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    made = folder / "preloaded.so"
    if not made.exists():
        text = folder / "preloaded.c"
        text.write_text(source)
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, text, "-ldl"], check=True)
    return made


def pause(rng: random.Random, most: float) -> None:
    time.sleep(rng.uniform(0, most))
