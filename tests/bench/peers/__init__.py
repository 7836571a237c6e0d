# SPDX-License-Identifier: ISC
"""The proxies that run beside each other, a module each: how to configure and start it."""
import importlib

NAMES = ["spliced", "haproxy", "nginx", "hitch", "stunnel", "rinetd", "socket-proxyd", "direct"]


def find(name, spliced):
    """The peer of this name; its `why_not` says why it cannot run. `spliced` is a path."""
    module = importlib.import_module("peers." + name.replace("-", "_"))
    return module.Peer(spliced) if name == "spliced" else module.Peer()
