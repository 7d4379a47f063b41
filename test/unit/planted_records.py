"""Records of searches with a planted region, and what is found in them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recorded import as_read, make_experiment

from comparator.evidence.claims import Asked, find_claims
from comparator.evidence.paired import Observation, Paired
from comparator.experiment.controller.confirmation import by_point
from comparator.findings.summary import summarise
from comparator.findings.verdict import Findings, as_json, find
from comparator.report.answer import Answer, answer_of
from comparator.results.form import of_form
from comparator.results.frozen import FrozenExperiment
from comparator.space import ParameterSpace
from comparator.strategies.blocks import FIRST_FRESH

Point = dict[str, Any]
Line = dict[str, Any]
SPACE: list[dict[str, Any]] = [
    {"name": "noise", "type": "float", "lower": 0, "upper": 50},
    {"name": "activation", "type": "categorical", "element_type": "string", "values": ["relu", "tanh", "elu"]},
]
SEARCH = {"strategy": "random", "find": "maximum", "evaluations": 60, "seed": 1}
VARIANCES = 0.02, 0.04  # of the labels: so that the loss calls one model better, the loss over the variance the other


def experiment_of(**changes: Any) -> dict[str, Any]:
    settings = {"model": "cmp", "search": SEARCH, "cmp": {"metric": "val_loss", "difference": "relative"}}
    return make_experiment(**{"space": SPACE, "settings": settings, **changes})


def frozen_of(**changes: Any) -> FrozenExperiment:
    return of_form(FrozenExperiment, experiment_of(**changes), "experiment.json")


def in_region(point: Point) -> float:
    """Return the planted difference: large where there is little noise, with two of three activations."""
    return 0.5 if point["noise"] < 20 and point["activation"] != "elu" else 0.15


def metrics_of(loss: float, submodel: int) -> dict[str, float]:
    scaled = loss / VARIANCES[submodel]
    return {"val_loss": loss, "val_loss_over_variance": scaled, "val_r2": 1 - scaled}


def record_of(number: int, point: Point, differences: list[float], stage: str = "search", **changes: Any) -> Line:
    """Return the record of a point with these signed relative differences, one a seed: V1 is the larger of the two."""
    runs = []
    for replicate, difference in enumerate(differences, start=1000 if stage == "confirm" else 0):
        losses = 0.01 * (1 - max(0.0, -difference)), 0.01 * (1 - max(0.0, difference))
        for submodel, loss in enumerate(reversed(losses)):
            runs.append(
                {
                    "submodel": submodel,
                    "replicate": replicate,
                    "seed": 1 + replicate,
                    "run": f"{number}-{replicate}-{submodel}",
                    "status": "ok",
                    "metrics": metrics_of(loss, submodel),
                    "reused": False,
                    "log": f"runs/{number}-{replicate}-{submodel}/model.log",
                    **({"split": replicate} if stage == "confirm" else {}),
                }
            )
    return {
        "evaluation": number,
        "stage": stage,
        "generation": None,
        "point": point,
        "status": "ok",
        "value": -sum(map(abs, differences)) / len(differences),
        "signed": differences,
        "deviation": None,
        "interval": None,
        "started": f"2026-11-23T05:{number % 60:02d}:00.000Z",
        "seconds": 4.0,
        "worker": "local/0",
        "asked": [
            {
                "replicate": run["replicate"],
                "started": f"2026-11-23T05:{number % 60:02d}:00.000Z",
                "seconds": 4.0,
                "worker": "local/0",
                "reused": False,
            }
            for run in runs[::2]
        ],
        "runs": runs,
        "reason": None,
        **changes,
    }


def records_of(truth: Callable[[Point], float], count: int = 60, noise: float = 0.03) -> list[Line]:
    rng = random.Random(4)
    records = []
    for number in range(count):
        point = {"noise": rng.uniform(0, 50), "activation": rng.choice(["relu", "tanh", "elu"])}
        records.append(record_of(number, point, [truth(point) + rng.gauss(0, noise)]))
    return records


def tried_anew(records: list[Line], truth: Callable[[Point], float], noise: float = 0.03) -> dict[str, Any]:
    """Add what eight fresh blocks give for what these records claim; returns the claims, for the experiment."""
    rng, space = random.Random(5), ParameterSpace.from_entries(SPACE, "test")
    observations = [Observation(record["point"], record["signed"]) for record in records if record["signed"]]
    best = [(record["point"], record["value"]) for record in records if record["status"] == "ok"]
    asked = Asked(points=2, blocks=8, regions=True, elsewhere=True)
    claims = find_claims(space, Paired.of(observations), best, asked)
    for claim in claims:
        for point, blocks in by_point(claim):
            signed = [truth(point) + rng.gauss(0, noise) for _ in blocks]
            fresh = record_of(len(records), point, signed, "confirm", claim=claim.name, blocks=blocks)
            for run in fresh["runs"]:
                run["replicate"] += blocks[0] - FIRST_FRESH
                run["block"] = run["replicate"]
            records.append(fresh)
    return {"claims": [claim.as_json() for claim in claims]}


def findings_of(records: list[Line], **changes: Any) -> tuple[dict[str, Any], Findings, list[str]]:
    """Return the keys of report.json, the findings, and the answer's sentences."""
    experiment, read = frozen_of(**changes), as_read(records)
    summary = summarise(experiment, read)
    found = find(experiment, read, summary)
    return as_json(found), found, answer_of(experiment, summary, found).lines


def answer_to(records: list[Line], **changes: Any) -> Answer:
    experiment, read = frozen_of(**changes), as_read(records)
    summary = summarise(experiment, read)
    return answer_of(experiment, summary, find(experiment, read, summary))


def content_of(folder: Path, name: str = "report.json") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / name).read_text())
    return content
