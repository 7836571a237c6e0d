# SPDX-License-Identifier: ISC
"""The pages of the directive admin: metrics that move by what happens, health, and hostile clients."""
import http.client
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

import pytest

from harness import SLOW, echoes, ends_well, service

TOP = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = re.compile(r'(\w+)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def get(d, path, method="GET", headers=None, connection=None):
    """Returns the status and the body."""
    c = connection or http.client.HTTPConnection(*where(d))
    try:
        c.request(method, path, headers=headers or {})
        answer = c.getresponse()
        return answer.status, answer.read().decode()
    finally:
        c.close()


def where(d):
    host, port = re.findall(r"admin: listening on (\S+):(\d+)", d.messages())[-1]
    return host, int(port)


def daemon(w, settings=None, **kwargs):
    return w.daemon({"admin": "127.0.0.1:0", **(settings or {})}, **kwargs)


def metrics(d):
    """Every sample: {(name, label values in the order of their names): value}."""
    status, text = get(d, "/metrics")
    assert status == 200
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        key = (name, *(v for _, v in LABEL.findall(labels or "")))
        assert key not in found, f"{key} twice"
        found[key] = float(value)
    return found


def until_metric(w, d, key, value):
    return w.until(lambda: metrics(d).get(key) == value, f"{key} to be {value}")


def tls_service(w, **kwargs):
    return {**service(**kwargs), "listen-tls": {"certificate": w.certs.path("server.pem")}}


# -- metrics -----------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_connections_and_octets(w):
    """Octets are counted while they move, ends by their reasons, and what is open and half-closed."""
    listener = w.listen()
    d = daemon(w, {"workers": 2}, services={"a": service(connect=listener.address), "b": service(connect="echo")})
    one, two = d.connect("a"), d.connect("b")
    server = w.accept(listener, one)
    one.send(b"x" * 1000)
    server.until_received(1000)
    server.send(b"y" * 70)
    one.until_received(70)
    echoes(two, b"12345")
    m = metrics(d)
    octets = {k[1:]: v for k, v in m.items() if k[0] == "spliced_bytes_total"}
    assert octets == {("a", "up"): 1000, ("a", "down"): 70, ("b", "up"): 5, ("b", "down"): 5}
    assert (m["spliced_connections_open", "a"], m["spliced_connections_open", "b"]) == (1, 1)
    assert m["spliced_connections_half_closed", "a"] == 0
    assert m["spliced_connections_total", "a", "end"] == 0
    assert m["spliced_connect_duration_seconds_count", "a"] == 1
    assert m["spliced_connect_duration_seconds_count", "b"] == 0  # nothing is connected to
    one.end()
    server.until_ended()
    until_metric(w, d, ("spliced_connections_half_closed", "a"), 1)
    server.end()
    one.until_ended()
    two.reset()
    until_metric(w, d, ("spliced_connections_total", "b", "client-reset"), 1)
    until_metric(w, d, ("spliced_connections_total", "a", "end"), 1)
    m = metrics(d)
    assert m["spliced_connections_half_closed", "a"] == m["spliced_connections_open", "a"] == 0
    assert m["spliced_connection_duration_seconds_count", "a"] == 1
    assert m["spliced_connection_duration_seconds_sum", "a"] > 0
    assert m["spliced_bytes_total", "a", "up"] == 1000
    assert m["spliced_buffered_bytes",] == 0
    assert m["spliced_connections_limit",] == 10000


def test_refused_connections(w):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        d = daemon(w, services={"x": service(connect="127.0.0.1:%d" % nobody.getsockname()[1]),
                                "y": service(connect="echo", max_connections=1)})
        assert d.connect("x").until_ended() == "reset"
        first = d.connect("y")
        echoes(first)
        assert d.connect("y").until_ended() == "reset"
    until_metric(w, d, ("spliced_connections_total", "x", "connect-refused"), 1)
    until_metric(w, d, ("spliced_connections_total", "y", "limit"), 1)
    m = metrics(d)
    assert m["spliced_connections_open", "y"] == 1
    assert m["spliced_connect_duration_seconds_count", "x"] == 0
    ends_well(first)


def test_handshakes(w):
    listener = w.listen(tls=w.certs.server())
    d = daemon(w, {"workers": 1}, services={
        "in": tls_service(w, connect="echo"),
        "out": {**service(connect=listener.address),
                "connect-tls": {"ca": w.certs.path("ca.pem"), "server-name": "localhost"}}})
    for version in ("tls12", "tls13"):
        client = d.connect("in", tls=w.certs.client(version))
        echoes(client)
        ends_well(client)
    bad = d.connect("in")
    bad.send(b"GET / HTTP/1.0\r\n\r\n")
    bad.until_ended()
    out = d.connect("out")
    server = w.accept(listener, out)
    out.send(b"x")
    server.until_received(1)
    until_metric(w, d, ("spliced_handshakes_total", "in", "client", "none", "none", "failed"), 1)
    m = metrics(d)
    seen = {k[1:]: v for k, v in m.items() if k[0] == "spliced_handshakes_total"}
    assert seen == {("in", "client", "TLSv1.2", "x25519", "full"): 1, ("in", "client", "TLSv1.3", "x25519", "full"): 1,
                    ("in", "client", "none", "none", "failed"): 1, ("out", "upstream", "TLSv1.3", "x25519", "full"): 1}
    assert m["spliced_handshake_duration_seconds_count", "in", "client"] == 3
    assert m["spliced_handshake_duration_seconds_count", "out", "upstream"] == 1
    for peer in (out, server):
        peer.end()
    assert out.until_ended() == "end"


def test_resumed_handshakes(w):
    d = daemon(w, {"workers": 1}, services={"in": tls_service(w, connect="echo")})
    host, port = d.at("in").split(":")
    context = w.certs.client("tls12")
    d.strangers = True
    session = None
    for _ in range(2):
        with context.wrap_socket(socket.create_connection((host, int(port))), server_hostname="localhost",
                                 session=session) as s:
            s.sendall(b"x")
            s.recv(1)
            session = s.session
    until_metric(w, d, ("spliced_handshakes_total", "in", "client", "TLSv1.2", "x25519", "resumed"), 1)
    assert metrics(d)["spliced_handshakes_total", "in", "client", "TLSv1.2", "x25519", "full"] == 1


def test_handshake_that_never_ends(w):
    d = daemon(w, {"workers": 1}, services={"in": tls_service(w, connect="echo", handshake_timeout="100ms")})
    assert d.connect("in").until_ended() == "reset"
    until_metric(w, d, ("spliced_handshakes_total", "in", "client", "none", "none", "failed"), 1)
    until_metric(w, d, ("spliced_connections_total", "in", "handshake-timeout"), 1)


def test_buffered_octets(w):
    listener = w.listen()
    d = daemon(w, {"max-buffered": "64M"}, services={"x": service(connect=listener.address, pump="buffer")})
    client = d.connect("x")
    server = w.accept(listener, client)
    server.pause()
    client.send(bytes(20_000_000))
    w.until(lambda: metrics(d)["spliced_buffered_bytes",] > 0, "octets to wait")
    assert metrics(d)["spliced_buffered_limit_bytes",] == 64 << 20
    server.reset()
    assert client.until_ended() == "reset"
    until_metric(w, d, ("spliced_buffered_bytes",), 0)


def test_counts_survive_a_reload(w):
    settings = {"workers": 2, "admin": "127.0.0.1:0"}
    services = {"stays": service(connect="echo"), "goes": service(connect="echo")}
    d = daemon(w, settings, services=services)
    before = metrics(d)
    for name in services:
        client = d.connect(name)
        echoes(client, b"12345678")
        ends_well(client)
        until_metric(w, d, ("spliced_connections_total", name, "end"), 1)
    assert (before["spliced_reloads_total", "success"], before["spliced_reloads_total", "failure"]) == (0, 0)
    port = where(d)
    d.reload({**settings, "services": {"stays": services["stays"], "comes": service(connect="echo")}})
    m = metrics(d)
    assert where(d) == port
    assert m["spliced_bytes_total", "stays", "up"] == 8
    assert m["spliced_connections_total", "stays", "end"] == 1
    assert m["spliced_connections_total", "comes", "end"] == 0
    assert not any("goes" in key for key in m)
    assert m["spliced_reloads_total", "success"] == 1
    stamp = "spliced_last_reload_success_timestamp_seconds",
    assert time.time() - 60 < before[stamp] < m[stamp] < time.time() + 1
    d.reload("nonsense {")
    d.until_says("nothing is reloaded")
    m = metrics(d)
    assert m["spliced_reloads_total", "failure"] == 1
    assert m["spliced_last_reload_successful",] == 0


def test_accept_pauses(w):
    def little():
        resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))
    d = daemon(w, {"workers": 1}, services={"x": service(connect="echo")}, preexec=little)
    d.strangers = True
    assert metrics(d)["spliced_accept_pauses_total", "0"] == 0
    clients = [d.connect("x") for _ in range(60)]
    d.until_says("accepting pauses")
    w.until(lambda: metrics(d)["spliced_accept_pauses_total", "0"] > 0, "a pause")
    for c in clients:
        c.reset()


def test_loops_and_process(w):
    d = daemon(w, {"workers": 2}, services={"x": service(connect="echo")})
    first = metrics(d)
    assert first["spliced_build_info", "0.1.0", *versions(first)] == 1
    assert abs(first["process_open_fds",] - d.descriptors()) <= 2
    limits = pathlib.Path(f"/proc/{d.pid}/limits").read_text()
    assert first["process_max_fds",] == int(re.search(r"Max open files +(\d+)", limits)[1])
    assert first["process_resident_memory_bytes",] > 1 << 20
    assert first["process_virtual_memory_bytes",] > first["process_resident_memory_bytes",]
    assert time.time() - 60 < first["process_start_time_seconds",] < time.time()
    clients = [d.connect("x") for _ in range(20)]
    for c in clients:
        echoes(c)
    os.kill(d.pid, signal.SIGSTOP)
    time.sleep(1.3)  # what is late must be late
    os.kill(d.pid, signal.SIGCONT)
    w.until(lambda: all(metrics(d)["spliced_loop_lag_seconds_count", loop] > 0 for loop in ("main", "0", "1")),
            "every loop to be measured")
    m = metrics(d)
    assert m["process_open_fds",] >= first["process_open_fds",] + 20
    assert m["process_cpu_seconds_total",] > first["process_cpu_seconds_total",]
    assert m["spliced_loop_lag_seconds_sum", "0"] > 0.1
    for c in clients:
        ends_well(c)


def versions(m):
    info = next(k for k in m if k[0] == "spliced_build_info")
    assert re.fullmatch(r"3\.\d+\.\d+.*", info[2]) and re.match(r"2\.1\.", info[3]), info
    return info[2:]


def test_prometheus_likes_the_metrics(w):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("there is no promtool (package prometheus)")
    d = daemon(w, services={"x": service(connect="echo"), "t": tls_service(w, connect="echo")})
    client = d.connect("t", tls=w.certs.client("tls13"))
    echoes(client)
    ends_well(client)
    _, text = get(d, "/metrics")
    result = subprocess.run([promtool, "check", "metrics"], input=text, text=True, capture_output=True)
    assert result.returncode == 0 and not result.stderr and not result.stdout, result


# -- health ------------------------------------------------------------------------------------------


def test_health_and_readiness(w):
    d = daemon(w, {"workers": 2}, services={"x": service(connect="echo")})
    client = d.connect("x")
    echoes(client)
    assert get(d, "/healthz") == (200, "ok\n")
    assert get(d, "/readyz") == (200, "ready\n")
    assert get(d, "/nowhere")[0] == 404
    d.signal(signal.SIGTERM)
    w.until(lambda: get(d, "/readyz") == (503, "draining\n"), "not to be ready while it drains")
    assert get(d, "/healthz")[0] == 200
    ends_well(client)
    d.until_exit()


# -- where it listens --------------------------------------------------------------------------------


def test_unix_socket_mode_and_reload(w):
    d = w.daemon(start=False)
    first, second = d.dir / "admin", d.dir / "other"
    settings = {"services": {"x": service(connect="echo")}}
    d.start({**settings, "admin": f"unix:{first}", "admin-mode": "0640"})
    assert first.stat().st_mode & 0o777 == 0o640
    assert get(d, "/healthz", connection=Unix(str(first)), headers={"Host": "any.example"})[0] == 200
    d.reload({**settings, "admin": [f"unix:{second}", "127.0.0.1:0"]})
    assert not first.exists()
    assert get(d, "/healthz", connection=Unix(str(second)))[0] == get(d, "/healthz")[0] == 200
    d.reload(settings)
    assert not second.exists()
    with pytest.raises(ConnectionRefusedError):
        get(d, "/healthz")


def test_other_addresses_are_warned_of(w):
    d = w.daemon({"admin": "0.0.0.0:0"}, services={"x": service(connect="echo")})
    d.until_says(r"spliced.conf:\d+: .*whoever reaches 0.0.0.0:0 sees who is connected to whom")


def test_names_are_answered_only_where_they_lead_nowhere_else(w):
    d = daemon(w, services={"x": service(connect="echo")})
    for host, status in (("127.0.0.1:1", 200), ("localhost", 200), ("LOCALHOST:80", 200), ("[::1]:80", 200),
                         ("evil.example", 421), ("127.0.0.1.evil.example", 421)):
        assert get(d, "/healthz", headers={"Host": host})[0] == status, host


# -- hostile clients ---------------------------------------------------------------------------------


def ask(d, octets, end=True):
    with socket.create_connection(where(d)) as s:
        s.settimeout(20 * SLOW)
        s.sendall(octets)
        if end:
            s.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while chunk := s.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass
        return answer.decode()


def test_nothing_can_be_written(w):
    d = daemon(w, services={"x": service(connect="echo")})
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"):
        assert get(d, "/status.json", method)[0] == 405, method
    assert get(d, "/metrics", "HEAD") == (200, "")


@pytest.mark.smoke
def test_garbage(w):
    d = daemon(w, services={"x": service(connect="echo")})
    for octets, status in ((b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400), (b"GET\r\n\r\n", 400),
                           (b"GET / HTTP/9.9\r\n\r\n", 505), (b"GET / HTTP/1.1\r\nA: " + b"a" * 9000, 431),
                           (b"GET / HTTP/1.1\r\nX\r\n\r\n", 400), (b"GET /../../etc/passwd HTTP/1.0\r\n\r\n", 404),
                           (b"GET /%2e%2e HTTP/1.0\r\n\r\n", 404), (b"GET /" + b"a" * 7000 + b" HTTP/1.0\r\n\r\n", 404),
                           (b"POST / HTTP/1.1\r\nContent-Length: 5000000\r\n\r\n" + bytes(5_000_000), 405)):
        assert ask(d, octets).startswith(f"HTTP/1.1 {status} "), octets[:40]
    assert ask(d, b"GET /heal") == ""
    assert ask(d, b"") == ""
    assert get(d, "/healthz")[0] == 200


def test_a_crowd_that_says_little_keeps_nobody_out(w):
    """Slow ones are sent away by whoever has something to ask; the daemon forwards all the while."""
    d = daemon(w, {"workers": 1}, services={"x": service(connect="echo")})
    before = d.descriptors()
    slow = [socket.create_connection(where(d)) for _ in range(200)]
    for s in slow[:100]:
        try:
            s.sendall(b"GET / HTTP/1.1\r\nHost: ")
        except OSError:
            pass
    for _ in range(5):
        assert get(d, "/healthz")[0] == 200
    assert d.descriptors() - before <= 33
    client = d.connect("x")
    echoes(client)
    ends_well(client)
    w.until(lambda: d.descriptors() <= before + 1, "the slow ones to be sent away")
    for s in slow:
        s.close()


def test_who_does_not_read(w):
    """Its answer waits for it, for a while; others have theirs."""
    d = daemon(w, services={f"x{i}": service(connect="echo") for i in range(40)})
    silent = []
    for _ in range(20):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.connect(where(d))
        s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        silent.append(s)
    assert get(d, "/healthz")[0] == 200
    for s in silent:
        s.close()
    assert get(d, "/healthz")[0] == 200
