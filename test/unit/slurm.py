"""A Slurm cluster of several nodes on this one machine, for tests: its own munge, controller and node daemons.

Debian: apt install --no-install-recommends slurm-wlm munge. The daemons want root. Everything lives in one folder, and
the programs of Slurm find it by SLURM_CONF. The nodes' devices are files without a driver behind them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = ("sbatch", "slurmctld", "slurmd", "munged")
START_SECONDS = 120.0


def why_not() -> str | None:
    """Why there can be no cluster here; None where there can."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"not on the PATH: {', '.join(missing)} (Debian: slurm-wlm and munge)"
    return None if os.getuid() == 0 else "the daemons of Slurm want root"


@contextlib.contextmanager
def running_cluster(nodes: int, devices: int) -> Iterator[Cluster]:
    """A cluster for as long as the context lasts."""
    # Not under pytest's own folder, where the user munge may not look.
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder:
        started = Cluster(Path(folder), nodes=nodes, devices=devices)
        try:
            started.start()
            yield started
        finally:
            started.stop()


class Cluster:
    """`nodes` nodes, each of `devices` devices; `environment` is what its users need, and what a site says of it."""

    def __init__(self, folder: Path, nodes: int, devices: int) -> None:
        self._folder, self._nodes = folder, nodes
        self._processes: list[subprocess.Popen[bytes]] = []
        ports = _free_ports(1 + nodes)
        self._configure(devices, ports[0], ports[1:])
        self.environment = {
            "SLURM_CONF": str(folder / "slurm.conf"),
            "SITE_DEVICES": str(devices),
            "SITE_DIRECTIVES": f"--gres=gpu:{devices}",
        }

    def start(self) -> None:
        """Start the daemons and wait until every node is idle."""
        self._folder.chmod(0o755)
        munge = self._folder / "munge"
        command = ["munged", "--foreground", f"--key-file={munge}/key", f"--socket={munge}/socket"]
        command += [f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed", "--force"]
        self._start(["setpriv", "--reuid=munge", "--regid=munge", "--clear-groups", *command])
        self._start(["slurmctld", "-D", "-c"])
        for number in range(1, self._nodes + 1):
            self._start(["slurmd", "-D", "-c", "-N", f"n{number}"])
        deadline = time.monotonic() + START_SECONDS
        while self._states().count("idle") < self._nodes:
            assert time.monotonic() < deadline, f"nodes: {self._states()}; see {self._folder}/*.log"
            time.sleep(0.1)

    def stop(self) -> None:
        """Cancel all jobs, wait for their end, and end the daemons."""
        environment = {**os.environ, **self.environment}
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            subprocess.run(["scancel", "--user=root"], env=environment, capture_output=True)
            left = subprocess.run(["squeue", "--noheader"], env=environment, capture_output=True, text=True)
            if not left.stdout.strip():
                break
            time.sleep(0.2)
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def _start(self, command: list[str]) -> None:
        with (self._folder / f"{Path(command[-1]).name}-{len(self._processes)}.log").open("wb") as log:
            environment = {**os.environ, **self.environment}
            self._processes.append(subprocess.Popen(command, stdout=log, stderr=log, env=environment))

    def _states(self) -> list[str]:
        command = ["sinfo", "--noheader", "--Node", "--format=%t"]
        asked = subprocess.run(command, env={**os.environ, **self.environment}, capture_output=True, text=True)
        return asked.stdout.split()

    def _configure(self, devices: int, port: int, node_ports: list[int]) -> None:
        folder, host = self._folder, socket.gethostname().partition(".")[0]
        for name in ("state", "munge"):
            (folder / name).mkdir()
        (folder / "munge" / "key").write_bytes(os.urandom(1024))
        for path in (folder / "munge" / "key", folder / "munge"):
            shutil.chown(path, "munge", "munge")
        (folder / "munge" / "key").chmod(0o400)
        for number in range(devices):
            os.mknod(folder / f"device{number}", 0o020666, os.makedev(195, number))
        nodes = [
            f"NodeName=n{number} NodeHostname={host} NodeAddr=127.0.0.1 Port={node_port} CPUs=16 CoresPerSocket=16"
            f" Sockets=1 ThreadsPerCore=1 RealMemory=64000 Gres=gpu:{devices} State=UNKNOWN"
            for number, node_port in enumerate(node_ports, start=1)
        ]
        for number in range(1, len(nodes) + 1):
            (folder / f"spool.n{number}").mkdir()
        settings = [
            "ClusterName=test",
            f"SlurmctldHost={host}(127.0.0.1)",
            f"SlurmctldPort={port}",
            "CommunicationParameters=NoInAddrAny,NoCtldInAddrAny",
            "SlurmUser=root",
            "SlurmdUser=root",
            "AuthType=auth/munge",
            f"AuthInfo=socket={folder}/munge/socket",
            "CredType=cred/munge",
            f"StateSaveLocation={folder}/state",
            f"SlurmdSpoolDir={folder}/spool.%n",
            f"SlurmctldPidFile={folder}/slurmctld.pid",
            f"SlurmdPidFile={folder}/slurmd.%n.pid",
            "ProctrackType=proctrack/linuxproc",
            "TaskPlugin=task/none",
            "JobAcctGatherType=jobacct_gather/none",
            "MpiDefault=pmi2",
            "ReturnToService=2",
            "SlurmdParameters=config_overrides",
            "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_Core",
            "SchedulerParameters=sched_interval=1,bf_interval=1",
            "KillWait=2",
            "GresTypes=gpu",
            *nodes,
            "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP",
        ]
        (folder / "slurm.conf").write_text("\n".join(settings) + "\n")
        gres = f"AutoDetect=off\nNodeName=n[1-{len(nodes)}] Name=gpu File={folder}/device[0-{devices - 1}]\n"
        (folder / "gres.conf").write_text(gres)
        (folder / "cgroup.conf").write_text("CgroupPlugin=autodetect\nConstrainDevices=no\n")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
