"""Lines that are fitted by gradient descent, many at once: each has its own points, and the loss that it has alone."""

import os

import numpy as np


def run(params):
    print("alone")
    (metrics,) = fit([params])
    return metrics


def run_many(params, logs):
    print("together")
    for each, log in zip(params, logs, strict=True):
        print(f"seed {each['rng_seed']}", file=log)
    behave = {each.get("behave") for each in params}
    if "raise together" in behave:
        raise RuntimeError("cannot be stacked")
    if "die together" in behave:
        os._exit(3)
    if "hang together" in behave:
        import time

        time.sleep(3600)
    if "one less" in behave:
        params = params[1:]
    kept = [each for each in params if each.get("behave") != "refuse together"]
    metrics = iter(fit(kept))
    return [next(metrics) if each in kept else ValueError("not with others") for each in params]


def fit(params):
    draws = [np.random.default_rng(each["rng_seed"]).normal(size=(2, 50)) for each in params]
    x, noise = np.stack(draws, axis=1)
    y = 2.0 * x + np.array([[each.get("noise", 0.0)] for each in params]) * noise
    slopes = np.zeros((len(params), 1))
    history = []
    for _ in range(5):
        slopes -= 0.1 * np.mean((slopes * x - y) * x, axis=1, keepdims=True)
        history.append(np.mean((slopes * x - y) ** 2, axis=1))
    losses = np.array(history)
    if any(each.get("behave") == "diverge" for each in params):
        losses[:, [each.get("behave") == "diverge" for each in params]] = np.nan
    return [{"val_loss": list(losses[:, number])} for number in range(len(params))]
