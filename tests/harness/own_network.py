"""A network of its own: the loopback addresses, and one that no rule of them covers.

As a program, below `unshare --net`: own_network.py COMMAND... gives the network its addresses and
becomes the command.
"""
import fcntl
import functools
import os
import socket
import struct
import subprocess
import sys

ADDRESS = "192.0.2.1"  # of a range that is for documents: no machine has it
SET_FLAGS, SET_ADDRESS, UP_AND_RUNNING = 0x8914, 0x8916, 0x41  # ioctls of the kernel's <sockios.h>
UNSHARE = ["unshare", "--map-root-user", "--net"]

# Says PING to an address, from that address, and prints what comes back. A server that refuses
# resets the connection, for it does not read the PING.
SAY_PING = """
import contextlib, socket, sys
address, port = sys.argv[1], int(sys.argv[2])
with socket.create_connection((address, port), 10, source_address=(address, 0)) as client:
    with contextlib.suppress(OSError):
        client.sendall(b"PING\\r\\n")
        client.shutdown(socket.SHUT_WR)
    with contextlib.suppress(ConnectionError):
        while chunk := client.recv(65536):
            sys.stdout.buffer.write(chunk)
"""


@functools.cache
def is_allowed():
    """Whether this system lets its users make networks."""
    return subprocess.run([*UNSHARE, "true"], capture_output=True, timeout=20).returncode == 0


def wrapper():
    """What stands before a server's program, so that it lives in a network of its own."""
    return [*UNSHARE, sys.executable, __file__]


def said_to(pid, port, address=ADDRESS):
    """The answer to PING from and to this address of the process's network."""
    enter = ["nsenter", "--target", str(pid), "--user", "--net", "--preserve-credentials"]
    done = subprocess.run([*enter, sys.executable, "-c", SAY_PING, address, str(port)],
                          capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def change(request, device, data):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, request, struct.pack("16s", device) + data)


def main():
    change(SET_FLAGS, b"lo", struct.pack("h22x", UP_AND_RUNNING))
    internet = struct.pack("=hH4s8x", socket.AF_INET, 0, socket.inet_aton(ADDRESS))
    change(SET_ADDRESS, b"lo:0", internet + bytes(8))
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
