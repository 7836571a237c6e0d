# SPDX-License-Identifier: ISC
"""Another process in the daemon's place: nobody is refused, and what is under way goes on."""
import hashlib
import os
import pathlib
import signal
import socket
import subprocess
import threading

import pytest

from closing import upgrade_when_full
from harness import SLOW, SPLICED, echoes, ends_well, service

MB = 1 << 20
DEADLINE_S = 20 * SLOW


def echo(**directives):
    return service(connect="echo", **directives)


def joined(w, d, name, **kwargs):
    """A client and its upstream, connected through service `name` to w.server."""
    client = d.connect(name, **kwargs)
    upstream = w.server.accept()
    client.partner = upstream
    return client, upstream


@pytest.fixture
def server(w):
    w.server = w.listen()
    return w.server


@pytest.mark.smoke
@pytest.mark.parametrize("pump", ["auto", "buffer"])
def test_connections_go_on(w, server, pump):
    """Octets, ends and counts, with two legs; of a built-in, too; in both pumps."""
    d = w.daemon({"defaults": {"pump": pump}}, services={"echo": echo(), "server": service(connect=server.address)})
    clients = [d.connect("echo") for _ in range(3)]
    for client in clients:
        echoes(client, b"before")
    client, upstream = joined(w, d, "server")
    client.send(b"question")
    upstream.until_received(8)
    d.upgrade()
    d.until_alone()
    upstream.send(b"an answer")
    client.until_received(9)
    for c in clients:
        echoes(c, b"after")
        ends_well(c)
    client.end()
    assert upstream.until_ended() == "end"
    upstream.send(b", and more")
    upstream.end()
    assert client.until_ended() == "end" and client.received == b"an answer, and more"
    record = d.record_of(client)
    assert (record["bytes_up"], record["bytes_down"]) == (8, 19)
    assert record["ended_by"] == "client" and record["reason"] == "end"


def test_half_closed_ones_stay_so(w, server):
    d = w.daemon(services={"server": service(connect=server.address)})
    client, upstream = joined(w, d, "server")
    client.send(b"all I have to say")
    client.end()
    assert upstream.until_ended() == "end"
    d.upgrade()
    upstream.send(b"x" * MB)
    upstream.end()
    assert client.until_ended() == "end" and len(client.received) == MB
    record = d.record_of(client)
    assert record["half_closed_ms"] > 0 and record["bytes_up"] == 17


def test_cuts_stay_cuts(w, server):
    d = w.daemon(services={"server": service(connect=server.address)})
    one, its = joined(w, d, "server")
    other, others = joined(w, d, "server")
    d.upgrade()
    one.reset()
    assert its.until_ended() == "reset"
    others.send(b"last words")
    others.reset()
    assert other.until_ended() == "reset" and d.record_of(other)["reason"] == "upstream-reset"
    assert d.record_of(one)["reason"] == "client-reset"


def digest(octets):
    return hashlib.sha256(octets).hexdigest()


@pytest.mark.parametrize("pump", ["auto", "buffer"])
def test_in_the_middle_of_a_transfer(w, server, pump):
    """Both directions full to the brim at that moment: in pipes, in buffers, in the kernel."""
    d = w.daemon({"defaults": {"pump": pump}}, services={"server": service(connect=server.address)})
    client, upstream = joined(w, d, "server")
    upgrade_when_full(w, d, client, upstream)


def test_while_octets_flow(w, server):
    """Twenty transfers, upgraded five times while they go on."""
    d = w.daemon(services={"server": service(connect=server.address)})
    pairs = [joined(w, d, "server") for _ in range(20)]
    octets = os.urandom(8 * MB)
    for client, upstream in pairs:
        client.send(octets)
        upstream.send(octets)
        client.end()
    for _ in range(5):
        d.upgrade()
    for client, upstream in pairs:
        upstream.end()
    for client, upstream in pairs:
        assert client.until_ended() == "end" and upstream.until_ended() == "end"
        assert digest(client.received) == digest(upstream.received) == digest(octets)
    d.until_alone()


def test_a_leg_stays_what_it_is(w, server):
    """Its service speaks TLS now, and listens elsewhere; what comes to it then is another matter."""
    d = w.daemon(services={"server": service(connect=server.address)})
    client, upstream = joined(w, d, "server")
    client.send(b"before")
    upstream.until_received(6)
    tls = {"certificate": w.certs.path("server.pem")}
    d.write({"services": {"server": {**service(connect=server.address), "listen-tls": tls}}})
    d.upgrade()
    d.until_alone()
    client.send(b", after")
    upstream.until_received(13)
    newer = d.connect("server", address=d.listens("server")[-1], tls=w.certs.client())
    newer_upstream = w.accept(server, newer)
    for peer, other in ((client, upstream), (upstream, client), (newer, newer_upstream), (newer_upstream, newer)):
        peer.end()
        assert other.until_ended() == "end"
    assert d.record_of(client)["tls"] is None and d.record_of(newer)["tls"]


def test_tls_stays_where_it_is(w, server):
    """A session that lives in user space goes on in the old process, which leaves with it."""
    tls = {"certificate": w.certs.path("server.pem")}
    d = w.daemon(services={"tls": {**service(connect=server.address), "listen-tls": tls}})
    client, upstream = joined(w, d, "tls", tls=w.certs.client())
    echo_of = upstream
    client.send(b"before")
    upstream.until_received(6)
    d.upgrade()
    d.until_says(r"still here: 1 connection ")
    newer, newer_upstream = joined(w, d, "tls", tls=w.certs.client())
    newer.send(b"to the new one")
    newer_upstream.until_received(14)
    client.send(b"after")
    echo_of.until_received(11)
    assert d.predecessors[0].poll() is None
    client.end()
    assert upstream.until_ended() == "end"
    upstream.end()
    assert client.until_ended() == "end"
    d.until_alone()
    for peer, other in ((newer, newer_upstream), (newer_upstream, newer)):
        peer.end()
        assert other.until_ended() == "end"


def test_the_old_one_has_its_time(w, server):
    """What cannot be handed over is cut when drain-timeout has passed."""
    tls = {"certificate": w.certs.path("server.pem")}
    d = w.daemon({"drain-timeout": "200ms"}, services={"tls": {**service(connect=server.address), "listen-tls": tls}})
    client, upstream = joined(w, d, "tls", tls=w.certs.client())
    d.upgrade()
    assert client.until_ended() == "reset" and upstream.until_ended() == "reset"
    assert d.record_of(client)["reason"] == "drained"
    d.until_alone()


def test_one_that_is_still_dialling_begins_anew(w):
    """Its upstream does not answer yet; nothing of the client's was read."""
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    fillers = []
    for _ in range(4):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(full.getsockname())
        fillers.append(s)
    d = w.daemon(services={"slow": service(connect="127.0.0.1:%d" % full.getsockname()[1])})
    client = d.connect("slow")
    client.send(b"hello")
    d.upgrade()
    d.until_alone()
    for s in fillers:
        s.close()
    full.settimeout(DEADLINE_S)
    seen = b""
    while seen != b"hello":
        connection, _ = full.accept()
        connection.settimeout(0.5)
        try:
            seen = connection.recv(5)
        except OSError:
            connection.close()
    client.end()
    connection.close()
    full.close()
    client.until_ended()
    assert d.record_of(client)["bytes_up"] == 5


def test_nobody_is_refused(w):
    """Clients that come one after the other while processes do."""
    d = w.daemon(services={"echo": echo()})
    d.strangers = True
    host, port = d.at("echo").rsplit(":", 1)
    failed, served, stop = [], [0], threading.Event()

    def come_and_go():
        while not stop.is_set():
            try:
                with socket.create_connection((host, int(port)), timeout=DEADLINE_S) as s:
                    s.sendall(b"x")
                    s.shutdown(socket.SHUT_WR)
                    octets = s.recv(2)
                    if octets != b"x" or s.recv(1) != b"":
                        failed.append(octets)
                    served[0] += 1
            except OSError as error:
                failed.append(error)

    threads = [threading.Thread(target=come_and_go) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            before = served[0]
            d.upgrade()
            w.until(lambda: served[0] > before + 20, "clients after an upgrade")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failed and served[0] > 100
    d.until_alone()


def test_a_mistake_changes_nothing(w):
    d = w.daemon({"control": str(w.dir / "control")}, services={"echo": echo()})
    client = d.connect("echo")
    echoes(client)
    good = d.conf.read_text()
    d.conf.write_text(good.replace("echo\"", "ehco\""))
    answer = ctl(d, "upgrade")
    assert answer.returncode == 1 and "did not start" in answer.stderr
    d.until_says(r"ehco")
    d.until_says(r"no successor: .*; this process goes on")
    echoes(client, b"as before")
    d.conf.write_text(good)
    d.upgrade(how=lambda: ctl(d, "upgrade", ok=True))
    echoes(client, b"and now")
    ends_well(client)
    assert "control" in ctl(d, "status", ok=True).stdout or d.process.poll() is None
    d.until_alone()


def ctl(d, *words, ok=False):
    splicectl = pathlib.Path(SPLICED).with_name("splicectl")
    done = subprocess.run([str(splicectl), "-s", str(d.dir.parent / "control"), *words], capture_output=True,
                          text=True, timeout=30 * SLOW)
    assert not ok or done.returncode == 0, done.stderr
    return done


def test_unix_sockets_and_workers(w):
    """The path stays, and a process with fewer workers serves all of the sockets."""
    path = w.dir / "service"
    d = w.daemon({"workers": 4}, services={"unix": service(f"unix:{path}", connect="echo"), "tcp": echo()})
    inode = path.stat().st_ino
    old = d.connect("unix", address=f"unix:{path}")
    echoes(old)
    d.conf.write_text(d.conf.read_text().replace("workers = 4", "workers = 1"))
    d.upgrade()
    d.until_alone()
    assert path.stat().st_ino == inode
    echoes(old, b"goes on")
    for _ in range(20):
        client = d.connect("tcp")
        echoes(client)
        ends_well(client)
    client = d.connect("unix", address=f"unix:{path}")
    echoes(client)
    ends_well(client)
    ends_well(old)


def test_the_successor_is_one_as_well(w):
    """It reloads, is upgraded, drains."""
    d = w.daemon(services={"echo": echo(), "other": echo()})
    client = d.connect("echo")
    for i in range(3):
        echoes(client, b"round")
        d.upgrade()
    d.reload(services={"echo": echo(), "third": echo()})
    echoes(d.connect("third"))
    echoes(client, b"still")
    ids = [r["id"] for r in d.records()]
    assert len(ids) == len(set(ids))
    for c in d.clients:
        ends_well(c)
    d.until_alone()
    d.signal(signal.SIGTERM)
    assert d.until_exit() == 0


def test_told_to_stop_while_it_leaves(w, server):
    """TERM to both, as a service manager does: what is left in the old process still has its time."""
    tls = {"certificate": w.certs.path("server.pem")}
    d = w.daemon(services={"tls": {**service(connect=server.address), "listen-tls": tls}})
    client, upstream = joined(w, d, "tls", tls=w.certs.client())
    d.upgrade()
    d.predecessors[0].send_signal(signal.SIGTERM)
    d.until_says("told to stop: it is leaving already")
    client.send(b"still")
    upstream.until_received(5)
    upstream.end()
    client.end()
    assert client.until_ended() == "end"
    d.until_alone()


def test_drained_services_stay_drained(w):
    d = w.daemon({"control": str(w.dir / "control")}, services={"out": echo(), "in": echo()})
    client = d.connect("out")
    echoes(client)
    ctl(d, "drain", "out", ok=True)
    d.upgrade()
    address = d.at("out")
    w.until(lambda: refused(w, address), "the drained service to refuse")
    assert "draining" in ctl(d, "services", ok=True).stdout
    echoes(client, b"as it was")
    d.upgrade()
    assert refused(w, address)
    ctl(d, "resume", "out", ok=True)
    again = d.connect("out")
    for c in (client, again):
        echoes(c, b"in")
        ends_well(c)
    d.until_alone()


def refused(w, address):
    probe = w.net.connect(address)
    w.until(lambda: probe.connected or probe.connect_error, "an answer to a connection")
    if probe.connect_error is None:
        probe.reset()
    return probe.connect_error == "ECONNREFUSED"
