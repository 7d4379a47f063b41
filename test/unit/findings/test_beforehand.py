"""What a search will see, said before it and after its pilot."""

from __future__ import annotations

from comparator.evidence.pilot import measure_pilot
from comparator.findings.beforehand import Design, pilot_words, power_words
from comparator.objective.amounts import SHARES


def test_what_is_seen_is_said_before_a_pilot_and_after_it() -> None:
    sees = "power: sees, in deviations from training to training, 1.6 between regions (on 8 fresh blocks)"
    assert power_words(Design(56, 1, blocks=8, smallest=0.05)) == [
        f"{sees}, 3.1 at a point (among 56)",
        "smallest = 0.05 is seen where that deviation is at most 0.031 between regions, 0.016 at a point",
    ]
    assert power_words(Design(None, 1, blocks=8)) == [sees]
    assert power_words(Design(None, 1, smallest=0.05)) == []
    pilot = measure_pilot([[0.1, 0.2], [0.3, 0.4]], [6.0] * 4, 4)
    assert pilot_words(pilot, Design(60, 1, 2, blocks=8, smallest=0.05)) == (
        "pilot: deviation 0.071 from training to training, 0.14 between 2 points; so few pairs tell it badly, and 0.15"
        " is assumed; this budget sees 0.24 between regions (8 fresh blocks), 0.47 at a point (60 pairs in 3 minutes);"
        " a difference of 0.05 takes 152 blocks for regions, 89 seeds for a point"
    )
    in_shares = pilot_words(pilot, Design(60, 1, 2, blocks=8, measure=SHARES))
    assert in_shares.startswith(
        "pilot: deviation 7.1 percentage points from training to training, 14 between 2 points;"
    )
    assert "%" not in in_shares, "what tells differences apart is in percentage points, all of it"
    assert "; so few trainings tell it badly" in pilot_words(pilot, Design(60, 1, 2, trained="trainings"))
    assert pilot_words(pilot.in_its_own_unit, Design(None, 1, 2, blocks=8, smallest=0.001)).endswith(
        "2.1 is assumed; this budget sees 3.4 between regions (8 fresh blocks); a difference of 0.001 takes over 10,000"
        " blocks for regions"
    )
