# SPDX-License-Identifier: MIT
"""pages.py - a web server of the host, for what exo fetches.
"""

import contextlib
import http.server
import random
import threading

PAGE = b"what the host has to say\n" * 3000
LONG = random.Random(12).randbytes(2_000_000)
CONTENT = {"/page": PAGE, "/empty": b"", "/long": LONG}


class Pages(http.server.BaseHTTPRequestHandler):
    """A web server of the host: what CONTENT says, anything else 404."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):       # pylint: disable=invalid-name
        """An answer of the path's kind."""
        self.server.seen.append(self.path)
        body = CONTENT.get(self.path, b"no such page\n")
        self.send_response(200 if self.path in CONTENT else 404)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):      # pylint: disable=arguments-differ
        """Not on the terminal."""


@contextlib.contextmanager
def host(address="127.0.0.1"):
    """The web server on a free port of an address; exo sees the loopback's as 10.0.2.2."""
    server = http.server.ThreadingHTTPServer((address, 0), Pages)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
