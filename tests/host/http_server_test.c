/* SPDX-License-Identifier: MIT */
/*
 * http_server_test.c - the web server between a fake disk and fake wires: answers, keep-alive,
 * times, cuts, limits, and that nothing is left.
 */
// prepare: tests/host/gen_http.py
// sources: services/http/text.c services/http/head.c services/http/request.c services/http/date.c
// sources: services/httpd/answer.c services/httpd/body.c services/httpd/condition.c
// sources: services/httpd/conn.c services/httpd/index.c services/httpd/listing.c
// sources: services/httpd/path.c services/httpd/range.c services/httpd/reply.c
// sources: services/httpd/server.c services/httpd/text.c services/httpd/type.c
// sources: libfs/cache.c libfs/cache_read.c libfs/device.c libfs/dir.c libfs/errors.c libfs/evict.c
// sources: libfs/cache_spare.c
// sources: libfs/ext2.c libfs/ext2_dir.c libfs/ext2_file.c libfs/ext2_inode.c libfs/ext2_map.c
// sources: libfs/ext2_super.c libfs/file.c libfs/fs.c libfs/mount.c libfs/path.c libfs/path_use.c
// sources: libfs/walk.c libfs/lookup.c libfs/names.c libfs/nodes.c
// sources: exo/base/format.c exo/base/sort.c
// includes: services/include libfs/include services libexos/include
#define _GNU_SOURCE
#include "http_wire.h"
#include "test.h"

static struct web web;
static struct fake_wire w, wires[SERVER_CONNS + SERVER_REFUSED + 1];
static char body[300000];

static bool start_with(uint32_t conns, uint64_t cache_bytes)
{
	static const uint8_t *image;
	static uint64_t bytes;

	if (!image)
		image = fake_image("http.img", false, &bytes);
	if (!image || !web_start(&web, image, bytes, conns, cache_bytes)) {
		test_fail("no image, or it does not mount: %s", web.mount.fs.why);
		return false;
	}
	return true;
}

#define START_WITH(conns, cache)                                 \
	do {                                                     \
		if (fake_missing())                              \
			TEST_SKIP("e2fsprogs is not installed"); \
		if (!start_with(conns, cache))                   \
			return;                                  \
	} while (0)
#define START() START_WITH(0, 1 << 20)

/* The bytes of /data/N, as gen_http.py writes them. */
static const char *data(size_t from, size_t bytes)
{
	for (size_t n = 0; n < bytes; n++)
		body[n] = (char)(((from + n) * 31 + (from + n) / 251) & 255);
	return body;
}

/* One exchange over a connection of its own; the answer as a string in w.out. */
static const char *exchange(const char *request, size_t bytes)
{
	wire_free(&w);
	if (!wire_open(&web, &w, request, bytes))
		return "";
	for (unsigned i = 0; i < 1000; i++) {
		size_t before = w.out_bytes;

		web_turns(&web, &w);
		fake_ack(&w, SIZE_MAX / 2);
		if (before == w.out_bytes)
			break;
	}
	w.in_end = true;
	web_turns(&web, &w);
	w.out = realloc(w.out, w.out_bytes + 1);
	w.out[w.out_bytes] = '\0';
	w.out_room = w.out_bytes + 1;
	return w.out;
}

#define ASK(literal) exchange(literal, sizeof(literal) - 1)

static unsigned status(const char *answer)
{
	return strncmp(answer, "HTTP/1.1 ", 9) ? 0 : (unsigned)atoi(answer + 9);
}

/* Has the head this line? */
static bool has(const char *answer, const char *line)
{
	const char *end = strstr(answer, "\r\n\r\n"), *at = strstr(answer, line);

	return at && end && at < end && at[-1] == '\n' && at[strlen(line)] == '\r';
}

static const char *content(const char *answer, size_t *bytes)
{
	const char *end = strstr(answer, "\r\n\r\n");

	*bytes = end ? w.out_bytes - (size_t)(end + 4 - answer) : 0;
	return end ? end + 4 : "";
}

static void content_is(const char *answer, const char *expected, size_t bytes, const char *what)
{
	size_t got;
	const char *at = content(answer, &got);

	if (got != bytes || memcmp(at, expected, bytes))
		test_fail("%s: %zu bytes, expected %zu, or others", what, got, bytes);
}

TEST(http_files_of_all_sizes)
{
	static const size_t sizes[] = { 0, 1, 511, 513, 1024, 4097, 300000 };
	char request[100], line[60];

	START();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = (size_t)sprintf(request, "GET /data/%zu HTTP/1.1\r\nHost: e\r\n\r\n",
					   sizes[i]);
		const char *a = exchange(request, n);

		CHECK_EQ(status(a), 200);
		sprintf(line, "Content-Length: %zu", sizes[i]);
		CHECK(has(a, line));
		CHECK(has(a, "Content-Type: application/octet-stream"));
		CHECK(has(a, "Last-Modified: Sun, 13 Sep 2020 12:26:40 GMT"));
		content_is(a, data(0, sizes[i]), sizes[i], request);
		CHECK(w.closed);
		memcpy(request, "HEAD", 4);
		n = (size_t)sprintf(request, "HEAD /data/%zu HTTP/1.1\r\n"
		  "Host: e\r\n\r\n", sizes[i]);
		a = exchange(request, n);
		CHECK_EQ(status(a), 200);
		CHECK(has(a, line));
		content_is(a, "", 0, request);
	}
	/* Nearly all of the body was lent. */
	CHECK(web.site.lent_bytes > 300000);
	CHECK(web.site.copied_bytes < 20000);
	wire_free(&w);
	web_end(&web);
}

TEST(http_answers)
{
#define A(literal, number, line) { literal, sizeof(literal) - 1, number, line }
#define G(path, number, line) A("GET " path " HTTP/1.1\r\nHost: e\r\n\r\n", number, line)
	static const struct {
		const char *request;
		size_t bytes;
		unsigned status;
		const char *line;
	} table[] = {
		G("/words.txt", 200, "Content-Type: text/plain; charset=utf-8"),
		G("/page.html?x=/y", 200, "Content-Type: text/html; charset=utf-8"),
		G("/to-words", 200, "Content-Length: 6"),
		G("/to-data/513", 200, "Content-Length: 513"),
		G("/names/two%20words", 200, "Content-Length: 9"),
		G("/names/%FF%fe", 200, "Content-Length: 2"),
		G("/names/%2541", 200, "Content-Length: 3"),
		G("/names/what%3F", 200, "Content-Length: 5"),
		G("/names/a%23b", 200, "Content-Length: 3"),
		G("/holes", 200, "Content-Length: 100004"),
		G("/../../words.txt", 200, "Content-Length: 6"),
		G("/data/../words.txt", 200, "Content-Length: 6"),
		G("http://e/words.txt", 200, "Content-Length: 6"),
		G("/data", 301, "Location: /data/"), G("/to-data", 301, "Location: /to-data/"),
		G("//data", 301, "Location: /data/"), G("/names/../data?q", 301,
		  "Location: /data/"),
		G("/data/", 200, "Content-Type: text/html; charset=utf-8"), G("/", 200, NULL),
		G("/empty/", 200, NULL), G("/many/", 200, NULL),
		G("/no", 404, NULL), G("/words.txt/", 404, NULL), G("/words.txt/x", 404, NULL),
		G("/loop", 404, NULL), G("/nowhere", 404, NULL), G("/outside", 404, NULL),
		G("/etc/passwd", 404, NULL), G("/fifo", 403, NULL), G("/socket", 403, NULL),
		G("/%00", 400, "Connection: close"), G("/%", 400, NULL), G("*", 400, NULL),
		A("GET /words.txt HTTP/1.1\r\n\r\n", 400, "Connection: close"),
		A("GET /words.txt HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, NULL),
		A("GET /words.txt HTTP/1.0\r\n\r\n", 200, "Connection: close"),
		A("GET /words.txt HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 200,
		  "Connection: keep-alive"),
		A("POST / HTTP/1.1\r\nHost: e\r\n\r\n", 405, "Allow: GET, HEAD"),
		A("OPTIONS * HTTP/1.1\r\nHost: e\r\n\r\n", 405, "Allow: GET, HEAD"),
		A("BREW / HTTP/1.1\r\nHost: e\r\n\r\n", 501, NULL),
		A("get / HTTP/1.1\r\nHost: e\r\n\r\n", 501, NULL),
		A("GET / HTTP/2.0\r\n\r\n", 505, NULL), A("\x16\x03\x01\x02", 400, NULL),
		A("GET / HTTP/1.1\r\nHost: e\r\nContent-Length: x\r\n\r\n", 400, NULL),
		A("GET / HTTP/1.1\r\nHost: e\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		  400, NULL),
		A("GET / HTTP/1.1\r\nHost: e\r\nContent-Length: 1\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n", 400,
		  NULL),
		A("GET / HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: gzip\r\n\r\n", 501, NULL),
		A("GET /words.txt HTTP/1.1\r\nHost: e\r\nContent-Length: 5\r\n\r\nhello", 200,
		  "Connection: close"),
		A("GET /data/513 HTTP/1.1\r\nHost: e\r\nRange: bytes=513-\r\n\r\n", 416,
		  "Content-Range: bytes */513"),
		A("GET /data/513 HTTP/1.1\r\nHost: e\r\nRange: bytes=1-2,3-4\r\n\r\n", 200,
		  "Content-Length: 513"),
		A("GET /data/513 HTTP/1.1\r\nHost: e\r\nRange: bytes=1-2\r\n"
		  "If-Range: \"x\"\r\n\r\n", 200,
		  "Content-Length: 513"),
		A("GET /words.txt HTTP/1.1\r\nHost: e\r\n"
		  "If-Modified-Since: Sun, 13 Sep 2020 12:26:40 GMT\r\n\r\n", 304, NULL),
		A("GET /words.txt HTTP/1.1\r\nHost: e\r\nIf-Match: \"x\"\r\n\r\n", 412, NULL),
	};

	START();
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *a = exchange(table[i].request, table[i].bytes);

		if (status(a) != table[i].status || (table[i].line && !has(a, table[i].line)))
			test_fail("%s: %.300s", table[i].request, a);
		if (!w.closed)
			test_fail("%s: the connection did not end", table[i].request);
	}
	wire_free(&w);
	web_end(&web);
}

TEST(http_holes_and_ranges)
{
	static char holes[100004];
	const char *a;

	START();
	memcpy(holes, "front", 5);
	memcpy(holes + 100000, "back", 4);
	a = ASK("GET /holes HTTP/1.1\r\nHost: e\r\n\r\n");
	content_is(a, holes, sizeof(holes), "a file with a hole");
	a = ASK("GET /data/300000 HTTP/1.1\r\nHost: e\r\nRange: bytes=12345-67890\r\n\r\n");
	CHECK_EQ(status(a), 206);
	CHECK(has(a, "Content-Range: bytes 12345-67890/300000"));
	content_is(a, data(12345, 67891 - 12345), 67891 - 12345, "a range");
	a = ASK("GET /data/300000 HTTP/1.1\r\nHost: e\r\nRange: bytes=-1\r\n\r\n");
	content_is(a, data(299999, 1), 1, "the last byte");
	wire_free(&w);
	web_end(&web);
}

TEST(http_index_pages)
{
	const char *a;

	START();
	a = ASK("GET /names/ HTTP/1.1\r\nHost: e\r\n\r\n");
	CHECK(strstr(a, "<a href=\"two%20words\">two words</a>"));
	CHECK(strstr(a, "<a href=\"100%25\">100%</a>"));
	CHECK(strstr(a, "<a href=\"what%3F\">what?</a>"));
	CHECK(strstr(a, "<a href=\"a%23b\">a#b</a>"));
	CHECK(strstr(a, "<a href=\"%3Cb%3E%26%22%27\">&lt;b&gt;&amp;&quot;&#39;</a>"));
	CHECK(strstr(a, "<a href=\"gr%C3%BC%C3%9Fe\">gr\xc3\xbc\xc3\x9f" "e</a>"));
	CHECK(strstr(a, "<a href=\"%FF%FE\">\xef\xbf\xbd\xef\xbf\xbd</a>"));
	CHECK(strstr(a, "<a href=\"tab%09here\">tab\xef\xbf\xbdhere</a>"));
	CHECK(strstr(a, "<a href=\"colon%3Aname\">colon:name</a>"));
	CHECK(strstr(a, "<a href=\"../\">"));
	CHECK(strstr(a, "2020-09-13 12:26"));
	CHECK(strstr(a, "0 directories, 11 files"));
	a = ASK("GET / HTTP/1.1\r\nHost: e\r\n\r\n");
	CHECK(strstr(a, "<a href=\"data/\">data/</a>"));
	CHECK(strstr(a, "to-data/</a> <span class=\"k\">link</span>"));
	CHECK(strstr(a, "<span class=\"k\">fifo</span>"));
	CHECK(strstr(a, "<span class=\"k\">link that leads nowhere</span>"));
	CHECK(!strstr(a, "<a href=\"../\">"));
	/* Directories come first, each kind by name. */
	CHECK(strstr(a, "\"names/\"") < strstr(a, "\"to-data/\""));
	CHECK(strstr(a, "\"to-data/\"") < strstr(a, "\"fifo\""));
	CHECK(strstr(a, "97.6 KiB"));
	a = ASK("GET /many/ HTTP/1.1\r\nHost: e\r\n\r\n");
	CHECK(strstr(a, "file%20000") < strstr(a, "file%20299"));
	CHECK(strstr(a, "0 directories, 300 files"));
	CHECK(!strstr(a, "not shown"));
	wire_free(&w);
	web_end(&web);
}

/* A directory that is too large for the memory for pages is shown in part, and says so. */
TEST(http_index_is_bounded)
{
	const char *a;

	START();
	web.site.page_most = 64 << 10;
	a = ASK("GET /many/ HTTP/1.1\r\nHost: e\r\n\r\n");
	CHECK_EQ(status(a), 200);
	CHECK(strstr(a, "more entries are not shown"));
	CHECK(web.site.page_bytes <= web.site.page_most);
	web.site.page_most = 4 << 10;
	a = ASK("GET / HTTP/1.1\r\nHost: e\r\n\r\n");
	CHECK(status(a) == 503 || strstr(a, "not shown"));
	CHECK(w.closed);
	wire_free(&w);
	web_end(&web);
}

/* Many pages are asked for: those that nobody reads go, those that are read stay. */
TEST(http_index_pages_come_and_go)
{
	static const char *const paths[] = { "/", "/data/", "/names/", "/many/", "/empty/" };
	char request[100];

	START();
	web.site.page_most = 70 << 10;
	for (unsigned turn = 0; turn < 40; turn++) {
		size_t n = (size_t)sprintf(request, "GET %s HTTP/1.1\r\nHost: e\r\n\r\n",
					   paths[(turn * 7 + turn / 3) % 5]);

		CHECK_EQ(status(exchange(request, n)), 200);
		CHECK(web.site.page_bytes <= web.site.page_most);
	}
	wire_free(&w);
	web_end(&web);
}

TEST(http_keep_alive_and_pipelining)
{
	static const char requests[] =
		"GET /words.txt HTTP/1.1\r\nHost: e\r\n\r\n"
		"HEAD /data/513 HTTP/1.1\r\nHost: e\r\n\r\n"
		"GET /no HTTP/1.1\r\nHost: e\r\n\r\n\r\n"
		"GET /data/300000 HTTP/1.1\r\nHost: e\r\n\r\n"
		"GET /words.txt HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n"
		"GET /words.txt HTTP/1.1\r\nHost: e\r\n\r\n";
	unsigned answers = 0;
	const char *a, *at;

	START();
	a = ASK(requests);
	for (at = a; (at = memmem(at, w.out_bytes - (size_t)(at - a), "HTTP/1.1 ", 9)); at += 9)
		answers++;
	CHECK_EQ(answers, 5);
	CHECK(w.out_bytes > 6 && memcmp(a + w.out_bytes - 6, "words\n", 6) == 0);
	CHECK(memmem(a, w.out_bytes, data(0, 300000), 300000));
	CHECK(w.closed);
	wire_free(&w);
	web_end(&web);
}

TEST(http_times)
{
	START();
	/* Says nothing. */
	REQUIRE(wire_open(&web, &w, "", 0));
	web_pass(&web, CONN_IDLE_NS - SECOND);
	CHECK(!w.finished);
	web_pass(&web, 2 * SECOND);
	CHECK(w.finished && w.out_bytes == 0);
	web_pass(&web, 3 * SECOND);
	CHECK(w.closed);
	/* Does not finish its request; a byte now and then does not help. */
	wire_free(&w);
	REQUIRE(wire_open(&web, &w, "GET / HTTP/1.1\r\nX: yyyyyyyyyyyyyyyyyyyyyyyy", 20));
	for (unsigned i = 0; i < 9; i++) {
		w.in_bytes++;
		web_turns(&web, &w);
		web_pass(&web, SECOND);
	}
	CHECK(w.out_bytes == 0);
	web_pass(&web, 2 * SECOND);
	CHECK(w.out_bytes > 12 && memcmp(w.out, "HTTP/1.1 408", 12) == 0);
	fake_ack(&w, w.out_bytes);
	web_turns(&web, &w);
	web_pass(&web, 3 * SECOND);
	CHECK(w.closed);
	/* Idles after an answer. */
	wire_free(&w);
	REQUIRE(wire_open(&web, &w, "GET /no HTTP/1.1\r\nHost: e\r\n\r\n", 29));
	web_turns(&web, &w);
	fake_ack(&w, w.out_bytes);
	web_turns(&web, &w);
	web_pass(&web, CONN_IDLE_NS - SECOND);
	CHECK(!w.finished);
	web_pass(&web, 2 * SECOND);
	CHECK(w.finished);
	wire_free(&w);
	web_end(&web);
}

/* A client that stops reading is cut; what it had been lent stays until the NIC cannot read it. */
TEST(http_stalled_reader)
{
	static const char request[] = "GET /data/300000 HTTP/1.1\r\nHost: e\r\n\r\n";

	START();
	REQUIRE(wire_open(&web, &w, request, sizeof(request) - 1));
	web_turns(&web, &w);
	CHECK_EQ(w.out_bytes, w.window);
	web_pass(&web, CONN_STALL_NS - SECOND);
	fake_ack(&w, 1000);
	web_turns(&web, &w);
	web_pass(&web, CONN_STALL_NS - SECOND);
	CHECK(!w.cut);
	for (unsigned i = 0; i < 20 && !w.cut; i++)
		web_pass(&web, SERVER_TICK_NS);
	CHECK(w.cut);
	web_pass(&web, SECOND / 2);
	CHECK(web.site.lent > 0);
	fake_compare(&w, w.acked, w.out_bytes);
	web_pass(&web, SECOND);
	CHECK_EQ(web.site.lent, 0);
	CHECK_EQ(web.server.count, 0);
	wire_free(&w);
	web_end(&web);
}

/* Writes that find no memory lose nothing, and are tried again though nothing else happens. */
TEST(http_memory_is_short)
{
	static const char request[] = "GET /data/300000 HTTP/1.1\r\nHost: e\r\n"
	  "Connection: close\r\n\r\n";

	START();
	REQUIRE(wire_open(&web, &w, request, sizeof(request) - 1));
	w.fail = 1;
	w.chunk = 3;
	web_turns(&web, &w);
	CHECK_EQ(w.out_bytes, 0);
	w.fail = 3;
	w.window = 7000;
	web_pass(&web, SECOND);
	CHECK(w.out_bytes > 0);
	for (unsigned i = 0; i < 1000 && !w.finished; i++) {
		fake_ack(&w, 4000);
		web_turns(&web, &w);
		web_pass(&web, SERVER_TICK_NS);
	}
	REQUIRE(w.out_bytes > 300000);
	CHECK(memcmp(w.out + w.out_bytes - 300000, data(0, 300000), 300000) == 0);
	fake_ack(&w, SIZE_MAX / 2);
	web_turns(&web, &w);
	web_pass(&web, 3 * SECOND);
	CHECK(w.closed);
	wire_free(&w);
	web_end(&web);
}

/* The client resets in the middle: all is gone. */
TEST(http_reset)
{
	static const char request[] = "GET /data/300000 HTTP/1.1\r\nHost: e\r\n\r\n";

	START();
	REQUIRE(wire_open(&web, &w, request, sizeof(request) - 1));
	web_turns(&web, &w);
	CHECK(web.site.lent > 0);
	server_lost(&web.server, w.conn);
	w.cut = true;
	server_round(&web.server, web.now);
	CHECK_EQ(web.site.lent, 0);
	CHECK_EQ(web.server.count, 0);
	/* And before anything was asked. */
	wire_free(&w);
	REQUIRE(wire_open(&web, &w, request, 10));
	web_turns(&web, &w);
	server_lost(&web.server, w.conn);
	w.cut = true;
	server_round(&web.server, web.now);
	CHECK_EQ(web.server.count, 0);
	wire_free(&w);
	web_end(&web);
}

/* A disk error at once is said; in the middle of a file the connection is cut. */
TEST(http_disk_errors)
{
	static const char request[] = "GET /data/300000 HTTP/1.1\r\nHost: e\r\n\r\n";
	struct fs_node node;

	START();
	REQUIRE(fs_path_find(&web.site.table, "/data/300000", true, &node) == 0);
	web.disk.fail_lo = 0;
	web.disk.fail_hi = UINT64_MAX;
	REQUIRE(wire_open(&web, &w, request, sizeof(request) - 1));
	web_turns(&web, &w);
	CHECK_EQ(status(w.out), 500);
	w.in_end = true;
	fake_ack(&w, w.out_bytes);
	web_turns(&web, &w);
	CHECK(w.closed);
	web.disk.fail_hi = 0;
	wire_free(&w);
	REQUIRE(wire_open(&web, &w, request, sizeof(request) - 1));
	web_turns(&web, &w);
	CHECK_EQ(status(w.out), 200);
	web.disk.fail_hi = UINT64_MAX;
	fs_cache_forget(web.site.cache);
	for (unsigned i = 0; i < 100 && !w.cut; i++) {
		fake_ack(&w, 100000);
		web_turns(&web, &w);
	}
	CHECK(w.cut);
	CHECK(w.out_bytes < 300000);
	web.disk.fail_hi = 0;
	wire_free(&w);
	web_end(&web);
}

/* More connections than are served: the next are told, and beyond these there is no place. */
TEST(http_too_many)
{
	static const char request[] = "GET /words.txt HTTP/1.1\r\nHost: e\r\n\r\n";
	unsigned told = 0, given = 0;

	START();
	for (unsigned i = 0; i < SERVER_CONNS + SERVER_REFUSED; i++)
		REQUIRE(wire_open(&web, &wires[i], request, sizeof(request) - 1));
	CHECK(!wire_open(&web, &wires[SERVER_CONNS + SERVER_REFUSED], "", 0));
	for (unsigned i = 0; i < SERVER_CONNS + SERVER_REFUSED; i++) {
		web_turns(&web, &wires[i]);
		given += wires[i].out && status(wires[i].out) == 200;
		told += wires[i].out && status(wires[i].out) == 503;
		fake_ack(&wires[i], wires[i].out_bytes);
		web_turns(&web, &wires[i]);
	}
	CHECK_EQ(given, SERVER_CONNS);
	CHECK_EQ(told, SERVER_REFUSED);
	for (unsigned i = 0; i < SERVER_CONNS + SERVER_REFUSED; i++) {
		wires[i].in_end = true;
		web_turns(&web, &wires[i]);
		CHECK(wires[i].closed);
		wire_free(&wires[i]);
	}
	CHECK_EQ(web.server.count, 0);
	REQUIRE(wire_open(&web, &wires[0], request, sizeof(request) - 1));
	web_turns(&web, &wires[0]);
	CHECK_EQ(status(wires[0].out), 200);
	wire_free(&wires[0]);
	web_end(&web);
}

/* 64 readers of a large file with a small cache: slow ones do not starve the others. */
TEST(http_many_readers_small_cache)
{
	static const char request[] = "GET /data/300000 HTTP/1.1\r\nHost: e\r\n"
	  "Connection: close\r\n\r\n";
	unsigned done = 0;

	START_WITH(0, 256 << 10);
	for (unsigned i = 0; i < 64; i++)
		REQUIRE(wire_open(&web, &wires[i], request, sizeof(request) - 1));
	for (unsigned turn = 0; turn < 3000 && done < 60; turn++) {
		done = 0;
		/* The first four read nothing at all. */
		for (unsigned i = 0; i < 64; i++) {
			web_turns(&web, &wires[i]);
			if (i >= 4)
				fake_ack(&wires[i], 5000);
			done += wires[i].finished;
		}
		web_pass(&web, SERVER_TICK_NS);
		CHECK(web.site.lent <= web.site.cache->count / 8 * 5);
	}
	CHECK_EQ(done, 60);
	for (unsigned i = 4; i < 64; i++) {
		const char *end = memmem(wires[i].out, wires[i].out_bytes, "\r\n\r\n", 4);

		REQUIRE(end);
		end += 4;
		REQUIRE(wires[i].out_bytes - (size_t)(end - wires[i].out) == 300000);
		CHECK(memcmp(end, data(0, 300000), 300000) == 0);
	}
	for (unsigned i = 0; i < 64; i++) {
		fake_ack(&wires[i], i >= 4 ? SIZE_MAX / 2 : 0);
		wires[i].in_end = true;
		web_turns(&web, &wires[i]);
	}
	web_pass(&web, 40 * SECOND);
	for (unsigned i = 0; i < 64; i++) {
		CHECK(i < 4 ? wires[i].cut : wires[i].closed);
		wire_free(&wires[i]);
	}
	web_end(&web);
}

/* All that may be lent is out: others go on, by copies. */
TEST(http_nothing_to_lend)
{
	const char *a;

	START();
	web.site.lent += web.site.cache->count;
	a = ASK("GET /data/4097 HTTP/1.1\r\nHost: e\r\n\r\n");
	content_is(a, data(0, 4097), 4097, "a file that cannot be lent");
	CHECK_EQ(web.site.lent_bytes, 0);
	web.site.lent -= web.site.cache->count;
	wire_free(&w);
	web_end(&web);
}

TEST(http_two_thousand_connections)
{
	static const char request[] = "GET /data/4097 HTTP/1.1\r\nHost: e\r\n\r\n";

	START();
	for (unsigned i = 0; i < 2000; i++) {
		size_t bytes = i % 3 == 0 ? 10 : sizeof(request) - 1;

		wire_free(&w);
		REQUIRE(wire_open(&web, &w, request, bytes));
		web_turns(&web, &w);
		if (i % 5 == 0) {
			server_lost(&web.server, w.conn);
			w.cut = true;
			web_pass(&web, 2 * SECOND);
			continue;
		}
		fake_ack(&w, w.out_bytes);
		w.in_end = true;
		web_turns(&web, &w);
		web_turns(&web, &w);
		CHECK(w.closed);
	}
	CHECK_EQ(web.server.count, 0);
	CHECK_EQ(web.server.opened, 2000);
	CHECK_EQ(web.server.closed, 2000);
	wire_free(&w);
	web_end(&web);
}

TEST(http_without_a_disk)
{
	const char *a;

	REQUIRE(web_start(&web, NULL, 0, 0, 0));
	a = ASK("GET / HTTP/1.1\r\nHost: e\r\n\r\n");
	CHECK_EQ(status(a), 503);
	CHECK(strstr(a, "There is no disk."));
	CHECK_EQ(status(ASK("GET /%00 HTTP/1.1\r\nHost: e\r\n\r\n")), 400);
	wire_free(&w);
	web_end(&web);
}

TEST(http_heads_that_are_too_long)
{
	static char big[3 * HTTP_HEAD_MAX];

	START();
	memset(big, 'a', sizeof(big));
	memcpy(big, "GET /", 5);
	CHECK_EQ(status(exchange(big, sizeof(big))), 414);
	CHECK(w.closed);
	memcpy(big, "GET / HTTP/1.1\r\nA: ", 19);
	CHECK_EQ(status(exchange(big, sizeof(big))), 431);
	memset(big, 'A', sizeof(big));
	CHECK_EQ(status(exchange(big, sizeof(big))), 400);
	wire_free(&w);
	web_end(&web);
}

TEST_MAIN
