"""A UPF whose lines say themselves what runs, by a `candle_image` each, as those of CANDLE's cmp-cv workflow do.

```
{"id": "RUN000", "epochs": 1, "model_name": "DrugCell", "candle_image": "images/DrugCell.sif"}
{"id": "RUN001", "epochs": 1, "model_name": "SWnet", "candle_image": "images/SWnet.sif"}
```

Each line is a training of its own model: an image, or whatever else names a model, by a path from the file's folder.
The experiment has all of these, and its points say which by a `model_name`: that of the lines, where it tells the
models apart, else the image's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.experiment.freezing.of_the_workflow import IMAGE, NAME
from comparator.experiment.plan import Plan
from comparator.formats.text import shown
from comparator.formats.upf import Line, doubt_ids, read_upf
from comparator.results.frozen import MODEL, Budget

#: Plans the lines of one model.
PlanLines = Callable[[Sequence[Line], str], Plan]


def plan_lines_of_models(file: Path, plan_lines: PlanLines) -> Plan:
    """One plan for all lines of a UPF; raises `InputError`, also where a line says no model."""
    lines = read_upf(file)
    images = _images(lines, file)
    different = list(dict.fromkeys(images))
    if len({line.hyperparameters[IMAGE] for line in lines}) == 1:
        return plan_lines(lines, different[0])
    labels = _labels(lines, images)
    plans = {image: plan_lines(_lines_of(image, lines, images), image) for image in different}
    frozen = {labels[image]: plan.frozen for image, plan in plans.items()}
    first = plans[different[0]]
    metric = first.frozen.metric
    if len({each.metrics[metric].kind for each in frozen.values() if metric in each.metrics}) > 1:
        raise InputError(f"{file}: metric = '{metric}' is an error to one model, a score to another")
    notices = [notice for plan in plans.values() for notice in plan.frozen.notices]
    merged = first.noting(
        title=f"{', '.join(frozen)}: {metric} ({file.name})",
        hyperparameters={},
        upf=[
            (line.identifier, {MODEL: labels[image], **_point(line)}) for line, image in zip(lines, images, strict=True)
        ],
        models=[
            each.models[0].model_copy(update={"submodel": number, "label": label})
            for number, (label, each) in enumerate(frozen.items())
        ],
        metrics={name: metric for each in frozen.values() for name, metric in each.metrics.items()},
        budget=Budget(evaluations=len(lines), generations=None),
        notices=list(dict.fromkeys([*doubt_ids(lines, str(file)), *notices])),
    )
    return Plan(merged.frozen, None, [plan.models[0] for plan in plans.values()], merged.objective)


def _images(lines: Sequence[Line], file: Path) -> list[str]:
    """What each line runs; one that is written in several ways as it is first."""
    found: list[str] = []
    first: dict[Path, str] = {}
    for line in lines:
        image = line.hyperparameters.get(IMAGE)
        if not isinstance(image, str) or not image:
            said = "has none" if image is None else f"has {shown(image)}, which is no path"
            raise InputError(
                f"{file}: a bare UPF needs --model MODEL (a folder, a Python file, or cmp), or in each line what runs,"
                f" as '{IMAGE}'; line '{line.identifier}' {said}"
            )
        found.append(first.setdefault((file.parent / image).resolve(), image))
    return found


def _labels(lines: Sequence[Line], images: Sequence[str]) -> dict[str, str]:
    """What each model is called: as its lines do, else after its file, else by its whole path."""
    names: dict[str, set[str]] = {image: set() for image in images}
    for line, image in zip(lines, images, strict=True):
        names[image].add(str(line.hyperparameters.get(NAME, "")))
    by_lines = {image: next(iter(own)) for image, own in names.items() if len(own) == 1}
    for labels in (by_lines, {image: Path(image).stem for image in names}):
        if len(set(labels.values()) - {""}) == len(names):
            return labels
    return {image: image for image in names}


def _lines_of(image: str, lines: Sequence[Line], images: Sequence[str]) -> list[Line]:
    """The lines of one model, without the names that say what runs; the file says of all whether they have ids."""
    return [Line(line.identifier, _point(line)) for line, other in zip(lines, images, strict=True) if other == image]


def _point(line: Line) -> dict[str, Any]:
    """The hyperparameters of a line."""
    return {name: value for name, value in line.hyperparameters.items() if name not in (NAME, IMAGE)}
