# SPDX-License-Identifier: ISC
"""One measurement: a fresh proxy, one work, what it cost."""
import os
import pathlib
import socket
import ssl
import subprocess
import tempfile
import time

import load
import procs
from load import Failed
from peers.peer import Setup

PORT = 7001
SERVICES_TRIED = 64
SATURATED = 0.97
BULKY = 16384      # octets of a message from which on haproxy is better off with splicing
AT_MOST = 120      # seconds for a work
IDLE = 3           # seconds: what connections needed to come may be given back meanwhile
START_WITHIN = 60  # seconds; 10,000 services take their time


class Addresses:
    """Loopback addresses of our own. Each measurement has new ones, so none waits for the ports that
    the one before has left in TIME_WAIT."""

    def __init__(self):
        self.net = 64 + os.getpid() % 40 * 3
        self.serial = 0

    def next(self):
        self.serial += 1
        high, low = self.serial // 30 % 128, 1 + self.serial % 30 * 8
        self.listen = f"127.{self.net}.{high}.{low}"
        self.many = f"127.{self.net}.128.1"
        self.upstream = f"127.{self.net + 1}.{high}.{low}"
        self.source = f"127.{self.net + 2}.{high}.{low}"


class Proxy:
    """A peer at work."""

    def __init__(self, peer, setup, cpus):
        self.setup = setup
        self.log = open(setup.directory / "output", "w+", encoding="utf-8", errors="replace")
        command = [str(word) for word in peer.command(setup)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        start_new_session=True, preexec_fn=procs.pin(cpus))
        self.pids = [self.process.pid]
        try:
            self._wait_until_it_works()
        except BaseException:
            self.stop()
            raise
        self.pids = procs.tree(self.process.pid)

    def _wait_until_it_works(self):
        deadline = time.monotonic() + START_WITHIN
        while True:
            try:
                return self._say_something()
            except OSError as e:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.log.seek(0)
                    raise Failed(f"does not work: {e}; {self.log.read()[-500:].strip()}") from None
            time.sleep(0.01)

    def _say_something(self):
        with socket.create_connection(self.setup.listen, 5) as s:
            if self.setup.tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                s = context.wrap_socket(s)
            s.sendall(b"E")
            if s.recv(1) != b"E":
                raise OSError("no answer through it")
            s.close()

    def usage(self):
        return procs.Usage(self.pids)

    def stop(self):
        procs.stop(self.process, self.pids)
        self.log.close()


class NoProxy:
    """What "direct" has instead."""
    pids = ()

    def usage(self):
        return procs.Usage(())

    def stop(self):
        pass


class Bench:
    """All that measurements share."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.program = load.build(self.directory)
        self.certificate = self._certificate()
        self.cpus = sorted(os.sched_getaffinity(0))
        self.addresses = Addresses()
        self.server = load.Server(self.program, self.load_cpus(1))

    def close(self):
        self.server.close()

    def _certificate(self):
        key, chain, both = (self.directory / n for n in ("key.pem", "chain.pem", "both.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-days", "30", "-subj", "/CN=localhost", "-keyout", key, "-out", chain],
                       check=True, capture_output=True)
        both.write_text(chain.read_text() + key.read_text())
        return both

    def proxy_cpus(self, workers):
        return self.cpus[:workers]

    def load_cpus(self, workers):
        """Those the proxy leaves; all when it leaves none."""
        return self.cpus[workers:] or self.cpus

    def _start(self, work, peer):
        if not peer.proxy:
            return NoProxy(), (self.addresses.upstream, self.server.port)
        listen = self.addresses.many if work.services > 1 else self.addresses.listen
        setup = Setup(directory=pathlib.Path(tempfile.mkdtemp(prefix=peer.name + "-", dir=self.directory)),
                      listen=(listen, PORT), upstream=(self.addresses.upstream, self.server.port),
                      certificate=self.certificate, tls=work.tls, workers=work.workers,
                      services=work.services, bulk=work.kind == "bulk" or work.size >= BULKY,
                      busy_poll=work.busy_poll)
        return Proxy(peer, setup, self.proxy_cpus(work.workers)), setup.listen

    def _client(self, work, to):
        return load.Client(self.program, self.load_cpus(work.workers), work.kind, to, self.addresses.source,
                           AT_MOST, links=work.links, count=work.count, size=work.size or None, up=work.up,
                           tls=work.tls, resume=work.resume, spread=min(work.services, SERVICES_TRIED))

    def measure(self, work, peer):
        """A dictionary of numbers; raises Failed when anything was not as it must be."""
        os.sched_setaffinity(self.server.process.pid, self.load_cpus(work.workers))
        self.addresses.next()
        proxy, to = self._start(work, peer)
        try:
            client = self._client(work, to)
            try:
                return (self._hold if work.kind == "hold" else self._work)(work, proxy, client)
            finally:
                client.close()
        finally:
            proxy.stop()

    def _work(self, work, proxy, client):
        client.answer()
        load_pids = [client.process.pid, self.server.process.pid]
        before, load_before = procs.settled(proxy.pids), procs.Usage(load_pids)
        result = client.ask("go")
        now, load_now = proxy.usage(), procs.Usage(load_pids)
        seconds = result["seconds"]
        self._check(work, result)
        load_share = load_now.since(load_before)["cpu"] / seconds / len(self.load_cpus(work.workers))
        proxy_share = now.since(before)["cpu"] / seconds / work.workers
        result.update(procs.settled(proxy.pids).since(before), load_share=load_share, proxy_share=proxy_share,
                      load_bound=load_share >= SATURATED > proxy_share)
        return result

    @staticmethod
    def _check(work, result):
        wanted = work.count // work.links * work.links if work.kind == "bulk" else work.count
        if result["done"] != wanted:
            raise Failed(f"{result['done']} done of {wanted}")
        if work.tls and work.kind == "connect" and result["full" if work.resume else "resumed"]:
            raise Failed(f"{result['full']} full handshakes and {result['resumed']} resumed")

    @staticmethod
    def _hold(work, proxy, client):
        client.answer()
        time.sleep(IDLE)
        before = procs.memory(proxy.pids)
        client.ask(f"open {work.count}")
        time.sleep(IDLE)
        after = procs.memory(proxy.pids)
        client.ask("check")  # all of them still work
        more = work.count - work.links
        return {"done": more, **{name: (after[name] - before[name]) / more for name in after}}
