"""A model that takes several trainings together, and writes down how many each call has had."""

import os
import random
import signal
import threading
import time
from pathlib import Path


def initialize_parameters():
    return {
        "noise": 0.0,
        "size": 100,
        "side": "left",
        "rng_seed": 1,
        "jitter": 0.0,
        "behave": "well",
        "logfile": "",
    }


def run(params):
    note(params, 1)
    return train(params)


def run_many(params_list):
    note(params_list[0], len(params_list))
    print(f"{len(params_list)} together")
    behaviours = [params["behave"] for params in params_list]
    if "decline late" in behaviours:
        Path("half.done").touch()
        raise NotImplementedError("an operation is missing on this device")
    if "decline together" in behaviours:
        raise NotImplementedError("no device is seen")
    if "no list together" in behaviours:
        return {"val_loss": 0.5}
    if "too few together" in behaviours:
        return [train(params) for params in params_list[1:]]
    if "raise together" in behaviours:
        Path("half.done").touch()
        raise MemoryError("too many for this device")
    if "hang together" in behaviours:
        threading.Event().wait()
    while "wait together" in behaviours and not Path(params_list[0]["logfile"] + ".go").exists():
        time.sleep(0.01)
    returned = []
    for params in params_list:
        try:
            returned.append(train(params))
        except Exception as error:
            returned.append(error)
    return returned


def note(params, runs):
    if params["logfile"]:
        with Path(params["logfile"]).open("a") as calls:
            calls.write(f"{params['side']} {runs}\n")


def train(params):
    behave = params["behave"]
    if behave == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if behave == "wait":
        while not Path(params["logfile"] + ".go").exists():
            time.sleep(0.01)
    if behave == "raise":
        raise RuntimeError("this one broke")
    if behave == "hang":
        threading.Event().wait()
    if behave == "nonsense":
        return "as well as could be expected"
    if Path("half.done").exists():
        raise FileExistsError("half.done")
    slope = 0.004 if params["side"] == "left" else 0.002
    loss = 0.1 + slope * float(params["noise"]) + 1.0 / float(params["size"])
    loss += params["jitter"] * random.Random(params["rng_seed"]).gauss(0.0, 1.0)
    return {"val_loss": [2 * loss, loss], "val_r2": 1.0 - loss}
