# SPDX-License-Identifier: MIT
"""web.py - HTTP as tests need it: exact bytes out, answers taken apart, nothing repaired on the way.

Invariant: an answer that breaks the protocol raises ValueError; no retry, no redirect is followed.
"""

import html.parser
import re
import socket
import time

STATUS = re.compile(rb"HTTP/1\.([01]) (\d{3}) ([\x20-\x7e]*)\r\n")
HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\t\x80-\xff]*?)[ \t]*\r\n")


class Answer:
    """One answer: status, headers by lower-case name, body."""

    def __init__(self, version, status, headers, body):
        self.version, self.status, self.headers, self.body = version, status, headers, body

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:80]!r} ({len(self.body)} bytes)"

    def header(self, name):
        """A header's text, or an empty string."""
        return self.headers.get(name, "")


class Connection:
    """A connection to a port of this machine."""

    def __init__(self, port, limit=30.0, address="127.0.0.1"):
        self.socket = socket.create_connection((address, port), timeout=limit)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        """Bytes as they are."""
        self.socket.sendall(data)

    def ask(self, target, method="GET", **headers):
        """Send a request; `If_Range="x"` becomes `If-Range: x`."""
        headers.setdefault("Host", "exo")
        lines = [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]
        target = target if isinstance(target, bytes) else target.encode()
        self.send(method.encode() + b" " + target + b" HTTP/1.1\r\n"
                  + "\r\n".join(lines).encode() + b"\r\n\r\n")

    def answer(self, method="GET"):
        """The next answer to a request of this method."""
        line = self.file.readline(4096)
        if not line:
            raise EOFError("the connection ended where an answer was due")
        status = STATUS.fullmatch(line)
        if not status:
            raise ValueError(f"no status line: {line[:80]!r}")
        headers, code = self._headers(), int(status.group(2))
        body = b"" if method == "HEAD" or code in (204, 304) else self._body(headers)
        return Answer(int(status.group(1)), code, headers, body)

    def _headers(self):
        headers = {}
        while (line := self.file.readline(4096)) != b"\r\n":
            match = HEADER.fullmatch(line)
            if not match:
                raise ValueError(f"no header: {line[:80]!r}")
            name = match.group(1).decode().lower()
            if name in headers:
                raise ValueError(f"header {name} came twice")
            headers[name] = match.group(2).decode("latin-1")
        return headers

    def _body(self, headers):
        if headers.get("transfer-encoding") == "chunked":
            return self._chunks()
        if "content-length" not in headers:
            return self.file.read()
        size = int(headers["content-length"])
        body = self.file.read(size)
        if len(body) != size:
            raise ValueError(f"{len(body)} of {size} bytes came")
        return body

    def _chunks(self):
        parts = []
        while size := int(self.file.readline(100).split(b";")[0], 16):
            parts.append(self.file.read(size))
            if len(parts[-1]) != size or self.file.read(2) != b"\r\n":
                raise ValueError("a chunk is cut off")
        if self.file.readline(100) != b"\r\n":
            raise ValueError("no end of the chunks")
        return b"".join(parts)

    def get(self, target, method="GET", **headers):
        """Ask and take the answer."""
        self.ask(target, method, **headers)
        return self.answer(method)

    def ended(self, limit):
        """Has the other side closed, with nothing more said, within the limit?  Seconds, or None."""
        start = time.monotonic()
        self.socket.settimeout(limit)
        try:
            if self.file.read(1):
                return None
        except ConnectionResetError:
            pass
        except (TimeoutError, socket.timeout):
            return None
        return time.monotonic() - start

    def close(self):
        """End it."""
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def get(port, target, method="GET", address="127.0.0.1", **headers):
    """One request over a connection of its own."""
    with Connection(port, address=address) as connection:
        return connection.get(target, method, Connection="close", **headers)


def exchange(port, data, limit=20.0, address="127.0.0.1"):
    """Send bytes and read until the other side closes; what came, however it ended."""
    came = b""
    with socket.create_connection((address, port), timeout=limit) as link:
        try:
            link.sendall(data)
            while piece := link.recv(65536):
                came += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
    return came


class Links(html.parser.HTMLParser):
    """The targets of the links of a page; unclosed elements raise ValueError."""

    VOID = ("meta", "link", "br", "hr", "img", "input", "col")

    def __init__(self, page):
        super().__init__()
        self.targets, self.open = [], []
        self.feed(page.decode("utf-8"))
        if self.open:
            raise ValueError(f"elements {self.open} are not closed")

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.targets.append(dict(attrs).get("href", ""))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise ValueError(f"</{tag}> where it does not belong")
