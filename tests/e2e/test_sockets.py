# SPDX-License-Identifier: ISC
"""The sockets themselves: options, several workers on one address, who gets which connection."""
import os
import pathlib
import re
import shutil
import signal
import socket
import time

import pytest

import harness
from harness import SLOW, service


def echoes(client, data=b"hello"):
    before = len(client.received)
    client.send(data)
    client.until_received(before + len(data))
    assert bytes(client.received[before:]) == data


def ends_well(client):
    client.end()
    assert client.until_ended() == "end"


def inodes(address, column):
    """Of the TCP sockets of this machine with that address: local (1) or remote (2)."""
    host, port = address.rsplit(":", 1)
    wanted = "".join(f"{int(n):02X}" for n in reversed(host.split("."))) + f":{int(port):04X}"
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return {fields[9] for fields in map(str.split, lines) if fields[column] == wanted}


def descriptors(d):
    """What each descriptor of the daemon is."""
    found = {}
    for fd in os.listdir(f"/proc/{d.pid}/fd"):
        try:
            found[fd] = os.readlink(f"/proc/{d.pid}/fd/{fd}")
        except FileNotFoundError:
            pass
    return found


def loop_of(d, client):
    """The event loop (its epoll's descriptor) that watches the daemon's socket towards this client."""
    names = descriptors(d)
    sockets = {fd for fd, name in names.items() for i in inodes(client.address, 2) if name == f"socket:[{i}]"}
    watching = set()
    for fd, name in names.items():
        if name == "anon_inode:[eventpoll]":
            text = pathlib.Path(f"/proc/{d.pid}/fdinfo/{fd}").read_text()
            if sockets & set(re.findall(r"tfd:\s*(\d+)", text)):
                watching.add(fd)
    assert len(watching) <= 1, f"{client} is watched by {watching}"
    return watching.pop() if watching else None


def two_workers(w, listen="127.0.0.1:0", **directives):
    return w.daemon({"workers": 2}, services={"echo": service(listen, connect="echo", **directives)})


@pytest.mark.smoke
@pytest.mark.parametrize("listen", ["tcp", "unix"])
def test_two_long_connections_are_with_different_workers(w, listen):
    """The kernel does not care; the second would be with the same worker every other time."""
    for _ in range(6):
        d = two_workers(w) if listen == "tcp" else two_workers(w, f"unix:{w.dir}/s{len(w.daemons)}")
        clients = [d.connect("echo") for _ in range(2)]
        for client in clients:
            echoes(client)
        if listen == "tcp":
            loops = [w.until(lambda c=c: loop_of(d, c), "a loop to watch the connection") for c in clients]
            assert loops[0] != loops[1]
        for client in clients:
            ends_well(client)
        d.stop()


def test_an_even_spread_is_kept(w):
    """Six at a time, for rounds: three for each worker."""
    d = two_workers(w)
    for _ in range(5):
        clients = [d.connect("echo") for _ in range(6)]
        for client in clients:
            echoes(client)
        loops = [w.until(lambda c=c: loop_of(d, c), "a loop to watch the connection") for c in clients]
        assert sorted(loops.count(loop) for loop in set(loops)) == [3, 3], loops
        for client in clients:
            ends_well(client)
        for client in clients:
            d.record_of(client)


def test_each_worker_has_its_own_listening_socket(w):
    d = w.daemon({"workers": 3}, services={"echo": service(connect="echo")})
    ours = {f"socket:[{i}]" for i in inodes(d.at("echo"), 1)} & set(descriptors(d).values())
    assert len(ours) == 3


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_daemon_on_the_address_is_an_error(w, workers):
    first = two_workers(w)
    second = w.daemon(start=False)
    second.write({"workers": workers, "services": {"echo": service(first.at("echo"), connect="echo")}})
    second.expect_returncode = 1
    second.start(ready=False)
    assert second.until_exit() == 1
    assert "Address already in use" in second.messages()
    client = first.connect("echo")
    echoes(client)
    ends_well(client)


def test_whoever_came_before_the_drain_is_served(w):
    """Forty connect, and the daemon is told to stop in the same moment."""
    for _ in range(5):
        d = two_workers(w)
        clients = [d.connect("echo") for _ in range(40)]
        d.signal(signal.SIGTERM)
        for client in clients:
            client.send(b"hello")
            client.end()
        for client in clients:
            assert client.until_ended() == "end" and bytes(client.received) == b"hello"
        assert d.until_exit() == 0
        assert len(d.records()) == 40


# -- options -------------------------------------------------------------------------------------


def test_an_algorithm_that_is_not_offered(w):
    text = ('services: {\n  a: {\n    listen = "127.0.0.1:0"; connect = "127.0.0.1:1"\n'
            '    connect-socket: {\n      congestion = "cubik"\n    }\n  }\n}\n')
    for how in ("-t", "-T"):
        done = harness.spliced_once(how, "-e", text)
        assert done.returncode == 1
        assert re.search(r':5: congestion: this kernel does not offer "cubik"; it offers .*\breno\b', done.stderr)


@pytest.mark.skipif(shutil.which("ss") is None, reason="only ss(8) tells")
@pytest.mark.parametrize("algorithm", ["auto", "system", "reno"])
def test_congestion(w, algorithm):
    """Either leg, while it is open, has what was asked for."""
    listener = w.listen()
    s = service(connect=listener.address)
    s["listen-socket"] = s["connect-socket"] = {"congestion": algorithm}
    d = w.daemon(services={"path": s})
    system = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
    expected = system if algorithm == "system" else "reno"
    client = d.connect("path")
    upstream = w.accept(listener, client)
    for n in range(1, 4):
        client.send(b"?")
        upstream.until_received(n)
        upstream.send(b"!")
        client.until_received(n)
    for peer in (client, upstream):
        said = w.run("ss", "-tiHn", "state", "established", "dst", peer.address, name="ss")
        assert said.until_exit() == 0
        assert re.search(rf"\b{expected}\b", said.output().decode()), said.output()
    client.end()
    upstream.end()
    client.until_ended()
    upstream.until_ended()


def cpu_of(d, seconds, w):
    before = d.cpu_seconds()
    w.net.run(seconds)
    return d.cpu_seconds() - before


@pytest.mark.alone
def test_busy_poll_does_not_spin_when_idle(w):
    """Answers are right, and what is idle costs nothing: a connection that is open and silent, one
    that has gone, and the daemon without any."""
    listener = w.listen()
    s = service(connect=listener.address)
    s["connect-socket"] = {"busy-poll": "1ms"}
    d = w.daemon({"workers": 2}, services={"path": s})
    assert cpu_of(d, 0.5 * SLOW, w) <= 0.03 * SLOW
    client = d.connect("path")
    upstream = w.accept(listener, client)
    for n in range(1, 200):
        client.send(b"?")
        upstream.until_received(n)
        upstream.send(b"!")
        client.until_received(n)
    assert cpu_of(d, 1 * SLOW, w) <= 0.03 * SLOW, "a silent connection costs CPU"
    client.end()
    upstream.end()
    assert client.until_ended() == "end" and upstream.until_ended() == "end"
    d.record_of(client)
    assert cpu_of(d, 0.5 * SLOW, w) <= 0.03 * SLOW, "a connection that has gone costs CPU"


@pytest.mark.alone
def test_busy_poll_stays_awake_between_octets(w):
    """Octets every 0.3 ms: the daemon that stays awake for 1 ms is never asleep, the other one is."""
    used = {}
    for poll in ("off", "1ms"):
        s = service(connect="discard")
        s["listen-socket"] = {"busy-poll": poll}
        d = w.daemon({"workers": 1}, services={"sink": s})
        d.strangers = True
        with socket.create_connection(tuple(d.at("sink").rsplit(":", 1))) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            before, end = d.cpu_seconds(), time.monotonic() + 1 * SLOW
            while time.monotonic() < end:
                sock.send(b"x")
                time.sleep(0.0003)
            used[poll] = d.cpu_seconds() - before
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(1) == b""
        d.stop()
    assert used["1ms"] > 2 * used["off"] + 0.2 * SLOW, used
