"""Chances of several tests together (Holm, A simple sequentially rejective multiple test procedure, 1979)."""

from __future__ import annotations

from collections.abc import Sequence


def holm(chances: Sequence[float]) -> list[float]:
    """Each chance, corrected for all that were looked at, in their order.

    With all whose corrected chance is `alpha` or less called real, one that is not is called so in `alpha` of all
    families of tests at the most, however the tests depend on each other.
    """
    corrected = [1.0] * len(chances)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=lambda each: chances[each])):
        largest = max(largest, min(1.0, (len(chances) - rank) * chances[place]))
        corrected[place] = largest
    return corrected
