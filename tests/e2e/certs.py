# SPDX-License-Identifier: ISC
"""Keys and certificates for the tests, made anew for each run."""
import ssl
import subprocess


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


class Certs:
    def __init__(self, directory):
        self.dir = directory
        self.authority("ca")
        self.authority("other-ca")
        self.make("server", "DNS:localhost,IP:127.0.0.1")
        self.make("server-rsa", "DNS:localhost,IP:127.0.0.1", key="rsa")
        self.make("a", "DNS:a.example")
        self.make("b", "DNS:b.example,DNS:*.b.example")
        self.make("wrong-name", "DNS:elsewhere.example")
        self.make("stranger", "DNS:localhost,IP:127.0.0.1", by="other-ca")
        self.make("client", "DNS:client.example")

    def path(self, name):
        return self.dir / name

    def _new_key(self, key):
        if key == "rsa":
            return ["-newkey", "rsa:2048"]
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]

    def authority(self, name):
        openssl("req", "-x509", *self._new_key("ec"), "-nodes", "-days", "30", "-subj", f"/CN={name}",
                "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem"),
                "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def make(self, name, names, key="ec", by="ca"):
        """NAME.crt, NAME.key, and NAME.pem with both."""
        openssl("req", "-x509", *self._new_key(key), "-nodes", "-days", "30", "-subj", f"/CN={name}",
                "-CA", self.path(by + ".pem"), "-CAkey", self.path(by + ".key"),
                "-keyout", self.path(name + ".key"), "-out", self.path(name + ".crt"),
                "-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE")
        self.path(name + ".pem").write_text(self.path(name + ".crt").read_text() +
                                            self.path(name + ".key").read_text())

    def version(self, context, version):
        if version == "tls12":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        elif version == "tls13":
            context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context

    def client(self, version=None, alpn=None, certificate=None, verify=True):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.path("ca.pem"))
        if not verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if alpn:
            context.set_alpn_protocols(alpn)
        if certificate:
            context.load_cert_chain(self.path(certificate + ".pem"))
        return self.version(context, version)

    def server(self, version=None, alpn=None, certificate="server", client_ca=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(certificate + ".pem"))
        if alpn:
            context.set_alpn_protocols(alpn)
        if client_ca:
            context.load_verify_locations(self.path(client_ca + ".pem"))
            context.verify_mode = ssl.CERT_REQUIRED
        return self.version(context, version)
