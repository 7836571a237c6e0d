# SPDX-License-Identifier: ISC
"""Life as a daemon: ready, draining, stopping, its log, its privileges."""
import ctypes
import json
import os
import pwd
import re
import signal

import pytest

import peers
from harness import SLOW, echoes, ends_well, service

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def echo(w, globals=None, **kwargs):
    return w.daemon(globals or {}, services={"echo": service(connect="echo")}, **kwargs)


def notice(w, d, prefix):
    return w.until(lambda: [x for x in d.notices() if x.startswith(prefix)], f"{prefix} by sd_notify")


# -- signals -----------------------------------------------------------------------------------------


@pytest.mark.smoke
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_stop_lets_connections_finish(w, number):
    d = echo(w)
    assert notice(w, d, "STATUS=")
    client = d.connect("echo")
    echoes(client)
    d.signal(number)
    notice(w, d, "STOPPING=1")

    def refused():
        probe = w.net.connect(d.at("echo"))
        w.until(lambda: probe.connected, "an answer to a connection")
        if probe.connect_error is None:
            probe.reset()
        return probe.connect_error == "ECONNREFUSED"
    d.strangers = True  # a probe may have been accepted, or not any more
    w.until(refused, "new connections to be refused")
    echoes(client, b"still here" * 1000)
    assert d.process.poll() is None
    ends_well(client)
    assert d.until_exit() == 0
    assert d.record_of(client)["reason"] == "end"


def test_connections_waiting_to_be_accepted_are_served(w):
    """A client whose connect() succeeded before the daemon was told to stop is not dropped."""
    d = echo(w)
    os.kill(d.pid, signal.SIGSTOP)
    clients = [d.connect("echo") for _ in range(5)]
    for c in clients:
        w.until(lambda c=c: c.connected, "connected")
        c.send(b"hi")
    d.signal(signal.SIGTERM)
    os.kill(d.pid, signal.SIGCONT)
    for c in clients:
        c.until_received(2)
        ends_well(c)
    assert d.until_exit() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_stop_twice_is_now(w, number):
    d = echo(w, {"drain-timeout": "1h"})
    client = d.connect("echo")
    echoes(client)
    d.signal(signal.SIGTERM)
    notice(w, d, "STOPPING=1")
    echoes(client)
    d.signal(number)
    assert client.until_ended() == "reset"
    assert d.until_exit() == 0
    record = d.record_of(client)
    assert record["reason"] == "shutdown" and record["ended_by"] == "spliced"


def test_drain_timeout_off_waits_for_the_last(w):
    d = echo(w, {"drain-timeout": "off"})
    client = d.connect("echo")
    echoes(client)
    d.signal(signal.SIGTERM)
    notice(w, d, "STOPPING=1")
    w.net.run(0.3)
    echoes(client)
    ends_well(client)
    assert d.until_exit() == 0
    assert d.record_of(client)["reason"] == "end"


def test_nothing_open_stops_at_once(w):
    d = echo(w)
    d.signal(signal.SIGTERM)
    assert d.until_exit(10 * SLOW) == 0


def test_hup_and_pipe_do_not_kill(w):
    """SIGPIPE is ignored: a peer that is gone is no reason to die."""
    d = echo(w)
    d.signal(signal.SIGPIPE)
    client = d.connect("echo")
    echoes(client)
    ends_well(client)


# -- the log -----------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_usr1_opens_the_log_again(w):
    d = echo(w)
    one = d.connect("echo")
    echoes(one)
    ends_well(one)
    d.record_of(one)
    d.log.rename(d.dir / "log.1")
    d.signal(signal.SIGUSR1)
    w.until(lambda: d.log.exists(), "a new log file")
    two = d.connect("echo")
    echoes(two)
    ends_well(two)
    d.record_of(two)
    assert f'"{two.address}"' in d.log.read_text()
    assert f'"{one.address}"' in (d.dir / "log.1").read_text()
    assert f'"{two.address}"' not in (d.dir / "log.1").read_text()


def test_messages_have_time_and_level(w):
    d = echo(w)
    d.stop()
    messages = [x for x in d.log.read_text().splitlines() if not x.startswith("{")]
    assert messages
    for line in messages:
        assert re.match(STAMP + r" (error|warning|notice|info|debug) +\S", line), line


def test_log_to_standard_error(w):
    d = echo(w, {"log": {"target": "stderr"}})
    client = d.connect("echo")
    echoes(client)
    ends_well(client)
    d.record_of(client)
    assert not d.log.exists()


def test_text_records(w):
    d = w.daemon({"log": {"access": "text"}}, services={"loop": service(connect="echo")})
    client = d.net.connect(d.at("loop"))
    echoes(client, b"12345")
    ends_well(client)
    line = d.until_says(r".*loop.*5 up.*").group(0)
    for part in (client.address, "end", "5 up", "5 down", "echo"):
        assert part in line, (part, line)
    assert not d.records()


def test_no_records(w):
    d = w.daemon({"log": {"access": "off", "level": "debug"}}, services={"loop": service(connect="echo")})
    client = d.net.connect(d.at("loop"))
    echoes(client)
    ends_well(client)
    d.stop()
    assert not d.records() and client.address not in re.sub(r"(?m)^\S+ debug.*$", "", d.messages())


@pytest.mark.parametrize("level, ends, cuts", [("info", True, True), ("notice", False, True), ("error", False, False)])
def test_level_of_records(w, level, ends, cuts):
    """A record of an end is information, of a cut a notice."""
    path = w.dir / "s"
    d = w.daemon({"log": {"level": level}},
                 services={"loop": service(f"unix:{path}", connect="echo", idle_timeout="200ms")})
    d.strangers = True
    one = w.net.connect(f"unix:{path}")
    echoes(one)
    ends_well(one)
    two = w.net.connect(f"unix:{path}")
    echoes(two)
    two.until_ended()
    d.stop()
    reasons = [r["reason"] for r in d.records()]
    assert ("end" in reasons) == ends and ("idle-timeout" in reasons) == cuts, reasons


def test_more_is_said_at_debug(w):
    def said(level):
        d = w.daemon({"log": {"level": level}}, services={"loop": service(f"unix:{w.dir}/{level}", connect="echo")})
        d.strangers = True
        client = w.net.connect(f"unix:{w.dir}/{level}")
        echoes(client)
        ends_well(client)
        d.stop()
        return len([x for x in d.messages().splitlines() if not x.startswith("{")])
    assert said("debug") >= said("info") > said("notice")


def test_v_is_debug(w):
    d = echo(w, {"log": {"level": "error"}}, start=False)
    d.start(args=["-c", str(d.conf), "-v"])
    assert d.listens("echo")


def test_a_log_that_cannot_be_written(w):
    d = w.daemon({"log": {"target": "/nonexistent/dir/log"}}, services={"echo": service(connect="echo")}, start=False)
    d.expect_returncode = 1
    d.start(ready=False)
    assert d.until_exit() == 1
    assert "/nonexistent/dir/log" in d.messages()


@pytest.mark.skipif(not os.path.exists("/run/systemd/journal/socket"), reason="there is no journal here")
def test_journal(w):
    d = echo(w, {"log": {"target": "journal"}})
    client = w.net.connect(d.at("echo"))
    echoes(client)
    ends_well(client)


# -- a JSON record -----------------------------------------------------------------------------------


def test_a_record_is_one_line_of_json_with_every_field(w):
    d = echo(w)
    client = d.connect("echo")
    echoes(client)
    ends_well(client)
    record = d.record_of(client)
    line = next(x for x in d.log.read_text().splitlines() if x.startswith("{"))
    assert json.loads(line) == record
    for field in ("id service listen client local upstream started duration_ms connect_ms handshake_ms bytes_up "
                  "bytes_down half_closed_ms ended_by reason detail path tls connect_tls attempts").split():
        assert field in record, field
    assert re.fullmatch(STAMP, record["started"]), record["started"]


def test_what_a_client_sends_cannot_forge_the_log(w):
    """An SNI with quotes, line ends and octets that are no UTF-8 stays inside its field."""
    tls = {"listen-tls": {"certificate": w.certs.path("server.pem")}}
    d = w.daemon(services={"tls": {**service(connect="echo"), **tls}})
    evil = b'x"}\n{"reason":"end","client":"forged"}\n\xff\xfe'
    body = (b"\x03\x03" + b"\x11" * 32 + b"\0" + b"\0\x02\xc0\x2b" + b"\x01\0")
    sni = b"\0" + len(evil).to_bytes(2, "big") + evil
    sni = len(sni).to_bytes(2, "big") + sni
    extensions = b"\0\0" + len(sni).to_bytes(2, "big") + sni + \
        b"\0\x0d\0\x04\0\x02\x04\x03" + b"\0\x0a\0\x04\0\x02\0\x17" + b"\0\x0b\0\x02\x01\0"
    body += len(extensions).to_bytes(2, "big") + extensions
    hello = b"\x01" + len(body).to_bytes(3, "big") + body
    client = d.connect("tls").send(b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello)
    client.drain().end()
    client.until_ended()
    d.record_of(client)
    assert not [r for r in d.records() if r["client"] == "forged"]


# -- privileges --------------------------------------------------------------------------------------


root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@root
@pytest.mark.parametrize("settings", [{"user": "nobody"}, {"user": "nobody", "group": "daemon"}],
                         ids=["user", "user-group"])
def test_privileges_are_dropped(w, settings):
    """After binding: a key that only root can read is read, a file that only root can make is made."""
    key = w.dir / "secret.pem"
    key.write_text(w.certs.path("server.pem").read_text())
    key.chmod(0o600)
    d = w.daemon(settings, services={
        "echo": {**service("127.0.0.1:0", connect="echo"), "listen-tls": {"certificate": key}},
        "unix": service(f"unix:{w.dir}/s", connect="echo")})
    user = pwd.getpwnam("nobody")
    gid = user.pw_gid if "group" not in settings else 1
    assert d.status("Uid").split() == [str(user.pw_uid)] * 4
    assert d.status("Gid").split() == [str(gid)] * 4
    assert str(0) not in d.status("Groups").split()
    assert int(d.status("CapEff"), 16) == 0 and d.status("NoNewPrivs") == "1"
    threads = os.listdir(f"/proc/{d.pid}/task")
    for t in threads:
        with open(f"/proc/{d.pid}/task/{t}/status") as f:
            assert re.search(r"(?m)^Uid:\s+65534\s+65534", f.read())
    client = d.connect("echo", tls=w.certs.client())
    client.until_established()
    echoes(client)
    ends_well(client)


@root
def test_a_user_who_does_not_exist(w):
    d = w.daemon({"user": "nobody-of-that-name"}, services={"echo": service(connect="echo")}, start=False)
    d.expect_returncode = 1
    d.start(ready=False)
    assert d.until_exit() == 1
    assert re.search(re.escape(str(d.conf)) + r":\d+: .*nobody-of-that-name", d.messages())


@root
def test_a_port_below_1024_as_somebody_else(w):
    """Bound as root, served as nobody."""
    address = f"127.{os.getpid() % 250 + 1}.{os.getpid() // 250 % 250}.9:7"
    d = w.daemon({"user": "nobody"}, services={"echo": service(address, connect="echo")})
    assert d.at("echo") == address
    client = d.connect("echo")
    echoes(client)
    ends_well(client)


def test_without_root_user_is_refused(w):
    if os.geteuid() != 0:
        pytest.skip("this is about root's own child")
    d = w.daemon({"user": "daemon"}, services={"echo": service(connect="echo")}, start=False)
    d.expect_returncode = 1

    def nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    d.dir.chmod(0o777)
    d.start(ready=False, preexec=nobody)
    assert d.until_exit() == 1
    assert "daemon" in d.messages()


# -- workers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_workers(w, workers):
    d = echo(w, {"workers": workers})
    clients = [d.connect("echo") for _ in range(20)]
    for c in clients:
        echoes(c)
    assert len(os.listdir(f"/proc/{d.pid}/task")) == workers + 1
    for c in clients:
        ends_well(c)


def test_idle_daemon_costs_no_cpu(w):
    d = echo(w, {"workers": 2})
    w.net.run(0.2)
    before = d.cpu_seconds()
    w.net.run(0.6)
    assert d.cpu_seconds() - before < 0.04 * SLOW


def test_descriptors_come_back(w):
    d = echo(w)
    first = d.connect("echo")
    echoes(first)
    ends_well(first)
    d.record_of(first)
    before = d.descriptors()
    for _ in range(30):
        c = d.connect("echo")
        echoes(c)
        c.reset()
    w.until(lambda: len(d.records()) == 31, "all records")
    w.until(lambda: d.descriptors() <= before, "the descriptors")


def test_standard_input_is_not_read(w):
    """It runs with standard input closed, as some supervisors start it."""
    d = echo(w, start=False)
    d.start(prefix=("/bin/sh", "-c", 'exec "$@" <&-', "sh"))
    client = d.connect("echo")
    echoes(client)
    ends_well(client)


def test_peers_are_not_inherited():
    assert peers.address_text(("127.0.0.1", 7)) == "127.0.0.1:7"


# -- the service manager's watchdog -----------------------------------------------------------------


PTRACE_ATTACH, PTRACE_DETACH, WALL = 16, 17, 0x40000000


def test_the_watchdog_is_fed_while_every_worker_turns(w):
    """One that stands still, and only that: the service manager hears nothing more."""
    d = w.daemon({"workers": 2, "sandbox": "off"}, services={"echo": service(connect="echo")},
                 environment={"WATCHDOG_USEC": "2000000"})
    client = d.connect("echo")
    echoes(client)
    w.until(lambda: d.notices("STATUS=1 connection, 1 service"), "a status with what there is")
    threads = sorted(int(t) for t in os.listdir(f"/proc/{d.pid}/task") if int(t) != d.pid)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(PTRACE_ATTACH, threads[-1], 0, 0) != 0:
        pytest.skip(f"one thread cannot be stopped here: {os.strerror(ctypes.get_errno())}")
    os.waitpid(threads[-1], WALL)
    d.until_says("worker 1 does not turn its loop any more")
    fed = d.notices().count("WATCHDOG=1")
    w.net.run(1.5)
    assert d.notices().count("WATCHDOG=1") == fed
    assert libc.ptrace(PTRACE_DETACH, threads[-1], 0, 0) == 0
    d.until_says("every worker turns its loop again")
    w.until(lambda: d.notices().count("WATCHDOG=1") > fed, "the watchdog to be fed again")
    ends_well(client)
