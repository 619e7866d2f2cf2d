# SPDX-License-Identifier: MIT
"""http.py - the web server's protocol: requests, rubbish, connections, time-outs, many clients.

Each answer is read by the tests' own strict reader (tests/run/web.py).
"""

import selectors
import socket
import threading
import time

import served
import web

BIG, SMALL = served.BIG, served.FILES["small.html"]
BINARY = "application/octet-stream"
TYPES = (("/small.html", "text/html"), ("/index-free.txt", "text/plain"), ("/", "text/html"),
         ("/big.bin", BINARY), ("/holes", BINARY))
TLS = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)) + b"\r\n\r\n"


def expect(run, answer, status, body=None, what=""):
    """An answer's status, and its body if one is given."""
    run.check(answer.status == status, f"{what}: expected {status}, saw {answer}")
    if body is not None:
        run.check(answer.body == body, f"{what}: {len(answer.body)} bytes instead of {len(body)}, or others")
    return answer


@served.session("http_requests")
def requests(run, _):
    """Methods, types, what is not there, conditions."""
    for target, kind in TYPES:
        with web.Connection(run.port) as link:
            full, head = link.get(target), link.get(target, "HEAD")
            expect(run, full, 200, what=target)
            expect(run, head, 200, b"", f"HEAD {target}")
            run.check(full.header("content-type").startswith(kind), f"{target}: {full}")
            for name in ("content-type", "content-length", "last-modified", "etag"):
                run.check(full.header(name) == head.header(name), f"HEAD {target} differs in {name}: {head}")
    for target in ("/nothing", "/folder/nothing", "/empty/inner", "/" + "x" * 300, "/lost"):
        expect(run, web.get(run.port, target), 404, what=target)
        expect(run, web.get(run.port, target, "HEAD"), 404, b"", f"HEAD {target}")
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "BREW"):
        answer = web.get(run.port, "/", method, Content_Length="0")
        run.check(answer.status in (405, 501), f"{method}: {answer}")
        run.check(answer.status == 501 or "GET" in answer.header("allow"), f"{method}: {answer}")
    answer = web.get(run.port, "/small.html?query=1&other")
    expect(run, answer, 200, SMALL, "with a query")
    conditions(run)
    old = web.exchange(run.port, b"GET /small.html HTTP/1.0\r\n\r\n")
    run.check(old.endswith(b"\r\n\r\n" + SMALL), f"HTTP/1.0: {old[:200]!r}")


def conditions(run):
    """What has not changed is not sent again."""
    answer = web.get(run.port, "/small.html")
    if date := answer.header("last-modified"):
        expect(run, web.get(run.port, "/small.html", If_Modified_Since=date), 304, b"", "not modified")
        expect(run, web.get(run.port, "/small.html", If_Modified_Since="Mon, 01 Jan 1990 00:00:00 GMT"), 200,
               SMALL, "modified since 1990")
        expect(run, web.get(run.port, "/small.html", If_Modified_Since="yesterday"), 200, SMALL,
               "modified since no date")
    if tag := answer.header("etag"):
        expect(run, web.get(run.port, "/small.html", If_None_Match=tag), 304, b"", "the same tag")
        expect(run, web.get(run.port, "/small.html", If_None_Match='"other"'), 200, SMALL, "another tag")


@served.session("http_ranges")
def ranges(run, _):
    """Parts of a file: first, middle, last, open ends, beyond the end, nonsense."""
    size = len(BIG)
    good = (("0-0", 0, 1), ("0-99", 0, 100), ("4090-4105", 4090, 4106), ("1000000-1099999", 1000000, 1100000),
            (f"{size - 1}-", size - 1, size), ("-1", size - 1, size), ("-500", size - 500, size),
            (f"1400000-{size + 10 ** 6}", 1400000, size), (f"-{size + 5}", 0, size), ("700000-", 700000, size),
            ("100-18446744073709551615", 100, size))
    with web.Connection(run.port) as link:
        for words, first, end in good:
            answer = expect(run, link.get("/big.bin", Range=f"bytes={words}"), 206, BIG[first:end], words)
            run.check(answer.header("content-range") == f"bytes {first}-{end - 1}/{size}", f"{words}: {answer}")
        for words in (f"{size}-", f"{size}-{size + 5}", "99999999999-", "-0"):
            answer = expect(run, link.get("/big.bin", Range=f"bytes={words}"), 416, what=words)
            run.check(answer.header("content-range") == f"bytes */{size}", f"{words}: {answer}")
        for words in ("bytes=5-4", "bytes=x-y", "bytes=", "bytes=-", "lines=1-2", "bytes=1-2-3", "bytes 1-2",
                      "bytes=0-0,5-9", "bytes=" + "9" * 40 + "-", "bytes=-" + "9" * 40):
            answer = link.get("/big.bin", Range=words)
            run.check((answer.status, answer.body) == (200, BIG) or answer.status in (206, 416),
                      f"{words}: {answer}")
            run.check(answer.status != 206 or answer.body == BIG, f"{words}: {answer}")
        expect(run, link.get("/empty", Range="bytes=0-"), 416, what="first byte of an empty file")
        head = link.get("/big.bin", "HEAD", Range="bytes=0-9")
        run.check(head.status in (200, 206) and head.body == b"", f"HEAD with a range: {head}")
        expect(run, link.get("/holes", Range="bytes=3-4099"), 206, served.FILES["holes"][3:4100], "a hole")


RUBBISH = (
    b"\r\n\r\n\r\n", b"rubbish\r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/1.1 more\r\n\r\n",
    b"GET  / HTTP/1.1\r\nHost: e\r\n\r\n", b"GET /\0 HTTP/1.1\r\nHost: e\r\n\r\n", b"\0\0\0\0\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost\r\n\r\n", b"GET / HTTP/1.1\r\nHost : e\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: e\0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: e\r\n folded\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: e\r\nHost: f\r\n\r\n", b"GET / HTTQ/1.1\r\nHost: e\r\n\r\n",
    b"GET / HTTP/x.y\r\nHost: e\r\n\r\n", b"GET plain HTTP/1.1\r\nHost: e\r\n\r\n",
    b"GET / HTTP/1.1\nHost: e\nX\n\n", TLS,
    b"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: -5\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: e\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"GET / HTTP/1.1\r\nHost: e\r\n: empty\r\n\r\n", b"G\xffT / HTTP/1.1\r\nHost: e\r\n\r\n",
)
TOO_LONG = (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: e\r\n\r\n", b"A" * 100_000,
            b"GET / HTTP/1.1\r\nHost: e\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: e\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
            b"GET /" + b"%41" * 5000 + b" HTTP/1.1\r\nHost: e\r\n\r\n")


@served.session("http_rubbish")
def rubbish(run, _):
    """What is no request is answered by a 4xx or 5xx, or by closing; never by content or silence."""
    for data in RUBBISH:
        came = web.exchange(run.port, data, 30.0)
        run.check(came == b"" or came[:10] in (b"HTTP/1.1 4", b"HTTP/1.1 5", b"HTTP/1.0 4", b"HTTP/1.0 5"),
                  f"{data[:60]!r} was answered by {came[:80]!r}")
        plain = data[:4] in (b"GET ", b"rubb") and b"\0" not in data
        run.check(not plain or came[9:10] in b"45" and came, f"{data[:60]!r} got no answer")
    for data in TOO_LONG:
        came = web.exchange(run.port, data, 30.0)
        run.check(came == b"" or came[9:12] in (b"400", b"404", b"413", b"414", b"431"),
                  f"{data[:40]!r}... ({len(data)} bytes) was answered by {came[:80]!r}")
    for version in (b"HTTP/2.0", b"HTTP/9.9"):
        came = web.exchange(run.port, b"GET / " + version + b"\r\nHost: e\r\n\r\n")
        run.check(came[9:12] in (b"505", b"400"), f"{version!r} was answered by {came[:80]!r}")


@served.session("http_pieces")
def pieces(run, _):
    """A request that comes byte by byte, and requests cut at every place."""
    whole = b"GET /folder/inner HTTP/1.1\r\nHost: e\r\nX-Long: " + b"z" * 40 + b"\r\n\r\n"
    with web.Connection(run.port) as link:
        link.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in whole:
            link.send(bytes([byte]))
            time.sleep(0.002)
        expect(run, link.answer(), 200, served.FILES["folder/inner"], "byte by byte")
        for cut in range(1, len(whole), 5):
            link.send(whole[:cut])
            time.sleep(0.005)
            link.send(whole[cut:])
            expect(run, link.answer(), 200, served.FILES["folder/inner"], f"cut at {cut}")


@served.session("http_keep_alive")
def keep_alive(run, _):
    """Many requests over one connection, one after the other and at once; who closes when."""
    with web.Connection(run.port) as link:
        for turn in range(100):
            expect(run, link.get("/folder/inner"), 200, served.FILES["folder/inner"], f"request {turn}")
        for turn in range(3):
            expect(run, link.get("/nothing"), 404, what="an error in between")
        for turn in range(40):
            link.ask("/small.html")
            link.ask("/folder/inner")
            link.ask("/big.bin", Range=f"bytes={turn * 1000}-{turn * 1000 + 4999}")
        for turn in range(40):
            expect(run, link.answer(), 200, SMALL, f"pipelined {turn}")
            expect(run, link.answer(), 200, served.FILES["folder/inner"], f"pipelined {turn}")
            expect(run, link.answer(), 206, BIG[turn * 1000:turn * 1000 + 5000], f"pipelined {turn}")
        link.ask("/empty", "HEAD")
        link.ask("/empty")
        expect(run, link.answer("HEAD"), 200, b"", "pipelined HEAD")
        expect(run, link.answer(), 200, b"", "behind a HEAD")
        expect(run, link.get("/small.html", Connection="close"), 200, SMALL, "the last one")
        run.check(link.ended(5.0) is not None, "the connection is open after `Connection: close`")
    with web.Connection(run.port) as link:
        link.send(b"GET /small.html HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        answer = expect(run, link.answer(), 200, SMALL, "HTTP/1.0 keep-alive")
        if answer.header("connection").lower() == "keep-alive":
            expect(run, link.get("/small.html"), 200, SMALL, "its second request")
    with web.Connection(run.port) as link:
        link.send(b"GET /small.html HTTP/1.0\r\n\r\n")
        expect(run, link.answer(), 200, SMALL, "HTTP/1.0")
        run.check(link.ended(5.0) is not None, "an HTTP/1.0 connection stays open")
    with web.Connection(run.port) as link:      # the client ends its side first
        link.ask("/big.bin")
        link.socket.shutdown(socket.SHUT_WR)
        expect(run, link.answer(), 200, BIG, "after the client's end")


@served.session("http_time_outs", timeout=120.0)
def time_outs(run, _):
    """Who says nothing, or not enough, is let go; who is served meanwhile is not disturbed."""
    starts = {"nothing": b"", "half a line": b"GET / HT", "no end": b"GET / HTTP/1.1\r\nHost: e\r\n",
              "an idle one": b"GET /small.html HTTP/1.1\r\nHost: e\r\n\r\n"}
    links = {}
    for what, data in starts.items():
        links[what] = web.Connection(run.port)
        links[what].send(data)
    expect(run, links["an idle one"].answer(), 200, SMALL, "before idling")
    start = time.monotonic()
    drip = web.Connection(run.port)             # a byte a second is not enough
    drip.send(b"GET / HTTP/1.1\r\nX: ")
    closed, deadline = {}, start + 45 * run.context.slow
    while len(closed) < len(links) + 1 and time.monotonic() < deadline:
        if "dripping" not in closed:
            try:
                drip.send(b"y")
            except OSError:
                closed["dripping"] = time.monotonic() - start
        for what, link in links.items():
            if what not in closed and silent_end(run, link, what):
                closed[what] = time.monotonic() - start
        expect(run, web.get(run.port, "/folder/inner"), 200, served.FILES["folder/inner"], "meanwhile")
        time.sleep(1.0)
    for link in [*links.values(), drip]:
        link.close()
    still = {*links, "dripping"} - set(closed)
    run.check(not still, f"not closed within {time.monotonic() - start:.0f} s: {sorted(still)}")
    early = {what: seconds for what, seconds in closed.items() if seconds < 3.0}
    run.check(not early, f"closed too early: {early}")


def silent_end(run, link, what):
    """Is the connection over?  A 408 may come before."""
    link.socket.settimeout(0.01)
    try:
        data = link.socket.recv(4096)
    except ConnectionResetError:
        return True
    except (TimeoutError, BlockingIOError):
        return False
    run.check(data == b"" or b" 408 " in data[:20], f"{what} was answered by {data[:60]!r}")
    return data == b""


def read_all(run, links, got, limit):
    """Take from all connections side by side until each gave `limit` bytes, or all it has."""
    choose, deadline = selectors.DefaultSelector(), time.monotonic() + 60 * run.context.slow
    for number, link in enumerate(links):
        choose.register(link.socket, selectors.EVENT_READ, number)
    while choose.get_map():
        run.check(time.monotonic() < deadline, f"{len(choose.get_map())} of 64 stand still")
        for key, _ in choose.select(1.0):
            data = key.fileobj.recv(min(8192, limit - len(got[key.data])))
            got[key.data] += data
            if not data or len(got[key.data]) >= limit:
                choose.unregister(key.fileobj)


@served.session("http_64_connections", timeout=150.0)
def many(run, _):
    """64 connections held open at once, each of which moves bytes while none is done."""
    links, got = [], {number: b"" for number in range(64)}
    for number in range(64):
        links.append(web.Connection(run.port))
        expect(run, links[-1].get("/small.html"), 200, SMALL, f"first request of connection {number}")
    for number, link in enumerate(links):
        link.ask("/big.bin", Range=f"bytes={number * 10000}-{number * 10000 + 799999}", Connection="close")
    for limit in (10_000, 60_000, 400_000, 1_000_000):      # nobody gets ahead of the others by far
        read_all(run, links, got, limit)
    for number, link in enumerate(links):
        head, _, body = got[number].partition(b"\r\n\r\n")
        run.check(head.startswith(b"HTTP/1.1 206 "), f"connection {number}: {head[:60]!r}")
        run.check(body == BIG[number * 10000:number * 10000 + 800000],
                  f"connection {number}: {len(body)} bytes, or others than in the file")
        link.close()


@served.session("http_too_many", timeout=120.0)
def too_many(run, _):
    """600 clients that hold on are more than the server takes: the rest is told or cut, nothing breaks."""
    links, told = [], 0
    for number in range(600):
        link = web.Connection(run.port)
        links.append(link)
        try:
            answer = link.get("/small.html")
        except (ConnectionResetError, EOFError):
            told += 1
            continue
        run.check((answer.status, answer.body) == (200, SMALL) or answer.status == 503,
                  f"connection {number}: {answer}")
        told += answer.status == 503
    run.check(len(links) - told >= 128, f"only {len(links) - told} connections at once")
    for link in links:
        link.close()
    expect(run, web.get(run.port, "/small.html"), 200, SMALL, "when they are gone")


def wave(run, count, threads=8):
    """Open, use and close connections in every way, `threads` at a time."""
    wrong, share = [], count // threads

    def client(first):
        for number in range(first, first + share):
            try:
                one(number % 5)
            except (OSError, ValueError, EOFError) as error:
                wrong.append(f"connection {number}: {type(error).__name__} {error}")

    def one(way):
        with web.Connection(run.port) as link:
            if way == 0:                        # closed by us without a word
                return
            if way == 1:                        # cut in the middle of an answer
                link.ask("/big.bin")
                link.socket.recv(1000)
                return
            last = {"Connection": "close"} if way == 2 else {}
            answer = link.get("/small.html", **last)
            if (answer.status, answer.body) != (200, SMALL):
                wrong.append(repr(answer))
            if way == 3:
                link.get("/folder/inner")

    workers = [threading.Thread(target=client, args=(n * share,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    run.check(not wrong, f"{len(wrong)} of {count} failed, first: {wrong[0] if wrong else ''}")


def settled_memory(run, box):
    """What `mem` says is free, once it does not change any more."""
    last = None
    for _ in range(20):
        now = run.shell(box, "mem")
        if now == last:
            return now
        last = now
        time.sleep(0.5)
    return last


@served.session("http_2000_connections", timeout=240.0)
def two_thousand(run, box):
    """2,000 connections opened and closed: nothing is left of them."""
    wave(run, 400)
    before = settled_memory(run, box)
    wave(run, 2000)
    time.sleep(1.0)
    after = settled_memory(run, box)
    run.check(before == after, f"`mem` before: {before!r}, after: {after!r}")
