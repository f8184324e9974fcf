"""A real SLURM cluster of one node for the tests: its daemons in a folder of their own.

Needs root and Debian's packages slurm-wlm and munge (scripts/setup.sh --dev installs them).
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "scancel")

CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld}
SlurmdPort={slurmd}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0
ReturnToService=2
SlurmdTimeout=10
InactiveLimit=0
KillWait=10
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=60 OverTimeLimit=0 State=UP
"""


def why_not() -> str | None:
    """The reason why SLURM cannot be started here, None if it can."""
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        return f"not installed: {', '.join(missing)}"
    return None if os.geteuid() == 0 else "needs root to start munged and slurmd"


class Cluster:
    """A context manager. `environment` makes SLURM's commands talk to the cluster."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}
        self.daemons: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> Cluster:
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        host = socket.gethostname().split(".")[0]
        ctld, slurmd = free_ports(2)
        (self.folder / "slurm.conf").write_text(
            CONF.format(folder=self.folder, host=host, ctld=ctld, slurmd=slurmd)
        )
        self._start_munged()
        self.start("slurmctld", "-D")
        self.start("slurmd", "-D")
        self._wait_until(lambda: "idle" in self.run("sinfo", "-h", "-o", "%T"), 60)
        return self

    def __exit__(self, *_: object) -> None:
        self.run("scancel", "--user=root", "--signal=KILL", check=False)
        for daemon in reversed(self.daemons.values()):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(15)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def _start_munged(self) -> None:
        """Start munged as its own user: it refuses root, and folders that others can write."""
        user = pwd.getpwnam("munge")
        for parent in [*reversed(self.folder.parents), self.folder]:
            if parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)
        home = self.folder / "munge"
        home.mkdir()
        (home / "key").write_bytes(os.urandom(1024))
        (home / "key").chmod(0o400)
        for path in (home, home / "key"):
            os.chown(path, user.pw_uid, user.pw_gid)
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        command = [
            "munged",
            "--foreground",
            "--force",
            f"--socket={self.folder}/munge.socket",
            f"--key-file={home}/key",
            f"--pid-file={home}/pid",
            f"--log-file={home}/log",
            f"--seed-file={home}/seed",
        ]
        self.daemons["munged"] = subprocess.Popen(
            command, user=user.pw_uid, group=user.pw_gid, stderr=subprocess.DEVNULL
        )
        self._wait_until(lambda: (self.folder / "munge.socket").exists(), 20)

    def start(self, name: str, *options: str) -> None:
        output = (self.folder / f"{name}.out").open("a")
        self.daemons[name] = subprocess.Popen(
            [name, *options],
            env=self.environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        output.close()

    def restart_slurmd(self, *, with_jobs: bool) -> None:
        """Kill slurmd and start it again; `with_jobs` kills its jobs too, as a power cut does."""
        doomed = [self.daemons["slurmd"].pid, *(self._of_jobs() if with_jobs else ())]
        for process in doomed:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.daemons["slurmd"].wait()
        self.start("slurmd", "-D")

    def _of_jobs(self) -> list[int]:
        """Return the processes of this cluster's jobs, the daemon of each step first."""
        steps, works = [], []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command, environment = (
                    (folder / "cmdline").read_bytes(),
                    (folder / "environ").read_bytes(),
                )
            except OSError:  # it has just ended
                continue
            if command.startswith(b"slurmstepd: ["):
                steps.append(int(folder.name))
            elif b"\0SLURM_JOB_ID=" in environment and str(self.folder).encode() in environment:
                works.append(int(folder.name))
        return steps + works

    def run(self, *command: str, check: bool = True, **more: str) -> str:
        done = subprocess.run(
            command, env=self.environment | more, capture_output=True, text=True, timeout=60
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def states(self) -> dict[str, str]:
        """Return the state of each job and array element by id such as "3" or "3_0"."""
        listed = self.run(
            "squeue", "--all", "--array", "--noheader", "--states=all", "--format=%i %T"
        )
        return dict(line.split() for line in listed.splitlines())

    def wait_for(self, *jobs: str, seconds: float = 300) -> None:
        """Until all jobs, with all their array elements, have ended."""
        over = {
            "COMPLETED",
            "FAILED",
            "CANCELLED",
            "TIMEOUT",
            "NODE_FAIL",
            "OUT_OF_MEMORY",
            "PREEMPTED",
        }

        def ended() -> bool:
            states = {
                job: state for job, state in self.states().items() if job.split("_")[0] in jobs
            }
            return set(states.values()) <= over

        self._wait_until(ended, seconds)

    def _wait_until(self, condition, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                logs = "\n".join(
                    f"{path.name}: {path.read_text()[-1500:]}"
                    for path in sorted(self.folder.glob("*.log"))
                )
                raise TimeoutError(
                    f"not within {seconds} s\n{logs}\n{self.run('squeue', '--all', check=False)}"
                )
            time.sleep(0.2)


def free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
