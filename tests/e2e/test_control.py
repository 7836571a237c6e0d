# SPDX-License-Identifier: ISC
"""splicectl and the control socket: what it shows, what it does, and who may not."""
import grp
import json
import os
import signal
import socket
import stat
import subprocess

import pytest

from control import NEEDS_SPLICECTL, SPLICECTL, Result, ask, daemon, lines
from harness import echoes, ends_well, service

pytestmark = NEEDS_SPLICECTL


# -- what it shows ---------------------------------------------------------------------------------


@pytest.mark.smoke
def test_status_and_services(w):
    d = daemon(w, {"workers": 2}, services={"a": service(connect="echo", max_connections=7),
                                            "b": service(connect=["127.0.0.1:1", "127.0.0.1:2"])})
    client = d.connect("a")
    echoes(client)
    status, = lines(w, d, "status")
    assert (status["pid"], status["connections"], status["services"], status["workers"]) == (d.pid, 1, 2, 2)
    a, b = lines(w, d, "services")
    assert a == {"name": "a", "state": "open", "listen": [d.at("a")], "connect": ["echo"], "connections": 1,
                 "max_connections": 7, "listen_tls": False, "connect_tls": False}
    assert (b["name"], b["connect"], b["connections"]) == ("b", ["127.0.0.1:1", "127.0.0.1:2"], 0)
    text = ask(w, d, "services").out
    assert d.at("a") in text and "SERVICE" in text
    assert f"pid                      {d.pid}\n" in ask(w, d, "status").out
    ends_well(client)


def test_sessions(w):
    listener = w.listen()
    tls = {"listen-tls": {"certificate": w.certs.path("server.pem")}}
    d = daemon(w, {"workers": 2}, services={"fwd": service(connect=listener.address),
                                            "tls": {**service(connect="echo"), **tls}})
    first = d.connect("fwd")
    server = w.accept(listener, first)
    second = d.connect("tls", tls=w.certs.client("tls13"))
    echoes(second)
    first.send(b"question").end()
    assert server.until_ended() == "end"
    one = next(x for x in lines(w, d, "sessions") if x["service"] == "fwd")
    assert (one["client"], one["upstream"], one["phase"]) == (first.address, listener.address, "relay")
    assert (one["bytes_up"], one["bytes_down"], one["reason"], one["ended_by"]) == (8, 0, None, None)
    assert "half-closed" in ask(w, d, "sessions").out
    assert len(lines(w, d, "sessions")) == 2
    two, = lines(w, d, "sessions", "tls")
    assert (two["client"], two["tls"]["version"]) == (second.address, "TLSv1.3")
    whole, = lines(w, d, "session", str(one["id"]))
    assert whole["client_leg"]["ended"] and not whole["upstream_leg"]["ended"]
    assert whole["upstream_leg"]["end_passed_on"] and whole["upstream_leg"]["rtt_us"] > 0
    server.send(b"answer").end()
    assert first.until_ended() == "end"
    ends_well(second)
    d.record_of(first)
    d.record_of(second)
    assert lines(w, d, "sessions") == []


def test_a_connection_under_way_is_a_session(w):
    """Still in its handshake: there is no upstream, and no TLS to tell of."""
    tls = {"listen-tls": {"certificate": w.certs.path("server.pem")}}
    d = daemon(w, services={"tls": {**service(connect="echo"), **tls}})
    address = d.at("tls").rsplit(":", 1)
    with socket.create_connection(tuple(address)):
        d.strangers = True
        one = w.until(lambda: lines(w, d, "sessions"), "a session")[0]
        assert (one["phase"], one["upstream"], one["path"]) == ("client-tls", None, None)
        assert ask(w, d, "session", str(one["id"])).status == 0


# -- what it does ----------------------------------------------------------------------------------


def test_kill(w):
    d = daemon(w, {"workers": 2}, services={"x": service(connect="echo")})
    stays, goes = d.connect("x"), d.connect("x")
    echoes(stays)
    echoes(goes)
    number = next(s["id"] for s in lines(w, d, "sessions") if s["client"] == goes.address)
    assert ask(w, d, "kill", str(number)).status == 0
    assert goes.until_ended() == "reset"
    record = d.record_of(goes)
    assert (record["reason"], record["ended_by"]) == ("killed", "spliced")
    d.until_says(f"connection {number} is ended on behalf of uid {os.getuid()}")
    again = ask(w, d, "kill", str(number))
    assert again.status == 1 and f"there is no connection {number}" in again.err
    echoes(stays)
    ends_well(stays)


def test_reload_says_what_changed_or_what_is_wrong(w):
    d = daemon(w, services={"x": service(connect="echo")})
    settings = {"control": str(d.dir / "ctl"), "services": {"x": service(connect="echo", idle_timeout="1h"),
                                                            "y": service(connect="echo")}}
    d.write(settings)
    good = ask(w, d, "reload")
    assert good.status == 0
    assert good.out == 'service "x": idle-timeout changed\nservice "y": added\n'
    client = d.connect("y")
    echoes(client)
    d.write({**settings, "services": {"x": service(connect="echo", idle_tmeout="1h")}})
    bad = ask(w, d, "reload")
    assert bad.status == 1
    assert f"{d.conf}:" in bad.err and "idle-tmeout" in bad.err and "nothing is reloaded" in bad.err
    echoes(client, b"goes on")
    ends_well(client)


def test_several_reloads_at_once_are_all_answered(w):
    d = daemon(w, services={"x": service(connect="echo")})
    programs = [w.run(str(SPLICECTL), "-s", str(d.dir / "ctl"), "reload", name=f"ctl{i}") for i in range(8)]

    def all_over():
        d.notices()  # somebody has to read them, or the daemon waits
        return all(p.process.poll() is not None for p in programs)
    w.until(all_over, "all answers")
    assert [p.until_exit() for p in programs] == [0] * 8


def test_log_level(w):
    d = daemon(w, services={"x": service(connect="echo")})
    assert ask(w, d, "log-level", "error").status == 0
    with socket.create_connection(tuple(d.at("x").rsplit(":", 1))) as s:
        s.shutdown(socket.SHUT_WR)
        assert s.recv(1) == b""
    w.until(lambda: lines(w, d, "sessions") == [], "its end")
    assert ask(w, d, "log-level", "info").status == 0
    client = d.connect("x")
    echoes(client)
    ends_well(client)
    d.record_of(client)
    d.strangers = True
    assert len(d.records()) == 1
    wrong = ask(w, d, "log-level", "loud")
    assert wrong.status == 1 and "error, warning, notice" in wrong.err


# -- mistakes, and who may not ---------------------------------------------------------------------


@pytest.mark.parametrize("words, status, said", [
    ([], 2, "usage:"), (["bogus"], 1, 'no command "bogus"'), (["session"], 1, "usage: session ID"),
    (["session", "x"], 1, "named by its number"), (["sessions", "nobody"], 1, "no service of that name"),
    (["status", "now"], 1, "usage: status"), (["--nonsense"], 2, "usage:"),
])
def test_wrong_words(w, words, status, said):
    d = daemon(w, services={"x": service(connect="echo")})
    result = ask(w, d, *words)
    assert result.status == status and said in result.err, result.err


def test_nobody_there(w, tmp_path):
    result = Result(w.run(str(SPLICECTL), "-s", str(tmp_path / "none"), "status", name="splicectl"))
    assert result.status == 1 and "does the daemon run" in result.err


@pytest.mark.parametrize("request_line", [b"\n", b"{}\n", b"[]\n", b"[1]\n", b'["status"\n', b"\xff\xfe\n", b"x" * 9000,
                                          b'["' + b"a" * 3000 + b'"]\n', b"[" * 4000 + b"\n", b'["\\u0000"]\n'])
def test_rubbish_is_refused_and_harms_nobody(w, request_line):
    d = daemon(w, services={"x": service(connect="echo")})
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(d.dir / "ctl"))
        s.settimeout(20)
        s.sendall(request_line)
        answer = b""
        while not answer.endswith(b"\n"):
            answer += s.recv(4096)
    assert json.loads(answer)["ok"] is False
    assert len(lines(w, d, "status")) == 1


def test_a_flood_of_clients_costs_nobody_else(w):
    """More than are let in at once, silent; whoever asks is answered when they have gone."""
    d = daemon(w, services={"x": service(connect="echo")})
    silent = []
    for _ in range(100):
        s = socket.socket(socket.AF_UNIX)
        s.setblocking(False)
        if s.connect_ex(str(d.dir / "ctl")) == 0:
            silent.append(s)
    client = d.connect("x")
    echoes(client)
    assert d.descriptors() < 90
    before = d.cpu_seconds()
    w.net.run(0.5)
    assert d.cpu_seconds() - before < 0.2
    for s in silent:
        s.close()
    assert len(lines(w, d, "status")) == 1
    ends_well(client)


def test_a_client_that_leaves_too_early(w):
    d = daemon(w, services={"x": service(connect="echo")})
    for _ in range(20):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(d.dir / "ctl"))
            s.sendall(b'["sessions"]\n')
    assert len(lines(w, d, "status")) == 1


def test_mode_and_group(w):
    group = grp.getgrall()[1].gr_name
    d = daemon(w, {"control-mode": "0660", "control-group": group}, services={"x": service(connect="echo")})
    st = (d.dir / "ctl").stat()
    assert stat.S_IMODE(st.st_mode) == 0o660 and grp.getgrgid(st.st_gid).gr_name == group


def test_others_may_not_ask(w):
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    d = daemon(w, services={"x": service(connect="echo")})
    for place in [d.dir, *d.dir.parents]:
        if not place.stat().st_mode & 0o001:
            pytest.skip(f"{place} cannot be entered by others")
    result = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", SPLICECTL, "-s",
                             d.dir / "ctl", "status"], capture_output=True, text=True, check=False)
    assert result.returncode == 1 and "this user may not ask" in result.stderr


def test_off_and_in_the_way(w, tmp_path):
    d = w.daemon({"control": "off"}, services={"x": service(connect="echo")})
    assert "control: listening" not in d.messages()
    (tmp_path / "file").write_text("not a socket")
    d = w.daemon(start=False)
    d.expect_returncode = 1
    d.start({"control": str(tmp_path / "file"), "services": {"x": service(connect="echo")}}, ready=False)
    assert d.until_exit() == 1
    assert "there is a file that is not a socket" in d.messages()


def test_the_socket_goes_with_the_daemon(w):
    d = daemon(w, services={"x": service(connect="echo")})
    assert (d.dir / "ctl").exists()
    d.signal(signal.SIGTERM)
    assert d.until_exit() == 0
    assert not (d.dir / "ctl").exists()
