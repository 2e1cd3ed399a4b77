"""A TCP proxy that a test can cut, stall, slow down and count: the network between two servers."""
import socket
import threading


class Proxy:
    """Listens on `port`, connects to `target_port`. One thread accepts, two carry a connection."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.forward_bytes = 0   # from the one who connected
        self.backward_bytes = 0  # from the target
        self.connections = 0
        self._cut_at = None      # in backward bytes
        self._rate = None        # backward bytes a second
        self._is_cut = False
        self._flowing = threading.Event()
        self._flowing.set()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._open = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._closing.set()
        self._flowing.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self._drop_all()

    def cut(self):
        """Drops every connection, and each new one until resume()."""
        self._is_cut = True
        self._drop_all()

    def break_once(self):
        """Drops every connection; new ones are carried."""
        self._drop_all()

    def cut_after(self, backward_bytes):
        """Cuts once so many more bytes have come from the target."""
        self._cut_at = self.backward_bytes + backward_bytes

    def stall(self):
        """Carries nothing, closes nothing."""
        self._flowing.clear()

    def throttle(self, bytes_per_second):
        """Slows what comes from the target; None lifts it."""
        self._rate = bytes_per_second

    def resume(self):
        self._is_cut = False
        self._cut_at = None
        self._flowing.set()

    def _drop_all(self):
        with self._lock:
            sockets, self._open = self._open, set()
        for item in sockets:
            try:
                item.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            item.close()

    def _accept(self):
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                client.close()
                continue
            try:
                target = socket.create_connection(("127.0.0.1", self.target_port), timeout=5)
            except OSError:
                client.close()
                continue
            target.settimeout(None)
            self.connections += 1
            with self._lock:
                self._open |= {client, target}
            for pair in ((client, target, True), (target, client, False)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source, sink, is_forward):
        try:
            while data := source.recv(16384):
                self._flowing.wait()
                if is_forward:
                    self.forward_bytes += len(data)
                elif self._rate:
                    self._closing.wait(len(data) / self._rate)
                sink.sendall(data)
                if not is_forward:
                    self.backward_bytes += len(data)
                    if self._cut_at is not None and self.backward_bytes >= self._cut_at:
                        self.cut()
        except OSError:
            pass
        for item in (source, sink):
            try:
                item.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
