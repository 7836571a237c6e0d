# SPDX-License-Identifier: ISC
"""The command line, and what a person is told about mistakes: file, line, what, and all in one run."""
import os
import re

import pytest

from harness import REPOSITORY, conf_text, service, spliced_once

GOOD = '''services: {
    loop: { listen = "127.0.0.1:0"; connect = "echo" }
}
'''


def check(w, text, *args, name="spliced.conf"):
    path = w.dir / name
    path.write_text(text)
    return path, spliced_once("-t", "-c", path, *args)


def places(result, path):
    """(line, message) of each message about this file."""
    return [(int(n), m) for n, m in re.findall(r"(?m)^" + re.escape(str(path)) + r":(\d+): (.*)$", result.stderr)]


def test_help():
    r = spliced_once("-h")
    assert r.returncode == 0 and r.stdout.startswith("usage: spliced") and not r.stderr
    for option in ("-c", "-e", "-t", "-T", "-v", "-V"):
        assert option in r.stdout


def test_version():
    r = spliced_once("-V")
    assert r.returncode == 0 and re.fullmatch(r"spliced \d+\.\d+\S*\n", r.stdout)


@pytest.mark.parametrize("args", [["-x"], ["-c"], ["-t", "operand"], ["-c", "a", "-e", "b"], ["--no-such-option"]],
                         ids=" ".join)
def test_usage(args):
    r = spliced_once(*args)
    assert r.returncode == 2 and "usage: spliced" in r.stderr and not r.stdout


@pytest.mark.smoke
def test_check(w):
    _, r = check(w, GOOD)
    assert r.returncode == 0 and not r.stderr


def test_check_does_not_bind(w):
    taken = w.listen()
    _, r = check(w, GOOD.replace("127.0.0.1:0", taken.address))
    assert r.returncode == 0


def test_text_from_the_command_line(w):
    r = spliced_once("-t", "-e", GOOD)
    assert r.returncode == 0 and not r.stderr
    r = spliced_once("-t", "-e", GOOD.replace("connect =", "conect ="))
    assert r.returncode == 1 and re.search(r"(?m)^command line:2: ", r.stderr)


def test_run_from_the_command_line(w):
    d = w.daemon(start=False)
    d.start(args=["-e", conf_text({"log": {"target": str(d.log)}, "services": {"loop": service(connect="echo")}})])
    client = d.connect("loop").send(b"hello").end()
    assert client.until_ended() == "end"


def test_dump_shows_defaults_and_origins_and_is_itself_a_configuration(w):
    text = GOOD.replace('connect = "echo"', 'connect = "echo"; idle-timeout = "90s"')
    path = w.dir / "spliced.conf"
    path.write_text(text)
    r = spliced_once("-T", "-c", path)
    assert r.returncode == 0 and not r.stderr
    line = next(x for x in r.stdout.splitlines() if "idle-timeout" in x)
    assert "90s" in line and f"{path}:2" in line
    line = next(x for x in r.stdout.splitlines() if "connect-timeout" in x)
    assert "10s" in line and "default" in line
    again = w.dir / "again.conf"
    again.write_text(r.stdout)
    second = spliced_once("-T", "-c", again)
    assert second.returncode == 0, second.stderr

    def bare(text):
        return [re.sub(r"\s*#.*", "", x) for x in text.splitlines() if re.sub(r"\s*#.*", "", x)]
    assert bare(second.stdout) == bare(r.stdout)


# -- mistakes ----------------------------------------------------------------------------------------

SERVICE = 'services: {{\n loop: {{ listen = "127.0.0.1:0"; connect = "echo"\n  {}\n }} }}\n'


@pytest.mark.parametrize("text, line, says", [
    (GOOD.replace("connect =", "conect ="), 2, "connect"),
    (GOOD.replace("services", "servcies"), 1, "services"),
    (GOOD.replace('"echo"', '"ecko"'), 2, "ecko"),
    (GOOD.replace('connect = "echo"', ""), 2, "connect"),
    (GOOD.replace('listen = "127.0.0.1:0";', ""), 2, "listen"),
    (GOOD.replace("127.0.0.1:0", "127.0.0.1:99999"), 2, "99999"),
    (GOOD.replace("127.0.0.1:0", "127.0.0.1"), 2, "127.0.0.1"),
    (GOOD.replace("127.0.0.1:0", "unix:"), 2, "unix:"),
    (GOOD.replace("127.0.0.1:0", "echo"), 2, "echo"),
    (SERVICE.format('idle-timeout = "5 parsecs"'), 3, "idle-timeout"),
    (SERVICE.format("idle-timeout = 5"), 3, "idle-timeout"),
    (SERVICE.format('connect-timeout = "off"'), 3, "connect-timeout"),
    (SERVICE.format('half-close = "propogate"'), 3, "propagate"),
    (SERVICE.format('truncation = "maybe"'), 3, "truncation"),
    (SERVICE.format("max-connections = 0"), 3, "max-connections"),
    (SERVICE.format("max-connections = -1"), 3, "max-connections"),
    (SERVICE.format('max-connections = [ 1 ]'), 3, "max-connections"),
    (SERVICE.format("listen-tls: { }"), 3, "certificate"),
    (SERVICE.format('listen-tls: { certificate = "/nonexistent.pem" }'), 3, "/nonexistent.pem"),
    (SERVICE.format('listen-tls = "yes"'), 3, "listen-tls"),
    (SERVICE.format('colour = "red"'), 3, "colour"),
    (SERVICE.format("connect-tls: { verify = 1 }"), 3, "verify"),
    ("workers = 0\n" + GOOD, 1, "workers"),
    ("drain-timeout = 30\n" + GOOD, 1, "drain-timeout"),
    ('log: { level = "loud" }\n' + GOOD, 1, "loud"),
    ('log = "stderr"\n' + GOOD, 1, "log"),
    ('include = "nothing-*.conf"\n' + GOOD, 1, "nothing-*.conf"),
    (GOOD.replace("}\n}", "}\n loop: { listen = \"127.0.0.1:0\"; connect = \"echo\" }\n}"), 3, "loop"),
    (GOOD.replace(" }\n", "\n"), None, "complete"),
    (GOOD + "}\n", 4, ""),
    ('services: { }\n', None, "no service"),
    ("# nothing\n", None, "services"),
    ("", None, "empty"),
    (GOOD.replace('"echo" }', '"echo }'), None, ""),
], ids=lambda x: None if not isinstance(x, str) else (x[:40] if x else "-"))
def test_a_mistake_is_told_with_its_place(w, text, line, says):
    path, r = check(w, text)
    assert r.returncode == 1 and not r.stdout
    found = places(r, path)
    if line is None:
        assert says in r.stderr and str(path) in r.stderr
        return
    assert any(n == line and says in m for n, m in found), r.stderr


def test_did_you_mean(w):
    _, r = check(w, GOOD.replace("connect =", "conect ="))
    assert "did you mean" in r.stderr.lower() and "connect" in r.stderr


def test_all_mistakes_in_one_run(w):
    text = '''workers = 0
log: { level = "loud" }
services: {
    one: { listen = "127.0.0.1:0"; conect = "echo"; idle-timeout = "soon" }
    two: {
        listen = "127.0.0.1:1x"
        connect = "echo"
        listen-tls: { certificate = "/nonexistent.pem" }
    }
}
'''
    path, r = check(w, text)
    assert r.returncode == 1
    lines = [n for n, _ in places(r, path)]
    assert {1, 2, 4, 6} <= set(lines), r.stderr
    assert sum(1 for n in lines if n == 4) >= 2, r.stderr
    assert lines == sorted(lines), "messages are in the order of the file"


def test_mistakes_in_files_with_keys_too(w):
    """Certificates are read even when... two services have bad ones: both are told."""
    text = "services: {\n" + "".join(
        f' s{i}: {{ listen = "127.0.0.1:0"; connect = "echo"; '
        f'listen-tls: {{ certificate = "/nonexistent{i}.pem" }} }}\n'
        for i in (1, 2)) + "}\n"
    path, r = check(w, text)
    assert r.returncode == 1
    assert any(n == 2 and "/nonexistent1.pem" in m for n, m in places(r, path)), r.stderr
    assert any(n == 3 and "/nonexistent2.pem" in m for n, m in places(r, path)), r.stderr


def test_two_services_on_one_address(w):
    text = '''services: {
    one: { listen = "127.0.0.1:7007"; connect = "echo" }
    two: { listen = "127.0.0.1:7007"; connect = "discard" }
}
'''
    path, r = check(w, text)
    assert r.returncode == 1
    assert any(n == 3 and "127.0.0.1:7007" in m for n, m in places(r, path)), r.stderr


def test_no_such_file(w):
    r = spliced_once("-c", w.dir / "none.conf")
    assert r.returncode == 1 and f"{w.dir}/none.conf" in r.stderr and "No such file" in r.stderr


def test_nothing_is_started_after_a_mistake(w):
    """The first service is fine, the second is not: no socket is left, no path was made."""
    text = f'''services: {{
    one: {{ listen = "unix:{w.dir}/one.sock"; connect = "echo" }}
    two: {{ listen = "127.0.0.1:0"; connect = "nonsense" }}
}}
'''
    path = w.dir / "c.conf"
    path.write_text(text)
    r = spliced_once("-c", path)
    assert r.returncode == 1
    assert not os.path.exists(w.dir / "one.sock")


def test_a_port_in_use_leaves_nothing_behind(w):
    taken = w.listen()
    text = f'''services: {{
    one: {{ listen = "unix:{w.dir}/one.sock"; connect = "echo" }}
    two: {{ listen = "{taken.address}"; connect = "echo" }}
}}
'''
    path = w.dir / "c.conf"
    path.write_text(text)
    r = spliced_once("-c", path)
    assert r.returncode == 1
    assert any(n == 3 and taken.address in m for n, m in places(r, path)), r.stderr
    assert not os.path.exists(w.dir / "one.sock")


# -- certificates and keys ---------------------------------------------------------------------------


@pytest.mark.parametrize("certificate, key, says", [
    ("server.pem", None, None), ("server.crt", "server.key", None),
    ("server.crt", None, "key"), ("server.crt", "a.key", "belong"), ("missing.pem", None, "No such file"),
    ("server.crt", "missing.key", "No such file"), ("garbage.pem", None, "garbage.pem"),
    ("server.key", None, "certificate"), ("half.pem", None, "half.pem"), ("empty.pem", None, "empty.pem"),
    ("directory", None, "directory")])
def test_certificates(w, certificate, key, says):
    garbage, half, empty = (w.dir / n for n in ("garbage.pem", "half.pem", "empty.pem"))
    garbage.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    half.write_text(w.certs.path("server.pem").read_text()[:300])
    empty.write_text("")
    (w.dir / "directory").mkdir()

    def path(name):
        return w.dir / name if (w.dir / name).exists() else w.certs.path(name)
    tls = {"certificate": path(certificate)}
    if key:
        tls["key"] = path(key)
    conf, r = check(w, conf_text({"services": {"web": {**service(connect="echo"), "listen-tls": tls}}}))
    if says is None:
        assert r.returncode == 0, r.stderr
        return
    assert r.returncode == 1
    assert any(says.lower() in m.lower() for _, m in places(r, conf)), r.stderr


def test_unreadable_key(w):
    key = w.dir / "k.key"
    key.write_text(w.certs.path("server.key").read_text())
    key.chmod(0)
    conf, r = check(w, conf_text({"services": {"web": {**service(connect="echo"), "listen-tls": {
        "certificate": w.certs.path("server.crt"), "key": key}}}}))
    if os.geteuid() == 0:  # who reads everything
        r = spliced_once("-t", "-c", conf, preexec=lambda: (os.setgroups([]), os.setgid(65534), os.setuid(65534)))
    assert r.returncode == 1
    assert any("Permission denied" in m and str(key) in m for _, m in places(r, conf)), r.stderr


@pytest.mark.parametrize("directive, value", [("ciphers", "NO-SUCH-CIPHER"), ("ciphersuites", "TLS_NONSENSE"),
                                              ("groups", "P-0"), ("min-version", "SSLv3"), ("profile", "ancient")])
def test_tls_values(w, directive, value):
    tls = {"certificate": w.certs.path("server.pem"), directive: value}
    conf, r = check(w, conf_text({"services": {"web": {**service(connect="echo"), "listen-tls": tls}}}))
    assert r.returncode == 1
    assert any(value in m or directive in m for _, m in places(r, conf)), r.stderr


def test_ca_that_is_missing(w):
    tls = {"ca": "/nonexistent-ca.pem"}
    conf, r = check(w, conf_text({"services": {"x": {**service(connect="127.0.0.1:1"), "connect-tls": tls}}}))
    assert r.returncode == 1 and any("/nonexistent-ca.pem" in m for _, m in places(r, conf)), r.stderr


# -- include -----------------------------------------------------------------------------------------


def test_include(w):
    (w.dir / "conf.d").mkdir()
    for name in ("one", "two"):
        (w.dir / "conf.d" / f"{name}.conf").write_text(
            f'services: {{ {name}: {{ listen = "127.0.0.1:0"; connect = "echo" }} }}\n')
    path = w.dir / "main.conf"
    path.write_text('include = "conf.d/*.conf"\n')
    r = spliced_once("-T", "-c", path)
    assert r.returncode == 0, r.stderr
    assert "one:" in r.stdout and "two:" in r.stdout
    assert f"{w.dir}/conf.d/two.conf:1" in r.stdout


def test_a_mistake_in_an_included_file_names_that_file(w):
    (w.dir / "conf.d").mkdir()
    bad = w.dir / "conf.d" / "bad.conf"
    bad.write_text('services: {\n x: { listen = "127.0.0.1:0"; conect = "echo" } }\n')
    path = w.dir / "main.conf"
    path.write_text('include = ["conf.d/*.conf"]\n' + GOOD)
    r = spliced_once("-t", "-c", path)
    assert r.returncode == 1 and any(n == 2 for n, _ in places(r, bad)), r.stderr


def test_a_file_that_includes_itself(w):
    path = w.dir / "main.conf"
    path.write_text('include = "main.conf"\n' + GOOD)
    r = spliced_once("-t", "-c", path)
    assert r.returncode == 1 and places(r, path)


def test_run_with_include(w):
    d = w.daemon(start=False)
    (d.dir / "more.conf").write_text('services: { loop: { listen = "127.0.0.1:0"; connect = "echo" } }\n')
    d.write({"include": "more.conf"})
    d.start()
    client = d.connect("loop").send(b"x").end()
    assert client.until_ended() == "end"


# -- cut short ---------------------------------------------------------------------------------------

SAMPLE = '''# a sample
workers = 2
log: { level = "info" }
services: {
    web: {
        listen = ["127.0.0.1:0", "[::1]:0"]
        connect = "echo"
        listen-tls: { certificate = "@" }
    }
}
'''


@pytest.mark.parametrize("part", range(4))
def test_a_sample_cut_short_at_every_octet(w, part):
    """Never a crash, never accepted, always a message with the file's name."""
    short = w.dir / "c"
    short.write_text(w.certs.path("server.pem").read_text())
    text = SAMPLE.replace("@", str(short))
    path, r = check(w, text)
    assert r.returncode == 0, r.stderr
    for n in range(part, len(text), 4):
        path, r = check(w, text[:n])
        assert r.returncode == 1, f"cut at {n}: status {r.returncode}\n{text[:n]!r}\n{r.stderr}"
        assert re.search(r"(?m)^" + re.escape(str(path)) + r":(\d+:)? ", r.stderr), f"cut at {n}: {r.stderr}"
        assert "anitizer" not in r.stderr and "runtime error" not in r.stderr


@pytest.mark.parametrize("damage", [b"\0", b"\xff", b"\x01", b"\xef\xbb\xbf"], ids=["nul", "ff", "ctrl-a", "bom"])
def test_octets_that_do_not_belong(w, damage):
    path = w.dir / "x.conf"
    good = GOOD.encode()
    for at in (0, 20, len(good) // 2):
        path.write_bytes(good[:at] + damage + good[at:])
        r = spliced_once("-t", "-c", path)
        assert r.returncode in (0, 1), r
        if r.returncode == 1:
            assert str(path) in r.stderr


def examples():
    return sorted((REPOSITORY / "conf").rglob("*.conf"))


@pytest.mark.parametrize("path", examples(), ids=lambda p: p.name)
def test_the_examples_that_come_with_it(w, path):
    """Each is accepted once its certificates and users are there (here: ours)."""
    text = path.read_text()
    for name in re.findall(r'(?m)^[^#\n]*\b(?:certificate|key)\s*=\s*"([^"]+)"', text):
        text = text.replace(f'"{name}"', f'"{w.certs.path("server.pem")}"')
    for name in re.findall(r'(?m)^[^#\n]*\bca\s*=\s*"([^"]+)"', text):
        text = text.replace(f'"{name}"', f'"{w.certs.path("ca.pem")}"')
    for name in re.findall(r'(?m)^[^#\n]*\b(?:owner|user)\s*=\s*"([^"]+)"', text):
        text = text.replace(f'"{name}"', '"nobody"')
    for name in re.findall(r'(?m)^[^#\n]*\bgroup\s*=\s*"([^"]+)"', text):
        text = text.replace(f'"{name}"', '"nogroup"')
    _, r = check(w, text)
    assert r.returncode == 0, r.stderr
