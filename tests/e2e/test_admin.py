# SPDX-License-Identifier: ISC
"""The pages of the directive admin: metrics that move by what happens, health, and hostile clients."""
import http.client
import json
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

from harness import SLOW, SPLICED, echoes, ends_well, service

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
    # who has octets already may be ahead of who counts them
    until_metric(w, d, ("spliced_bytes_total", "a", "down"), 70)
    until_metric(w, d, ("spliced_bytes_total", "b", "down"), 5)
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


def test_drained_services(w):
    splicectl = pathlib.Path(SPLICED).parent / "splicectl"
    d = daemon(w, {"control": str(w.dir / "ctl")}, services={"x": service(connect="echo"),
                                                             "y": service(connect="echo")})
    assert metrics(d)["spliced_service_accepting", "x"] == metrics(d)["spliced_service_accepting", "y"] == 1
    for command, accepting, states in (("drain", 0, ("drained", "open")), ("resume", 1, ("open", "open"))):
        subprocess.run([splicectl, "-s", w.dir / "ctl", command, "x"], check=True, capture_output=True)
        until_metric(w, d, ("spliced_service_accepting", "x"), accepting)
        w.until(lambda: tuple(s["state"] for s in json.loads(get(d, "/status.json")[1])["services"]) == states, states)
    assert metrics(d)["spliced_service_accepting", "y"] == 1


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


def test_prometheus_understands_the_dashboard(w):
    """Each of its queries; that the metrics they name are there is looked at by tests/lint/metrics."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("there is no promtool (package prometheus)")
    board = json.loads((TOP / "conf" / "grafana-spliced.json").read_text())
    queries = [t["expr"] for panel in board["panels"] for t in panel.get("targets", [])]
    assert len(queries) > 20
    text = json.dumps({"groups": [{"name": "g", "rules": [
        {"record": "r", "labels": {"i": str(i)}, "expr": re.sub(r"\$\w+", "5m", q)} for i, q in enumerate(queries)]}]})
    (w.dir / "rules.yml").write_text(text)
    result = subprocess.run([promtool, "check", "rules", w.dir / "rules.yml"], text=True, capture_output=True)
    assert result.returncode == 0, result


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


def test_drain_delay(w):
    """Not ready, and accepting still; then as without."""
    d = daemon(w, {"drain-delay": "700ms"}, services={"x": service(connect="echo")})
    d.signal(signal.SIGTERM)
    w.until(lambda: get(d, "/readyz") == (503, "draining\n"), "not to be ready")
    late = d.connect("x")
    echoes(late)
    d.until_says("draining, 1 connection")
    assert d.notices("STOPPING=1")
    echoes(late, b"still here")
    ends_well(late)
    assert d.until_exit() == 0


def test_told_again_during_the_drain_delay(w):
    d = daemon(w, {"drain-delay": "1h"}, services={"x": service(connect="echo")})
    client = d.connect("x")
    echoes(client)
    d.signal(signal.SIGTERM)
    w.until(lambda: get(d, "/readyz")[0] == 503, "not to be ready")
    d.signal(signal.SIGTERM)
    assert client.until_ended() == "reset"
    assert d.until_exit() == 0
    assert d.record_of(client)["reason"] == "shutdown"


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


def test_a_port_that_was_a_services(w):
    """A service has a socket for each worker on its address, and any of them may get the client."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    x, y = service(f"127.0.0.1:{port}", connect="echo"), service(connect="echo")
    d = w.daemon({"workers": 3}, services={"x": x, "y": y})
    d.reload({"workers": 3, "admin": f"127.0.0.1:{port}"}, services={"y": y})
    assert all(get(d, "/healthz")[0] == 200 for _ in range(30))
    d.reload({"workers": 3}, services={"x": x, "y": y})
    for _ in range(10):
        client = w.net.connect(f"127.0.0.1:{port}")
        echoes(client)
        ends_well(client)


def test_a_successor_serves_where_its_predecessor_did(w):
    """The connections it takes over are its own then, half-closed ones too."""
    listener, path = w.listen(), w.dir / "admin"
    d = daemon(w, {"admin": ["127.0.0.1:0", f"unix:{path}"]}, services={"x": service(connect=listener.address)})
    client = d.connect("x")
    server = w.accept(listener, client)
    client.send(b"question").end()
    assert server.until_ended() == "end"
    port = where(d)
    for _ in range(2):
        d.upgrade()
        assert where(d) == port
        until_metric(w, d, ("spliced_connections_half_closed", "x"), 1)
        assert get(d, "/readyz", connection=Unix(str(path))) == (200, "ready\n")
        assert json.loads(get(d, "/status.json")[1])["pid"] == d.pid
    server.send(b"answer").end()
    assert client.until_ended() == "end"
    until_metric(w, d, ("spliced_connections_half_closed", "x"), 0)
    m = metrics(d)
    assert m["spliced_connections_total", "x", "end"] == 1
    assert m["spliced_bytes_total", "x", "down"] == 6


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


# -- status.json and the page ------------------------------------------------------------------------

HOSTILE = "<img src=x onerror=alert(1)>.example"


def busy(w):
    """A daemon with something to show: connections, ends of all kinds, certificates."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        nobody = "127.0.0.1:%d" % s.getsockname()[1]
    d = daemon(w, {"workers": 2}, services={"echo": service(connect="echo", max_connections=9),
                                            "dead": service(connect=nobody), "web": tls_service(w, connect="echo")})
    d.strangers = True
    open_one = d.connect("echo")
    echoes(open_one, b"12345")
    ended = d.connect("echo")
    echoes(ended, b"123")
    ends_well(ended)
    d.record_of(ended)
    refused = d.connect("dead")
    refused.until_ended()
    d.record_of(refused)
    hostile = w.run("openssl", "s_client", "-connect", d.at("web"), "-servername", HOSTILE, "-quiet")
    w.until(lambda: HOSTILE in get(d, "/status.json")[1], "the name that was asked for to be shown")
    return d, open_one, ended, refused, hostile


def test_status(w):
    d, open_one, ended, refused, hostile = busy(w)
    code, text = get(d, "/status.json")
    assert code == 200
    status = json.loads(text)
    assert (status["state"], status["pid"], status["workers"], status["connections"]) == ("running", d.pid, 2, 2)
    echo, dead, web = status["services"]
    assert (echo["name"], echo["listen"], echo["connect"]) == ("echo", [d.at("echo")], ["echo"])
    assert (echo["connections"], echo["max_connections"], echo["ended"]) == (1, 9, {"end": 1})
    assert (echo["bytes_up"], echo["bytes_down"]) == (8, 8)
    assert dead["ended"] == {"connect-refused": 1}
    assert (web["listen_tls"], web["connections"]) == (True, 1)
    assert [(e["reason"], e["service"], e["client"]) for e in status["ends"]] == [
        ("connect-refused", "dead", refused.address), ("end", "echo", ended.address)]
    assert status["ends"][0]["detail"].endswith("Connection refused") and status["ends"][0]["upstream"] is None
    assert (status["ends"][1]["ended_by"], status["ends"][1]["bytes_up"], status["ends"][1]["upstream"]) == (
        "client", 3, "echo")
    sessions = {s["client"]: s for s in status["sessions"]}
    assert status["sessions_total"] == len(sessions) == 2
    assert (sessions[open_one.address]["phase"], sessions[open_one.address]["bytes_up"]) == ("relay", 5)
    certificate, = status["certificates"]
    assert (certificate["file"], certificate["used_by"]) == (
        str(w.certs.path("server.pem")), [{"service": "web", "as": "listen"}])
    expiry = metrics(d)["spliced_certificate_expiry_timestamp_seconds", "web", "client", certificate["file"]]
    assert time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(expiry)) == certificate["not_after"]
    hostile.close()
    ends_well(open_one)


def test_recent_ends_are_a_hundred(w):
    d = daemon(w, {"workers": 2}, services={"x": service(connect="echo")})
    for _ in range(6):
        clients = [d.connect("x") for _ in range(20)]
        for c in clients:
            echoes(c)
        for c in clients:
            c.end()
        for c in clients:
            c.until_ended()
    until_metric(w, d, ("spliced_connections_total", "x", "end"), 120)
    ends = json.loads(get(d, "/status.json")[1])["ends"]
    assert len(ends) == 100
    assert [e["ended"] for e in ends] == sorted((e["ended"] for e in ends), reverse=True)
    late = d.connect("x")
    echoes(late)
    ends_well(late)
    w.until(lambda: json.loads(get(d, "/status.json")[1])["ends"][0]["client"] == late.address, "it to be the newest")


def test_many_ask_for_the_status_at_once(w):
    d = daemon(w, {"workers": 2}, services={"x": service(connect="echo")})
    asking = [socket.create_connection(where(d)) for _ in range(25)]
    for s in asking:
        s.sendall(b"GET /status.json HTTP/1.0\r\n\r\n")
    for s in asking:
        with s.makefile("rb") as f:
            assert json.loads(f.read().split(b"\r\n\r\n", 1)[1])["pid"] == d.pid
        s.close()


def test_status_is_asked_for_while_it_stops(w):
    """Whoever still waits is sent away, and nothing is left behind."""
    d = daemon(w, {"workers": 2}, services={"x": service(connect="echo")})
    asking = [socket.create_connection(where(d)) for _ in range(10)]
    d.signal(signal.SIGTERM)
    for s in asking:
        try:
            s.sendall(b"GET /status.json HTTP/1.0\r\n\r\n")
        except OSError:
            pass
    assert d.until_exit() == 0
    for s in asking:
        s.close()


class Browser:
    """Chromium, through chromedriver."""

    def __init__(self, w, directory):
        self.program = w.run("chromedriver", "--port=0", name="chromedriver")
        port = self.program.until_says(r"started successfully on port (\d+)")[1]
        self.http = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                            f"--user-data-dir={directory}"]}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self.session = self.ask("POST", "", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def ask(self, method, path, body=None):
        prefix = f"/session/{self.session}" if hasattr(self, "session") else "/session"
        self.http.request(method, prefix + path, None if body is None else json.dumps(body),
                          {"Content-Type": "application/json"})
        value = json.loads(self.http.getresponse().read())["value"]
        assert not (isinstance(value, dict) and "error" in value), value
        return value

    def run(self, script):
        return self.ask("POST", "/execute/sync", {"script": script, "args": []})

    def emulate(self, command, **params):
        self.ask("POST", "/goog/cdp/execute", {"cmd": "Emulation." + command, "params": params})

    def complaints(self):
        return self.ask("POST", "/se/log", {"type": "browser"})

    def close(self):
        self.ask("DELETE", "")


def test_page(w):
    """In a browser: everything is shown, as text; it fits a phone, and asks for nothing from elsewhere."""
    if shutil.which("chromedriver") is None:
        pytest.skip("there is no chromedriver (package chromium-driver)")
    d, open_one, *_, hostile = busy(w)
    browser = Browser(w, w.dir / "browser")
    try:
        browser.ask("POST", "/url", {"url": "http://%s:%d/" % where(d)})
        text = w.until(lambda: (lambda t: t if "Connection refused" in t else None)(
            browser.run("return document.body.innerText")), "the page to be filled")
        for word in ("running", "echo", d.at("echo"), open_one.address, "connect-refused", HOSTILE, "server.pem"):
            assert word in text, text
        assert browser.run("return document.querySelectorAll('main img, main script').length") == 0
        open_one.send(bytes(2_000_000))
        open_one.until_received(2_000_005)
        w.until(lambda: re.search(r"[1-9][\d.]*.[kM]B/s", browser.run("ask(); return document.body.innerText")),
                "a rate")
        plots = "ask(); return document.querySelectorAll('#services path.up').length"
        w.until(lambda: browser.run(plots) == 3, "plots")
        for width, columns in ((1280, "table-row"), (360, "grid")):
            browser.emulate("setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1,
                            mobile=width < 500)
            assert browser.run("return document.documentElement.scrollWidth") <= width
            assert browser.run("return getComputedStyle(document.querySelector('#ends tbody tr')).display") == columns
        back = "return getComputedStyle(document.body).backgroundColor"
        seen = set()
        for scheme in ("light", "dark"):
            browser.emulate("setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            seen.add(browser.run(back))
        assert len(seen) == 2
        loaded = browser.run("return performance.getEntriesByType('resource').map(e => e.name)")
        assert loaded and all(name.startswith("http://%s:%d/" % where(d)) for name in loaded), loaded
        assert browser.complaints() == []
    finally:
        browser.close()
    hostile.close()
    ends_well(open_one)
