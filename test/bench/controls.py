"""How often the size-matched control calls the study what is its size, or its size what is the study.

    python test/bench/controls.py [repeats, 1000]

Made-up pairs of trainings on fresh blocks: a block's luck is shared by a finding and its controls as far as `SHARED`
says. The difference is 0.3 (a relative one), and deviates by 0.08 from block to block, as of CCLE and gCSI. The truth
of a design is that nothing of it is left (a study that is only smaller), half of it, or all.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from scipy.stats import beta

from comparator.findings.controls import DESIGNS, controls_of, name_of
from comparator.results.frozen import Claim, FrozenExperiment
from comparator.results.record import Evaluation

SIZE, DEVIATION = 0.3, 0.08
SHARED = (0.0, 0.5, 0.9)
BLOCKS = (8, 16)
LEFT = {"nothing": 0.0, "half": 0.5, "all": 1.0}
VERDICTS = ("stays", "weaker", "gone", "not settled")
FIRST = 1000


def read(means: Sequence[tuple[str, np.ndarray]]) -> tuple[FrozenExperiment, list[Evaluation]]:
    """An experiment of two studies whose claims came to these numbers, one a block."""
    claims = [Claim(name=name, kind="space", direction=1, points=[{}] * len(of)) for name, of in means]
    records = [
        Evaluation(
            evaluation=number,
            stage="confirm",
            claim=name,
            point={},
            status="ok",
            value=-1.0,
            signed=[float(each) for each in of],
            blocks=list(range(FIRST, FIRST + len(of))),
            runs=[],
        )
        for number, (name, of) in enumerate(means)
    ]
    controls = {"study": "study", "rows": "rows", "shared": "both", "drugs": {"by": "drug"}, "cells": {"by": "cell"}}
    models = [
        {"submodel": number, "name": name, "label": name, "hyperparameters": {"study": name}, "controls": controls}
        for number, name in enumerate(("large", "small"))
    ]
    return FrozenExperiment.model_validate({"id": "made", "models": models, "claims": claims}), records


def verdicts(left: float, blocks: int, shared: float, repeats: int) -> np.ndarray:
    """How often each verdict is given for a design, and how often any of three designs alike is called wrongly."""
    counts, rng = np.zeros(len(VERDICTS) + 1), np.random.default_rng(1)
    wrong = {"stays", "weaker"} if left == 0 else {"weaker", "gone"} if left == 1 else {"stays", "gone"}
    for _ in range(repeats):
        common = np.sqrt(shared) * rng.standard_normal(blocks)
        own = [
            SIZE * (1.0 if which == 0 else left)
            + DEVIATION * (common + np.sqrt(1 - shared) * rng.standard_normal(blocks))
            for which in range(4)
        ]
        found = controls_of(
            read([("space", own[0])]),
            read([(name_of(each, "space"), of) for each, of in zip(DESIGNS, own[1:], strict=True)]),
        )
        if found is None:  # the finding itself was not shown
            continue
        given = [each.verdict for each in found.found]
        counts[: len(VERDICTS)] += [given.count(verdict) for verdict in VERDICTS]
        counts[-1] += any(verdict in wrong for verdict in given)
    return counts


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("left | blocks | shared | of a design: " + ", ".join(VERDICTS) + " | any of three wrong [95 %]")
    for left, share in LEFT.items():
        for blocks in BLOCKS:
            for shared in SHARED:
                *counts, wrong = verdicts(share, blocks, shared, repeats)
                shares = ", ".join(f"{100 * count / sum(counts):.1f}" for count in counts)
                ends = [
                    100 * float(beta.ppf(at, wrong + more, repeats - wrong + 1 - more))
                    for at, more in ((0.025, 0), (0.975, 1))
                ]
                interval = f"[{0.0 if wrong == 0 else ends[0]:.1f}, {ends[1]:.1f}]"
                print(f"{left} | {blocks} | {shared:g} | {shares} | {100 * wrong / repeats:.1f} {interval}", flush=True)


if __name__ == "__main__":
    main()
