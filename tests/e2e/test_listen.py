# SPDX-License-Identifier: ISC
"""Listening: addresses of every sort, limits, and what happens when descriptors run out."""
import datetime
import os
import resource
import shutil
import signal
import socket
import stat

import pytest

import peers
from closing import STOPPED_WITHIN, flood, noise
from harness import SLOW, Raw, service


def echoes(client, data=b"hello"):
    client.send(data)
    client.until_received(len(data))
    assert bytes(client.received) == data


def ends_well(client):
    client.end()
    assert client.until_ended() == "end"


@pytest.mark.smoke
@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0"])
def test_one_address(w, listen):
    d = w.daemon(services={"echo": service(listen, connect="echo")})
    client = d.connect("echo")
    echoes(client)
    ends_well(client)


def test_every_address(w):
    """*:PORT is IPv4 and IPv6; a client of each finds it."""
    d = w.daemon(services={"echo": service("*:0", connect="echo")})
    said = d.listens("echo")
    assert len(said) == 2
    ports = {a.split(":")[0]: a.rsplit(":", 1)[1] for a in said}
    d.strangers = True
    for address in said:
        port = address.rsplit(":", 1)[1]
        client = w.net.connect(f"[::1]:{port}" if address.startswith("[") else f"127.0.0.1:{port}")
        echoes(client)
        ends_well(client)
        assert d.record_of(client)["listen"].rsplit(":", 1)[1] == port
    assert len(ports) == 2


def test_several_addresses(w):
    d = w.daemon(services={"echo": service(["127.0.0.1:0", "127.0.0.2:0", f"unix:{w.dir}/s"], connect="echo")})
    assert len(d.listens("echo")) == 3
    for address in d.listens("echo"):
        client = d.connect("echo", address=address)
        echoes(client)
        ends_well(client)


@pytest.mark.smoke
def test_unix_path(w):
    path = f"{w.dir}/listen.sock"
    s = service(f"unix:{path}", connect="echo")
    s["listen-socket"] = {"mode": Raw('"0620"'), "group": "nogroup"}
    if os.geteuid() == 0:
        s["listen-socket"]["owner"] = "nobody"
    d = w.daemon(services={"echo": s})
    status = os.stat(path)
    assert stat.S_ISSOCK(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o620
    if os.geteuid() == 0:
        assert status.st_uid == 65534 and status.st_gid == 65534
    client = d.connect("echo")
    echoes(client, noise(300_000))
    ends_well(client)
    record = d.record_of("unix:")
    assert record["listen"] == f"unix:{path}" and record["bytes_up"] == record["bytes_down"] == 300_000
    d.stop()
    assert not os.path.exists(path), "the path is left behind"


def test_unix_abstract(w):
    name = f"unix:@spliced-e2e-{os.getpid()}-{id(w)}"
    d = w.daemon(services={"echo": service(name, connect="echo")})
    assert d.at("echo") == name
    client = d.connect("echo")
    echoes(client)
    ends_well(client)


def test_a_stale_unix_path_is_replaced(w):
    path = f"{w.dir}/stale.sock"
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.close()
    d = w.daemon(services={"echo": service(f"unix:{path}", connect="echo")})
    client = d.connect("echo")
    echoes(client)
    ends_well(client)


@pytest.mark.parametrize("what", ["live", "file", "directory"])
def test_what_else_is_at_a_unix_path_is_left_alone(w, what):
    path = w.dir / "taken"
    live = None
    if what == "live":
        live = w.listen(f"unix:{path}")
    elif what == "file":
        path.write_text("precious")
    else:
        path.mkdir()
    before = os.stat(path).st_ino
    d = w.daemon({}, services={"echo": service(f"unix:{path}", connect="echo")}, start=False)
    d.expect_returncode = 1
    d.start(ready=False)
    assert d.until_exit() == 1
    assert str(path) in d.messages()
    assert os.stat(path).st_ino == before, "what was at the path is gone"
    if live:
        w.net.connect(f"unix:{path}")
        live.accept()


def test_a_path_that_is_no_longer_ours_is_not_removed(w):
    path = f"{w.dir}/moved.sock"
    d = w.daemon(services={"echo": service(f"unix:{path}", connect="echo")})
    os.unlink(path)
    with open(path, "w"):
        pass
    d.stop()
    assert os.path.exists(path)


def test_a_port_in_use(w):
    taken = w.listen()
    d = w.daemon({}, services={"echo": service(taken.address, connect="echo")}, start=False)
    d.expect_returncode = 1
    d.start(ready=False)
    assert d.until_exit() == 1
    assert f"{d.conf}:" in d.messages() and taken.address in d.messages()
    assert "in use" in d.messages()


# -- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["service", "global"])
def test_max_connections(w, scope):
    s = service(connect="echo")
    if scope == "service":
        s["max-connections"] = 3
    d = w.daemon({} if scope == "service" else {"max-connections": 3}, services={"echo": s})
    held = [d.connect("echo") for _ in range(3)]
    for client in held:
        echoes(client)
    for _ in range(3):
        refused = d.connect("echo")
        assert refused.until_ended() == "reset"
        record = d.record_of(refused)
        assert record["reason"] == "limit" and record["ended_by"] == "spliced"
    ends_well(held[0])
    assert d.record_of(held[0])["reason"] == "end"
    again = d.connect("echo")
    echoes(again)
    for client in (*held[1:], again):
        ends_well(client)


def test_one_services_limit_is_not_anothers(w):
    s = service(connect="echo")
    d = w.daemon(services={"small": {**s, "max-connections": 1}, "large": s})
    one = d.connect("small")
    echoes(one)
    assert d.connect("small").until_ended() == "reset"
    other = d.connect("large")
    echoes(other)
    ends_well(one), ends_well(other)


@pytest.mark.parametrize("connect", ["echo", "upstream"])
def test_descriptors_run_out(w, connect):
    """accept pauses and resumes; no spin, no exit; whoever waited is served in the end."""
    soft = 64

    def little():
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, soft))
    listener = w.listen()
    d = w.daemon({"workers": 2}, services={"echo": service(connect="echo" if connect == "echo" else listener.address)},
                 preexec=little)
    d.strangers = True
    clients = [d.connect("echo") for _ in range(120)]
    ups = []

    def serve():
        while connect != "echo" and listener.waiting:
            ups.append(listener.waiting.popleft())
        for up in ups:
            if len(up.received) > up.sent:
                up.send(bytes(up.received[up.sent:]))
            if up.ended == "end" and not up.self_ended and not up._todo:
                up.end()
    w.net.idle_hooks.append(serve)
    for client in clients:
        client.send(b"x")
    w.until(lambda: sum(len(c.received) for c in clients) >= 5, "some to be served")
    w.net.run(0.3)
    before = d.cpu_seconds()
    w.net.run(0.5)
    assert d.cpu_seconds() - before < 0.1 * SLOW, "a spin while descriptors are short"
    assert d.process.poll() is None

    served = set()

    def leave():
        for client in clients:
            if client.received and client not in served:
                served.add(client)
                client.end()
        return all(c.ended for c in clients)
    w.until(leave, "everybody served", 60 * SLOW)
    assert {c.ended for c in clients} == {"end"}
    assert {d.record_of(c)["reason"] for c in clients} == {"end"}
    late = d.connect("echo")
    echoes(late)
    ends_well(late)


# -- sockets from systemd --------------------------------------------------------------------------


def test_socket_from_systemd(w):
    """Descriptor 3, as the protocol says: LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    address = "127.0.0.1:%d" % sock.getsockname()[1]

    d = w.daemon({}, services={"echo": service("systemd:web", connect="echo")}, start=False)
    script = f'exec 3<&{sock.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$@"'
    d.start(prefix=("bash", "-c", script, "bash"), pass_fds=(sock.fileno(),))
    sock.close()
    assert d.at("echo") == address
    client = d.connect("echo")
    echoes(client)
    ends_well(client)


@pytest.mark.skipif(not shutil.which("systemd-socket-activate"), reason="systemd-socket-activate is not installed")
def test_socket_activated(w):
    path = f"{w.dir}/activated.sock"
    d = w.daemon({}, services={"echo": service("systemd:web", connect="echo")}, start=False)
    d.start(prefix=("systemd-socket-activate", "-l", path, "--fdname=web", "-E", "NOTIFY_SOCKET"), ready=False)
    w.until(lambda: os.path.exists(path), "systemd-socket-activate's socket")
    w.until(lambda: "Listening" in d.messages(), "systemd-socket-activate")
    client = w.net.connect(f"unix:{path}")
    d.until_ready()
    echoes(client, b"first" * 1000)
    ends_well(client)
    d.stop()
    assert os.path.exists(path), "the path belongs to systemd"


def test_socket_from_systemd_that_was_not_passed(w):
    d = w.daemon({}, services={"echo": service("systemd:web", connect="echo")}, start=False)
    d.expect_returncode = 1
    d.start(ready=False)
    assert d.until_exit() == 1
    assert f"{d.conf}:" in d.messages() and "web" in d.messages()


# -- the built-ins ---------------------------------------------------------------------------------

LEGS = ["plain", "tls12", "tls13"]


def builtin(w, what, leg, **settings):
    s = service(connect=what, **settings)
    if leg != "plain":
        s["listen-tls"] = {"certificate": w.certs.path("server.pem")}
    d = w.daemon(services={what: s})
    return d, d.connect(what, tls=None if leg == "plain" else w.certs.client(leg))


@pytest.mark.parametrize("leg", LEGS)
def test_echo(w, leg):
    d, client = builtin(w, "echo", leg)
    data = noise(5_000_001)
    client.send(data).end()
    assert client.until_ended() == "end"
    assert client.received == data
    record = d.record_of(client)
    assert record["reason"] == "end" and record["ended_by"] == "client"
    assert record["bytes_up"] == record["bytes_down"] == len(data)
    assert record["upstream"] == "echo"


@pytest.mark.parametrize("leg", LEGS)
def test_echo_stops_when_nobody_reads(w, leg):
    d, client = builtin(w, "echo", leg)
    client.pause().send(flood()).until_blocked()
    assert client.handed < STOPPED_WITHIN
    client.resume().end()
    assert client.until_ended() == "end"
    assert client.received == flood()


@pytest.mark.parametrize("leg", LEGS)
def test_echo_reset(w, leg):
    d, client = builtin(w, "echo", leg)
    echoes(client)
    client.reset()
    record = d.record_of(client)
    assert record["reason"] == "client-reset" and record["ended_by"] == "client"


@pytest.mark.parametrize("leg", LEGS)
def test_discard(w, leg):
    d, client = builtin(w, "discard", leg)
    client.send(noise(3_000_000)).end()
    assert client.until_ended() == "end"
    assert not client.received
    record = d.record_of(client)
    assert record["reason"] == "end" and (record["bytes_up"], record["bytes_down"]) == (3_000_000, 0)


def chargen(n):
    ring = bytes(range(32, 127)) * 2
    return b"".join(ring[i % 95:i % 95 + 72] + b"\r\n" for i in range(n // 74 + 1))[:n]


@pytest.mark.parametrize("leg", LEGS)
def test_chargen(w, leg):
    """RFC 864's pattern for as long as the client reads, and its end when the client ends."""
    d, client = builtin(w, "chargen", leg)
    client.until_received(200_000)
    client.end()
    assert client.until_ended() == "end"
    assert bytes(client.received) == chargen(len(client.received))
    assert d.record_of(client)["bytes_down"] == len(client.received)


def test_chargen_stops_when_nobody_reads(w):
    d, client = builtin(w, "chargen", "plain")
    client.until_received(1000)
    client.pause()
    w.net.run(0.3)
    before = d.cpu_seconds()
    w.net.run(0.5)
    assert d.cpu_seconds() - before < 0.06 * SLOW
    client.resume().end()
    assert client.until_ended() == "end"


@pytest.mark.parametrize("leg", LEGS)
def test_daytime(w, leg):
    """RFC 867: one line, then the end, whatever the client does."""
    d, client = builtin(w, "daytime", leg)
    assert client.until_ended() == "end"
    line = client.received.decode()
    assert line.endswith("\r\n") and line.count("\n") == 1
    assert str(datetime.datetime.now(datetime.timezone.utc).year) in line
    client.end()
    assert d.record_of(client)["bytes_down"] == len(client.received)


@pytest.mark.parametrize("leg", LEGS)
@pytest.mark.parametrize("what", ["echo", "discard", "chargen"])
def test_builtins_at_the_drain_deadline(w, what, leg):
    s = service(connect=what)
    if leg != "plain":
        s["listen-tls"] = {"certificate": w.certs.path("server.pem")}
    d = w.daemon({"drain-timeout": "200ms"}, services={what: s})
    client = d.connect(what, tls=None if leg == "plain" else w.certs.client(leg))
    w.until(lambda: client.established and client.connected, "connected")
    client.send(b"x").drain()
    d.signal(signal.SIGTERM)
    assert client.until_ended() == "reset"
    assert d.record_of(client)["reason"] == "drained"
    assert d.until_exit() == 0


def test_peers_module_reads_addresses():
    assert peers.split_address("[::1]:7") == (socket.AF_INET6, ("::1", 7))
    assert peers.split_address("unix:@x") == (socket.AF_UNIX, "\0x")
