"""Ports for servers of tests; run, it prints one."""

import random
import socket


def free_port():
    """One that the kernel gives to no client meanwhile (net.ipv4.ip_local_port_range)."""
    while True:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", random.randrange(10_000, 32_000)))
                return s.getsockname()[1]
            except OSError:
                continue


if __name__ == "__main__":
    print(free_port())
