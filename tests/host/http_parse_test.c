/* SPDX-License-Identifier: MIT */
/*
 * http_parse_test.c - heads, fields, URLs, dates, paths, ranges, types: tables of good and hostile.
 */
// sources: services/http/text.c services/http/head.c services/http/request.c
// sources: services/http/response.c services/http/url.c services/http/date.c
// sources: services/httpd/path.c services/httpd/range.c services/httpd/type.c
// sources: services/httpd/condition.c exo/base/format.c
// includes: services/include libfs/include services
#include <stdlib.h>
#include <time.h>

#include <httpd/condition.h>
#include <httpd/path.h>
#include <httpd/range.h>
#include <httpd/type.h>
#include <services/http.h>

#include "test.h"

#define TEXT(literal) ((struct http_text){ literal, sizeof(literal) - 1 })

/* A copy without a byte to spare, so that the sanitizer sees every read too far. */
static char *exact(const char *text, size_t bytes)
{
	char *copy = malloc(bytes ? bytes : 1);

	memcpy(copy, text, bytes);
	return copy;
}

static struct http_text text(const char *string)
{
	return (struct http_text){ string, strlen(string) };
}

static int parse(const char *head, size_t bytes)
{
	struct http_request r;
	char *copy = exact(head, bytes);
	int status = http_request_parse(copy, bytes, &r);

	free(copy);
	return status;
}

#define HEAD(literal, status) { literal, sizeof(literal) - 1, status }

TEST(http_request_heads)
{
	static const struct {
		const char *head;
		size_t bytes;
		int status;
	} table[] = {
		HEAD("GET / HTTP/1.1\r\nHost: e\r\n\r\n", 0),
		HEAD("GET / HTTP/1.0\r\n\r\n", 0),
		HEAD("GET / HTTP/1.0\n\n", 0),
		HEAD("GET / HTTP/1.9\r\n\r\n", 0),
		HEAD("M-SEARCH * HTTP/1.1\r\n\r\n", 0),
		HEAD("GET /\xc3\xbc HTTP/1.1\r\nX:\r\nY: \t a \t\r\n\r\n", 0),
		HEAD("GET / HTTP/2.0\r\n\r\n", 505),
		HEAD("GET / HTTP/0.9\r\n\r\n", 505),
		HEAD("GET / http/1.1\r\n\r\n", 400),
		HEAD("GET / HTTP/1.1 \r\n\r\n", 400),
		HEAD("GET / HTTP/1.10\r\n\r\n", 400),
		HEAD("GET / HTTP/11\r\n\r\n", 400),
		HEAD("GET /\r\n\r\n", 400),
		HEAD("GET\r\n\r\n", 400),
		HEAD("\r\n\r\n", 400),
		HEAD(" GET / HTTP/1.1\r\n\r\n", 400),
		HEAD("GET  / HTTP/1.1\r\n\r\n", 400),
		HEAD("GET\t/ HTTP/1.1\r\n\r\n", 400),
		HEAD("GET /a b HTTP/1.1\r\n\r\n", 400),
		HEAD("GET /#x HTTP/1.1\r\n\r\n", 400),
		HEAD("GET /\0 HTTP/1.1\r\n\r\n", 400),
		HEAD("GET /\x7f HTTP/1.1\r\n\r\n", 400),
		HEAD("GET /\r HTTP/1.1\r\n\r\n", 400),
		HEAD("G(T / HTTP/1.1\r\n\r\n", 400),
		HEAD("GET / HTTP/1.1\r\nHost\r\n\r\n", 400),
		HEAD("GET / HTTP/1.1\r\nHost : e\r\n\r\n", 400),
		HEAD("GET / HTTP/1.1\r\n: e\r\n\r\n", 400),
		HEAD("GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", 400),
		HEAD("GET / HTTP/1.1\r\n folded\r\n\r\n", 400),
		HEAD("GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", 400),
		HEAD("GET / HTTP/1.1\r\nA: \0\r\n\r\n", 400),
		HEAD("GET / HTTP/1.1\r\nA\0: b\r\n\r\n", 400),
		HEAD("GET / HTTP/1.1\r\nA: b\r\n", 400),
		HEAD("GET / HTTP/1.1\r\n\r\nmore", 400),
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int status = parse(table[i].head, table[i].bytes);

		if (status != table[i].status)
			test_fail("%zu \"%s\": %d, expected %d", i, table[i].head, status,
				  table[i].status);
	}
}

TEST(http_request_parts)
{
	static const char head[] = "GET /a?b HTTP/1.1\r\n"
				   "Host:  e:80 \r\nconnection: a, \"x, close\"\r\n"
				   "Connection: ,, Close ,b\r\nRange:\r\n\r\n";
	struct http_text value = { NULL, 0 };
	struct http_request r;

	REQUIRE(http_request_parse(head, sizeof(head) - 1, &r) == 0);
	CHECK(http_text_is(r.method, "GET"));
	CHECK(http_text_is(r.target, "/a?b"));
	CHECK_EQ(r.minor, 1);
	CHECK_EQ(http_field_find(r.fields, "HOST", &value), 1);
	CHECK(http_text_is(value, "e:80"));
	CHECK_EQ(http_field_find(r.fields, "connection", &value), 2);
	CHECK(http_field_lists(r.fields, "connection", "close"));
	CHECK(http_field_lists(r.fields, "connection", "B"));
	CHECK(!http_field_lists(r.fields, "connection", "x"));
	CHECK_EQ(http_field_find(r.fields, "range", &value), 1);
	CHECK_EQ(value.bytes, 0);
	CHECK_EQ(http_field_find(r.fields, "rang", &value), 0);
}

TEST(http_request_limits)
{
	static char head[HTTP_TARGET_MAX + 8 * HTTP_FIELDS_MAX + 100];
	size_t n = 0;

	for (unsigned extra = 0; extra < 2; extra++) {
		n = (size_t)sprintf(head, "GET /");
		memset(head + n, 'a', HTTP_TARGET_MAX - 1 + extra);
		n += HTTP_TARGET_MAX - 1 + extra;
		n += (size_t)sprintf(head + n, " HTTP/1.1\r\n\r\n");
		CHECK_EQ(parse(head, n), extra ? 414 : 0);
		n = (size_t)sprintf(head, "GET / HTTP/1.1\r\n");
		for (unsigned i = 0; i < HTTP_FIELDS_MAX + extra; i++)
			n += (size_t)sprintf(head + n, "A: b\r\n");
		n += (size_t)sprintf(head + n, "\r\n");
		CHECK_EQ(parse(head, n), extra ? 431 : 0);
	}
}

/* However the bytes come, the end of the head is found when its last byte is there. */
TEST(http_head_end)
{
	static const char *const heads[] = {
		"A\r\n\r\n", "A\n\n", "A\r\n\n", "A\nB\r\n\n", "A\r\nB: c\r\n\r\n", "\r\n\r\n",
		"\n\n",
		"A\r\r\n\r\n", "A\n\r\n",
	};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		size_t bytes = strlen(heads[i]), seen = 0, got = 0, at;

		for (at = 1; at <= bytes && got == 0; at++) {
			char *copy = exact(heads[i], at);

			got = http_head_bytes(copy, at, &seen);
			free(copy);
		}
		if (got != bytes || at != bytes + 1)
			test_fail("head %zu: %zu after %zu bytes", i, got, at - 1);
		seen = 0;
		CHECK_EQ(http_head_bytes(heads[i], bytes, &seen), bytes);
	}
	CHECK_EQ(http_head_skip("\r\n\nGET", 6), 3);
	CHECK_EQ(http_head_skip("\r", 1), 0);
	CHECK_EQ(http_head_skip("\rG", 2), 0);
}

TEST(http_hopeless_starts)
{
	CHECK(!http_request_hopeless("", 0));
	CHECK(!http_request_hopeless("G", 1));
	CHECK(!http_request_hopeless("GET ", 4));
	CHECK(!http_request_hopeless("GET \0\0", 6));
	CHECK(!http_request_hopeless("\r", 1));
	CHECK(http_request_hopeless("\r\r", 2));
	CHECK(http_request_hopeless("\x16\x03\x01", 3));
	CHECK(http_request_hopeless(" GET", 4));
	CHECK(http_request_hopeless("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", 33));
	CHECK(!http_request_hopeless("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF", 32));
}

TEST(http_responses)
{
	static const struct {
		const char *head;
		uint32_t status;        /* 0: refused */
	} table[] = {
		{ "HTTP/1.1 200 OK\r\nA: b\r\n\r\n", 200 }, { "HTTP/1.0 404\r\n\r\n", 404 },
		{ "HTTP/1.1 999 \r\n\r\n", 999 }, { "HTTP/1.1 099 x\r\n\r\n", 0 },
		{ "HTTP/1.1 2000 x\r\n\r\n", 0 }, { "HTTP/2.0 200 OK\r\n\r\n", 0 },
		{ "HTTP/1.1 200 OK\r\nA\r\n\r\n", 0 }, { "HTTP/1.1\r\n\r\n", 0 },
		{ "200 OK\r\n\r\n", 0 }, { "HTTP/1.1 -20 x\r\n\r\n", 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct http_response r;
		int got = http_response_parse(table[i].head, strlen(table[i].head), &r);

		if (got != (table[i].status ? 0 : -1) || (got == 0 && r.status != table[i].status))
			test_fail("%s: %d", table[i].head, got);
	}
}

TEST(http_urls)
{
	static const struct {
		const char *url, *host, *target;        /* host NULL: refused */
		unsigned port;
	} table[] = {
		{ "http://example.org/a?b#c", "example.org", "/a?b", 80 },
		{ "http://10.0.2.2:8000", "10.0.2.2", "", 8000 },
		{ "HTTP://x/", "x", "/", 80 },
		{ "10.0.2.2/x", "10.0.2.2", "/x", 80 },
		{ "host:81", "host", "", 81 },
		{ "http://x?q=http://y", "x", "?q=http://y", 80 },
		{ "http://[fec0::1]:81/a", "fec0::1", "/a", 81 },
		{ "http://[fec0::1]", "fec0::1", "", 80 },
		{ "http://[fec0::1/", NULL, NULL, 0 }, { "http://[]/", NULL, NULL, 0 },
		{ "http://[::1]x/", NULL, NULL, 0 }, { "https://x/", NULL, NULL, 0 },
		{ "ftp://x/", NULL, NULL, 0 }, { "http://", NULL, NULL, 0 }, { "", NULL, NULL, 0 },
		{ "http://u@x/", NULL, NULL, 0 }, { "http://x:/", NULL, NULL, 0 },
		{ "http://x:0/", NULL, NULL, 0 }, { "http://x:65536/", NULL, NULL, 0 },
		{ "http://x:8x/", NULL, NULL, 0 }, { "http://x/a b", NULL, NULL, 0 },
		{ "http://x y/", NULL, NULL, 0 }, { "/path", NULL, NULL, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *why = NULL;
		struct http_url u;
		size_t bytes = strlen(table[i].url);
		char *copy = exact(table[i].url, bytes);
		int got = http_url_parse(copy, bytes, &u, &why);

		if (table[i].host == NULL)
			CHECK(got == -1 && why != NULL);
		else if (got != 0 || !http_text_is(u.host, table[i].host) ||
			 !http_text_is(u.target, table[i].target) || u.port != table[i].port)
			test_fail("%s: %d %s", table[i].url, got, why ? why : "");
		free(copy);
	}
}

TEST(http_dates)
{
	static const char *const bad[] = {
		"", " ", ",", ", ", "Sun, ", "yesterday", "Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nop 1994 08:49:37 GMT",
		"06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMTx", "Sun,06 Nov 1994 08:49:37 GMT",
		"Sun Nov  6 08:49:37 19945",
	};
	int64_t seconds, last = -62167219200;
	char date[HTTP_DATE_BYTES], expected[HTTP_DATE_BYTES];

	CHECK(http_date_read(text("Sun, 06 Nov 1994 08:49:37 GMT"), &seconds) == 0);
	CHECK_EQ(seconds, 784111777);
	CHECK(http_date_read(text("Sunday, 06-Nov-94 08:49:37 GMT"), &seconds) == 0);
	CHECK_EQ(seconds, 784111777);
	CHECK(http_date_read(text("Sun Nov  6 08:49:37 1994"), &seconds) == 0);
	CHECK_EQ(seconds, 784111777);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *copy = exact(bad[i], strlen(bad[i]));

		if (http_date_read((struct http_text){ copy, strlen(bad[i]) }, &seconds) == 0)
			test_fail("\"%s\" was read as a date", bad[i]);
		free(copy);
	}
	for (int64_t s = last; s < 253402300799; s += 86399 * 7 + 12345) {
		time_t t = s;

		http_date_write(s, date);
		strftime(expected, sizeof(expected), "%a, %d %b ", gmtime(&t));
		sprintf(expected + 12, "%04d", gmtime(&t)->tm_year + 1900);
		strftime(expected + 16, sizeof(expected) - 16, " %H:%M:%S GMT", gmtime(&t));
		CHECK_STR(date, expected);
		CHECK(http_date_read(text(date), &seconds) == 0);
		CHECK_EQ(seconds, s);
	}
	http_date_write(INT64_MAX, date);
	CHECK_STR(date, "Fri, 31 Dec 9999 23:59:59 GMT");
	http_date_write(INT64_MIN, date);
	CHECK_STR(date, "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST(http_paths)
{
	static const struct {
		const char *target, *path;      /* path NULL: 400 */
		bool slash;
	} table[] = {
		{ "/", "/", true }, { "/a", "/a", false }, { "/a/", "/a/", true },
		{ "//a", "/a", false }, { "/a//b///", "/a/b/", true }, { "/./a/.", "/a/", true },
		{ "/a/..", "/", true }, { "/a/b/..", "/a/", true }, { "/a/b/../c", "/a/c", false },
		{ "/..", "/", true }, { "/../../x", "/x", false }, { "/a/../../x", "/x", false },
		{ "/%2e%2E/x", "/x", false }, { "/..%2fx", "/x", false },
		{ "/a%2F%2e%2e%2F..%2Fx", "/x", false },
		{ "/...", "/...", false }, { "/..a/.b", "/..a/.b", false },
		{ "/a%20b%25?c=/d", "/a b%", false }, { "/%41%c3%BC", "/A\xc3\xbc", false },
		{ "/\xff", "/\xff", false }, { "/%3F%23", "/?#", false },
		{ "/%252e", "/%2e", false },
		{ "http://h/a", "/a", false }, { "http://h", "/", true },
		{ "HTTP://h//e/", "/e/", true },
		{ "/?", "/", true },
		{ "", NULL, false }, { "a", NULL, false }, { "*", NULL, false },
		{ "h:80", NULL, false },
		{ "/%", NULL, false }, { "/%4", NULL, false }, { "/%zz", NULL, false },
		{ "/%00", NULL, false }, { "/a%00.html", NULL, false }, { "?", NULL, false },
		{ "https://h/a", NULL, false }, { "http://h?x", "/", true },
	};
	static struct path p;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t bytes = strlen(table[i].target);
		char *copy = exact(table[i].target, bytes);
		int got = path_decode((struct http_text){ copy, bytes }, &p);

		free(copy);
		if (table[i].path == NULL)
			CHECK_EQ(got, 400);
		else if (got != 0 || strcmp(p.at, table[i].path) || p.slash != table[i].slash ||
			 p.bytes != strlen(p.at))
			test_fail("%s: %d %s", table[i].target, got, got ? "" : p.at);
	}
}

TEST(http_path_limit)
{
	static char target[3 * FS_PATH_MAX];
	static struct path p;

	for (size_t i = 0; i < FS_PATH_MAX; i++)
		memcpy(target + 3 * i, i % 100 ? "%41" : "%2f", 3);
	target[0] = '/';
	memmove(target + 1, target + 3, sizeof(target) - 3);
	CHECK_EQ(path_decode((struct http_text){ target, 1 + 3 * (FS_PATH_MAX - 2) }, &p), 0);
	CHECK_EQ(p.bytes, FS_PATH_MAX - 1);
	CHECK_EQ(path_decode((struct http_text){ target, 1 + 3 * (FS_PATH_MAX - 1) }, &p), 414);
}

TEST(http_ranges)
{
	static const struct {
		const char *value;
		uint64_t size;
		enum range_kind kind;
		uint64_t first, end;
	} table[] = {
		{ "bytes=0-0", 10, RANGE_PART, 0, 1 }, { "bytes=2-5", 10, RANGE_PART, 2, 6 },
		{ "bytes=9-", 10, RANGE_PART, 9, 10 }, { "bytes=-3", 10, RANGE_PART, 7, 10 },
		{ "bytes=0-10", 10, RANGE_PART, 0, 10 }, { "bytes=0-9", 10, RANGE_PART, 0, 10 },
		{ "bytes=-30", 10, RANGE_PART, 0, 10 }, { "bytes=5-99", 10, RANGE_PART, 5, 10 },
		{ "Bytes=0-9", 10, RANGE_PART, 0, 10 }, { "bytes= 1-2 ", 10, RANGE_PART, 1, 3 },
		{ "bytes=3-18446744073709551615", 10, RANGE_PART, 3, 10 },
		{ "bytes=3-99999999999999999999999", 10, RANGE_PART, 3, 10 },
		{ "bytes=-99999999999999999999999", 10, RANGE_PART, 0, 10 },
		{ "bytes=10-", 10, RANGE_NONE, 0, 0 }, { "bytes=-0", 10, RANGE_NONE, 0, 0 },
		{ "bytes=99999999999999999999999-", 10, RANGE_NONE, 0, 0 },
		{ "bytes=0-", 0, RANGE_NONE, 0, 0 }, { "bytes=-1", 0, RANGE_NONE, 0, 0 },
		{ "bytes=5-4", 10, RANGE_WHOLE, 0, 0 }, { "bytes=", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=-", 10, RANGE_WHOLE, 0, 0 }, { "bytes=1", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=a-b", 10, RANGE_WHOLE, 0, 0 }, { "bytes=1-2,4-5", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=1-2-3", 10, RANGE_WHOLE, 0, 0 }, { "lines=1-2", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes 1-2", 10, RANGE_WHOLE, 0, 0 }, { "", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=--5", 10, RANGE_WHOLE, 0, 0 }, { "bytes=+1-2", 10, RANGE_WHOLE, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct range r = { 0, 0 };
		enum range_kind kind = range_read(text(table[i].value), table[i].size, &r);

		if (kind != table[i].kind || (kind == RANGE_PART && (r.first != table[i].first ||
								     r.end != table[i].end)))
			test_fail("%s of %lu: %d [%lu, %lu)", table[i].value,
				  (unsigned long)table[i].size, kind, (unsigned long)r.first,
				  (unsigned long)r.end);
	}
}

TEST(http_types)
{
	static const char *const table[][2] = {
		{ "/a.html", "text/html; charset=utf-8" }, { "/a.HTM", "text/html; charset=utf-8" },
		{ "/a.c", "text/plain; charset=utf-8" },
		{ "/x/LICENSE", "text/plain; charset=utf-8" },
		{ "/a.tar.gz", "application/gzip" }, { "/a.png", "image/png" },
		{ "/a", "application/octet-stream" },
		{ "/a.html/b", "application/octet-stream" },
		{ "/.html", "text/html; charset=utf-8" },
		{ "/a.", "application/octet-stream" }, { "/", "application/octet-stream" },
		{ "/a.json", "application/json" }, { "/a.css", "text/css; charset=utf-8" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		CHECK_STR(type_of(table[i][0], strlen(table[i][0])), table[i][1]);
}

TEST(http_conditions)
{
	struct fs_attr attr = { .ino = 12, .size = 34, .modified = { 784111777, 5 } };
	struct condition c;
	char fields[400];
	static const struct {
		const char *fields;     /* %s: the tag */
		int status;
	} table[] = {
		{ "", 0 }, { "If-None-Match: %s\r\n", 304 }, { "If-None-Match: W/%s\r\n", 304 },
		{ "If-None-Match: \"x\", %s\r\n", 304 }, { "If-None-Match: *\r\n", 304 },
		{ "If-None-Match: \"x\"\r\n", 0 },
		{ "If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
		0 },
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 304 },
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 0 },
		{ "If-Modified-Since: rubbish\r\n", 0 },
		{ "If-Match: %s\r\n", 0 }, { "If-Match: W/%s\r\n", 412 },
		{ "If-Match: \"x\"\r\n", 412 },
		{ "If-Match: *\r\n", 0 },
		{ "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 412 },
		{ "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 0 },
	};

	condition_make(&c, &attr);
	CHECK_STR(c.date, "Sun, 06 Nov 1994 08:49:37 GMT");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *mark = strstr(table[i].fields, "%s");

		if (mark)
			snprintf(fields, sizeof(fields), "%.*s%s%s", (int)(mark - table[i].fields),
				 table[i].fields, c.tag, mark + 2);
		else
			snprintf(fields, sizeof(fields), "%s", table[i].fields);
		if (condition_check(&c, text(fields)) != table[i].status)
			test_fail("%s: %d", fields, condition_check(&c, text(fields)));
	}
	snprintf(fields, sizeof(fields), "If-Range: %s\r\n", c.tag);
	CHECK(condition_range(&c, text(fields)));
	CHECK(condition_range(&c, text("")));
	CHECK(condition_range(&c, TEXT("If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n")));
	CHECK(!condition_range(&c, TEXT("If-Range: Sun, 06 Nov 1994 08:49:38 GMT\r\n")));
	CHECK(!condition_range(&c, TEXT("If-Range: \"x\"\r\n")));
}

TEST_MAIN
