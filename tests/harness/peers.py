"""A primary made by hand: answers a replica's handshake as the test says, rubbish included."""
import socket
import threading

IDENTITY = "5" * 40
EMPTY_RDB = (b"REDIS0010\xff" + bytes(8))  # a checksum of zero means: none


class FakePrimary:
    """Listens on a free port. `answers` maps a command's first word to bytes, or to a function of
    (socket, words); None closes the connection. What is not listed gets +OK."""

    def __init__(self, **answers):
        self.answers = {"PING": b"+PONG\r\n", "PSYNC": full_resync(EMPTY_RDB), **answers}
        self.heard = []
        self.heard_more = threading.Condition()
        self.connections = 0
        self._open = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for item in [self._listener, *self._open]:
            try:
                item.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            item.close()

    def send(self, data):
        """Sends on the newest connection."""
        self._open[-1].sendall(data)

    def send_file(self, file):
        """The same, of a file's bytes, without a copy."""
        file.seek(0)
        self._open[-1].sendfile(file)

    def words_heard(self, name):
        return [words for words in self.heard if words[0].upper() == name]

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            reader = client.makefile("rb")
            while words := read_command(reader):
                with self.heard_more:
                    self.heard.append(words)
                    self.heard_more.notify_all()
                answer = self.answers.get(words[0].upper(), b"+OK\r\n")
                if words[:2] and words[0].upper() == "REPLCONF" and words[1].upper() == "ACK":
                    continue
                if answer is None:
                    client.shutdown(socket.SHUT_RDWR)
                    return
                if callable(answer):
                    answer = answer(client, words)
                if answer:
                    client.sendall(answer)
        except (OSError, ValueError):
            pass


def read_command(reader):
    """One command as words of text; empty at the end."""
    line = reader.readline()
    if not line.startswith(b"*"):
        return line.decode().split()
    words = []
    for _ in range(int(line[1:])):
        length = int(reader.readline()[1:])
        words.append(reader.read(length + 2)[:-2].decode(errors="surrogateescape"))
    return words


def full_resync(rdb, offset=0, identity=IDENTITY):
    """An answer to PSYNC: a snapshot by its length."""
    return b"+FULLRESYNC %s %d\r\n$%d\r\n%s" % (identity.encode(), offset, len(rdb), rdb)
