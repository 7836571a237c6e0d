# SPDX-License-Identifier: ISC
"""TLS on either leg: what is presented, what is agreed on, what is refused, and what the record
says about it."""
import errno
import re
import socket
import ssl

import pytest

import closing
from harness import service

TCP_ULP = 31


def terminate(w, certificate="server.pem", connect="echo", **tls):
    """A service that terminates TLS and echoes."""
    tls = {k.replace("_", "-"): v for k, v in tls.items()}
    if certificate is not None:
        paths = [w.certs.path(c) for c in ([certificate] if isinstance(certificate, str) else certificate)]
        tls = {"certificate": paths, **tls}
    return w.daemon(services={"tls": {**service(connect=connect), "listen-tls": tls}})


def talk(client, data=b"hello"):
    client.until_established()
    client.send(data).end()
    assert client.until_ended() == "end"
    assert bytes(client.received) == data
    return client


def refused(daemon, client, reason="client-tls-failed"):
    """The handshake failed for both, and there is a record of it."""
    client.until_ended()
    assert not client.received
    record = daemon.record_of(client)
    assert record["reason"] == reason and record["detail"], record
    assert record["bytes_up"] == record["bytes_down"] == 0
    return record


# -- what is presented ------------------------------------------------------------------------------


def presented(client):
    names = client.tls.getpeercert()["subjectAltName"]
    return [n for kind, n in names if kind == "DNS"]


@pytest.mark.parametrize("version", ["tls12", "tls13"])
@pytest.mark.parametrize("asked, shown", [
    ("a.example", "a.example"), ("b.example", "b.example"), ("x.b.example", "b.example"),
    ("A.EXAMPLE", "a.example"), ("localhost", "localhost")])
def test_certificate_chosen_by_sni(w, version, asked, shown):
    d = terminate(w, ["server.pem", "a.pem", "b.pem"])
    client = talk(d.connect("tls", tls=w.certs.client(version), server_name=asked))
    assert presented(client)[0] == shown
    assert d.record_of(client)["tls"]["sni"].lower() == asked.lower()


def test_the_first_certificate_when_nobody_asks(w):
    d = terminate(w, ["a.pem", "server.pem"])
    context = w.certs.client()
    context.check_hostname = False
    client = talk(d.connect("tls", tls=context, server_name=None))
    assert presented(client) == ["a.example"]
    assert not d.record_of(client)["tls"]["sni"]


def test_the_first_certificate_for_a_name_that_has_none(w):
    d = terminate(w, ["a.pem", "b.pem"])
    context = w.certs.client()
    context.check_hostname = False
    client = talk(d.connect("tls", tls=context, server_name="c.example"))
    assert presented(client) == ["a.example"]


@pytest.mark.parametrize("order", [["server.pem", "server-rsa.pem"], ["server-rsa.pem", "server.pem"]],
                         ids=["ec-rsa", "rsa-ec"])
@pytest.mark.parametrize("ciphers, key", [("ECDHE-RSA-AES128-GCM-SHA256", "RSA"),
                                          ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDSA")])
def test_certificate_chosen_by_key_type(w, order, ciphers, key):
    """A client that understands only one kind of signature is shown a certificate of that kind."""
    d = terminate(w, order)
    context = w.certs.client("tls12")
    context.set_ciphers(ciphers)
    client = talk(d.connect("tls", tls=context))
    assert key in client.tls_cipher


def test_key_in_a_file_of_its_own(w):
    d = terminate(w, ["a.crt", "b.crt"], key=[w.certs.path("a.key"), w.certs.path("b.key")])
    for name in ("a.example", "b.example"):
        client = talk(d.connect("tls", tls=w.certs.client(), server_name=name))
        assert presented(client)[0] == name


# -- what is agreed on ------------------------------------------------------------------------------


@pytest.mark.smoke
@pytest.mark.parametrize("version", ["tls12", "tls13"])
def test_record_of_a_session(w, version):
    d = terminate(w)
    client = talk(d.connect("tls", tls=w.certs.client(version)))
    tls = d.record_of(client)["tls"]
    assert tls["version"] == {"tls12": "TLSv1.2", "tls13": "TLSv1.3"}[version]
    assert tls["cipher"] == client.tls_cipher and tls["group"] and tls["sni"] == "localhost"
    assert tls["resumed"] is False and not tls["alpn"]
    assert d.record_of(client)["handshake_ms"] >= 0


@pytest.mark.parametrize("ours, theirs, agreed", [
    (["h2", "http/1.1"], ["http/1.1", "h2"], "h2"), (["h2", "http/1.1"], ["http/1.1"], "http/1.1"),
    (["h2"], None, None), (None, ["h2"], None)])
def test_alpn(w, ours, theirs, agreed):
    d = terminate(w, **({"alpn": ours} if ours else {}))
    client = talk(d.connect("tls", tls=w.certs.client(alpn=theirs)))
    assert client.tls_alpn == agreed and (d.record_of(client)["tls"]["alpn"] or None) == agreed


def test_alpn_with_nothing_in_common_is_refused(w):
    d = terminate(w, alpn=["h2"])
    client = d.connect("tls", tls=w.certs.client(alpn=["imap"]))
    refused(d, client)
    assert client.tls_end == "alert no_application_protocol"


@pytest.mark.parametrize("settings, version, fine", [
    ({"profile": "modern"}, "tls12", False), ({"profile": "modern"}, "tls13", True),
    ({"profile": "intermediate"}, "tls12", True),
    ({"min_version": "TLSv1.3"}, "tls12", False), ({"min_version": "TLSv1.3"}, "tls13", True),
    ({"max_version": "TLSv1.2"}, "tls12", True), ({"max_version": "TLSv1.2"}, "tls13", False),
    ({"profile": "modern", "min_version": "TLSv1.2"}, "tls12", True)])
def test_versions(w, settings, version, fine):
    d = terminate(w, **settings)
    client = d.connect("tls", tls=w.certs.client(version))
    if fine:
        talk(client)
    else:
        refused(d, client)
        assert client.tls_end == "alert protocol_version"


def test_tls_1_1_is_refused(w):
    d = terminate(w)
    context = w.certs.client()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    refused(d, d.connect("tls", tls=context))


@pytest.mark.parametrize("settings, offered, agreed", [
    ({"ciphers": "ECDHE-ECDSA-CHACHA20-POLY1305"}, "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256",
     "ECDHE-ECDSA-CHACHA20-POLY1305"),
    ({"ciphers": "ECDHE-ECDSA-CHACHA20-POLY1305"}, "ECDHE-ECDSA-AES128-GCM-SHA256", None),
    ({}, "ECDHE-ECDSA-AES128-SHA", None)])
def test_ciphers(w, settings, offered, agreed):
    d = terminate(w, **settings)
    context = w.certs.client("tls12")
    context.set_ciphers(offered)
    client = d.connect("tls", tls=context)
    if agreed:
        assert talk(client).tls_cipher == agreed
    else:
        refused(d, client)


def test_ciphersuites(w):
    d = terminate(w, ciphersuites="TLS_CHACHA20_POLY1305_SHA256")
    client = talk(d.connect("tls", tls=w.certs.client("tls13")))
    assert client.tls_cipher == "TLS_CHACHA20_POLY1305_SHA256"


def test_groups(w):
    d = terminate(w, groups="P-384")
    context = w.certs.client("tls12")
    client = talk(d.connect("tls", tls=context))
    assert d.record_of(client)["tls"]["group"].lower() in ("p-384", "secp384r1")
    context = w.certs.client("tls12")
    context.set_ecdh_curve("prime256v1")
    refused(d, d.connect("tls", tls=context))


@pytest.mark.parametrize("version", ["tls12", "tls13"])
@pytest.mark.parametrize("tickets", [True, False])
def test_tickets(w, version, tickets):
    d = terminate(w, tickets=tickets)
    context = w.certs.client(version)
    first = talk(d.connect("tls", tls=context))
    assert first.tls.session is not None
    second = talk(d.connect("tls", tls=context, session=first.tls.session))
    assert second.tls.session_reused is tickets
    assert d.record_of(first)["tls"]["resumed"] is False
    assert d.record_of(second)["tls"]["resumed"] is tickets


def test_tickets_work_on_every_worker(w):
    d = w.daemon({"workers": 4}, services={"tls": {**service(connect="echo"), "listen-tls": {
        "certificate": w.certs.path("server.pem")}}})
    context = w.certs.client("tls13")
    session = talk(d.connect("tls", tls=context)).tls.session
    for _ in range(16):
        client = talk(d.connect("tls", tls=context, session=session))
        assert client.tls.session_reused
        session = client.tls.session


# -- what is refused --------------------------------------------------------------------------------


def test_plain_http_at_the_tls_port(w):
    d = terminate(w)
    client = d.connect("tls").send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    client.until_ended()
    record = d.record_of(client)
    assert record["reason"] == "client-tls-failed" and record["ended_by"] == "client"
    assert "http" in record["detail"].lower()


@pytest.mark.parametrize("what", [b"\0" * 100, b"\x16\x03\x01\xff\xff" + b"x" * 200, b"SSH-2.0-x\r\n",
                                  b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"],
                         ids=["zeros", "long-record", "ssh", "short-hello"])
def test_garbage_at_the_tls_port(w, what):
    d = terminate(w)
    client = d.connect("tls").send(what)
    client.end()
    client.until_ended()
    record = d.record_of(client)
    assert record["reason"] in ("client-tls-failed", "client-reset"), record


@pytest.mark.parametrize("how", ["end", "reset"])
@pytest.mark.parametrize("after", [0, 1, 100])
def test_client_leaves_in_the_handshake(w, how, after):
    d = terminate(w)
    hello = bytearray()
    probe = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = w.certs.client().wrap_bio(*probe, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    hello += probe[1].read()
    client = d.connect("tls")
    w.until(lambda: client.connected, "connected")
    client.send(bytes(hello[:after])).drain()
    if how == "end":
        client.end()
        client.until_ended()
    else:
        client.reset()
    record = d.record_of(client)
    assert record["reason"] in ("client-tls-failed", "client-reset"), record
    assert record["ended_by"] == "client" and record["detail"]


def test_client_that_does_not_trust_us(w):
    """Its alert is in the record."""
    d = terminate(w, "stranger.pem")
    client = d.connect("tls", tls=w.certs.client("tls12"))
    w.until(lambda: client.tls_end, "the client's verdict")
    w.until(lambda: client._wire_left == 0 and client.outq == 0, "its alert to arrive")
    client.close()
    record = d.record_of(client)
    assert record["reason"] == "client-tls-failed" and "unknown ca" in record["detail"].lower(), record


def test_renegotiation_is_refused(w):
    """TLS 1.2 lets a client ask for a new handshake; it is told no, and the connection goes on or is
    cut, but no second handshake is made."""
    d = terminate(w)
    d.strangers = True
    host, port = d.at("tls").split(":")
    s_client = w.run("openssl", "s_client", "-connect", f"{host}:{port}", "-tls1_2", "-CAfile",
                     w.certs.path("ca.pem"), "-servername", "localhost")
    s_client.until_says("Verify return code")
    s_client.feed(b"R\n", end=False)
    s_client.until_says("RENEGOTIATING")
    w.until(lambda: s_client.process.poll() is not None or "no renegotiation" in
            s_client.err.read_text(errors="replace").lower(), "a refusal")
    text = s_client.err.read_text(errors="replace").lower()
    assert "no renegotiation" in text or "handshake failure" in text or "no_renegotiation" in text, text
    s_client.close()
    w.until(d.records, "a record")
    assert d.records()[0]["tls"]["version"] == "TLSv1.2"


# -- the upstream's leg ------------------------------------------------------------------------------


def originate(w, listener, listen_tls=None, **tls):
    tls = {"server-name": "localhost", "ca": w.certs.path("ca.pem"),
           **{k.replace("_", "-"): v for k, v in tls.items()}}
    s = {**service(connect=listener.address), "connect-tls": {k: v for k, v in tls.items() if v is not None}}
    if listen_tls:
        s["listen-tls"] = {"certificate": w.certs.path("server.pem")}
    return w.daemon(services={"path": s})


def exchange(w, daemon, listener, tls=None):
    client = daemon.connect("path", tls=tls)
    upstream = w.accept(listener, client).until_established()
    client.send(b"ping").end()
    assert upstream.until_ended() == "end"
    upstream.send(b"pong").end()
    assert client.until_ended() == "end"
    assert bytes(client.received) == b"pong" and bytes(upstream.received) == b"ping"
    return daemon.record_of(client), upstream


def no_upstream(w, daemon, listener, says):
    """Verification failed: the upstream is told by an alert, the client gets RST, the record why."""
    client = daemon.connect("path").send(b"secret")
    upstream = listener.accept()
    w.until(lambda: upstream.tls_end or upstream.tcp_end, "the upstream's end")
    assert client.until_ended() == "reset"
    assert not upstream.received, "octets went to an upstream that was not verified"
    record = daemon.record_of(client)
    assert record["reason"] == "upstream-tls-failed", record
    assert says.lower() in record["detail"].lower(), record
    assert record["upstream"] == listener.address and record["bytes_up"] == 0
    return upstream


@pytest.mark.smoke
@pytest.mark.parametrize("version", ["tls12", "tls13"])
def test_origination(w, version):
    listener = w.listen(tls=w.certs.server(version))
    record, upstream = exchange(w, originate(w, listener), listener)
    tls = record["connect_tls"]
    assert tls["version"] == upstream.tls_version and tls["cipher"] == upstream.tls_cipher
    assert "server" in tls["peer"] and tls["sni"] == "localhost"


def test_upstream_of_another_authority(w):
    listener = w.listen(tls=w.certs.server(certificate="stranger"))
    upstream = no_upstream(w, originate(w, listener), listener, "certificate verify failed")
    assert upstream.tls_end in ("alert unknown_ca", "alert bad_certificate"), upstream


def test_upstream_of_another_name(w):
    listener = w.listen(tls=w.certs.server(certificate="wrong-name"))
    no_upstream(w, originate(w, listener), listener, "hostname mismatch")


def test_system_authorities_do_not_know_ours(w):
    listener = w.listen(tls=w.certs.server())
    no_upstream(w, originate(w, listener, ca=None), listener, "certificate verify failed")


def test_verification_switched_off(w):
    listener = w.listen(tls=w.certs.server(certificate="stranger"))
    exchange(w, originate(w, listener, ca=None, verify=False), listener)


def test_name_from_the_address(w):
    """Without server-name the certificate must be for the host in connect."""
    listener = w.listen(tls=w.certs.server())
    exchange(w, originate(w, listener, server_name=None), listener)


def test_host_name_from_the_address(w):
    listener = w.listen(tls=w.certs.server())
    tls = {"ca": w.certs.path("ca.pem")}
    d = w.daemon(services={"path": {**service(connect=f"localhost:{listener.port}"), "connect-tls": tls}})
    record, _ = exchange(w, d, listener)
    assert record["connect_tls"]["sni"] == "localhost"


@pytest.mark.parametrize("version", ["tls12", "tls13"])
def test_client_certificate(w, version):
    listener = w.listen(tls=w.certs.server(version, client_ca="ca"))
    d = originate(w, listener, certificate=w.certs.path("client.crt"), key=w.certs.path("client.key"))
    _, upstream = exchange(w, d, listener)
    assert dict(x[0] for x in upstream.tls.getpeercert()["subject"])["commonName"] == "client"


@pytest.mark.parametrize("version", ["tls12", "tls13"])
def test_client_certificate_that_is_missing(w, version):
    """In TLS 1.3 the refusal comes after our handshake: an alert on a connection in use."""
    listener = w.listen(tls=w.certs.server(version, client_ca="ca"))
    d = originate(w, listener)
    client = d.connect("path")
    upstream = listener.accept()
    w.until(lambda: upstream.tls_end or upstream.tcp_end, "the upstream's refusal")
    assert client.until_ended() == "reset"
    record = d.record_of(client)
    assert record["reason"] == "upstream-tls-failed", record
    assert "alert" in record["detail"].lower(), record


@pytest.mark.parametrize("ours, theirs, agreed", [(["h2", "http/1.1"], ["http/1.1"], "http/1.1"), (["h2"], None, None)])
def test_alpn_of_the_upstream(w, ours, theirs, agreed):
    listener = w.listen(tls=w.certs.server(alpn=theirs))
    record, upstream = exchange(w, originate(w, listener, alpn=ours), listener)
    assert upstream.tls_alpn == agreed and (record["connect_tls"]["alpn"] or None) == agreed


@pytest.mark.parametrize("settings, fine", [({"profile": "modern"}, False), ({"min_version": "TLSv1.3"}, False),
                                            ({"profile": "intermediate"}, True)])
def test_versions_of_the_upstream(w, settings, fine):
    listener = w.listen(tls=w.certs.server("tls12"))
    d = originate(w, listener, **settings)
    if fine:
        exchange(w, d, listener)
    else:
        no_upstream(w, d, listener, "protocol version")


@pytest.mark.parametrize("how", ["end", "reset", "garbage"])
def test_upstream_that_does_not_speak_tls(w, how):
    listener = w.listen()
    d = originate(w, listener)
    client = d.connect("path")
    upstream = listener.accept()
    if how == "garbage":
        upstream.send(b"220 mail.example ESMTP\r\n")
    elif how == "end":
        upstream.end()
    else:
        upstream.until_received(1)
        upstream.reset()
    assert client.until_ended() == "reset"
    record = d.record_of(client)
    assert record["reason"] in ("upstream-tls-failed", "upstream-reset"), record
    assert record["ended_by"] == "upstream" and record["detail"]


@pytest.mark.parametrize("client", ["tls12", "tls13"])
@pytest.mark.parametrize("upstream", ["tls12", "tls13"])
def test_tls_to_tls(w, client, upstream):
    listener = w.listen(tls=w.certs.server(upstream))
    d = originate(w, listener, listen_tls=True)
    record, _ = exchange(w, d, listener, tls=w.certs.client(client))
    assert record["tls"]["version"] == closing_version(client)
    assert record["connect_tls"]["version"] == closing_version(upstream)


def closing_version(kind):
    return {"tls12": "TLSv1.2", "tls13": "TLSv1.3"}[kind]


@pytest.mark.parametrize("version", ["tls12", "tls13"])
def test_octet_by_octet(w, version):
    """The handshake, the data and the end, each octet in a segment of its own, on both legs."""
    listener = w.listen(tls=w.certs.server(version))
    d = originate(w, listener, listen_tls=True)
    client = d.connect("path", tls=w.certs.client(version))
    client.drip = 1
    upstream = w.accept(listener, client)
    upstream.drip = 1
    client.send(closing.noise(600)).end()
    assert upstream.until_ended() == "end"
    upstream.send(closing.noise(600, 1)).end()
    assert client.until_ended() == "end"
    closing.same(upstream.received, closing.noise(600), "upstream")
    closing.same(client.received, closing.noise(600, 1), "client")
    assert d.record_of(client)["reason"] == "end"


def test_early_data_in_one_flight(w):
    """The client's last handshake flight, its data and its end in one segment."""
    d = terminate(w)
    client = d.connect("tls", tls=w.certs.client("tls13"))
    client.send(closing.noise(3000)).end()
    assert client.until_ended() == "end"
    assert bytes(client.received) == closing.noise(3000)


# -- the kernel's TLS ----------------------------------------------------------------------------


def kernel_has_tls():
    with socket.socket() as s:
        try:
            s.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"tls")
        except OSError as e:
            return e.errno == errno.ENOTCONN
    return True


@pytest.mark.parametrize("ktls", ["off", "auto", "on"])
@pytest.mark.parametrize("client", ["tls12", "tls13"])
@pytest.mark.parametrize("upstream", ["tls12", "tls13"])
def test_ktls_or_not(w, client, upstream, ktls):
    """Left to the kernel or not, megabytes and ends are as ever. Only "on" warns where it cannot be."""
    listener = w.listen(tls=w.certs.server(upstream))
    settings = {**service(connect=listener.address),
                "listen-tls": {"certificate": w.certs.path("server.pem"), "ktls": ktls},
                "connect-tls": {"server-name": "localhost", "ca": w.certs.path("ca.pem"), "ktls": ktls}}
    d = w.daemon(services={"path": settings})
    peer = d.connect("path", tls=w.certs.client(client))
    other = w.accept(listener, peer)
    up, down = closing.noise(3 * closing.MB), closing.noise(2 * closing.MB, 1)
    peer.send(up).end()
    assert other.until_ended() == "end"
    other.send(down).end()
    assert peer.until_ended() == "end"
    closing.same(other.received, up, "upstream")
    closing.same(peer.received, down, "client")
    has = kernel_has_tls()
    path = d.record_of(peer)["path"]
    assert path == "tls" or (has and ktls != "off"), path
    warnings = re.findall(r"conf:\d+: warning: ktls: .*OpenSSL does it all", d.messages())
    assert len(warnings) == (2 if ktls == "on" and not has else 0), d.messages()


def test_ktls_and_unix_sockets(w):
    """A Unix socket has no TLS of the kernel's: OpenSSL goes on."""
    listener = w.listen()
    d = w.daemon(services={"tls": {**service(listen=f"unix:{w.dir}/s", connect=listener.address),
                                   "listen-tls": {"certificate": w.certs.path("server.pem"), "ktls": "on"}}})
    client = d.connect("tls", tls=w.certs.client("tls12"))
    upstream = w.accept(listener, client)
    client.send(closing.noise(100_001)).end()
    assert upstream.until_ended() == "end"
    upstream.send(closing.noise(closing.MB, 1)).end()
    assert client.until_ended() == "end"
    closing.same(upstream.received, closing.noise(100_001), "upstream")
    closing.same(client.received, closing.noise(closing.MB, 1), "client")
