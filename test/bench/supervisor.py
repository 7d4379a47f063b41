"""What an evaluation costs in CANDLE/Supervisor's own workflow, and in this one; needs swift-t on the PATH.

    python test/bench/supervisor.py SUPERVISOR ENVIRONMENT

SUPERVISOR is a clone of github.com/ECP-CANDLE/Supervisor, ENVIRONMENT a folder with bin/python, TensorFlow and
candle_lib, of the Python that Swift/T was built with. Both evaluate Supervisor's own model of one hyperparameter
(models/OneD, which imports TensorFlow and computes next to nothing) at every line of one UPF, on four ranks:

app        its workflow as its sites Polaris and lambda7 have it: a shell and a Python for each line
py         its workflow as Frontier and Summit have it: in the Python of each rank
comparator `comparator sweep` of the same files, which are not changed

Prints wall seconds an evaluation: what a long UPF takes more than a short one, by the lines that it has more.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RANKS = 4
SERVING = 2  # of ours: the resident rank and the server; of theirs the server alone
LINES = {"app": (3, 12), "py": (200, 1400), "comparator": (200, 1400)}
ROUNDS = 2
LONGEST_SECONDS = 600.0

ENVIRONMENT = """
export PYTHONPATH=$WORKFLOWS_ROOT/common/python:{packages}:${{PYTHONPATH:-}}
CANDLE_MODEL_IMPL={how}
"""
EXPERIMENT = """
model = "{model}"
python = "{python}"
upf = "{upf}"
metric = "val_loss"
"""


def main() -> None:
    supervisor, environment = (Path(word).resolve() for word in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for each in range(ROUNDS):
            for how, lines in LINES.items():
                short, long = (
                    seconds(how, supervisor, environment, upf_of(folder, count), folder / f"{each}-{how}-{count}")
                    for count in lines
                )
                print(f"{how:12}{(long - short) / (lines[1] - lines[0]):9.4f} s an evaluation", flush=True)


def upf_of(folder: Path, count: int) -> Path:
    upf = folder / f"{count}.txt"
    points = (json.dumps({"id": f"RUN{number:04}", "x": 20 * number / count - 10}) + "\n" for number in range(count))
    upf.write_text("".join(points))
    return upf


def seconds(how: str, supervisor: Path, environment: Path, upf: Path, folder: Path) -> float:
    """Wall seconds from the command to its last result."""
    folder.mkdir()
    if how == "comparator":
        return ours(supervisor, environment, upf, folder)
    return theirs(how, supervisor, environment, upf, folder)


def ours(supervisor: Path, environment: Path, upf: Path, folder: Path) -> float:
    experiment = folder / "sweep.toml"
    model = supervisor / "models" / "OneD" / "oned_baseline_keras2.py"
    experiment.write_text(EXPERIMENT.format(model=model, python=environment, upf=upf))
    command = [sys.executable, "-m", "comparator", "sweep", str(experiment), "--engine", "swift-t", "--no-report"]
    command += ["--workers", str(RANKS - SERVING), "--experiments", str(folder / "experiments")]
    began = time.monotonic()
    subprocess.run(command, env=variables(environment, folder), check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def theirs(how: str, supervisor: Path, environment: Path, upf: Path, folder: Path) -> float:
    workflow = supervisor / "workflows" / "upf"
    packages = next(environment.glob("lib/python3*/site-packages"))
    (folder / "env-bench.sh").write_text(ENVIRONMENT.format(packages=packages, how=how))
    (folder / "sched-bench.sh").write_text("MACHINE=''\n")
    (folder / "langs-app-bench.sh").write_text(f"PATH={environment}/bin:$PATH\n")
    (folder / "cfg.sh").write_text(f"export PROCS={RANKS} PPN={RANKS} TURBINE_RESIDENT_WORK_WORKERS=0\n")
    given = {
        **variables(environment, folder),
        "PATH": f"{environment}/bin{os.pathsep}{os.environ['PATH']}",
        "SUPERVISOR_PATH": str(folder),
        "EMEWS_PROJECT_ROOT": str(workflow),
        "CANDLE_MODEL_TYPE": "BENCHMARKS",
        "MODEL_NAME": "oned",
        "OBJ_RETURN": "val_loss",
    }
    command = [str(workflow / "swift" / "workflow.sh"), "bench", f"bench{time.time_ns()}", str(folder / "cfg.sh")]
    began = time.monotonic()
    with subprocess.Popen(
        [*command, str(upf)], env=given, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        assert running.stdout is not None
        try:
            for line in running.stdout:
                assert time.monotonic() - began < LONGEST_SECONDS
                if line.startswith("WORKFLOW RESULT"):  # its ranks have been seen to hang when they end
                    return time.monotonic() - began
        finally:
            os.killpg(running.pid, signal.SIGKILL)
    raise SystemExit(f"{how}: the workflow has ended without a result")


def variables(environment: Path, folder: Path) -> dict[str, str]:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    quiet = {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "HOME": str(folder), "CANDLE_DATA_DIR": str(data)}
    return {**os.environ, **quiet}


if __name__ == "__main__":
    main()
