"""How long a GET waits: python3 probe.py PORT KEYS sends one every millisecond; prints what each
waited, as JSON: [[the second, milliseconds], ...].

Lines on standard input begin and end the time that counts. It asks for a processor before all
others, so that what it tells is the server's delay and not its own.
"""
import json
import os
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
    go_first()
    chosen, waits = random.Random(2), []
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.monotonic()
    while True:
        started = time.monotonic()
        server.sendall(b"*2\r\n$3\r\nGET\r\n$16\r\nkey:%012d\r\n" % chosen.randrange(keys))
        server.recv(4096)
        waited = time.monotonic() - started
        waits.append([round(started - begun, 6), round(waited * 1000, 4)])
        rest = max(0, PERIOD_SECONDS - waited)
        if select.select([sys.stdin], [], [], rest)[0]:
            break
    print(json.dumps(waits))


def go_first():
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        pass  # not allowed: then its own delays count, too


main()
