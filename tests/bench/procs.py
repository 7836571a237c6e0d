# SPDX-License-Identifier: ISC
"""Processes: what they used, and ending those that were started here."""
import ctypes
import os
import pathlib
import signal
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def _stat(pid):
    """The fields of /proc/PID/stat from the state on, or None when the process is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def tree(pid):
    """pid and its descendants."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = _stat(entry)
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(entry))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def _clock(pid):
    """The process's CPU clock, all threads, those that have ended too; finer than /proc's ticks."""
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0.0


class Usage:
    """CPU seconds of processes: exact in total, from /proc/PID/stat in user and system parts."""

    def __init__(self, pids):
        stats = [s for s in map(_stat, pids) if s]
        self.user, self.system, reaped_user, reaped_system = (
            sum(int(s[field]) for s in stats) / TICK for field in (11, 12, 13, 14))
        self.total = sum(map(_clock, pids)) + reaped_user + reaped_system
        self.user += reaped_user
        self.system += reaped_system

    def since(self, before):
        return {"cpu": self.total - before.total, "user": self.user - before.user,
                "system": self.system - before.system}


def settled(pids, at_most=2.0):
    """Usage once it has stopped growing: what the work left to do is part of the work."""
    deadline = time.monotonic() + at_most
    last = Usage(pids)
    while time.monotonic() < deadline:
        time.sleep(0.02)
        now = Usage(pids)
        if now.total - last.total < 0.0002:
            return now
        last = now
    return last


def memory(pids):
    """Octets of private dirty and of resident memory, and how many descriptors there are."""
    private = resident = descriptors = 0
    for pid in pids:
        descriptors += len(os.listdir(f"/proc/{pid}/fd"))
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in ("Private_Dirty", "Swap"):
                private += int(value.split()[0]) * 1024
            elif name == "Rss":
                resident += int(value.split()[0]) * 1024
    return {"private": private, "rss": resident, "descriptors": descriptors}


def pin(cpus):
    """For subprocess's preexec_fn: where to run, and not to outlive us."""
    def prepare():
        os.sched_setaffinity(0, cpus)
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    return prepare


def stop(process, pids):
    """Ends a process we started and what it started; asks first."""
    process.terminate()
    try:
        process.wait(0.5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in pids:
        if pid != process.pid and _is_ours(pid, process.pid):
            os.kill(pid, signal.SIGKILL)


def _is_ours(pid, session):
    """Whether this process still is one of the session that we started."""
    fields = _stat(pid)
    return fields is not None and fields[0] != "Z" and int(fields[3]) == session
