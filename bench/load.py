"""A steady load of SET: python3 load.py PORT RATE KEYS VALUE_BYTES; prints the rate that it had.

Lines on standard input begin and end the time that counts; before it nothing is written.
"""
import random
import select
import socket
import sys
import threading
import time

TICKS_A_SECOND = 500


def main():
    port, rate, keys, value_bytes = map(int, sys.argv[1:5])
    sink = socket.create_connection(("127.0.0.1", port))
    threading.Thread(target=swallow, args=(sink,), daemon=True).start()
    form = b"*3\r\n$3\r\nSET\r\n$16\r\nkey:%%012d\r\n$%d\r\n%%0%dd\r\n" % (value_bytes, value_bytes)
    chosen, batch, sent = random.Random(1), rate // TICKS_A_SECOND, 0
    print("ready", flush=True)
    sys.stdin.readline()
    started = time.monotonic()
    while True:
        due = started + sent / rate
        if select.select([sys.stdin], [], [], max(0, due - time.monotonic()))[0]:
            break
        sink.sendall(b"".join(form % (chosen.randrange(keys), n) for n in range(batch)))
        sent += batch
    print(sent / (time.monotonic() - started))


def swallow(source):
    """Reads the replies away, so that they never hold up the server."""
    while source.recv(1 << 20):
        pass


main()
