"""What an experiment has found: whether two models differ, and under which conditions. The keys of report.json.

The evidence of the search comes first (`comparator.evidence.regions`). It takes the points for independent, which they
are not wholly: the first replicates of all points share a seed, so that what a seed does to every point alike looks
like a difference. The runs that confirm have seeds of their own, and they decide: a difference that is not there
on fresh seeds, taken together over all points that were trained anew, is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comparator.report.trust import Record, Trust, observations_in

NONE = "none"
NOT_CONFIRMED = "the search saw a difference, but it is not there on fresh seeds"


def findings(experiment: Mapping[str, Any], records: Sequence[Record], trust: Trust) -> dict[str, Any]:
    """Return `verdict`, `regions` and `evidence`, the whole of what they rest on.

    `verdict` is `regions`, `everywhere` or `none`; all three are null for a single model, and where the points are
    those of a UPF or none gave a result.
    """
    observations = observations_in(records)
    if experiment.get("kind") != "cmp" or not experiment.get("space") or not observations:
        return {"verdict": None, "regions": None, "evidence": None}
    from comparator.evidence.regions import find_evidence  # scikit-learn, only where there is something to find
    from comparator.space import ParameterSpace

    space = ParameterSpace.from_entries(experiment["space"], "experiment.json")
    evidence = find_evidence(space, observations).to_json()
    if evidence["verdict"] != NONE and trust.holds is False:
        evidence = {**evidence, "verdict": NONE, "regions": [], "reason": NOT_CONFIRMED}
    return {"verdict": evidence["verdict"], "regions": evidence["regions"], "evidence": evidence}
