/* SPDX-License-Identifier: MIT */
/*
 * fetch_response_test.c - HTTP responses, whole and cut into pieces anywhere.
 */
// sources: services/fetch/response.c services/http/head.c services/http/response.c
// sources: services/http/text.c
// includes: services/fetch services/include
#include "response.h"

#include <stdlib.h>

#include "test.h"

static char body[4096];
static size_t body_bytes;
static int heads;

static void on_head(struct response *r)
{
	heads++;
	CHECK_EQ(r->bytes, 0);
}

static void on_body(struct response *r, const void *data, size_t bytes)
{
	(void)r;
	REQUIRE(bytes > 0 && bytes < sizeof(body) - body_bytes);
	memcpy(body + body_bytes, data, bytes);
	body_bytes += bytes;
	body[body_bytes] = '\0';
}

/* Feed `bytes` in pieces of `step` bytes, 0: of random sizes; then close the connection. */
static bool answered(struct response *r, const char *text, size_t bytes, size_t step)
{
	response_begin(r);
	r->begun = on_head;
	r->body = on_body;
	body_bytes = 0;
	body[0] = '\0';
	heads = 0;
	for (size_t at = 0, n; at < bytes; at += n) {
		char *piece;

		n = step ? step : (size_t)rand() % 9 + 1;
		if (n > bytes - at)
			n = bytes - at;
		piece = malloc(n);
		memcpy(piece, text + at, n);
		response_feed(r, piece, n);
		free(piece);
	}
	return response_close(r);
}

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"

static const struct {
	const char *text;
	const char *body;
	const char *why;        /* NULL: complete */
} many[] = {
	{ HEAD "Content-Length: 5\r\n\r\nhello", "hello", NULL },
	{ HEAD "Content-Length: 5\r\n\r\nhello and more", "hello", NULL },
	{ HEAD "Content-Length: 0\r\n\r\n", "", NULL },
	{ HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "hello", NULL },
	{ HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "",
	  "its Content-Length is malformed" },
	{ HEAD "Content-Length: -1\r\n\r\n", "", "its Content-Length is malformed" },
	{ HEAD "Content-Length: 99999999999999999999\r\n\r\n", "",
	  "its Content-Length is malformed" },
	{ HEAD "Content-Length: 6\r\n\r\nhello", "hello",
	  "the connection was closed in the middle of the answer" },
	{ HEAD "\r\nuntil the end", "until the end", NULL },
	{ "HTTP/1.0 200 OK\n\nbare line ends", "bare line ends", NULL },
	{ HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\n\r\n",
	  "hello, world", NULL },
	{ HEAD "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n2\r\nab\r\n0\r\n\r\n", "ab",
	  NULL },
	{ HEAD "Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n00\r\nTrailer: x\r\n\r\n",
	  "0123456789", NULL },
	{ HEAD "Transfer-Encoding: chunked\r\n\r\nhello", "",
	  "the connection was closed in the middle of the answer" },
	{ HEAD "Transfer-Encoding: chunked\r\n\r\nx\r\n", "", "it has a malformed chunk" },
	{ HEAD "Transfer-Encoding: chunked\r\n\r\n\r\n", "", "it has a malformed chunk" },
	{ HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", "ab", "it has a malformed chunk" },
	{ HEAD "Transfer-Encoding: chunked\r\n\r\n1234567890abcdef1\r\n", "",
	  "it has a malformed chunk" },
	{ HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n", "ab",
	  "the connection was closed in the middle of the answer" },
	{ HEAD "Transfer-Encoding: gzip\r\n\r\nx", "", "its transfer encoding is not understood" },
	{ "HTTP/1.1 100 Continue\r\n\r\n" HEAD "Content-Length: 2\r\n\r\nok", "ok", NULL },
	{ "HTTP/1.1 204 No Content\r\n\r\n", "", NULL },
	{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", "", NULL },
	{ "HTTP/1.1 404\r\nContent-Length: 2\r\n\r\nno", "no", NULL },
	{ "SSH-2.0-OpenSSH\r\n\r\n", "", "it is not a response of HTTP/1" },
	{ "HTTP/2.0 200 OK\r\n\r\n", "", "it is not a response of HTTP/1" },
	{ "HTTP/1.1 2000 OK\r\n\r\n", "", "it is not a response of HTTP/1" },
	{ HEAD "No colon\r\n\r\n", "", "it is not a response of HTTP/1" },
	{ "", "", "the connection was closed without an answer" },
	{ "HTTP/1.1 200 OK\r\n", "", "the connection was closed in the middle of the answer" },
};

TEST(answers_whole_and_in_pieces)
{
	static struct response r;

	srand(1);
	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
		for (size_t step = 0; step < 60; step++) {
			/* The last rounds: all at once. */
			size_t bytes = strlen(many[i].text);
			bool good = answered(&r, many[i].text, bytes, step < 50 ? step : 4096);

			CHECK_EQ(good, many[i].why == NULL);
			CHECK_STR(body, many[i].body);
			CHECK_EQ(r.bytes, strlen(many[i].body));
			CHECK(heads <= 1 && (!good || heads == 1));
			if (many[i].why != NULL)
				CHECK_STR(r.why, many[i].why);
		}
	}
}

TEST(fields_stay_readable_in_the_body)
{
	static struct response r;
	static const char text[] = HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
	struct http_text type = { NULL, 0 };

	CHECK(answered(&r, text, strlen(text), 3));
	CHECK_EQ(r.head.status, 200);
	CHECK_EQ(http_field_find(r.head.fields, "content-type", &type), 1);
	CHECK(http_text_is(type, "text/plain"));
	CHECK(http_text_is(r.head.reason, "OK"));
}

TEST(a_head_without_end)
{
	static struct response r;
	static char text[40000];

	memset(text, 'a', sizeof(text));
	CHECK(!answered(&r, text, sizeof(text), 1000));
	CHECK_STR(r.why, "its head is longer than 16 KiB");
}

TEST(a_trailer_without_end)
{
	static struct response r;
	static char text[40000];
	size_t n = (size_t)snprintf(text, sizeof(text),
				    HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n");

	for (; n + 2 < sizeof(text); n += 2)
		memcpy(text + n, "a\n", 2);
	CHECK(!answered(&r, text, n, 1000));
	CHECK_STR(r.why, "its trailer is longer than 16 KiB");
}

/* Random bytes out of what matters: the sanitizers watch; pieces change nothing. */
TEST(random_answers_do_not_depend_on_pieces)
{
	static const char *const word[] = {
		"HTTP/1.1 200 OK", "\r\n", "\n", "\r\n\r\n", "Content-Length: 3", "5", "0", "a",
		"Transfer-Encoding: chunked", " ", "HTTP/1.1 100 x\r\n\r\n", "3\r\nabc\r\n", ":",
		"f;", "\t",
	};
	static struct response r, pieces;

	srand(1);
	for (int n = 0; n < 30000; n++) {
		char text[512] = "", whole[sizeof(body)];
		bool good;

		if (rand() % 4)
			strcat(text, rand() % 2 ? HEAD : HEAD "Transfer-Encoding: chunked\r\n\r\n");
		for (int i = rand() % 12; i > 0; i--)
			strcat(text, word[(size_t)rand() % (sizeof(word) / sizeof(word[0]))]);
		good = answered(&r, text, strlen(text), 4096);
		strcpy(whole, body);
		CHECK_EQ(answered(&pieces, text, strlen(text), 0), good);
		CHECK_STR(body, whole);
		CHECK_EQ(pieces.state, r.state);
	}
}

TEST_MAIN
