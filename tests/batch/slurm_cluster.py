"""A Slurm cluster of one node on this machine: its own munge, slurmctld and slurmd, all that they write in one folder.

The node claims the cores, the memory and the GPUs that it is told. Nothing is limited by cgroups, so it runs in a container
too, as any user. Debian: slurmctld slurmd slurm-client munge.
"""

import contextlib
import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "squeue", "scancel", "sinfo", "scontrol")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random")
"""Stand-ins for GPUs: Slurm wants devices, whichever, and calls them 0 to 3."""
CONFIGURATION = """\
ClusterName=pruning-book
SlurmctldHost={node}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={controller_port}
SlurmdPort={node_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
ReturnToService=2
SchedulerParameters=sched_interval=2,bf_interval=2,defer_batch
KillWait=3
NodeName={node} NodeHostname={node} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={megabytes} Gres=gpu:{gpus} State=UNKNOWN
PartitionName=all Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""


def missing_programs() -> list[str]:
    """List the programs of Slurm and munge that this machine lacks."""
    return [name for name in PROGRAMS if _program(name) is None]


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def version() -> tuple[int, ...]:
    """Return Slurm's version: (22, 5, 8)."""
    said = subprocess.run(
        [_program("slurmctld") or "slurmctld", "-V"], capture_output=True, text=True, check=True
    ).stdout
    return tuple(int(part) for part in re.findall(r"\d+", said)[:3])


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait until something is so; an AssertionError says what did not come."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"waited {seconds:g} s for this: {what}"
        time.sleep(0.1)


@dataclass
class Cluster:
    """One node that runs. `environment` is what a process needs to use it."""

    folder: Path
    environment: dict[str, str]
    daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *options: str) -> None:
        """Start a daemon in the foreground of a process group of its own."""
        program = _program(name)
        assert program is not None, f"{name} is not installed"
        with (self.folder / f"{name}.log").open("ab") as log:
            self.daemons[name] = subprocess.Popen(
                [program, *options], env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def start_node(self) -> None:
        """Start slurmd, also after it was killed, and wait until the controller can use it."""
        self.start("slurmd", "-D", "-N", socket.gethostname().split(".")[0])
        ready = ("idle", "mixed", "allocated")
        wait_for(lambda: self.ask("sinfo", "--noheader", "--format=%T").strip() in ready, "the node is ready")

    def ask(self, *command: str) -> str:
        """Run a command of Slurm's and return what it prints, also if it fails."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout + done.stderr

    def jobs(self, state: str = "all") -> list[str]:
        """List the numbers of the jobs in a state: running, pending, cancelled..."""
        return self.ask("squeue", "--noheader", "--format=%i", f"--states={state}").split()

    def steps(self) -> dict[str, int]:
        """Return the process of each step that runs: its name, `7.0` or `7.batch`, and the number of its slurmstepd."""
        listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
        parents = {int(process): int(parent) for process, parent in re.findall(r"(\d+) +(\d+) .*", listed)}
        own = {parents.get(process) for process in self.processes()}  # those of another cluster have the same names
        found = re.findall(r"(\d+) +\d+ slurmstepd: \[([\w.]+)\]", listed)
        return {step: int(process) for process, step in found if int(process) in own}

    def logs(self, letters: int = 3000) -> str:
        """Return the end of what each daemon has written."""
        files = [file for name in self.daemons if (file := self.folder / f"{name}.log").exists()]
        return "\n".join(f"{file.name}:\n{file.read_text(errors='replace')[-letters:]}" for file in files)

    def stop(self) -> None:
        """End all jobs, then the daemons, whatever state they are in."""
        if jobs := self.jobs("running,pending,completing"):
            self.ask("scancel", *jobs)
            with contextlib.suppress(AssertionError):
                wait_for(lambda: not self.jobs("running,pending,completing"), "the jobs are gone", 20)
        for process in [*self.steps().values(), *self.processes()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        for daemon in self.daemons.values():
            daemon.wait()

    def processes(self) -> list[int]:
        """List what was started for the cluster or in it and runs: whatever has its folder in its environment."""
        found = []
        for environment in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if bytes(self.folder) in environment.read_bytes():
                    found.append(int(environment.parent.name))
        return found


@contextlib.contextmanager
def slurm_cluster(cores: int = 8, megabytes: int = 64_000, gpus: int = 2) -> Iterator[Cluster]:
    """Run a cluster of one node until the block ends; then nothing of it is left.

    Args:
        cores, megabytes, gpus: what the node claims to have, whatever the machine has; at most four GPUs.

    Yields:
        The cluster, its node ready.
    """
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # short: sockets have paths of 108 letters at most
    for name in ("state", "spool"):
        (folder / name).mkdir()
    node = socket.gethostname().split(".")[0]
    (folder / "slurm.conf").write_text(
        CONFIGURATION.format(
            folder=folder,
            node=node,
            user=getpass.getuser(),
            controller_port=_free_port(),
            node_port=_free_port(),
            cores=cores,
            megabytes=megabytes,
            gpus=gpus,
        )
    )
    devices = "".join(f"NodeName={node} Name=gpu File={device}\n" for device in DEVICES[:gpus])
    (folder / "gres.conf").write_text(f"AutoDetect=off\n{devices}")
    plugin = "disabled" if version() >= (23, 11) else "cgroup/v1"  # of which nothing is used
    (folder / "cgroup.conf").write_text(f"CgroupPlugin={plugin}\n")
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    configuration = str(folder / "slurm.conf")
    # the plugin's jobs start srun without SLURM_CONF, since a cluster's configuration is where all programs look for it
    wrapped = folder / "bin" / "srun"
    wrapped.parent.mkdir()
    wrapped.write_text(f'#!/bin/sh\nSLURM_CONF={configuration} exec {_program("srun")} "$@"\n')
    wrapped.chmod(0o755)
    path = f"{wrapped.parent}:{os.environ.get('PATH', '')}"
    cluster = Cluster(folder, os.environ | {"SLURM_CONF": configuration, "PATH": path})
    try:
        munge = {
            "socket": "munge.socket",
            "key-file": "munge.key",
            "pid-file": "munged.pid",
            "seed-file": "munged.seed",
        }
        cluster.start(
            "munged", "--foreground", "--force", *(f"--{name}={folder / file}" for name, file in munge.items())
        )
        wait_for((folder / "munge.socket").exists, "munged listens")
        cluster.start("slurmctld", "-D", "-i")
        cluster.start_node()
        yield cluster
    except AssertionError as error:
        error.add_note(cluster.logs())
        raise
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
