# SPDX-License-Identifier: ISC
"""What the measurements were made on, and who else was busy there."""
import os
import pathlib
import platform
import resource
import subprocess


def _read(path, otherwise="unknown"):
    try:
        return pathlib.Path(path).read_text().strip()
    except OSError:
        return otherwise


def _cpu_model():
    for line in _read("/proc/cpuinfo", "").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def describe(cpus):
    memory = next((line.split()[1] for line in _read("/proc/meminfo", "").splitlines()
                   if line.startswith("MemTotal")), "0")
    system = dict(line.split("=", 1) for line in _read("/etc/os-release", "").splitlines() if "=" in line)
    openssl = subprocess.run(["openssl", "version"], capture_output=True, text=True).stdout.strip()
    return {
        "CPU": f"{_cpu_model()}, {len(cpus)} usable",
        "virtual": "yes" if "hypervisor" in _read("/proc/cpuinfo", "").split() else "no",
        "memory": f"{int(memory) / 1024 / 1024:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "system": system.get("PRETTY_NAME", "unknown").strip('"'),
        "congestion control": _read("/proc/sys/net/ipv4/tcp_congestion_control") +
        " for the proxies unless they set their own; the load has cubic",
        "OpenSSL": openssl,
    }


def _busy():
    """CPU seconds the machine has worked: all but idle and iowait; not guests' twice."""
    fields = [int(n) for n in _read("/proc/stat").splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def _ours():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


class Others:
    """How busy the machine was with things that are no part of the benchmark."""

    def __init__(self):
        self.busy, self.ours = _busy(), _ours()

    def share(self, seconds):
        """Percent of one CPU over the time since."""
        return max(0.0, _busy() - self.busy - (_ours() - self.ours)) / seconds * 100
