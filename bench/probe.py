"""The longest wait: python3 probe.py PORT KEYS sends a GET every millisecond; prints milliseconds.

Lines on standard input begin and end the time that counts.
"""
import random
import select
import socket
import sys
import time

PERIOD_SECONDS = 0.001


def main():
    port, keys = map(int, sys.argv[1:3])
    server = socket.create_connection(("127.0.0.1", port))
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    chosen, longest, lines = random.Random(2), 0.0, 0
    print("ready", flush=True)
    while True:
        started = time.monotonic()
        server.sendall(b"*2\r\n$3\r\nGET\r\n$16\r\nkey:%012d\r\n" % chosen.randrange(keys))
        server.recv(4096)
        waited = time.monotonic() - started
        if lines:
            longest = max(longest, waited)
        rest = max(0, PERIOD_SECONDS - waited)
        if select.select([sys.stdin], [], [], rest)[0]:
            sys.stdin.readline()
            lines += 1
            if lines == 2:
                break
    print(longest * 1000)


main()
