# SPDX-License-Identifier: ISC
"""Another configuration without a restart: what changes, what goes on, and what a mistake does."""
import os
import resource
import signal
import socket
import stat
import time

import pytest

from harness import INSTRUMENTED, SLOW, echoes, ends_well, service

MB = 1 << 20


def echo(**directives):
    return service(connect="echo", **directives)


def refused(w, address):
    probe = w.net.connect(address)
    w.until(lambda: probe.connected, "an answer to a connection")
    if probe.connect_error is None:
        probe.reset()
    return probe.connect_error == "ECONNREFUSED"


def sockets(d):
    """The sockets it has open, by their numbers in the kernel."""
    found = set()
    for fd in os.listdir(f"/proc/{d.pid}/fd"):
        try:
            what = os.readlink(f"/proc/{d.pid}/fd/{fd}")
        except FileNotFoundError:
            continue
        if what.startswith("socket:"):
            found.add(what)
    return found


# -- what changes ----------------------------------------------------------------------------------


@pytest.mark.smoke
def test_services_come_and_go(w):
    d = w.daemon(services={"stays": echo(), "goes": echo()})
    stays, goes = d.connect("stays"), d.connect("goes")
    echoes(stays)
    echoes(goes)
    d.reload(services={"stays": echo(), "comes": echo()})
    comes = d.connect("comes")
    echoes(comes)
    assert refused(w, d.at("goes"))
    for client in (stays, goes, d.connect("stays")):
        echoes(client, b"still here")
        ends_well(client)
    ends_well(comes)
    d.until_says(r"1 service added, 0 changed, 1 removed")
    d.until_says(r"service goes: no longer listening on")


def test_new_connections_are_under_the_new_configuration(w):
    a, b = w.listen(), w.listen()
    d = w.daemon(services={"x": service(connect=a.address)})
    before = d.connect("x")
    at_a = w.accept(a, before)
    d.reload(services={"x": service(connect=b.address)})
    after = d.connect("x")
    at_b = w.accept(b, after)
    for client, server in ((before, at_a), (after, at_b)):
        client.send(b"question").end()
        assert server.until_ended() == "end"
        server.send(b"answer").end()
        assert client.until_ended() == "end"
        assert (server.received, client.received) == (b"question", b"answer")
    assert d.record_of(before)["upstream"] == a.address
    assert d.record_of(after)["upstream"] == b.address


def test_what_changed_is_said(w):
    d = w.daemon({"workers": 1}, services={"x": echo(), "y": echo()})
    d.reload({"workers": 2, "drain-timeout": "7s"}, services={
        "x": echo(idle_timeout="1h", half_close="hold"), "z": echo(), "y": echo()})
    text = d.messages()
    assert 'service "x": half-close, idle-timeout changed' in text
    assert 'service "z": added' in text
    assert "drain-timeout changed\n" in text
    assert "workers changed, which takes effect after a restart" in text
    assert "1 service added, 1 changed, 0 removed; some of it takes effect after a restart" in text
    assert 'service "y"' not in text


def test_the_log_moves(w):
    d = w.daemon(start=False)
    d.start({"log": {"target": str(d.dir / "log.1")}, "services": {"x": echo()}})
    first = d.connect("x")
    echoes(first)
    ends_well(first)
    w.until(lambda: first.address in (d.dir / "log.1").read_text(), "a record in the old log")
    d.reload({"log": {"target": str(d.log)}}, services={"x": echo()})
    second = d.connect("x")
    echoes(second)
    ends_well(second)
    w.until(lambda: second.address in d.log.read_text(), "a record in the new log")
    assert second.address not in (d.dir / "log.1").read_text()


# -- what goes on ----------------------------------------------------------------------------------


def test_listening_sockets_are_kept(w, tmp_path):
    path = tmp_path / "socket"
    listen = ["127.0.0.1:0", f"unix:{path}"]
    d = w.daemon({"workers": 2}, services={"a": echo(listen=listen), "b": echo()})
    before, inode = sockets(d), path.stat().st_ino
    for timeout in ("1h", "2h", "off"):
        d.reload({"workers": 2}, services={"b": echo(idle_timeout=timeout),
                                           "a": echo(listen=listen, idle_timeout=timeout)})
    assert sockets(d) == before
    assert path.stat().st_ino == inode
    assert len(d.listens("a")) == 2 and len(d.listens("b")) == 1  # said once
    for name in ("a", "b"):
        client = d.connect(name)
        echoes(client)
        ends_well(client)


def test_an_address_moves_from_one_service_to_another(w):
    d = w.daemon(services={"a": echo()})
    address, before = d.at("a"), sockets(d)
    d.reload(services={"b": service(connect="discard", listen=address)})
    assert sockets(d) == before
    client = w.net.connect(address)
    client.send(b"to nobody").end()
    assert client.until_ended() == "end"
    d.strangers = True
    record = d.record_of(client)
    assert (record["service"], record["upstream"]) == ("b", "discard")


def test_a_unix_path_that_was_removed_is_made_again(w, tmp_path):
    path = tmp_path / "socket"
    services = {"x": echo(listen=f"unix:{path}")}
    d = w.daemon(services=services)
    path.unlink()
    d.reload()
    client = d.connect("x")
    echoes(client)
    ends_well(client)


def test_the_mode_of_a_unix_path_changes(w, tmp_path):
    path = tmp_path / "socket"

    def settings(mode):
        return {"x": {**echo(listen=f"unix:{path}"), "listen-socket": {"mode": mode}}}
    d = w.daemon(services=settings("0600"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    inode = path.stat().st_ino
    d.reload(services=settings("0666"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o666
    assert path.stat().st_ino == inode


def test_counts_go_on(w):
    """Who came before the reload counts against the limit after it."""
    d = w.daemon(services={"x": echo(max_connections=2)})
    first, second = d.connect("x"), d.connect("x")
    echoes(first)
    echoes(second)
    d.reload(services={"x": echo(max_connections=3)})
    third = d.connect("x")
    echoes(third)
    fourth = d.connect("x")
    assert fourth.until_ended() == "reset"
    assert d.record_of(fourth)["reason"] == "limit"
    d.reload(services={"x": echo(max_connections=1)})
    for client in (first, second, third):
        echoes(client, b"nobody is thrown out")
        ends_well(client)
    d.record_of(third)
    last = d.connect("x")
    echoes(last)
    ends_well(last)


def test_a_removed_service_drains(w):
    d = w.daemon({"drain-timeout": "1s"}, services={"x": echo(), "gone": echo()})
    stays, gone = d.connect("x"), d.connect("gone")
    echoes(stays)
    echoes(gone)
    d.reload({"drain-timeout": f"{int(1000 * SLOW)}ms"}, services={"x": echo()})
    echoes(gone, b"for a while")
    assert gone.until_ended() == "reset"
    record = d.record_of(gone)
    assert (record["reason"], record["ended_by"]) == ("drained", "spliced")
    echoes(stays, b"for ever")
    ends_well(stays)


def test_a_service_that_is_back_keeps_its_connections(w):
    timeout = {"drain-timeout": f"{int(700 * SLOW)}ms"}
    d = w.daemon(timeout, services={"x": echo(), "y": echo()})
    client = d.connect("y")
    echoes(client)
    d.reload(timeout, services={"x": echo()})
    d.reload(timeout, services={"x": echo(), "y": echo()})
    w.net.run(1.5 * SLOW)
    echoes(client, b"still here")
    ends_well(client)


def test_tickets_go_on(w):
    context = w.certs.client()
    tls = {"listen-tls": {"certificate": w.certs.path("server.pem")}}
    d = w.daemon(services={"x": {**echo(), **tls}})
    first = d.connect("x", tls=context)
    echoes(first)
    ends_well(first)
    d.reload(services={"x": {**echo(idle_timeout="1h"), **tls}})
    second = d.connect("x", tls=context, session=first.tls.session)
    echoes(second)
    assert second.tls.session_reused
    ends_well(second)


# -- mistakes --------------------------------------------------------------------------------------


MISTAKES = {
    "text": ("services: { x: {", r"spliced\.conf:\d+: "),
    "directive": ({"services": {"x": echo(no_such_thing=1)}}, r"spliced\.conf:\d+: .*no-such-thing"),
    "certificate": ({"services": {"x": {**echo(), "listen-tls": {"certificate": "/nowhere.pem"}}}},
                    r"spliced\.conf:\d+: .*/nowhere\.pem"),
    "user": ({"user": "nobody-of-that-name", "services": {"x": echo()}}, r"nobody-of-that-name"),
    "log": ({"log": {"target": "/no/such/directory/log"}, "services": {"x": echo()}}, r"/no/such/directory"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_changes_nothing(w, mistake):
    settings, said = MISTAKES[mistake]
    d = w.daemon(services={"x": echo(idle_timeout="1h")})
    before = sockets(d)
    client = d.connect("x")
    echoes(client)
    between = sockets(d)
    d.reload(settings)
    d.until_says(said)
    d.until_says("nothing is reloaded")
    assert sockets(d) == between
    echoes(client, b"goes on")
    ends_well(client)
    w.until(lambda: sockets(d) == before, "the sockets from before")
    d.reload(services={"x": echo(), "y": echo()})
    client = d.connect("y")
    echoes(client)
    ends_well(client)


def test_an_address_in_use_changes_nothing(w):
    """What had been opened already is closed again."""
    other = w.listen()
    d = w.daemon(services={"x": echo()})
    before = sockets(d)
    d.reload(services={"x": echo(), "new": echo(), "taken": echo(listen=other.address)})
    d.until_says(r"spliced\.conf:\d+: listen " + other.address)
    assert sockets(d) == before
    client = d.connect("x")
    echoes(client)
    ends_well(client)


def test_too_few_descriptors_change_nothing(w):
    d = w.daemon({"workers": 1}, services={"x": echo()})
    client = d.connect("x")
    echoes(client)
    limits = resource.prlimit(d.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(d.pid, resource.RLIMIT_NOFILE, (d.descriptors() + 10, limits[1]))
    many = {f"s{i}": echo() for i in range(40)}
    d.reload({"workers": 1}, services={"x": echo(), **many})
    d.until_says("Too many open files")
    resource.prlimit(d.pid, resource.RLIMIT_NOFILE, limits)
    echoes(client, b"goes on")
    ends_well(client)
    d.reload()
    client = d.connect("s39")
    echoes(client)
    ends_well(client)


# -- faults ----------------------------------------------------------------------------------------


def test_a_full_disk_under_the_log_stops_nobody(w):
    d = w.daemon(services={"x": echo()})
    address = d.at("x")
    d.reload({"log": {"target": "/dev/full"}}, services={"x": echo()})
    for _ in range(3):
        with socket.create_connection(tuple(address.rsplit(":", 1)), 20) as s:
            s.sendall(b"x")
            assert s.recv(1) == b"x"
    d.strangers = True
    d.reload(services={"x": echo()})
    client = d.connect("x")
    echoes(client)
    ends_well(client)
    d.record_of(client)


@pytest.mark.parametrize("after_ms", [0, 1, 2, 4, 8])
def test_killed_while_it_reloads_it_starts_again(w, tmp_path, after_ms):
    services = {"x": echo(listen=f"unix:{tmp_path}/x"), "y": echo()}
    d = w.daemon(services=services)
    d.expect_returncode = -signal.SIGKILL
    d.write({"services": {**services, "z": echo(listen=f"unix:{tmp_path}/z")}})
    d.signal(signal.SIGHUP)
    time.sleep(after_ms / 1000)
    d.signal(signal.SIGKILL)
    d.until_exit()
    again = w.daemon(services={**services, "z": echo(listen=f"unix:{tmp_path}/z")})
    for name in ("x", "z"):
        client = again.connect(name)
        echoes(client)
        ends_well(client)


# -- certificates ----------------------------------------------------------------------------------


def presented(client):
    return dict(x[0] for x in client.tls.getpeercert()["subject"])["commonName"]


def put(certs, name, to):
    """As certbot and others do it: each file complete, one after the other."""
    for kind in ("crt", "key"):
        new = to.with_suffix(f".{kind}.new")
        new.write_bytes(certs.path(f"{name}.{kind}").read_bytes())
        new.rename(to.with_suffix(f".{kind}"))


def tls_echo(place):
    return {"x": {**echo(), "listen-tls": {"certificate": place.with_suffix(".crt"),
                                           "key": place.with_suffix(".key")}}}


def seen(w, d):
    client = d.connect("x", tls=w.certs.client(verify=True))
    echoes(client)
    name = presented(client)
    ends_well(client)
    return name


@pytest.mark.parametrize("how", ["reload", "watch"])
def test_changed_certificates_serve_new_handshakes(w, tmp_path, how):
    place = tmp_path / "pair"
    put(w.certs, "server", place)
    d = w.daemon(services=tls_echo(place))
    old = d.connect("x", tls=w.certs.client())
    echoes(old)
    assert presented(old) == "server"
    put(w.certs, "server-rsa", place)
    if how == "reload":
        d.reload()
    else:
        d.until_says("certificates or keys have changed")
        w.until(lambda: d.notices().count("READY=1") == 2, "the end of a reload")
    assert seen(w, d) == "server-rsa"
    echoes(old, b"under the old one")
    ends_well(old)


def test_symbolic_links_are_followed(w, tmp_path):
    """As certbot leaves them: live/pair.crt → ../archive/pair1.crt."""
    live, archive = tmp_path / "live", tmp_path / "archive"
    live.mkdir()
    archive.mkdir()
    for n, name in enumerate(("server", "server-rsa"), 1):
        put(w.certs, name, archive / f"pair{n}")

    def point(n):
        for kind in ("crt", "key"):
            new = live / f"{kind}.new"
            new.symlink_to(f"../archive/pair{n}.{kind}")
            new.rename(live / f"pair.{kind}")
    point(1)
    d = w.daemon(services=tls_echo(live / "pair"))
    assert seen(w, d) == "server"
    point(2)
    w.until(lambda: d.notices().count("READY=1") == 2, "the end of a reload")
    assert seen(w, d) == "server-rsa"


def test_rubbish_keeps_the_old_pair(w, tmp_path):
    place, other = tmp_path / "a" / "pair", tmp_path / "b" / "pair"
    for p in (place, other):
        p.parent.mkdir()
        put(w.certs, "server", p)
    d = w.daemon(services={**tls_echo(place), "y": tls_echo(other)["x"]})
    place.with_suffix(".crt").write_text("rubbish\n")
    put(w.certs, "server-rsa", other)
    d.until_says(r"spliced\.conf:\d+: certificate .*/a/pair\.crt: ")
    w.until(lambda: d.notices().count("READY=1") == 2, "the end of a reload")
    assert seen(w, d) == "server"
    client = d.connect("y", tls=w.certs.client())
    echoes(client)
    assert presented(client) == "server-rsa"  # the other one is not held up
    ends_well(client)
    put(w.certs, "server-rsa", place)
    w.until(lambda: d.notices().count("READY=1") == 3, "the end of a reload")
    assert seen(w, d) == "server-rsa"


def test_a_key_alone_keeps_the_old_pair(w, tmp_path):
    place = tmp_path / "pair"
    put(w.certs, "server", place)
    d = w.daemon(services=tls_echo(place))
    place.with_suffix(".key").write_bytes(w.certs.path("server-rsa.key").read_bytes())
    w.until(lambda: d.notices().count("READY=1") == 2, "the end of a reload")
    assert seen(w, d) == "server"
    put(w.certs, "server-rsa", place)
    w.until(lambda: d.notices().count("READY=1") == 3, "the end of a reload")
    assert seen(w, d) == "server-rsa"


# -- the service manager, and much of it -----------------------------------------------------------


def test_the_service_manager_is_told(w):
    d = w.daemon(services={"x": echo()})
    before = len(d.notices())
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    d.reload()
    told = d.notices()[before:]
    assert told[0] == "RELOADING=1"
    assert told[1].startswith("MONOTONIC_USEC=")
    assert now <= int(told[1].split("=")[1]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert told[2] == "READY=1"


def test_not_while_it_is_stopping(w):
    d = w.daemon(services={"x": echo()})
    client = d.connect("x")
    echoes(client)
    d.signal(signal.SIGTERM)
    w.until(lambda: "STOPPING=1" in d.notices(), "STOPPING=1")
    d.signal(signal.SIGHUP)
    d.until_says("not reloaded: it is stopping")
    echoes(client, b"goes on")
    ends_well(client)
    assert d.until_exit() == 0


@pytest.mark.alone
def test_a_thousand_reloads_under_load(w):
    """Addresses come and go; nobody is refused or cut at those that stay, nothing grows."""
    count = int(1000 / SLOW)

    def services(n):
        tls = {"listen-tls": {"certificate": w.certs.path("server.pem")}}
        come_and_go = {f"extra{n % 3}": echo()}
        return {"x": echo(idle_timeout=f"{n + 1}h"), "tls": {**echo(), **tls}, **come_and_go}
    d = w.daemon({"workers": 2, "log": {"access": "off"}}, services=services(0))
    d.strangers = True
    address = d.at("x")
    held = [w.net.connect(address) for _ in range(20)]
    for client in held:
        echoes(client)
    host, port = address.rsplit(":", 1)
    memory, descriptors = [], []
    for n in range(count):
        d.write({"workers": 2, "log": {"access": "off", "level": "notice"}, "services": services(n)})
        before = d.notices().count("READY=1")
        d.signal(signal.SIGHUP)
        while d.notices().count("READY=1") == before:
            with socket.create_connection((host, int(port)), 20) as s:  # while it is reloading
                s.sendall(b"x")
                assert s.recv(1) == b"x"
                s.shutdown(socket.SHUT_WR)
                assert s.recv(1) == b""
        if n % (count // 10) == count // 10 - 1:
            memory.append(d.rss())
            descriptors.append(d.descriptors())
    for client in held:
        echoes(client, b"through all of them")
        ends_well(client)
    print("KB:", [m // 1024 for m in memory], "descriptors:", descriptors)
    assert INSTRUMENTED or memory[-1] - memory[2] < MB, f"memory grows: {memory}"
    assert max(descriptors) - min(descriptors) <= 4, descriptors
