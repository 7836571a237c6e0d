# SPDX-License-Identifier: ISC
"""splicectl drain and resume: nobody new gets in, and nobody who is in is lost."""
import errno
import signal
import socket
import sys

import pytest

from control import NEEDS_SPLICECTL, SPLICECTL, ask, daemon, lines
from harness import echoes, ends_well, service

pytestmark = NEEDS_SPLICECTL

# Clients of an echo, one after the other, until the file is gone: how each of them fared.
CLIENTS = """
import errno, os, socket, sys
kind, address, stop = sys.argv[1:]
tally = {"served": 0, "refused": 0, "lost": 0}
while os.path.exists(stop):
    s = socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET)
    s.settimeout(10)
    where = address if kind == "unix" else ("127.0.0.1", int(address))
    try:
        s.connect(where)
    except ConnectionRefusedError:
        tally["refused"] += 1
        continue
    try:
        s.sendall(b"hello")
        s.shutdown(socket.SHUT_WR)
        got = b""
        while piece := s.recv(100):
            got += piece
        tally["served" if got == b"hello" else "lost"] += 1
    except OSError as e:
        tally["lost"] += 1
        print(e, file=sys.stderr)
    s.close()
print(tally["served"], tally["refused"], tally["lost"])
"""


def state(w, d, name):
    return next(line["state"] for line in lines(w, d, "services") if line["name"] == name)


def d_dir(w):
    """Where the first daemon has its files, and may make sockets."""
    return w.dir / "daemon1"


def until_state(w, d, name, expected):
    w.until(lambda: state(w, d, name) == expected, f"the state {expected}")


def where(d, name):
    host, port = d.at(name).rsplit(":", 1)
    return host, int(port)


def refused(address):
    with socket.socket() as s:
        s.settimeout(20)
        return s.connect_ex(address) == errno.ECONNREFUSED


@pytest.mark.parametrize("workers", [1, 3])
def test_tcp(w, workers):
    d = daemon(w, {"workers": workers}, services={"x": service(connect="echo"), "other": service(connect="echo")})
    stays = d.connect("x")
    echoes(stays)
    address, cpu = where(d, "x"), d.cpu_seconds()
    assert state(w, d, "x") == "open"
    for _ in range(2):  # once more changes nothing
        assert ask(w, d, "drain", "x").status == 0
    assert state(w, d, "x") == "draining"
    assert refused(address)
    echoes(stays, b"goes on")
    text = ask(w, d, "services").out
    assert "draining" in text
    other = d.connect("other")
    echoes(other)
    ends_well(stays)
    until_state(w, d, "x", "drained")
    assert refused(address)
    for _ in range(2):
        assert ask(w, d, "resume", "x").status == 0
    assert state(w, d, "x") == "open"
    clients = [d.connect("x") for _ in range(20)]
    for client in clients:
        echoes(client)
        ends_well(client)
    ends_well(other)
    w.net.run(0.3)
    assert d.cpu_seconds() - cpu < 1
    assert d.messages().count("service x is drained, on behalf of uid") == 1


def test_unix_waits(w):
    """shutdown(2) on a Unix socket could not be undone: who comes waits, and is let in later."""
    d = daemon(w, services={"x": service(listen=f"unix:{w.dir}/x", connect="echo")})
    stays = d.connect("x")
    echoes(stays)
    assert ask(w, d, "drain", "x").status == 0
    ends_well(stays)
    until_state(w, d, "x", "drained")
    waits = d.connect("x")
    waits.send(b"hello")
    w.net.run(0.3)
    assert waits.received == b"" and lines(w, d, "sessions") == []
    assert ask(w, d, "resume", "x").status == 0
    waits.until_received(5)
    ends_well(waits)


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_nobody_is_lost(w, kind):
    """Clients come as fast as they can meanwhile: each is served to its end, or refused, or waits."""
    listen = f"unix:{w.dir}/x" if kind == "unix" else "127.0.0.1:0"
    d = daemon(w, {"workers": 2, "log": {"access": "off"}}, services={"x": service(listen=listen, connect="echo")})
    d.strangers = True
    stop = w.dir / "go"
    stop.write_text("")
    address = f"{w.dir}/x" if kind == "unix" else str(where(d, "x")[1])
    crowd = [w.run(sys.executable, "-c", CLIENTS, kind, address, stop, name=f"client{i}") for i in range(3)]
    for _ in range(2):
        w.net.run(0.2)
        assert ask(w, d, "drain", "x").status == 0
        until_state(w, d, "x", "drained")
        w.net.run(1.3)  # whose first try was not answered tries again after a second
        assert ask(w, d, "resume", "x").status == 0
    w.net.run(0.2)
    stop.unlink()
    for program in crowd:
        assert program.until_exit() == 0
        served, turned_away, lost = map(int, program.output().split())
        assert served > 0 and lost == 0 and (turned_away > 0) == (kind == "tcp"), program.err.read_text()


def test_who_waits_in_the_queue_is_let_in(w):
    """They come while the daemon is stopped, and it hears of the drain before it has seen any of them."""
    d = daemon(w, {"workers": 2}, services={"x": service(connect="echo"),
                                            "y": service(listen=f"unix:{w.dir}/y", connect="echo")})
    d.signal(signal.SIGSTOP)
    clients = [d.connect(name) for _ in range(10) for name in ("x", "y")]
    programs = [w.run(str(SPLICECTL), "-s", str(d.dir / "ctl"), "drain", name, name=name) for name in ("x", "y")]
    w.net.run(0.2)
    d.signal(signal.SIGCONT)
    assert [p.until_exit() for p in programs] == [0, 0]
    for client in clients:
        echoes(client)
        ends_well(client)


def test_it_survives_a_reload(w):
    (w.dir / "z").mkdir()
    first = {"x": service(connect="echo"), "y": service(connect="echo"),
             "z": service(f"unix:{w.dir}/z/z", connect="echo")}  # where more may be made later
    d = daemon(w, {"workers": 2}, services=first)
    address = where(d, "x")
    assert ask(w, d, "drain", "x").status == 0
    until_state(w, d, "x", "drained")
    for services in ({"x": service(connect="echo", idle_timeout="1h"), "y": service(connect="echo")},
                     {"x": service(listen=["127.0.0.1:0", f"unix:{w.dir}/z/x"], connect="echo"),
                      "y": service(connect="echo")}):
        d.write({"control": str(d.dir / "ctl"), "workers": 2, "services": services})
        assert ask(w, d, "reload").status == 0
        until_state(w, d, "x", "drained")
        assert refused(address)
    assert ask(w, d, "resume", "x").status == 0
    client = d.connect("x")
    echoes(client)
    ends_well(client)


@pytest.mark.parametrize("settled", [True, False])
def test_it_survives_an_upgrade(w, settled):
    d = daemon(w, {"workers": 2}, services={"x": service(connect="echo"),
                                            "y": service(listen=f"unix:{d_dir(w)}/y", connect="echo")})
    address = where(d, "x")
    for name in ("x", "y"):
        assert ask(w, d, "drain", name).status == 0
        if settled:
            until_state(w, d, name, "drained")
    d.upgrade()
    for name in ("x", "y"):
        until_state(w, d, name, "drained")
    assert refused(address)
    waits = d.connect("y")
    waits.send(b"hello")
    for name in ("x", "y"):
        assert ask(w, d, "resume", name).status == 0
    waits.until_received(5)
    ends_well(waits)
    client = d.connect("x")
    echoes(client)
    ends_well(client)


def test_an_address_that_moves_to_another_service_is_open_there(w):
    with socket.create_server(("127.0.0.1", 0)) as s:
        at = f"127.0.0.1:{s.getsockname()[1]}"
    d = daemon(w, {"workers": 2}, services={"x": service(listen=at, connect="echo")})
    assert ask(w, d, "drain", "x").status == 0
    until_state(w, d, "x", "drained")
    d.write({"control": str(d.dir / "ctl"), "workers": 2, "services": {
        "x": service(connect="echo"), "y": service(listen=at, connect="echo")}})
    assert ask(w, d, "reload").status == 0
    until_state(w, d, "x", "drained")
    client = d.connect("y", address=at)
    echoes(client)
    ends_well(client)


def test_another_program_may_take_the_port_meanwhile(w):
    d = daemon(w, services={"x": service(connect="echo")})
    address = where(d, "x")
    assert ask(w, d, "drain", "x").status == 0
    until_state(w, d, "x", "drained")
    with socket.create_server(address):
        result = ask(w, d, "resume", "x")
        assert result.status == 1 and "Address already in use" in result.err and "stays drained" in result.err
        assert state(w, d, "x") == "drained"
    assert ask(w, d, "resume", "x").status == 0
    client = d.connect("x")
    echoes(client)
    ends_well(client)


def test_a_socket_of_systemds_waits_and_stays_systemds(w):
    listener = socket.create_server(("127.0.0.1", 0))
    at = "%s:%d" % listener.getsockname()
    script = f'exec 3<&{listener.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$@"'
    d = w.daemon({"control": str(w.dir / "daemon1" / "ctl")}, services={"x": service("systemd:web", connect="echo")},
                 prefix=["bash", "-c", script, "bash"], pass_fds=[listener.fileno()])
    assert ask(w, d, "drain", "x").status == 0
    until_state(w, d, "x", "drained")
    waits = d.connect("x", address=at)
    waits.send(b"hello")
    w.net.run(0.3)
    assert waits.received == b""
    assert ask(w, d, "resume", "x").status == 0
    waits.until_received(5)
    ends_well(waits)
    listener.close()


def test_a_drained_service_and_the_end_of_the_daemon(w):
    d = daemon(w, services={"x": service(connect="echo"), "y": service(connect="echo")})
    stays = d.connect("x")
    echoes(stays)
    assert ask(w, d, "drain", "x").status == 0
    ends_well(stays)
    until_state(w, d, "x", "drained")
    d.stop()
    assert d.returncode == 0


@pytest.mark.parametrize("command", ["drain", "resume"])
def test_mistakes(w, command):
    d = daemon(w, services={"x": service(connect="echo")})
    result = ask(w, d, command, "nobody")
    assert result.status == 1 and "there is no service of that name" in result.err
    result = ask(w, d, command)
    assert result.status == 1 and f"usage: {command} SERVICE" in result.err
