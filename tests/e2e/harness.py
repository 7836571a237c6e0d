# SPDX-License-Identifier: ISC
"""The daemon under test: started, asked, stopped, and its word compared with what happened."""
import ctypes
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import time

import peers

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SPLICED = os.environ.get("SPLICED") or str(REPOSITORY / "build" / "spliced")
SLOW = float(os.environ.get("SPLICED_SLOW", "1"))
WRAPPER = shlex.split(os.environ.get("SPLICED_WRAPPER", ""))
DEADLINE = 20.0 * SLOW
# A call of the kernel that the sandbox does not know ends the daemon, and fails the test. A wrapper makes calls of its
# own.
SANDBOX = "off" if WRAPPER else "strict"
# A sanitizer or a wrapper such as valgrind has memory of its own.
INSTRUMENTED = bool(WRAPPER) or (os.path.exists(SPLICED) and b"__asan_init" in pathlib.Path(SPLICED).read_bytes())

SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:|"
                       r"ThreadSanitizer|: Assertion .* failed")

REASONS = set("""end client-reset upstream-reset client-truncated upstream-truncated client-tls-failed
    upstream-tls-failed connect-refused connect-timeout connect-failed resolve-failed no-upstream
    proxy-refused handshake-timeout idle-timeout half-close-timeout write-timeout max-lifetime denied
    limit bad-proxy-header no-route killed drained shutdown resource internal""".split())

# Every field of a record, and what may stand in it. None: the field may be missing or null.
FIELDS = {
    "id": (str, int), "service": str, "listen": str, "client": str, "local": (str, None),
    "upstream": (str, None), "started": (str, int, float), "duration_ms": (int, float),
    "connect_ms": (int, float, None), "handshake_ms": (int, float, None), "bytes_up": int,
    "bytes_down": int, "half_closed_ms": (int, float, None), "ended_by": str, "reason": str,
    "detail": (str, None), "path": (str, None), "tls": (dict, None), "connect_tls": (dict, None),
    "attempts": (list, None),
}


# -- configurations ------------------------------------------------------------------------------


class Raw(str):
    """Text for a configuration, as it is."""


def value_text(value, depth=0):
    pad = "    " * (depth + 1)
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, pathlib.Path):
        return value_text(str(value), depth)
    if isinstance(value, dict):
        inside = "".join(f"{pad}{name}{': ' if isinstance(v, dict) else ' = '}{value_text(v, depth + 1)}\n"
                         for name, v in value.items())
        return "{\n" + inside + "    " * depth + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(value_text(v, depth) for v in value) + "]"
    raise TypeError(value)


def conf_text(settings):
    return "".join(f"{name}{': ' if isinstance(v, dict) else ' = '}{value_text(v)}\n"
                   for name, v in settings.items())


def service(listen="127.0.0.1:0", **directives):
    """A service: underscores stand for hyphens."""
    return {"listen": listen, **{k.replace("_", "-"): v for k, v in directives.items()}}


# -- one daemon ----------------------------------------------------------------------------------


def echoes(client, data=b"hello"):
    """What a client of an echo sends comes back, after what has come before."""
    already = len(client.received)
    client.send(data)
    client.until_received(already + len(data))


def ends_well(client):
    client.end()
    assert client.until_ended() == "end"


PR_SET_CHILD_SUBREAPER = 36


class Successor:
    """A process that another one has started, and that is nobody's child: ours, by being the one who
    adopts orphans here. As much of subprocess.Popen as is needed."""

    def __init__(self, pid):
        self.pid = pid
        self.returncode = None

    @staticmethod
    def adopt_orphans():
        assert ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0

    def poll(self):
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def wait(self):
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Daemon:
    """spliced in the foreground, ready when it says so."""

    def __init__(self, net, directory, number=1):
        self.net = net
        self.dir = directory / f"daemon{number}"
        self.dir.mkdir(mode=0o755)
        self.log = self.dir / "log"
        self.stderr = self.dir / "stderr"
        self.conf = self.dir / "spliced.conf"
        self.process = None
        self.predecessors = []     # processes that this one has taken the place of
        self.returncode = None
        self.expect_returncode = 0
        self.expect_path = None    # of every connection that got so far
        self.notified = []
        self.clients = []          # every Peer that connected to it
        self.strangers = False     # others than these peers connect too
        self._notify = None
        self._log_read = ""
        self._records = []
        self._ended_at = 0

    # -- life ----------------------------------------------------------------

    def write(self, settings):
        """The configuration: a dict (a log into our file is added), or text as it is."""
        if isinstance(settings, dict):
            settings = {"sandbox": SANDBOX, **settings}
            settings.setdefault("log", {})
            settings["log"] = {"target": str(self.log), "access": "json", "level": "info", **settings["log"]}
            settings = conf_text(settings)
        self.conf.write_text(settings)

    def start(self, settings=None, args=None, environment=None, preexec=None, prefix=(), ready=True,
              pass_fds=()):
        if settings is not None:
            self.write(settings)
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.setblocking(False)
        self._notify.bind(f"\0spliced-e2e-{os.getpid()}-{id(self)}-{time.monotonic_ns()}")
        name = "@" + self._notify.getsockname()[1:].decode()
        env = {**os.environ, "NOTIFY_SOCKET": name, **(environment or {})}
        command = [*prefix, *WRAPPER, SPLICED, *(["-c", str(self.conf)] if args is None else args)]
        with open(self.stderr, "ab") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                                            env=env, preexec_fn=preexec, cwd=self.dir,
                                            pass_fds=pass_fds)
        if ready:
            self.until_ready()
        return self

    def upgrade(self, how=None):
        """USR2, or what how() does: afterwards this is the successor; its predecessor may still have
        connections that cannot be handed over."""
        Successor.adopt_orphans()
        taken = len(re.findall("taken over: ", self.messages()))
        if how is None:
            self.signal(signal.SIGUSR2)
        else:
            how()
        self.net.until(lambda: self.notices() and len(re.findall("taken over: ", self.messages())) > taken,
                       "a successor", DEADLINE)
        self.predecessors.append(self.process)
        self.process = Successor(int(re.findall(r"the successor is ready: .* pid (\d+)", self.messages())[-1]))
        assert self.notices(f"MAINPID={self.pid}"), "the service manager has not been told"

    def until_alone(self):
        """Until all predecessors have left."""
        self.net.until(lambda: all(p.poll() is not None for p in self.predecessors), "predecessors to leave", DEADLINE)
        assert [p.returncode for p in self.predecessors] == [0] * len(self.predecessors)

    def until_ready(self):
        self.net.until(lambda: self.notices("READY=1") or self.process.poll() is not None,
                       "READY=1 from the daemon", DEADLINE)
        assert self.process.poll() is None, f"the daemon ended with {self.process.poll()} at its start"

    def notices(self, line=None):
        """All lines received by sd_notify; or, with a line, whether it was among them."""
        while True:
            try:
                self.notified += self._notify.recv(4096).decode().splitlines()
            except BlockingIOError:
                break
        return self.notified if line is None else line in self.notified

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self, settings=None, *, services=None):
        """HUP, with another configuration if one is given; returns when it says that it is over."""
        if services is not None:
            settings = {**(settings or {}), "services": services}
        if settings is not None:
            self.write(settings)
        before = self.notices().count("READY=1")
        self.signal(signal.SIGHUP)
        self.net.until(lambda: self.notices().count("READY=1") > before, "the end of a reload", DEADLINE)

    def until_exit(self, deadline=None):
        self.net.until(lambda: self.process.poll() is not None, "the daemon's exit",
                       DEADLINE if deadline is None else deadline)
        self.returncode = self.process.returncode
        return self.returncode

    def stop(self):
        """TERM, and once more if something still holds it; KILL is a failure."""
        if self.process is None:
            return
        try:
            if self.process.poll() is None:
                self.signal(signal.SIGTERM)
                try:
                    self.until_exit(3 * SLOW)
                except AssertionError:
                    self.signal(signal.SIGTERM)
                    self.until_exit()
            if self.predecessors:
                self.until_alone()
        finally:
            for process in self.predecessors:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
                self.returncode = "killed by the harness: two TERMs did not end it"
            else:
                self.returncode = self.process.returncode
            self._notify.close()

    def verify(self):
        """What must hold for every daemon at its end."""
        if self.process is None:
            return
        text = self.stderr.read_text(errors="replace")
        assert not SANITIZER.search(text), f"a sanitizer or an assertion complained:\n{text}"
        assert self.returncode == self.expect_returncode, f"exit status {self.returncode}\n{text}"
        verify_records(self)

    # -- what it says ----------------------------------------------------------

    def messages(self):
        """Everything it said, records too."""
        text = self.stderr.read_text(errors="replace") if self.stderr.exists() else ""
        for path in (self.log.with_name("log.1"), self.log):
            if path.exists():
                text += path.read_text(errors="replace")
        return text

    def until_says(self, pattern, deadline=None):
        return self.net.until(lambda: re.search(pattern, self.messages()),
                              f"a message like {pattern!r}", deadline)

    def listens(self, name):
        """The addresses that a service listens on, as the daemon says."""
        found = re.findall(r"service " + re.escape(name) + r": listening on (\S+)", self.messages())
        assert found, f"no 'service {name}: listening on …' in the log"
        return found

    def at(self, name):
        return self.listens(name)[0]

    def records(self):
        text = ""
        for path in (self.log.with_name("log.1"), self.log, self.stderr):
            if path.exists():
                data = path.read_text(errors="replace")
                text += data[:data.rfind("\n") + 1]
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def record_of(self, client, deadline=None):
        """The record of the connection from this client (a Peer or an address)."""
        address, remote = (client, None) if isinstance(client, str) else (client.address, client.remote)

        def find():
            return of_connection([r for r in self.records() if r.get("client") == address], remote)
        found = self.net.until(find, f"the record of {address}", deadline)
        assert len(found) == 1, f"more than one record of {address}: {found}"
        return found[0]

    # -- what the system says about it -------------------------------------------

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def status(self, field):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return line.split(":", 1)[1].strip()
        raise KeyError(field)

    def rss(self):
        """Octets of memory in use, that are its own."""
        total = 0
        for line in pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(("Private_Dirty:", "Private_Clean:")):
                total += int(line.split()[1]) * 1024
        return total

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    # -- connections -------------------------------------------------------------

    def connect(self, name, tls=None, address=None, **kwargs):
        """A client of a service; its record is compared with it in the end."""
        peer = self.net.connect(address or self.at(name), tls=tls, **kwargs)
        peer.service = name
        peer.dialled = address or self.at(name)
        self.clients.append(peer)
        return peer


# -- the records, compared with what happened -----------------------------------------------------


def verify_schema(record):
    for field, kinds in FIELDS.items():
        kinds = kinds if isinstance(kinds, tuple) else (kinds,)
        value = record.get(field)
        if value is None:
            assert None in kinds, f"record without {field}: {record}"
            continue
        plain = tuple(k for k in kinds if k is not None)
        assert isinstance(value, plain) and not isinstance(value, bool), f"{field} is {value!r}: {record}"
    unknown = set(record) - set(FIELDS)
    assert not unknown, f"fields that nobody promised: {unknown}"
    assert record["reason"] in REASONS, record
    assert record["reason"] != "internal", record
    assert record["ended_by"] in ("client", "upstream", "spliced"), record
    assert record["bytes_up"] >= 0 and record["bytes_down"] >= 0 and record["duration_ms"] >= 0, record


def verify_receiver(record, peer, count):
    """count: what the record says this peer was given."""
    assert count >= len(peer.received), f"{peer.name} got more than the record says\n{peer}\n{record}"
    if peer.ended == "end":
        assert count == len(peer.received), f"octets lost before an end\n{peer}\n{record}"
    if peer.ended == "end" and peer.tls is not None:
        assert peer.after_end == 0, f"octets after close_notify: {peer}"


def verify_tls(said, peer):
    if peer.tls is None or not peer.established:
        return
    assert said and said["version"] == peer.tls_version, f"{said} {peer}"
    assert said["cipher"] == peer.tls_cipher, f"{said} {peer}"
    assert (said.get("alpn") or None) == peer.tls_alpn, f"{said} {peer}"


def verify_connection(record, client, upstream):
    assert record["service"] == client.service, record
    assert record["listen"] == record["local"] == client.dialled, record
    if client.tls is None and record["tls"]:
        # plain octets, or none, at a TLS port
        assert record["tls"]["version"] is None and record["bytes_up"] == record["bytes_down"] == 0, record
        assert record["reason"] != "end", record
        return
    verify_receiver(record, client, record["bytes_down"])
    verify_tls(record["tls"], client)
    if upstream is not None:
        assert record["upstream"] == upstream.address, f"{record}\n{upstream}"
        assert record["attempts"][-1]["address"] == upstream.address and not record["attempts"][-1]["error"], record
        verify_receiver(record, upstream, record["bytes_up"])
        verify_tls(record.get("connect_tls"), upstream)
    for me, leg in ((client, "client"), (upstream, "upstream")):
        if me is None:
            continue
        if record["reason"] == "end":
            assert not me.self_reset, f"a reset called an end\n{me}\n{record}"
            assert me.ended in ("end", None), f"an end called a cut\n{me}\n{record}"
        if me.ended == "reset" and not me.self_reset:
            assert record["reason"] != "end", f"{leg} was cut, the record says it ended\n{me}\n{record}"


def of_connection(records, remote):
    """Those, of the records of one address, of its connection to `remote`: the kernel gives the same port to
    connections that go to different addresses."""
    return [r for r in records if r["local"] == remote] if remote and len(records) > 1 else records


def verify_records(daemon):
    """One record for each connection, and each true."""
    records = daemon.records()
    paths = {r["path"] for r in records if r.get("path")}
    assert daemon.expect_path is None or paths <= {daemon.expect_path}, f"{daemon.expect_path} expected: {paths}"
    ids = [r["id"] for r in records]
    assert len(set(ids)) == len(ids), "ids used twice"
    for record in records:
        verify_schema(record)
    by_client = {}
    for record in records:
        by_client.setdefault(record["client"], []).append(record)
    clients = [c for c in daemon.clients if c.family != socket.AF_UNIX and c.address]
    for client in clients:
        if client.connect_error:
            continue
        mine = of_connection(by_client.get(client.address, []), client.remote)
        assert len(mine) == 1, f"{len(mine)} records of one connection: {mine}\n{client}"
        verify_connection(mine[0], client, client.partner)
    if not daemon.strangers and clients and len(clients) == len(daemon.clients):
        known = {c.address for c in clients}
        extra = [r for r in records if r["client"] not in known]
        assert not extra, f"records of connections that nobody made: {extra}"


# -- a test's world ------------------------------------------------------------------------------


class World:
    """All that one test starts: peers, daemons, programs. close() ends it, verify() judges it."""

    def __init__(self, directory, certs):
        self.dir = directory
        self.certs = certs
        self.net = peers.Net(DEADLINE)
        self.daemons = []
        self.programs = []

    def daemon(self, settings=None, *, services=None, start=True, **kwargs):
        """A daemon on this configuration; or with these services and nothing else set."""
        d = Daemon(self.net, self.dir, len(self.daemons) + 1)
        self.daemons.append(d)
        if services is not None:
            settings = {**(settings or {}), "services": services}
        if settings is not None:
            d.write(settings)
        if start:
            d.start(**kwargs)
        return d

    def listen(self, *args, **kwargs):
        return self.net.listen(*args, **kwargs)

    def accept(self, listener, client, deadline=None):
        """What the daemon connects this client to; their record is compared with both in the end."""
        peer = listener.accept(deadline)
        client.partner, peer.partner = peer, client
        return peer

    def run(self, *command, stdin=None, name=None, **kwargs):
        """A real peer. Its output goes to a file, which a failure shows."""
        program = Program(self, command, stdin, name or pathlib.Path(command[0]).name, **kwargs)
        self.programs.append(program)
        return program

    def until(self, *args, **kwargs):
        return self.net.until(*args, **kwargs)

    def close(self):
        for program in self.programs:
            program.close()
        self.net.idle_hooks.clear()
        for member in list(self.net.members.values()):
            member.close()
        failures = []
        for daemon in self.daemons:
            try:
                daemon.stop()
                daemon.verify()
            except AssertionError as e:
                failures.append(str(e))
        self.net.close()
        assert not failures, "\n\n".join(failures)

    def logs(self):
        """(title, text) of everything that this run wrote."""
        yield "peers", self.net.describe()
        yield "sockets", self.sockets()
        for path in sorted(p for p in self.dir.rglob("*") if p.is_file()):
            if path.name in ("log", "log.1", "stderr", "spliced.conf") or path.suffix in (".out", ".err", ".conf"):
                text = path.read_text(errors="replace")
                if len(text) > 40000:
                    text = text[:20000] + "\n[…]\n" + text[-20000:]
                if text:
                    yield str(path.relative_to(self.dir)), text


    def sockets(self):
        """What the kernel says of all legs that there are still, the daemon's as well (ss(8))."""
        addresses = {getattr(p, name, None) for p in self.net.everyone for name in ("address", "remote")}
        try:
            said = subprocess.run(["ss", "-Htnmoi"], capture_output=True, text=True, timeout=10).stdout
        except OSError:  # not there: the kernel's own table, with its addresses in hexadecimal
            return pathlib.Path("/proc/net/tcp").read_text()
        blocks = re.split(r"\n(?=\S)", said)
        return "\n".join(b for b in blocks if addresses & set(b.partition("\n")[0].split()))


class Program:
    """A program that is a peer: standard input fed by the test, output in files."""

    def __init__(self, world, command, stdin, name, env=None, cwd=None, preexec_fn=None):
        self.net, self.name = world.net, name
        number = len(world.programs) + 1
        self.out = world.dir / f"{number}-{name}.out"
        self.err = world.dir / f"{number}-{name}.err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [str(c) for c in command], stdout=out, stderr=err, env=env, cwd=cwd, preexec_fn=preexec_fn,
                stdin=subprocess.PIPE if stdin is None else stdin)

    def feed(self, data, end=True):
        """Write to its standard input (small enough for the pipe, or the program reads)."""
        self.process.stdin.write(data)
        self.process.stdin.flush()
        if end:
            self.process.stdin.close()
        return self

    def output(self):
        return self.out.read_bytes()

    def until_exit(self, deadline=None):
        self.net.until(lambda: self.process.poll() is not None, f"the end of {self.name}", deadline)
        return self.process.returncode

    def until_says(self, pattern, deadline=None):
        def find():
            text = self.out.read_text(errors="replace") + self.err.read_text(errors="replace")
            return re.search(pattern, text)
        return self.net.until(lambda: find() or self.process.poll() is not None and find(),
                              f"{self.name} to say {pattern!r}", deadline)

    def close(self):
        if self.process.stdin and not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def spliced_once(*args, cwd=None, timeout=None, environment=None, preexec=None):
    """Run the daemon's program to its end (-t, -T, -h, mistakes)."""
    return subprocess.run([*WRAPPER, SPLICED, *map(str, args)], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, cwd=cwd, preexec_fn=preexec, timeout=timeout or DEADLINE,
                          env={**os.environ, **(environment or {})}, errors="replace")
