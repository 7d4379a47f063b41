"""Whether what a finished run has read is as it was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from comparator.model.model import Model
from comparator.model.process import run_environment
from comparator.model.reads import Reads
from comparator.results.run_result import RunResult
from comparator.site.profile import Slot


def change_of_reads(
    model: Model,
    result: RunResult,
    slot: Slot,
    data_folder: Path,
    kinds: Sequence[str] = ("files", "packages"),
) -> str | None:
    """What, of some kinds, a finished run has read that is not as it was; None where all is, or it is not known.

    `slot` is one in which the model would run today, as `given.slot_of` has it.
    """
    if (both := reads_then_and_now(model, result, slot, data_folder)) is None:
        return None
    then, now = both
    return then.change(now, kinds)


def reads_then_and_now(model: Model, result: RunResult, slot: Slot, data_folder: Path) -> tuple[Reads, Reads] | None:
    """What a finished run has read, as it was and as it is; None where it is not known."""
    if result.reads is None:
        return None
    then = Reads(**result.reads.model_dump())
    return then, then.now(run_environment(model, slot, data_folder))
