"""A model that takes no time: its loss is a plain function of its hyperparameters and its seed."""

import random
import time


def initialize_parameters():
    return {
        "noise": 0.0,
        "size": 100,
        "side": "left",
        "rng_seed": 1,
        "jitter": 0.0,
        "sleep": 0.0,
        "behave": "well",
    }


def run(params):
    behave = params["behave"]
    print(f"side {params['side']} noise {params['noise']} size {params['size']}")
    if behave == "raise":
        raise RuntimeError("the model broke\nwith a second line")
    if behave == "hang":
        time.sleep(3600)
    if behave == "die":
        import os
        import signal

        os.kill(os.getpid(), signal.SIGKILL)
    if behave == "full":
        raise OSError(28, "No space left on device", "model.h5")
    if behave == "nan":
        return {"val_loss": float("nan")}
    if behave == "nonsense":
        return "as well as could be expected"
    if behave == "cut short":
        return {"val_loss": 0.5, "timed_out": 1}
    if behave == "nothing":
        return {}
    time.sleep(params["sleep"])
    slope = 0.004 if params["side"] == "left" else 0.002
    loss = 0.1 + slope * float(params["noise"]) + 1.0 / float(params["size"])
    jitter = params["jitter"] * random.Random(params["rng_seed"]).gauss(0.0, 1.0)
    return {"val_loss": [2 * loss, loss + jitter], "val_r2": 1.0 - loss, "seed": params["rng_seed"]}
