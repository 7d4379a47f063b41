"""A model that reports which device it was given, by the variable that binds it."""

import os
import time


def initialize_parameters():
    return {"noise": 0.0, "size": 100, "side": "left", "rng_seed": 1, "sleep": 0.0}


def run(params):
    time.sleep(params["sleep"])
    device = float(os.environ.get("CUDA_VISIBLE_DEVICES") or -1)
    own_loss = 1 + params["noise"] / 100 + params["size"] / 1000 + (params["side"] == "right")
    of_the_rank = any(name.startswith(("PMI_", "SLURM_PROCID", "ADLB_")) for name in os.environ)
    return {"val_loss": own_loss, "device": device, "taken": time.time(), "is_a_rank": float(of_the_rank)}
