"""One session of an experiment that is opened: from its first request to its report, on one engine."""

from __future__ import annotations

import contextlib
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from comparator.engine.interface import Task
from comparator.engine.leaf import ERRORS_FILE, Leaf
from comparator.errors import ComparatorError
from comparator.evidence.threads import one_thread
from comparator.experiment.beside import Beside
from comparator.experiment.closing import kept_words, pairs_anew, say_what_was_found, say_where_the_report_is
from comparator.experiment.controller import Controller
from comparator.experiment.doubts import doubts
from comparator.experiment.host import Host
from comparator.experiment.noting import Noting
from comparator.experiment.plan import Plan
from comparator.experiment.progress import ProgressView
from comparator.experiment.saying import SECONDS_OF_FEW, SECONDS_OF_MANY, Saying
from comparator.experiment.terminal import note
from comparator.experiment.worker import Worker, make_leaf
from comparator.results.experiments import read_experiment, read_whole_experiment
from comparator.results.files import now
from comparator.results.form import as_text, from_text
from comparator.results.growing import GrowingRecord
from comparator.results.in_flight import clear
from comparator.results.lease import holder_of
from comparator.results.record import Evaluation
from comparator.results.requests import LISTEN, Request, Result
from comparator.results.state import Running, State, last_word, say, say_reporting
from comparator.results.store import ExperimentFolder
from comparator.results.tally import done_in, pairs_to_confirm
from comparator.site.folders import command_line
from comparator.site.profile import Slot

if TYPE_CHECKING:
    from comparator.experiment.again import Again

MOST_SAID = 64  # evaluations that `state.json` lists while they run; of more it says how many
#: Where points come in without a result, a worker with nothing to do waits so long; in vain twice as long each time.
SHORTEST_WAIT, LONGEST_WAIT = 0.1, 1.0


class OutOfTime(ComparatorError):
    """The walltime ended before the experiment did."""

    exit_code = 75


class Session:
    """One experiment, opened on one host: `run` and `search` carry it out on the host's engine.

    It is the engine's `Search`. The resident rank of Swift/T, which hosts one by itself, calls `start`, `tell_all` with
    all results, and `end` or `fail`.
    """

    def __init__(self, host: Host, plan: Plan, folder: ExperimentFolder) -> None:
        self._host, self._folder = host, folder
        self._noting = Noting(host, plan, folder)
        self._growing = GrowingRecord(folder.evaluations)  # where another process hosts the search
        self._controller: Controller | None = None
        self._telling = threading.Lock()  # held by whoever looks at the controller
        self._saying: Saying | None = None
        self._beside = Beside()
        self._listening = False  # whether a worker is asked to wait for points that may come in
        self._wait = SHORTEST_WAIT
        self._kept = contextlib.ExitStack()  # until it is left

    @property
    def path(self) -> Path:
        return self._folder.path

    @property
    def _plan(self) -> Plan:
        return self._noting.plan

    def say_what_is_there(self, left: State) -> None:
        """Say what an earlier session has done, and what it has `left` running."""
        recorded = {record.evaluation for record in self._folder.records}
        done = done_in(self._folder.records)
        to_repeat = left.in_flight - sum(each.evaluation in recorded for each in left.running)
        budget = self._plan.budget
        to_go = "" if budget is None else f", {max(0, budget - done - to_repeat)} to go"
        there = f"{done} done, {to_repeat} to repeat{to_go}"
        if self._plan.frozen.rechecks is not None:  # there is no search in it
            there = pairs_anew(self._plan, self._folder.records)
        self._host.say(f"experiment {self._folder.identifier}: {there}")
        for doubt in doubts(self._host, self._plan, self.path, self._folder.records):
            note(self._host.console, doubt)
        in_flight = self._plan.frozen.strategy.in_flight * self._plan.replication.first
        if self._at_a_time > in_flight and not self._plan.may_be_given_out_early:
            at_a_time = f"{in_flight} evaluation{'s' if in_flight != 1 else ''} at a time"
            self._host.say(f"note: it began with {at_a_time}; more workers than that stay idle")

    def run(self) -> Again | None:
        """Search, write the report where the host makes one, say what was found. Raises as `search` does.

        Returns what came of it where another experiment is tried again.
        """
        tracebacks = self._tracebacks()
        try:
            records = self.search()
        except ComparatorError:
            # What stopped the search, a full disk say, may stop the report too; it must not hide the reason.
            with contextlib.suppress(OSError):
                if self._tracebacks() > tracebacks:
                    self._host.say(f"the whole traceback is in {self.path / ERRORS_FILE}")
                is_ours = not self._folder.is_lost  # else whoever has taken it over reports it
                if is_ours and self._folder.records and (page := self._report_with_words()) is not None:
                    self._host.say(f"report: {page}")
            raise
        try:
            page = self._report_with_words()
        except OSError as error:  # a full disk, say: what was found is said all the same
            say_what_was_found(self._host, self._plan, self.path, records, None)
            place = f"{error.filename}: " if error.filename else ""
            raise ComparatorError(f"the report cannot be written: {place}{error.strerror or error}") from None
        return say_what_was_found(self._host, self._plan, self.path, records, page)

    def search(self) -> list[Evaluation]:
        """Run the search to its end, or to Ctrl-C, on the host's engine; returns the records.

        Raises `ComparatorError` where it cannot go on, `OutOfTime` where the walltime ends first, `Submitted` where
        a scheduler has it now, `KeyboardInterrupt` where it was stopped; what is finished is kept in any case.
        """
        try:
            self._host.engine.run(self)
            if last_word(self.path).state == "stopped":
                raise OutOfTime("the walltime came to its end; what is finished is kept")
        except (KeyboardInterrupt, ComparatorError):
            if last_word(self.path).state in ("stopped", "interrupted"):
                self._say_how_to_go_on()
            raise
        if self._controller is None:
            self._look()
            self._noting.plan = replace(self._plan, frozen=read_whole_experiment(self.path))
        return self._folder.records

    # What an engine asks of it

    @property
    def task(self) -> Task:
        return self._host.task(self.path, is_sweep=self._plan.is_sweep)

    @contextlib.contextmanager
    def hosted(self) -> Iterator[Callable[[], None]]:
        try:
            with self.progress() as show:
                yield show
        except BaseException as error:
            self.fail(error)
            raise
        self.end()

    def hand_over(self, launch: str) -> None:
        say(self.path, "queued", [], None, launch)
        self._folder.close()

    @contextlib.contextmanager
    def progress(self) -> Iterator[Callable[[], None]]:
        done_before = done_in(self._folder.records)
        console, frozen = self._host.console, self._plan.frozen
        with ProgressView(console, frozen, self.path, done_before=done_before) as view:

            def show() -> None:
                if self._controller is None:  # another process hosts the search
                    self._look()
                    view.update(self._folder.records, last_word(self.path).in_flight)
                    return
                running = min(self._controller.waiting, self._at_a_time)
                anew = pairs_to_confirm(self._controller.claims or (), self._folder.records)
                view.update(self._folder.records, running, self._controller.done, anew)

            yield show

    @cached_property
    def together(self) -> int:
        return self._host.together(self._plan.models)

    @property
    def _at_a_time(self) -> int:
        """How many evaluations are carried out at a time."""
        return self._host.workers * self.together

    def leaf(self, slots: Sequence[Slot], number: int, deadline: float | None) -> Leaf:
        name = f"{self._host.site.name}/{number}"
        return make_leaf(self._plan, self.task, slots, name, deadline, self._host.say)

    def worker(self, places: int, deadline: float | None) -> Worker:
        holder = holder_of(self.path)
        assert holder is not None  # this process
        return Worker(self.task, places, deadline, holder.token)

    def start(self, *, all_at_once: bool = False) -> list[str]:
        """Replay what is recorded and give the first requests; `all_at_once` is as `Plan.strategy` has it.

        An experiment that an earlier version began is one of this version from then on: the earlier one, which would
        read lines to come otherwise than they are meant, refuses it.
        """
        frozen = self._plan.frozen
        if frozen.from_format is not None and read_experiment(self.path).format < frozen.format:
            self._folder.freeze(frozen)
        self._controller = self._plan.controller(
            self._folder,
            all_at_once=all_at_once,
            at_a_time=self._at_a_time,
            proposer=frozen.strategy.name,
            has_ended=last_word(self.path).state == "finished",
        )
        if self._plan.frozen.strategy.ahead:  # its thread computes at any time, and as one that computes here would
            self._kept.enter_context(one_thread(loads_scipy=True))
        with one_thread():
            requests = self._beside.requests(self._plan) + self._controller.start()
        self._noting.claims(self._controller.claims)
        self._noting.likeness()
        self._say_running()
        self._saying = Saying(self._say_running)
        return self._texts(requests)

    def tell(self, result: str) -> list[str]:
        """Record a result; gives the requests that follow."""
        return self.tell_all([result])

    def tell_all(self, results: Sequence[str]) -> list[str]:
        """Record results that came together, in this order; gives the requests that follow."""
        assert self._controller is not None
        outcomes, has_listened = [], False
        told = [from_text(Result, each) for each in results]
        for outcome in told:
            if outcome.evaluation == LISTEN:
                has_listened = True
                self._stop_listening(outcome)
            elif outcome.evaluation < 0 and not outcome.is_fault:
                self._noting.beside(self._beside.take(self._plan, outcome))
            else:
                outcomes.append(outcome)
        if not outcomes and not has_listened:
            self._noting.metric(told)
            return []
        with one_thread(), self._telling:
            requests = self._controller.tell_all(outcomes) + self._controller.listen()
        if not outcomes and not requests:
            self._wait = min(2 * self._wait, LONGEST_WAIT)
            return self._texts([])
        self._wait = SHORTEST_WAIT
        self._noting.metric(told)
        self._noting.pilot(self._controller.pilot, self._at_a_time)
        self._noting.likeness()
        self._noting.claims(self._controller.claims)
        assert self._saying is not None
        self._saying.note()
        return self._texts(requests)

    @property
    def usual_seconds(self) -> float | None:
        """How long an evaluation takes, by the latest; None before there is one."""
        assert self._controller is not None
        return self._controller.usual_seconds

    @property
    def is_over(self) -> bool:
        """Whether no result is waited for any more."""
        assert self._controller is not None
        return not self._controller.in_flight and not self._beside.waits and not self._listening

    @property
    def is_cut_short(self) -> bool:
        """Whether a walltime ended the session before the experiment was done."""
        return self._controller is not None and self._controller.is_cut_short

    def end(self) -> None:
        """Leave an experiment that is over."""
        assert self._controller is not None
        if self._controller.is_cut_short:
            self._leave("stopped", "by the end of the walltime")
        else:
            self._leave("finished", self._controller.ended_early)

    def fail(self, error: BaseException) -> None:
        """Leave an experiment that cannot go on, or that is stopped by hand."""
        if isinstance(error, KeyboardInterrupt):
            self._leave("stopped", "by hand")
            return
        details, reason = getattr(error, "details", None), str(error)
        if not isinstance(error, ComparatorError):
            details, reason = "".join(traceback.format_exception(error)), f"{type(error).__name__}: {error}"
        if details is not None:  # what a person can mend is said in its one line
            with contextlib.suppress(OSError), (self.path / ERRORS_FILE).open("a", encoding="utf-8") as file:
                file.write(f"{now()} the search\n{details}\n")
        self._leave("failed", reason)

    def launched_from(self, launch: str) -> None:
        """Note which launch runs the experiment, by its folder's name."""
        self._folder.launch = launch

    def report(self, show: Callable[[float], None] = lambda share: None) -> Path | None:
        """Write the report; returns its page, None without a report. `show` is told the share that is done."""
        if not self._host.reports:
            return None
        from comparator.report import write_report

        def told(share: float) -> None:
            say_reporting(self.path, share)
            show(share)

        try:
            return write_report(self.path, told=told)
        finally:
            say_reporting(self.path, None)

    def _tracebacks(self) -> int:
        """The bytes of all tracebacks that the experiment has left, of this session or an earlier one."""
        path = self.path / ERRORS_FILE
        return path.stat().st_size if path.exists() else 0

    def _look(self) -> None:
        """Read the record that another process writes."""
        self._folder.records = self._growing.read()

    def _say_running(self) -> float:
        """Say what runs; gives for how long that is as good as new, in seconds."""
        assert self._controller is not None
        with self._telling:
            in_flight = min(self._controller.in_flight, self._at_a_time)
            said = min(in_flight, MOST_SAID)
            running = self._controller.running(said)
        self._folder.say("running", running, unlisted=in_flight - said)
        return SECONDS_OF_MANY if in_flight > MOST_SAID else SECONDS_OF_FEW

    def _texts(self, requests: Sequence[Request]) -> list[str]:
        """Requests for workers; where points may come in without a result, one of them is to wait for these."""
        assert self._controller is not None
        asked = list(requests)
        if self._controller.listens and not self._listening:
            self._listening = True
            wait = self._wait
            asked.append(Request(evaluation=LISTEN, name="listen", point={}, replicate=0, expected_seconds=wait))
        return [as_text(request) for request in asked]

    def _stop_listening(self, outcome: Result) -> None:
        """A worker has waited for points that may come in; without time for them no more are taken."""
        assert self._controller is not None
        self._listening = False
        if outcome.status == "cancelled":
            self._controller.is_cut_short = True

    def _resume_command(self) -> str:
        host = self._host
        site = [] if host.site.name == "local" else ["--site", host.site.name]
        engine = [] if host.engine.name == host.site.engines[0] else host.engine.options
        words = [self._plan.frozen.command, "--resume", self._folder.identifier, *site, *engine]
        return command_line(host.experiments, host.root, *words)

    def _say_how_to_go_on(self) -> None:
        if self._controller is None:
            self._look()
        done = max(done_in(self._folder.records), 0 if self._controller is None else self._controller.done)
        kept = kept_words(self._plan, self._folder.records, done)
        self._host.say(f"stopped: {kept} kept; go on with them by:")
        self._host.show(f"  {self._resume_command()}")

    def _leave(self, state: str, reason: str | None) -> None:
        left: list[Running] = []
        if self._saying is not None:
            self._saying.close()
        if self._controller is not None:
            left = self._controller.running(self._at_a_time) if state == "stopped" else []
            self._controller.close()
        self._kept.close()
        if state == "finished":
            clear(self.path)
        self._folder.say(state, left, reason)
        self._folder.close()

    def _report_with_words(self) -> Path | None:
        try:
            with self._host.console.status("writing the report") as status:
                return self.report(lambda share: status.update(f"writing the report: {100 * share:.0f} %"))
        except KeyboardInterrupt:
            say_where_the_report_is(self._host, self._folder.identifier, None)
            raise
