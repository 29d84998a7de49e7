"""A network of two hosts with one cable, like Tests/TestSupport/Faults/Cable.swift: unlike with a proxy, the kernel's own
TCP sees the faults."""

import itertools
import os
import shutil
import subprocess

_numbers = itertools.count(1)


def _run(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise OSError(f"`{' '.join(command)}` fails: {result.stderr.strip()}")


def obstacle():
    """Why there can be no cable; None where there can."""
    if os.getuid() != 0:
        return "needs root"
    for program in ("ip", "iptables"):
        if not shutil.which(program):
            return f"needs {program}"
    try:
        cable = Cable()
    except OSError as error:
        return str(error)
    try:
        cable.fail("cut")
        return None
    except OSError as error:
        return str(error)
    finally:
        cable.close()


class Cable:
    """A network namespace for the server, `wrapper`, and a veth pair whose far end has the address `host`."""

    def __init__(self):
        # A small subnet of 198.18.0.0/15 (RFC 2544) for each; names of interfaces have 15 characters at most.
        number = next(_numbers)
        block = (os.getpid() * 64 + number) % 16384
        base, first = f"198.{18 + block // 8192}.{block % 8192 // 32}", block % 32 * 8
        self.name = f"ecr{os.getpid() % 100000}.{number}"
        self.host = f"{base}.{first + 2}"
        self.wrapper = ["ip", "netns", "exec", self.name]
        _run("ip", "netns", "add", self.name)
        try:
            _run("ip", "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", self.name)
            _run("ip", "addr", "add", f"{base}.{first + 1}/29", "dev", self.name)
            _run("ip", "link", "set", self.name, "up")
            _run("ip", "-n", self.name, "addr", "add", f"{self.host}/29", "dev", "eth0")
            _run("ip", "-n", self.name, "link", "set", "eth0", "up")
            _run("ip", "-n", self.name, "link", "set", "lo", "up")
        except OSError:
            self.close()
            raise

    def fail(self, fault):
        """`cut`: every packet is dropped, both ways. What a proxy calls a stall is the same here."""
        for chain in ("INPUT", "OUTPUT"):
            _run(*self.wrapper, "iptables", "-w", "-I", chain, "-j", "DROP")

    def restore(self):
        _run(*self.wrapper, "iptables", "-w", "-F")

    def close(self):
        subprocess.run(["ip", "link", "del", self.name], capture_output=True)
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)
