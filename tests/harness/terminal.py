"""A program in a terminal: what a person would see on the screen, and keys that are pressed."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

INTERRUPT = "\x03"  # Ctrl-C
# A move of the cursor or an erasure, an end of line, or text.
PIECES = re.compile(r"\x1b\[(?P<count>\d*)(?P<order>[@-~])|(?P<end>[\r\n])|(?P<text>[^\x1b\r\n]+)")


class Screen:
    """A screen so many columns wide, and as high as is needed."""

    def __init__(self, columns):
        self.columns = columns
        self.lines = [""]
        self.row = self.column = 0
        self._rest = ""

    def feed(self, text):
        text = self._rest + text
        begun = re.search(r"\x1b(\[\d*)?$", text)
        end = begun.start() if begun else len(text)
        self._rest = text[end:]
        for piece in PIECES.finditer(text[:end]):
            self._take(piece)

    def _take(self, piece):
        count = int(piece["count"] or 1)
        if piece["order"] == "A":
            self.row = max(0, self.row - count)
        elif piece["order"] == "K":
            self.lines[self.row] = self.lines[self.row][:self.column]
        elif piece["order"]:
            raise AssertionError(f"a terminal's order that this screen does not know: {piece[0]!r}")
        elif piece["end"] == "\r":
            self.column = 0
        elif piece["end"]:
            self._next_line()
        else:
            for character in piece["text"]:
                self._put(character)

    def _next_line(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")

    def _put(self, character):
        if self.column == self.columns:
            self._next_line()
            self.column = 0
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[:self.column] + character + line[self.column + 1:]
        self.column += 1


class Terminal:
    """A program started in a terminal of its own, the one whose Ctrl-C it gets."""

    def __init__(self, command, columns=80):
        self.screen = Screen(columns)
        self.printed = ""
        self._lock = threading.Lock()
        self._near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=far, stdout=far, stderr=far,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(far)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        """Until the last process that has the terminal open is gone."""
        try:
            while data := os.read(self._near, 65536):
                with self._lock:
                    text = data.decode(errors="replace")
                    self.printed += text
                    self.screen.feed(text)
        except OSError:
            pass

    def lines(self):
        """What stands on the screen."""
        with self._lock:
            return list(self.screen.lines)

    def text(self):
        return "\n".join(self.lines())

    def press(self, keys):
        os.write(self._near, keys.encode())
