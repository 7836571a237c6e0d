# SPDX-License-Identifier: ISC
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(__file__))
sys.dont_write_bytecode = True

import certs as certs_module  # noqa: E402
import harness                # noqa: E402


@pytest.fixture(scope="session")
def certs():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="spliced-certs-"))
    directory.chmod(0o755)
    yield certs_module.Certs(directory)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def load():
    """The load generator, compiled; or the one that SPLICED_LOAD names, where there is no compiler."""
    if "SPLICED_LOAD" in os.environ:
        yield pathlib.Path(os.environ["SPLICED_LOAD"])
        return
    source = pathlib.Path(__file__).parent / "peers" / "load.c"
    directory = pathlib.Path(tempfile.mkdtemp(prefix="spliced-load-"))
    flags = shlex.split(subprocess.run(["pkg-config", "--cflags", "--libs", "openssl"], check=True, text=True,
                                       capture_output=True).stdout)
    subprocess.run(["cc", "-O2", "-o", directory / "load", source, *flags], check=True)
    yield directory / "load"
    shutil.rmtree(directory)


@pytest.fixture
def w(request, certs):
    """This test's world. In the end its daemons are stopped and their records compared."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="spliced-e2e-"))
    directory.chmod(0o755)
    world = harness.World(directory, certs)
    request.node.world = world
    try:
        yield world
        world.close()
    finally:
        for program in world.programs:
            program.close()
        for daemon in world.daemons:
            if daemon.process is not None and daemon.process.poll() is None:
                daemon.process.kill()
                daemon.process.wait()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failing test shows every log of its own run."""
    outcome = yield
    report = outcome.get_result()
    world = getattr(item, "world", None)
    if world is None:
        return
    if report.failed:
        for title, text in world.logs():
            report.sections.append((title, text))
    if call.when == "teardown":
        shutil.rmtree(world.dir, ignore_errors=True)
