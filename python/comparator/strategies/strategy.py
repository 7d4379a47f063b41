"""The interface of a search: two calls, `start` and `tell`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from comparator.space import ParameterSpace, Point
from comparator.strategies.options import StrategyOptions

#: The strategies whose points are all known from the start. "listed" is what a UPF is carried out by; no file names it.
SWEEPS = ("grid", "listed")
#: The strategies that look at no result: a point is the same whatever came of others, and may be given out early.
LOOK_AT_NO_RESULT = (*SWEEPS, "random", "sobol")


@dataclass(frozen=True)
class Proposal:
    """A point that a strategy wants evaluated.

    `number` counts a strategy's proposals from 0; `generation` counts from 0, None where there are none; `name` is
    the user's own word for the point, None where there is none.
    """

    number: int
    point: dict[str, Any]
    generation: int | None
    name: str | None = None


class Strategy(ABC):
    """How the next points of a search are chosen. To write a new one, subclass this; nothing else is needed.

    The caller makes it as `Class(space, seed, in_flight, options)`: the `ParameterSpace`, the seed of its generator,
    how many evaluations run at a time, and its `Options` as they were checked. Then the caller

    0. may call `inform(past)` before all else, more than once; after the start only where `begins_uninformed`;
    1. calls `start()` once, and starts the evaluation of every proposal that it returns;
    2. calls `tell(number, value)` once for every finished evaluation, in the order in which they finish, and
       starts what that returns;
    3. calls `close()` in the end, wherever the search stands.

    A strategy may assume that the calls come one at a time (though not from one thread), and that `tell` is
    called only for its own proposals, at most once for each. It must not assume that results arrive in the order
    of proposals, nor that all arrive: the budget may end first.

    A strategy must

    - return the points to start *next*: none, one, or a whole generation. A strategy that answers every result
      with one point keeps all workers busy; one that waits for a generation returns nothing until it is
      complete;
    - make its proposals with `self._propose`, which numbers them, of points of its space: any other ends the search;
    - minimise: smaller values are better. A failed evaluation is told as None, and is worse than any number;
    - return nothing, for every further result, once the search has ended; one that ends because it has found out
      what it wanted to know says so in `ended`, in words for people;
    - return as soon as it has computed the points, and never wait for anything else: one whose points come from outside
      `listens`, and is asked for them by `listen`, again and again;
    - draw from a generator of its own, seeded when it is made: the same results in the same order give the same
      points. A stopped search is resumed by telling a new strategy the recorded results.
    """

    #: What it takes of `[search]`: a pydantic model, the only place that says what each option is.
    Options: ClassVar[type[StrategyOptions]] = StrategyOptions
    #: Options that were not always there, and what a search does that was frozen before and so says nothing of them.
    came_later: ClassVar[Mapping[str, Any]] = {}
    #: Whether it ends without a budget. Another wants `evaluations = N`, or `generations = N`: those that it counts
    #: itself where it has an option `generations`, else `population` evaluations each.
    ends_by_itself: ClassVar[bool] = False
    #: Whether a proposal takes a model of all results, and so time: then proposals are kept ready (`ahead`).
    fits_a_model: ClassVar[bool] = False
    #: Whether it proposes whole generations, and nothing before one is complete.
    by_generations: bool = False
    #: Why the search ended before its budget did; None where it has not.
    ended: str | None = None
    #: Whether its points come from outside, at any time, and not from results: `start` may give none then, and the
    #: search goes on until `listen` says that no more will come. Nothing is kept ready of it.
    listens: bool = False

    @classmethod
    def within(cls, options: Mapping[str, Any], *, evaluations: int, points: int) -> dict[str, Any]:
        """The options for a budget of so many evaluations, enough for so many points."""
        return dict(options)

    @classmethod
    def points_in(cls, space: ParameterSpace, options: Mapping[str, object]) -> int | None:
        """How many points it proposes, where that is known beforehand; raises `InputError` for wrong options."""
        return None

    @classmethod
    def begins_uninformed(cls, options: Mapping[str, Any], in_flight: int) -> bool:
        """Whether it may be informed after its start too, so that a pilot runs beside its first points.

        One that learns nothing of what it is informed of may.
        """
        return cls.inform is Strategy.inform

    _proposed = 0

    def inform(self, past: Sequence[tuple[Point, float | None]]) -> int:
        """Take the values of earlier work, None for a failure; returns how many of them the search will use.

        They are points of the space, each once, and are no proposals: they have no number and cost no budget. A search
        that is resumed is informed of the same before it starts. A strategy that learns nothing from results leaves
        this as it is.
        """
        return 0

    def check(self) -> None:  # noqa: B027  most strategies need nothing
        """Raise `InputError` where what it needs is not there: asked once, before anything starts."""

    def recall(self, recorded: Sequence[Proposal]) -> None:
        """Take back what it proposed in earlier sessions, before it starts: one that listens or looks at no result.

        `start` gives these again, and they are told once more.
        """
        self._proposed = 1 + max((each.number for each in recorded), default=-1)

    @abstractmethod
    def start(self) -> list[Proposal]:
        """The first proposals, at least one."""

    @abstractmethod
    def tell(self, number: int, value: float | None) -> list[Proposal]:
        """Take the value of proposal `number`, None for a failure, and give the proposals that follow."""

    def listen(self) -> list[Proposal] | None:
        """What has come in since, of one that `listens`; None once no more will come."""
        return None

    def close(self) -> None:  # noqa: B027  most strategies hold nothing that must be given back
        """Give back threads and the like. May be called at any time, more than once."""

    def _propose(self, point: Point, generation: int | None = None, name: str | None = None) -> Proposal:
        proposal = Proposal(self._proposed, point, generation, name)
        self._proposed += 1
        return proposal
