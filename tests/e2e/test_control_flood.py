# SPDX-License-Identifier: ISC
"""The control socket under a flood: forwarding goes on, and what it costs is bounded."""
import json
import signal
import socket

import pytest

from control import NEEDS_SPLICECTL, daemon, lines
from harness import INSTRUMENTED, echoes, ends_well, service

pytestmark = NEEDS_SPLICECTL


class Flood:
    """Sockets that come, say something, and go when they are told to."""

    def __init__(self, d):
        self.path = str(d.dir / "ctl")
        self.sockets = []

    def add(self, data=b""):
        """Returns whether there was room for one more in the kernel's queue."""
        s = socket.socket(socket.AF_UNIX)
        s.setblocking(False)
        if s.connect_ex(self.path) != 0:
            s.close()
            return False
        self.sockets.append(s)
        self.say(s, data)
        return True

    @staticmethod
    def say(s, data):
        try:
            while data:
                data = data[s.send(data):]
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            pass

    def leave(self):
        for s in self.sockets:
            s.close()
        self.sockets.clear()


FLOODS = {
    "silence": [b""],
    "half requests": [b'["sta', b"[", b'["sessions","'],
    "rubbish": [b"\0" * 100 + b"\n", b"\xff\xfe\n", b"{}\n" * 200, b"GET / HTTP/1.0\r\n\r\n", b'["x"]\n["y"]\n'],
    "no end of a line": [b"x" * (4 << 20)],
    "requests": [b'["sessions"]\n', b'["certificates"]\n', b'["drain","nobody"]\n', b'["session","1"]\n'],
}


@pytest.mark.parametrize("kind", FLOODS)
def test_forwarding_goes_on(w, kind):
    listener = w.listen()
    d = daemon(w, services={"x": service(connect="echo"), "fwd": service(connect=listener.address)})
    talks, moves = d.connect("x"), d.connect("fwd")
    echoes(talks)
    server = w.accept(listener, moves)
    descriptors, memory = d.descriptors() + 4, d.rss()  # and a few pipes
    flood = Flood(d)
    data = bytes(range(256)) * 4096
    for i in range(300):
        words = FLOODS[kind]
        flood.add(words[i % len(words)])
        if i % 30 == 0:
            echoes(talks, b"still here")
            moves.send(data)
    assert d.descriptors() <= descriptors + 32
    moves.end()
    assert server.until_ended() == "end"
    assert len(server.received) == 10 * len(data) and server.received[-256:] == data[-256:]
    if not INSTRUMENTED:
        assert d.rss() - memory < 16 << 20
    flood.leave()
    assert len(lines(w, d, "status")) == 1
    w.until(lambda: d.descriptors() <= descriptors, "all of the flood to be gone")
    server.end()
    assert moves.until_ended() == "end"
    ends_well(talks)


def test_slow_readers(w):
    """Each asks for much and reads nothing: their number bounds what waits for them."""
    d = daemon(w, services={"x": service(connect="echo")})
    clients = [d.connect("x") for _ in range(200)]
    for client in clients:
        echoes(client)
    memory = d.rss()
    flood = Flood(d)
    for _ in range(100):
        flood.add(b'["sessions"]\n')
    echoes(clients[0], b"goes on")
    w.net.run(0.3)
    if not INSTRUMENTED:
        assert d.rss() - memory < 32 << 20
    cpu = d.cpu_seconds()
    w.net.run(0.3)
    assert d.cpu_seconds() - cpu < 0.2
    flood.leave()
    assert len(lines(w, d, "sessions")) == 200
    for client in clients:
        ends_well(client)


def test_a_request_under_way_when_the_daemon_ends(w):
    d = daemon(w, {"workers": 4}, services={"x": service(connect="echo")})
    client = d.connect("x")
    echoes(client)
    d.signal(signal.SIGSTOP)
    flood = Flood(d)
    for _ in range(30):
        flood.add(b'["sessions"]\n')
    flood.add(b'["reload"]\n')
    d.signal(signal.SIGTERM)
    d.signal(signal.SIGINT)
    d.signal(signal.SIGCONT)
    assert d.until_exit() == 0
    assert client.until_ended() == "reset"
    for s in flood.sockets:  # an answer, or part of one, or none
        s.setblocking(True)
        try:
            text = b""
            while piece := s.recv(65536):
                text += piece
            for line in text.splitlines():
                json.loads(line)
        except ConnectionResetError:
            pass
    flood.leave()
