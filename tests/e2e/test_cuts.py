# SPDX-License-Identifier: ISC
"""The rows of the closing table that need more than two connected legs: no upstream, timers on the
way, the drain deadline; and what a held-up connection costs."""
import os
import signal
import socket
import time

import pytest

import closing
from closing import KINDS, MB, noise
from harness import INSTRUMENTED, SLOW, service

TLS_KINDS = ("tls12", "tls13")


def leg_settings(w, client, **directives):
    s = service(**directives)
    if client != "plain":
        s["listen-tls"] = {"certificate": w.certs.path("server.pem")}
    return s


def client_tls(w, kind):
    return None if kind == "plain" else w.certs.client(kind)


def cut_without_upstream(client):
    """RST on a plain leg; an alert and then RST on a TLS leg."""
    client.until_ended()
    if client.tls is None:
        assert client.ended == "reset"
    else:
        assert client.ended.startswith("alert ") and client.tcp_end == "reset", str(client)
    assert not client.received


def refusing():
    """An address that nobody listens on while the socket is held."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    return s, "127.0.0.1:%d" % s.getsockname()[1]


class Silent:
    """An address where a connection is never made: its queue of the connections to accept is full."""

    def __init__(self):
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(0)
        self.address = "127.0.0.1:%d" % self.sock.getsockname()[1]
        self.fill = []
        for _ in range(8):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(self.sock.getsockname())
            self.fill.append(s)

    def close(self):
        for s in [self.sock, *self.fill]:
            s.close()


@pytest.fixture
def silent():
    s = Silent()
    yield s
    s.close()


@pytest.mark.parametrize("upstream", ["plain", "tls"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_upstream_could_be_reached(w, kind, upstream):
    held, address = refusing()
    s = leg_settings(w, kind, connect=address)
    if upstream == "tls":
        s["connect-tls"] = {"server-name": "localhost", "ca": w.certs.path("ca.pem")}
    d = w.daemon(services={"path": s})
    client = d.connect("path", tls=client_tls(w, kind))
    client.send(b"hello")
    cut_without_upstream(client)
    record = d.record_of(client)
    assert record["reason"] == "connect-refused"
    assert [a["target"] for a in record["attempts"]] == [address]
    assert "refused" in record["attempts"][0]["error"]
    held.close()


@pytest.mark.parametrize("kind", KINDS)
def test_connect_timeout(w, kind, silent):
    d = w.daemon(services={"path": leg_settings(w, kind, connect=silent.address, connect_timeout="400ms")})
    client = d.connect("path", tls=client_tls(w, kind))
    cut_without_upstream(client)
    record = d.record_of(client)
    assert record["reason"] == "connect-timeout" and record["ended_by"] == "spliced"
    assert record["attempts"][0]["address"] == silent.address
    assert 350 <= record["duration_ms"] < 5000 * SLOW


@pytest.mark.parametrize("kind", KINDS)
def test_client_leaves_while_connecting(w, kind, silent):
    """Nobody waits for an upstream that nobody wants any more than connect-timeout allows."""
    d = w.daemon(services={"path": leg_settings(w, kind, connect=silent.address, connect_timeout="1s")})
    client = d.connect("path", tls=client_tls(w, kind)).drain()
    client.reset()
    record = d.record_of(client)
    assert record["reason"] in ("client-reset", "connect-timeout")


def test_handshake_timeout_of_a_silent_client(w):
    s = leg_settings(w, "tls", connect="echo", handshake_timeout="300ms")
    d = w.daemon(services={"path": s})
    client = d.connect("path")
    assert client.until_ended() == "reset"
    record = d.record_of(client)
    assert record["reason"] == "handshake-timeout" and record["ended_by"] == "spliced"


@pytest.mark.parametrize("kind", KINDS)
def test_handshake_timeout_of_a_silent_upstream(w, kind):
    listener = w.listen()
    s = leg_settings(w, kind, connect=listener.address, handshake_timeout="300ms")
    s["connect-tls"] = {"server-name": "localhost", "ca": w.certs.path("ca.pem")}
    d = w.daemon(services={"path": s})
    client = d.connect("path", tls=client_tls(w, kind))
    upstream = listener.accept()
    assert upstream.until_ended() == "reset"
    # a timer's RST, or the alert and RST of a client that got no upstream: neither can be an end
    client.until_ended()
    assert client.tcp_end == "reset" and (client.ended == "reset" or client.ended.startswith("alert ")), client
    record = d.record_of(client)
    assert record["reason"] == "handshake-timeout" and record["ended_by"] == "spliced"
    assert record["upstream"] == listener.address


@pytest.mark.parametrize("truncation", ["reset", "forward"])
@pytest.mark.parametrize("upstream", KINDS)
def test_client_resets_behind_its_handshake(w, upstream, truncation):
    """In TLS 1.3 a client may send its Finished, data and an RST before we wrote our tickets; writing
    those takes the error out of the socket, and what is read afterwards looks like a FIN. It is
    none: the upstream gets the data and the RST, even where a truncation counts as an end."""
    path = closing.DaemonPath(w, ("tls13", upstream), closing.directives(truncation=truncation))
    client = path.daemon.connect("path", tls=path.tls).pause()
    w.until(lambda: client.connected and not client._wire_left and client.unread > 0, "the server's flight")
    os.kill(path.daemon.pid, signal.SIGSTOP)
    client.send(noise(50_000)).resume().until_established().drain().reset()
    os.kill(path.daemon.pid, signal.SIGCONT)
    upstream = w.accept(path.listener, client)
    assert upstream.until_ended() == "reset"
    closing.same(upstream.received, noise(50_000), "upstream")
    record = path.daemon.record_of(client)
    assert record["reason"] == "client-reset" and record["ended_by"] == "client", record


class Early:
    """A plain client that had sent all it wants to send before the daemon looked at it, its end as well or not."""

    def __init__(self, w, upstream, pump, octets, ends):
        path = closing.DaemonPath(w, ("plain", upstream), pump=pump)
        self.daemon = path.daemon
        self.daemon.signal(signal.SIGSTOP)
        self.client = self.daemon.connect("path", sndbuf=closing.SENDING).pause().send(octets)
        if ends:
            self.client.end().drain()
        else:
            self.client.until_blocked()
        self.daemon.signal(signal.SIGCONT)
        self.upstream = w.accept(path.listener, self.client).until_established().pause()


EARLY = (pytest.mark.parametrize("upstream", KINDS), pytest.mark.parametrize("pump", ["auto", "buffer"]))


def early(test):
    for mark in EARLY:
        test = mark(test)
    return test


@early
def test_answer_to_a_client_that_had_ended_before_the_daemon_looked(w, upstream, pump):
    """Nothing is to be read from it any more, but it has room again whenever it has read."""
    e = Early(w, upstream, pump, noise(100_001), ends=True)
    assert e.upstream.resume().until_ended() == "end"
    closing.same(e.upstream.received, noise(100_001), "upstream")
    e.upstream.send(closing.flood()).end().until_blocked()
    assert e.client.resume().until_ended() == "end"
    closing.same(e.client.received, closing.flood(), "client")
    assert e.daemon.record_of(e.client)["reason"] == "end"


@early
def test_reset_of_a_client_that_had_ended_before_the_daemon_looked(w, upstream, pump):
    e = Early(w, upstream, pump, noise(100_001), ends=True)
    assert e.upstream.resume().until_ended() == "end"
    e.client.reset()
    e.upstream.until_cut()
    record = e.daemon.record_of(e.client)
    assert (record["reason"], record["ended_by"]) == ("client-reset", "client"), record


@early
def test_answer_to_a_client_whose_octets_nobody_reads(w, upstream, pump):
    """It had sent more than its upstream takes before the daemon looked; the answer does not wait for that."""
    e = Early(w, upstream, pump, closing.flood(), ends=False)
    e.upstream.send(closing.flood()).until_blocked()
    e.client.resume().until_received(len(closing.flood()))
    closing.same(e.client.received, closing.flood(), "client")
    e.upstream.resume().until_received(len(closing.flood()))
    closing.same(e.upstream.received, closing.flood(), "upstream")
    e.client.end()
    e.upstream.end()
    assert e.client.until_ended() == "end" and e.upstream.until_ended() == "end"
    assert e.daemon.record_of(e.client)["reason"] == "end"


@pytest.mark.parametrize("version", TLS_KINDS)
@pytest.mark.parametrize("client_kind", KINDS)
def test_upstream_resets_behind_its_handshake(w, client_kind, version):
    """Its last flight and the RST may be there at once: the handshake or the connection failed, and
    either way the client is cut."""
    path = closing.DaemonPath(w, (client_kind, version))
    client = path.daemon.connect("path", tls=path.tls)
    upstream = w.accept(path.listener, client).until_established()
    upstream.reset()
    client.until_ended()
    assert client.tcp_end == "reset" and (client.ended == "reset" or client.ended.startswith("alert ")), client
    record = path.daemon.record_of(client)
    assert record["reason"] in ("upstream-reset", "upstream-tls-failed"), record
    assert record["ended_by"] == "upstream"


@pytest.mark.parametrize("upstream", KINDS)
@pytest.mark.parametrize("client", KINDS)
def test_drain_deadline(w, client, upstream):
    path = closing.DaemonPath(w, (client, upstream), globals={"drain-timeout": "300ms"})
    p = path.open((client, upstream), "client")
    p.a.send(b"ping")
    p.b.until_received(4)
    path.daemon.signal(15)
    assert p.a.until_ended() == "reset" and p.b.until_ended() == "reset"
    p.recorded("drained", "spliced")
    assert path.daemon.until_exit() == 0


@pytest.mark.parametrize("upstream", KINDS)
@pytest.mark.parametrize("client", KINDS)
def test_idle_timer_restarts_on_progress(w, client, upstream):
    """Octets every now and then, for longer than the timer, in one direction only."""
    limit = 0.8 * SLOW
    path = closing.DaemonPath(w, (client, upstream), closing.directives(idle_timeout=f"{int(limit * 1000)}ms"))
    p = path.open((client, upstream), "client")
    began = time.monotonic()
    sent = 0
    while time.monotonic() - began < 2 * limit:
        p.a.send(b"x")
        sent += 1
        p.b.until_received(sent)
        p.net.run(limit / 8)
    assert p.a.ended is None and p.b.ended is None
    assert p.a.until_ended() == "reset" and p.b.until_ended() == "reset"
    record = p.recorded("idle-timeout", "spliced")
    assert record["duration_ms"] >= 3 * limit * 1000 * 0.95
    p.exactly(record)


def test_half_close_timer_restarts_on_progress(w):
    limit = 0.8 * SLOW
    path = closing.DaemonPath(w, ("plain", "tls13"), closing.directives(half_close_timeout=f"{int(limit * 1000)}ms"))
    p = path.open(("plain", "tls13"), "client")
    p.a.send(b"q").end()
    assert p.b.until_ended() == "end"
    began = time.monotonic()
    sent = 0
    while time.monotonic() - began < 2 * limit:
        p.b.send(b"x")
        sent += 1
        p.a.until_received(sent)
        p.net.run(limit / 8)
    p.b.end()
    assert p.a.until_ended() == "end"
    record = p.recorded("end")
    assert record["half_closed_ms"] >= 2 * limit * 1000 * 0.95


def test_write_timer_restarts_on_progress(w):
    """A reader slower than the data, but never as slow as the timer."""
    limit = 0.5 * SLOW
    path = closing.DaemonPath(w, ("plain", "plain"), closing.directives(write_timeout=f"{int(limit * 1000)}ms"),
                              small_buffers=True)
    p = path.open(("plain", "plain"), "client")
    p.b.resume(rate=(32 * 1024, 0.01 * SLOW))
    began = time.monotonic()
    p.a.send(noise(4 * MB)).end()
    assert p.b.until_ended() == "end"
    assert time.monotonic() - began > 1.2 * limit, "too fast to say anything"
    closing.same(p.b.received, noise(4 * MB), "b")
    p.b.end()
    assert p.a.until_ended() == "end"
    p.recorded("end")


# -- what a connection that is held up costs -------------------------------------------------------

memory = pytest.mark.skipif(INSTRUMENTED, reason="memory is measured on the daemon as it is shipped")
CALM = 0.06  # seconds of CPU in a window of half a second: far from a spin, above a timer's cost


def calm(w, daemon, while_what):
    w.net.run(0.1)
    before = daemon.cpu_seconds()
    w.net.run(0.5)
    spent = daemon.cpu_seconds() - before
    assert spent < CALM * SLOW, f"{spent:.2f} s of CPU in half a second while {while_what}"


@pytest.mark.parametrize("by", ["client", "upstream"])
@pytest.mark.parametrize("upstream", KINDS)
@pytest.mark.parametrize("client", KINDS)
def test_held_up_costs_no_cpu_and_a_reset_is_noticed(w, client, upstream, by):
    """b does not read; a is held up, then resets. Neither costs CPU; b gets what had arrived and
    the RST as soon as it reads."""
    path = closing.DaemonPath(w, (client, upstream), small_buffers=True, by=by)
    p = path.open((client, upstream), by)
    data = closing.flood()
    p.b.pause()
    p.a.send(data).until_blocked()
    calm(w, path.daemon, "one side does not read")
    arrived = p.a.arrived
    p.a.reset()
    calm(w, path.daemon, "octets wait for a side that does not read, of one that has reset")
    p.b.resume()
    assert p.b.until_ended() == "reset"
    closing.starts(p.b.received, data, arrived, "b")
    p.exactly(p.recorded("{a}-reset"))


@pytest.mark.parametrize("by", ["client", "upstream"])
@pytest.mark.parametrize("upstream", KINDS)
@pytest.mark.parametrize("client", KINDS)
def test_held_up_both_ways_then_one_resets(w, client, upstream, by):
    """Reading is paused on both legs when the reset comes: no data event will ever tell."""
    path = closing.DaemonPath(w, (client, upstream), by=by)
    p = path.open((client, upstream), by)
    p.a.pause().send(closing.flood())
    p.b.pause().send(closing.flood())
    p.a.until_blocked()
    p.b.until_blocked()
    arrived = p.a.arrived
    p.a.reset()
    w.net.until_still([p.b])  # what b sends to nobody may be read and thrown away
    calm(w, path.daemon, "both sides are held up and one has reset")
    p.b.resume()
    assert p.b.until_ended() == "reset"
    closing.starts(p.b.received, closing.flood(), arrived, "b")
    p.recorded("{a}-reset")


@pytest.mark.parametrize("client, upstream", [("plain", "plain"), ("tls13", "plain"), ("plain", "tls12"),
                                              ("tls12", "tls13")])
def test_half_closed_and_quiet_costs_no_cpu(w, client, upstream):
    path = closing.DaemonPath(w, (client, upstream))
    p = path.open((client, upstream), "client")
    p.a.send(b"q").end()
    assert p.b.until_ended() == "end"
    calm(w, path.daemon, "one side has ended")
    p.b.send(b"a").end()
    assert p.a.until_ended() == "end"
    p.recorded("end")


@memory
@pytest.mark.parametrize("client, upstream", [("plain", "plain"), ("tls13", "plain"), ("plain", "tls13"),
                                              ("tls12", "tls12")])
def test_memory_of_held_up_connections_has_a_ceiling(w, client, upstream):
    """Some connections, held up both ways by sides that do not read. Each may cost both
    directions' buffers; nothing like the megabytes that were offered."""
    n, ceiling = 4, 2 * MB
    path = closing.DaemonPath(w, (client, upstream))
    first = path.open((client, upstream), "client")
    first.a.send(noise(MB)).end()
    first.b.send(noise(MB)).end()
    assert first.a.until_ended() == "end" and first.b.until_ended() == "end"
    before = path.daemon.rss()
    pairs, data = [], closing.flood()
    for _ in range(n):
        p = path.open((client, upstream), "client")
        p.a.pause().send(data)
        p.b.pause().send(data)
        pairs.append(p)
    w.net.until_blocked([x for p in pairs for x in (p.a, p.b)])
    grown = path.daemon.rss() - before
    assert grown < n * ceiling, f"{grown / n / MB:.2f} MB for each connection that is held up"
    for p in pairs:
        p.a.reset()
        p.b.reset()
    for p in pairs:
        path.daemon.record_of(p.client)
