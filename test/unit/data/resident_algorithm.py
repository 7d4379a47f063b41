"""An algorithm in the style that EMEWS workflows have: blocking, module-level state, `;` between points."""

import json

import eqpy

best: tuple = ()


def evaluate(points: list) -> list:
    eqpy.OUT_put(";".join(json.dumps(point) for point in points))
    return [float(token) for token in eqpy.IN_get().split(";")]


def run() -> None:
    global best
    eqpy.OUT_put("Params")
    generations, width, label = eval(eqpy.IN_get())
    centre = 0.0
    for _ in range(generations):
        points = [{"x": centre + step, "label": label} for step in range(-width, width + 1)]
        values = evaluate(points)
        best = min((value, point["x"]) for value, point in zip(values, points, strict=True))
        centre = best[1]
    eqpy.OUT_put("DONE")
    eqpy.OUT_put(json.dumps(best))
    eqpy.OUT_put("a last word")
