# SPDX-License-Identifier: ISC
"""The closing table, as rows that can be played over anything that joins a client and an upstream.

A row is played by `a`, who does something, and `b`, the other; either may be the client. It ends
with what the record must say. The legs are plain, TLS 1.2 or TLS 1.3 in every combination.
"""
import dataclasses
import functools
import hashlib
import os
import random

import harness
import peers

KINDS = ("plain", "tls12", "tls13")
MB = 1 << 20
SIZES = (0, 1, 2, 4095, 4096, 4097, 16383, 16384, 16385, 65535, 65537, 1000003, 8 * MB)


def _most(what):
    """The kernel's largest buffer of a socket, in octets."""
    with open(f"/proc/sys/net/ipv4/{what}") as f:
        return int(f.read().split()[2])


# What a leg that does not read may cost: the octets that the other side can send before it is
# stopped. The kernel's send buffer towards that leg, our own bounded buffer, and the receive buffer
# from the sender, which the kernel lets grow for a sender that fills it within a round trip.
STOPPED_WITHIN = _most("tcp_wmem") + 3 * MB + _most("tcp_rmem")
SENDING = 256 * 1024

SMALL = 64 * 1024  # a receive buffer that is full soon

# The versions of TLS that the kernel is to be left, "tls12 tls13". Then it must be.
KTLS = set(os.environ.get("SPLICED_KTLS", "").split())

_noise = random.Random(7).randbytes(32 * MB)


def noise(n, seed=0):
    """Octets that repeat nowhere near, different for each seed."""
    at = seed * 1009
    return _noise[at:at + n]


@functools.cache
def flood():
    """More octets than all buffers on the way can hold."""
    whole, rest = divmod(STOPPED_WITHIN + MB, 32 * MB)
    return noise(32 * MB) * whole + noise(rest)


def shown(data):
    return f"{len(data)} octets, sha256 {hashlib.sha256(data).hexdigest()[:16]}"


def same(got, wanted, who):
    assert len(got) == len(wanted) and got == wanted, f"{who}: {shown(got)} instead of {shown(wanted)}"


def upgrade_when_full(w, d, client, upstream):
    """Another process takes over while both directions are full to the brim; nothing is missing. Returns the record."""
    up, down = os.urandom(STOPPED_WITHIN + MB), os.urandom(STOPPED_WITHIN + MB)
    client.pause()
    upstream.pause()
    client.send(up)
    upstream.send(down)
    w.net.until_blocked([client, upstream])
    d.upgrade()
    d.until_alone()
    client.resume()
    upstream.resume()
    client.end()
    upstream.end()
    assert client.until_ended() == "end" and upstream.until_ended() == "end"
    same(client.received, down, "the client")
    same(upstream.received, up, "the upstream")
    record = d.record_of(client)
    assert (record["bytes_up"], record["bytes_down"]) == (len(up), len(down))
    return record


def starts(got, wanted, least, who):
    """got is the beginning of wanted, and at least so long."""
    assert wanted.startswith(bytes(got)), f"{who} got octets that were not sent: {shown(got)}"
    assert len(got) >= least, f"{who} got {len(got)} octets, {least} had arrived before the cut"


@dataclasses.dataclass
class Pair:
    """A client and an upstream, connected through something."""
    path: object
    client: peers.Peer
    upstream: peers.Peer
    by: str                   # who does it: 'client' or 'upstream'
    kinds: tuple
    daemon: object = None

    @property
    def a(self):
        return self.client if self.by == "client" else self.upstream

    @property
    def b(self):
        return self.upstream if self.by == "client" else self.client

    @property
    def net(self):
        return self.client.net

    @property
    def a_kind(self):
        return self.kinds[0 if self.by == "client" else 1]

    def again(self):
        """Another connection of the same sort."""
        return self.path.open(self.kinds, self.by)

    def recorded(self, reason, ended_by=None):
        """The record says so. (The octets, addresses and TLS in it are compared for every
        connection when the test ends.) What is no daemon keeps no records."""
        if self.daemon is None:
            return None
        record = self.daemon.record_of(self.client)
        reason = reason.format(a=self.by)
        assert record["reason"] == reason, f"{reason} expected: {record}"
        ended_by = self.by if ended_by is None else ended_by
        if ended_by != "either":
            assert record["ended_by"] == ended_by, f"ended_by {ended_by} expected: {record}"
        return record

    def exactly(self, record):
        """Every octet the record counts was received, though the connection was cut."""
        if record is not None:
            assert record["bytes_up"] == len(self.upstream.received), f"{record}\n{self.upstream}"
            assert record["bytes_down"] == len(self.client.received), f"{record}\n{self.client}"


# -- ends ----------------------------------------------------------------------------------------


def end_then_answer(p):
    """An end is passed on while the answer still comes, for megabytes."""
    question, answer = noise(100_001), noise(3 * MB, 1)
    p.a.send(question).end()
    assert p.b.until_ended() == "end"
    same(p.b.received, question, "b")
    p.b.send(answer).end()
    assert p.a.until_ended() == "end"
    same(p.a.received, answer, "a")
    record = p.recorded("end")
    assert record is None or record["half_closed_ms"] is not None


def end_before_it_is_read(p):
    """An end queued behind megabytes for a side that does not read yet."""
    data = noise(4 * MB)
    p.b.pause()
    p.a.send(data).end()
    settle(p.a)
    p.b.resume()
    assert p.b.until_ended() == "end"
    same(p.b.received, data, "b")
    p.b.send(b"bye").end()
    assert p.a.until_ended() == "end"
    same(p.a.received, b"bye", "a")
    p.recorded("end")


def data_and_end_together(p):
    for size in (1, 1000, 12000):
        q = p if size == 1 else p.again()
        q.a.send_with_end(noise(size))
        assert q.b.until_ended() == "end"
        same(q.b.received, noise(size), "b")
        q.b.send_with_end(noise(size, 1))
        assert q.a.until_ended() == "end"
        same(q.a.received, noise(size, 1), "a")
        q.recorded("end")


def ends_at_once(p):
    """Both end at the same time, each behind megabytes."""
    one, other = noise(MB + 1), noise(2 * MB, 1)
    p.a.send(one).end()
    p.b.send(other).end()
    assert p.a.until_ended() == "end" and p.b.until_ended() == "end"
    same(p.a.received, other, "a")
    same(p.b.received, one, "b")
    p.recorded("end", "either")


def nothing_at_all(p):
    p.a.end()
    assert p.b.until_ended() == "end"
    p.b.end()
    assert p.a.until_ended() == "end"
    same(p.a.received, b"", "a")
    same(p.b.received, b"", "b")
    p.recorded("end")


def one_octet_at_a_time(p):
    data = noise(300)
    for i in range(len(data)):
        p.a.send(data[i:i + 1])
        p.b.send(data[-1 - i:len(data) - i])
    p.a.end()
    assert p.b.until_ended() == "end"
    p.b.end()
    assert p.a.until_ended() == "end"
    same(p.b.received, data, "b")
    same(p.a.received, data[::-1], "a")
    p.recorded("end")


def question_and_answer(p):
    """Lock step: nothing is held back waiting for more."""
    for i in range(50):
        p.a.send(noise(i * 37 + 1, i))
        p.b.until_received(sum(j * 37 + 1 for j in range(i + 1)))
        p.b.send(noise(i * 11 + 1, i))
        p.a.until_received(sum(j * 11 + 1 for j in range(i + 1)))
    p.a.end()
    assert p.b.until_ended() == "end"
    p.b.end()
    assert p.a.until_ended() == "end"
    same(p.b.received, b"".join(noise(i * 37 + 1, i) for i in range(50)), "b")
    same(p.a.received, b"".join(noise(i * 11 + 1, i) for i in range(50)), "a")
    p.recorded("end")


def every_size(p):
    """Octet for octet, both ways, at sizes around every buffer's edge."""
    for i, size in enumerate(SIZES):
        q = p if i == 0 else p.again()
        up, down = noise(size, i), noise(size, i + 20)
        q.client.send(up).end()
        q.upstream.send(down).end()
        assert q.upstream.until_ended() == "end" and q.client.until_ended() == "end"
        same(q.upstream.received, up, "upstream")
        same(q.client.received, down, "client")
        record = q.recorded("end", "either")
        assert record is None or (record["bytes_up"], record["bytes_down"]) == (size, size)


def slow_reader_of_an_end(p):
    data = noise(2 * MB)
    p.b.resume(rate=(65536, 0.002))
    p.a.send(data).end()
    assert p.b.until_ended() == "end"
    same(p.b.received, data, "b")
    p.b.end()
    assert p.a.until_ended() == "end"
    p.recorded("end")


# -- cuts ----------------------------------------------------------------------------------------


def reset_midstream(p):
    """A cut is not an end: what had arrived is delivered, then the reset travels on."""
    p.a.send(noise(64 * 1024)).drain()
    p.a.reset()
    assert p.b.until_ended() == "reset"
    same(p.b.received, noise(64 * 1024), "b")
    p.exactly(p.recorded("{a}-reset"))


def reset_at_once(p):
    """Before a single octet of a's. (One of b's tells that both handshakes are over everywhere.)"""
    p.b.send(b"!")
    p.a.until_received(1)
    p.a.reset()
    assert p.b.until_ended() == "reset"
    same(p.b.received, b"", "b")
    p.exactly(p.recorded("{a}-reset"))


def reset_behind_megabytes(p):
    """b reads slowly and is far behind when a resets: it still gets every octet before the RST."""
    data = noise(3 * MB)
    p.b.resume(rate=(65536, 0.002))
    p.a.send(data).drain()
    p.a.reset()
    assert p.b.until_ended() == "reset"
    same(p.b.received, data, "b")
    p.exactly(p.recorded("{a}-reset"))


def reset_while_held_up(p):
    """b does not read, a is stopped by that and resets."""
    data = flood()
    p.b.pause()
    p.a.send(data).until_blocked()
    arrived = p.a.arrived
    p.a.reset()
    p.b.resume()
    assert p.b.until_ended() == "reset"
    starts(p.b.received, data, arrived, "b")
    p.exactly(p.recorded("{a}-reset"))


def reset_by_who_does_not_read(p):
    """Megabytes are on their way to a, who resets instead of reading them."""
    p.a.pause()
    p.b.send(flood()).until_blocked()
    p.a.reset()
    assert p.b.until_ended() == "reset"
    same(p.b.received, b"", "b")
    p.recorded("{a}-reset")


def reset_after_own_end(p):
    """a ended well, and resets while the answer comes."""
    p.a.send(b"question").end()
    assert p.b.until_ended() == "end"
    p.b.send(b"answer")
    p.a.until_received(6)
    p.a.reset()
    p.b.until_cut()
    same(p.b.received, b"question", "b")
    p.recorded("{a}-reset")


def reset_after_others_end(p):
    """b ended well, and a resets while it sends its answer."""
    p.b.send(b"question").end()
    assert p.a.until_ended() == "end"
    p.a.send(noise(64 * 1024)).drain()
    p.a.reset()
    assert p.b.until_ended() == "reset"
    same(p.b.received, noise(64 * 1024), "b")
    p.recorded("{a}-reset")


def resets_at_once(p):
    """Both reset. Who was first is chance, that it was a cut is not."""
    p.a.send(b"a")
    p.b.send(b"b")
    p.a.until_received(1)
    p.b.until_received(1)
    p.a.reset()
    p.b.reset()
    if p.daemon is not None:
        record = p.daemon.record_of(p.client)
        assert record["reason"] in ("client-reset", "upstream-reset"), record


def end_meets_reset(p):
    """a ends behind megabytes while b, who does not read them, resets."""
    p.b.pause()
    p.a.send(noise(4 * MB)).end()
    settle(p.a)
    p.b.reset()
    assert p.a.until_ended() == "reset"
    p.net.until(lambda: p.daemon is None or p.daemon.records(), "the record")
    if p.daemon is not None:
        record = p.daemon.record_of(p.client)
        other = "upstream" if p.by == "client" else "client"
        assert record["reason"] == f"{other}-reset" and record["ended_by"] == other, record


# -- cuts that only TLS has ----------------------------------------------------------------------


def cut_by_tls(p, how):
    p.b.send(b"hello")
    p.a.until_received(5)
    p.a.send(noise(300_000))
    how()
    assert p.b.until_ended() == "reset"
    same(p.b.received, noise(300_000), "b")
    p.net.until(lambda: p.a.tcp_end, "a's end")
    assert p.a.tcp_end == "reset", f"a got a FIN: {p.a}"
    p.exactly(p.recorded("{a}-tls-failed"))


def fatal_alert(p):
    cut_by_tls(p, p.a.alert)


def bad_record(p):
    cut_by_tls(p, p.a.bad_record)
    assert p.a.ended in ("alert bad_record_mac", "reset"), p.a


def plain_text_in_tls(p):
    cut_by_tls(p, lambda: p.a.raw(b"GET / HTTP/1.1\r\n\r\n" * 40))
    assert p.a.ended.startswith("alert ") or p.a.ended == "reset", p.a


def fatal_alert_held_up(p):
    data = noise(2 * MB)
    p.b.pause()
    p.a.send(data).alert()
    settle(p.a)
    p.b.resume()
    assert p.b.until_ended() == "reset"
    same(p.b.received, data, "b")
    p.exactly(p.recorded("{a}-tls-failed"))


def truncated(p):
    """truncation = reset: what had arrived on either side is delivered, then RST to both."""
    one, other = noise(200_000), noise(300_000, 1)
    p.b.send(other).drain()
    p.a.send(one).fin()
    assert p.b.until_ended() == "reset"
    same(p.b.received, one, "b")
    assert p.a.until_ended() == "reset"
    same(p.a.received, other, "a")
    p.exactly(p.recorded("{a}-truncated"))


def truncated_after_others_end(p):
    """b ended well and reads on; a's answer is cut short by a truncation: no end for b."""
    p.b.send(b"question").end()
    assert p.a.until_ended() == "end"
    p.a.send(noise(200_000)).fin()
    assert p.b.until_ended() == "reset"
    same(p.b.received, noise(200_000), "b")
    p.recorded("{a}-truncated")


def truncated_at_once(p):
    p.a.fin()
    assert p.b.until_ended() == "reset"
    assert p.a.until_ended() == "reset"
    p.exactly(p.recorded("{a}-truncated"))


def truncated_behind_megabytes(p):
    """a's own answer is held up by itself when it truncates: it gets what had arrived."""
    answer = flood()
    p.a.pause()
    p.b.send(answer).until_blocked()
    arrived = p.b.arrived
    p.a.send(noise(64 * 1024)).fin().drain()
    p.a.resume()
    assert p.a.until_ended() == "reset"
    starts(p.a.received, answer, arrived, "a")
    assert p.b.until_ended() == "reset"
    same(p.b.received, noise(64 * 1024), "b")
    p.recorded("{a}-truncated")


def truncated_forwarded(p):
    """truncation = forward: an end like close_notify, and the record says what it was."""
    question, answer = noise(100_001), noise(3 * MB, 1)
    p.a.send(question).fin()
    assert p.b.until_ended() == "end"
    same(p.b.received, question, "b")
    p.b.send(answer).end()
    assert p.a.until_ended() == "end"
    same(p.a.received, answer, "a")
    p.exactly(p.recorded("{a}-truncated"))


# -- half-close ----------------------------------------------------------------------------------


def hold(p):
    """half-close = hold: an end is passed on only when the other side ended too."""
    question, answer = noise(100_001), noise(MB, 1)
    p.a.send(question).end()
    p.b.until_received(len(question))
    p.b.send(answer)
    p.a.until_received(len(answer))
    p.net.run(0.1)
    assert p.b.ended is None, f"the end was passed on: {p.b}"
    p.b.end()
    assert p.b.until_ended() == "end" and p.a.until_ended() == "end"
    same(p.b.received, question, "b")
    same(p.a.received, answer, "a")
    p.recorded("end")


def close(p):
    """half-close = close: the first end closes both, after what had arrived is delivered."""
    question, answer = noise(100_001), noise(300_000, 1)
    p.b.send(answer).drain()
    p.a.send(question).end()
    assert p.b.until_ended() == "end" and p.a.until_ended() == "end"
    same(p.b.received, question, "b")
    same(p.a.received, answer, "a")
    p.exactly(p.recorded("end"))


def hold_then_reset(p):
    """The end that was held back is never passed on when a cut comes instead of the other's end."""
    p.b.send(b"question").end()
    p.a.until_received(8)
    p.a.send(noise(64 * 1024)).drain()
    p.a.reset()
    assert p.b.until_ended() == "reset"
    same(p.b.received, noise(64 * 1024), "b")
    p.recorded("{a}-reset")


def close_with_a_slow_reader(p):
    """half-close = close: what had arrived for the one who ended is delivered first, however slowly."""
    answer = noise(MB, 1)
    p.a.resume(rate=(65536, 0.005))
    p.b.send(answer).drain()
    p.a.send(b"enough").end()
    assert p.a.until_ended() == "end" and p.b.until_ended() == "end"
    same(p.a.received, answer, "a")
    same(p.b.received, b"enough", "b")
    p.exactly(p.recorded("end"))


# -- timers: RST on both legs, never an end ------------------------------------------------------


def cut_both(p, reason):
    assert p.a.until_ended() == "reset" and p.b.until_ended() == "reset"
    assert p.recorded(reason, "spliced") or p.daemon is None


def idle(p):
    p.a.send(b"ping")
    p.b.until_received(4)
    cut_both(p, "idle-timeout")


def lifetime(p):
    p.a.send(b"ping")
    p.b.until_received(4)
    cut_both(p, "max-lifetime")


def half_closed_too_long(p):
    p.a.send(b"ping").end()
    assert p.b.until_ended() == "end"
    p.b.send(b"pong")
    assert p.a.until_ended() == "reset", f"never an end: {p.a}"
    p.b.until_cut()
    same(p.a.received, b"pong", "a")
    p.recorded("half-close-timeout", "spliced")


def not_written(p):
    data = flood()
    p.b.pause()
    p.a.send(data)
    assert p.a.until_ended() == "reset"
    p.b.resume()
    assert p.b.until_ended() == "reset"
    starts(p.b.received, data, 1, "b")
    p.recorded("write-timeout", "spliced")


# -- back-pressure -------------------------------------------------------------------------------


def stopped(p):
    """A leg that does not read stops the other within a bound; then every octet comes."""
    data = flood()
    p.b.pause()
    p.a.send(data).until_blocked()
    assert p.a.handed < STOPPED_WITHIN, f"{p.a.handed} octets were taken for a side that does not read"
    p.b.resume()
    p.a.end()
    assert p.b.until_ended(60) == "end"  # it is much, to peers in Python
    same(p.b.received, data, "b")
    p.b.end()
    assert p.a.until_ended() == "end"
    p.recorded("end")


def settle(peer):
    """Until everything was taken, or no more is."""
    try:
        peer.until_blocked()
    except AssertionError:
        assert not peer._todo and not peer._wire_left, f"cut: {peer}"


@dataclasses.dataclass(frozen=True)
class Row:
    play: object
    settings: tuple = ()
    tls_only: bool = False      # a's leg must be TLS
    small_buffers: bool = False # b's receive buffer is small, so that it is held up soon
    smoke: tuple = ()           # combinations in the smoke subset
    quick: bool = True          # part of the harness's own test

    @property
    def name(self):
        return self.play.__name__

    def combinations(self):
        for client in KINDS:
            for upstream in KINDS:
                for by in ("client", "upstream"):
                    if self.tls_only and (client if by == "client" else upstream) == "plain":
                        continue
                    yield client, upstream, by


def directives(**settings):
    return tuple((k.replace("_", "-"), v) for k, v in settings.items())


ROWS = [
    Row(end_then_answer, smoke=(("plain", "tls13", "client"), ("tls12", "plain", "upstream"))),
    Row(end_before_it_is_read, small_buffers=True),
    Row(data_and_end_together),
    Row(ends_at_once),
    Row(nothing_at_all),
    Row(one_octet_at_a_time),
    Row(question_and_answer),
    Row(every_size, quick=False),
    Row(slow_reader_of_an_end, small_buffers=True),
    Row(reset_midstream, smoke=(("plain", "plain", "client"), ("tls13", "plain", "upstream"))),
    Row(reset_at_once),
    Row(reset_behind_megabytes, small_buffers=True),
    Row(reset_while_held_up, small_buffers=True),
    Row(reset_by_who_does_not_read),
    Row(reset_after_own_end),
    Row(reset_after_others_end),
    Row(resets_at_once),
    Row(end_meets_reset, small_buffers=True),
    Row(fatal_alert, tls_only=True),
    Row(bad_record, tls_only=True, smoke=(("tls13", "plain", "client"),)),
    Row(plain_text_in_tls, tls_only=True),
    Row(fatal_alert_held_up, tls_only=True, small_buffers=True),
    Row(truncated, tls_only=True, smoke=(("tls12", "plain", "client"),)),
    Row(truncated_at_once, tls_only=True),
    Row(truncated_after_others_end, tls_only=True),
    Row(truncated_behind_megabytes, tls_only=True),
    Row(truncated_forwarded, directives(truncation="forward"), tls_only=True),
    Row(hold, directives(half_close="hold")),
    Row(hold_then_reset, directives(half_close="hold")),
    Row(close, directives(half_close="close")),
    Row(close_with_a_slow_reader, directives(half_close="close"), quick=False),
    Row(idle, directives(idle_timeout="300ms"), smoke=(("tls13", "tls12", "client"),), quick=False),
    # the handshake is part of it, on a slow machine most
    Row(lifetime, directives(max_lifetime=f"{int(500 * harness.SLOW)}ms"), quick=False),
    Row(half_closed_too_long, directives(half_close_timeout="300ms"), quick=False),
    Row(not_written, directives(write_timeout="500ms"), small_buffers=True, quick=False),
    Row(stopped, small_buffers=True),
]


class DaemonPath:
    """The pair is joined by spliced."""

    def __init__(self, w, kinds, row_settings=(), small_buffers=False, by="client", globals=None,
                 pump="auto"):
        self.w, self.by = w, by
        client, upstream = kinds
        certs = w.certs
        self.rcvbuf = {"client": None, "upstream": None}
        if small_buffers:
            self.rcvbuf["upstream" if by == "client" else "client"] = SMALL
        self.listener = w.listen(tls=None if upstream == "plain" else certs.server(upstream),
                                 rcvbuf=self.rcvbuf["upstream"], sndbuf=SENDING)
        settings = {"listen": "127.0.0.1:0", "connect": self.listener.address, "pump": pump,
                    **dict(row_settings)}
        ktls = {"ktls": "on"} if KTLS and pump == "auto" else {}
        if client != "plain":
            settings["listen-tls"] = {"certificate": certs.path("server.pem"), **ktls}
        if upstream != "plain":
            settings["connect-tls"] = {"server-name": "localhost", "ca": certs.path("ca.pem"), **ktls}
        self.tls = None if client == "plain" else certs.client(client)
        self.daemon = w.daemon(globals, services={"path": settings})
        if ktls:
            tls = {client, upstream} - {"plain"}
            self.daemon.expect_path = "splice" if not tls else "ktls" if tls <= KTLS else "tls"

    def open(self, kinds, by):
        client = self.daemon.connect("path", tls=self.tls, rcvbuf=self.rcvbuf["client"], sndbuf=SENDING)
        client.net.until(lambda: client.connected, "the client's connection")
        upstream = self.w.accept(self.listener, client)
        client.until_established()
        upstream.until_established()
        return Pair(self, client, upstream, by, kinds, self.daemon)


def play(row, w, client, upstream, by, harness_path=None, **kwargs):
    make = harness_path or DaemonPath
    path = make(w, (client, upstream), row.settings, row.small_buffers, by, **kwargs)
    row.play(path.open((client, upstream), by))
