"""How often the intervals of `comparator variance` hold the true share, and how wide they are, by design.

    python test/bench/variance.py [repeats, 400]

Trainings of made-up models, whose variance has known parts; half of what factors do together is of pairs of them.
Designs of about equally many pairs: the square that is used, a crossing of split, first weights and order (three
levels each, so that 27 pairs meet), and one factor at a time from one training (six more levels each, 25 pairs).
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from comparator.evidence.variance import BETWEEN, REST, Variance, split_variance
from comparator.strategies.blocks import FACTORS, INITIALISATION, ORDER, SEED, SPLIT, levels_in, square

Levels = dict[str, list[int]]

#: True shares: split, initialisation, order, other draws, together.
TRUTHS = {
    "mostly the split": (0.6, 0.1, 0.1, 0.0, 0.2),
    "together only": (0.0, 0.0, 0.0, 0.0, 1.0),
    "split and first weights": (0.3, 0.3, 0.0, 0.0, 0.4),
    "three alike": (0.25, 0.25, 0.25, 0.0, 0.25),
    "split, other draws": (0.8, 0.0, 0.0, 0.1, 0.1),
    "first weights": (0.0, 0.7, 0.1, 0.0, 0.2),
    "nearly all the order": (0.0, 0.0, 0.9, 0.0, 0.1),
    "all a little": (0.1, 0.1, 0.1, 0.1, 0.6),
}
#: Of a training of two studies: the share of which of them it is.
STUDIES = (0.0, 0.1, 0.5, 0.9)


def designs() -> dict[str, Levels]:
    """The levels of each training by factor."""
    crossing = list(itertools.product(range(3), repeat=3))
    three = dict(zip((SPLIT, INITIALISATION, ORDER), map(list, zip(*crossing, strict=True)), strict=True))
    return {
        "square of 5": levels_in(square(FACTORS, 5), FACTORS),
        "square of 7": levels_in(square(FACTORS, 7), FACTORS),
        "crossing of 3 by 3 by 3": three,
        "4 splits by 4 seeds": {SPLIT: [each // 4 for each in range(16)], SEED: [each % 4 for each in range(16)]},
    }


def draw(levels: Levels, shares: Mapping[str, float], rng: np.random.Generator, *, heavy: bool = False) -> np.ndarray:
    """Numbers of trainings; what factors do together is drawn by pairs of levels, and by training."""

    def effects(*shape: int) -> np.ndarray:
        return rng.standard_t(5, size=shape) / np.sqrt(5 / 3) if heavy else rng.standard_normal(shape)

    met = {name: np.array(of) for name, of in levels.items()}
    trainings = len(next(iter(met.values())))
    numbers = np.zeros(trainings)
    for name, of in met.items():
        numbers += np.sqrt(shares.get(name, 0.0)) * effects(of.max() + 1)[of]
    pairs = list(itertools.combinations(met, 2))
    for one, other in pairs:
        table = effects(met[one].max() + 1, met[other].max() + 1)
        numbers += np.sqrt(0.5 * shares[REST] / len(pairs)) * table[met[one], met[other]]
    return numbers + np.sqrt(0.5 * shares[REST]) * effects(trainings)


def held(found: Variance, shares: Mapping[str, float]) -> list[tuple[bool, float]]:
    """Whether each part's interval holds its share, and how wide it is."""
    return [
        (part.interval[0] - 1e-9 <= shares[part.name] <= part.interval[1] + 1e-9, part.interval[1] - part.interval[0])
        for part in found.parts
    ]


def measure(levels: Levels, shares: Mapping[str, float], repeats: int, *, heavy: bool) -> list[str]:
    """Coverage and mean width of each part."""
    known = {name: share for name, share in shares.items() if name in levels or name == REST}
    # What a design leaves out stays at one level, and varies nothing.
    whole = sum(known.values())
    known = {name: share / whole for name, share in known.items()}
    all_held = []
    for repeat in range(repeats):
        found = split_variance(draw(levels, known, np.random.default_rng(repeat), heavy=heavy), levels, repeat)
        if found is not None:
            all_held.append(held(found, known))
    return _cells(list(known), all_held)


def measure_studies(share: float, repeats: int) -> list[str]:
    """The same of trainings of two studies: which it is has this share, all else is split as in three alike."""
    levels = levels_in(square(FACTORS, 5), FACTORS)
    within = dict(zip((*FACTORS, REST), TRUTHS["three alike"], strict=True))
    shares = {BETWEEN: share, **{name: (1 - share) * each for name, each in within.items()}}
    all_held = []
    for repeat in range(repeats):
        rng = np.random.default_rng(repeat)
        common, own = draw(levels, within, rng), [draw(levels, within, rng) for _ in range(2)]
        both = np.array([np.sqrt(0.5) * (common + each) for each in own]) * np.sqrt(1 - share)
        both[1] += 2 * np.sqrt(share)
        found = split_variance(both, levels, repeat)
        if found is not None:
            all_held.append(held(found, shares))
    return _cells(list(shares), all_held)


def _cells(names: Sequence[str], all_held: Sequence[Sequence[tuple[bool, float]]]) -> list[str]:
    """In per cent how often each was held, and its mean width."""
    counted = np.array([[each[0] for each in one] for one in all_held]).mean(axis=0)
    width = np.array([[each[1] for each in one] for one in all_held]).mean(axis=0)
    return [f"{name} {100 * share:.0f} ({wide:.2f})" for name, share, wide in zip(names, counted, width, strict=True)]


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    print("held in per cent (mean width)")
    for name, levels in designs().items():
        for heavy in (False, True):
            for truth, shares in TRUTHS.items():
                given = dict(zip((*FACTORS, REST), shares, strict=True))
                cells = measure(levels, given, repeats, heavy=heavy)
                print(f"{name}{', heavy tails' if heavy else ''} | {truth} | {'; '.join(cells)}", flush=True)
    for share in STUDIES:
        print(f"two studies | study {share:g} | {'; '.join(measure_studies(share, repeats))}", flush=True)


if __name__ == "__main__":
    main()
