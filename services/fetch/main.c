/* SPDX-License-Identifier: MIT */
/*
 * main.c - fetch: GET one http URL over a TCP claim and a stack of one's own.
 */
#include <base/format.h>
#include <base/string.h>
#include <base/util.h>
#include <exos/console.h>
#include <exos/time.h>
#include <net/error.h>
#include <net/socket.h>
#include <services/client.h>
#include <services/http.h>

#include "response.h"
#include "show.h"

#define CONNECT_NS 10000000000ull
#define SILENCE_NS 30000000000ull       /* without a byte: given up */
#define LOOK_NS    200000000ull         /* how often Ctrl-C is looked for */
#define PIECE      16384u               /* bytes received at a time */
#define HOST_MAX   256u

static bool quiet;

static int usage(void)
{
	printf("usage: fetch [-q] URL\n"
	       "    -q: the status, size and checksum only\n");
	return 1;
}

static int refuse(const char *url, const char *why)
{
	printf("fetch: ");
	client_print(url, min_u64(strlen(url), 100), false);
	printf(": %s\n", why);
	return 1;
}

static void text_print(struct http_text text)
{
	client_print(text.at, min_u64(text.bytes, 200), false);
}

/* The status line, the type, and where a redirection leads. */
static void on_head(struct response *r)
{
	struct http_text value;

	printf("%u ", r->head.status);
	text_print(r->head.reason);
	if (http_field_find(r->head.fields, "content-type", &value) > 0) {
		printf(", ");
		text_print(value);
	}
	if (http_field_find(r->head.fields, "location", &value) > 0) {
		printf(", see ");
		text_print(value);
	}
	printf("\n");
	show_begin(quiet);
}

static void on_body(struct response *r, const void *data, size_t bytes)
{
	(void)r;
	show_body(data, bytes);
}

static int all_send(struct net_socket *s, const char *text, size_t bytes)
{
	int64_t n = net_send(s, text, bytes, exos_deadline(SILENCE_NS));

	if (n < 0)
		return (int)n;
	return (size_t)n == bytes ? 0 : -NET_E_TIMEOUT;
}

static int request_send(struct net_socket *s, const struct http_url *url, const char *host)
{
	static char head[HTTP_TARGET_MAX + HOST_MAX + 128];
	bool slash = url->target.bytes == 0 || url->target.at[0] != '/';
	char port[8] = "";
	int n;

	if (url->port != 80)
		format_buffer(port, sizeof(port), ":%u", url->port);
	n = format_buffer(head, sizeof(head),
			  "GET %s%.*s HTTP/1.1\r\nHost: %s%s%s%s\r\nAccept: */*\r\n"
			  "User-Agent: exo-fetch\r\nConnection: close\r\n\r\n",
			  slash ? "/" : "", (int)url->target.bytes, url->target.at,
			  url->literal ? "[" : "", host, url->literal ? "]" : "", port);
	return all_send(s, head, (size_t)n);
}

/* Receive a piece, looking for Ctrl-C meanwhile. */
static int64_t piece_receive(struct net_socket *s, void *buffer, size_t bytes)
{
	uint64_t end = exos_deadline(SILENCE_NS);
	int64_t n = -NET_E_TIMEOUT;

	while (n == -NET_E_TIMEOUT && exos_tsc() < end && !client_interrupted())
		n = net_receive(s, buffer, bytes, exos_deadline(LOOK_NS));
	return n;
}

/* Receive all of the response: 0, or an error; what is wrong with it is in r->why. */
static int64_t response_receive(struct net_socket *s, struct response *r)
{
	static char piece[PIECE];
	int64_t n = 1;

	while (n > 0 && r->state != RESPONSE_DONE && r->state != RESPONSE_BROKEN) {
		n = piece_receive(s, piece, sizeof(piece));
		if (n > 0)
			response_feed(r, piece, (size_t)n);
	}
	if (n < 0)
		return n;
	response_close(r);
	return 0;
}

static int fetch(struct net_stack *stack, const char *text, const struct http_url *url,
		 const char *host)
{
	static struct response r;
	struct net_socket *s;
	struct net_addr addr;
	int64_t error;

	if (client_lookup("fetch", stack, host, &addr) < 0)
		return 1;
	error = net_connect(stack, &addr, url->port, exos_deadline(CONNECT_NS), &s);
	if (error < 0)
		return client_fail("fetch", text, error);
	response_begin(&r);
	r.begun = on_head;
	r.body = on_body;
	error = request_send(s, url, host);
	if (error >= 0)
		error = response_receive(s, &r);
	net_close(s);
	if (r.headed)
		show_end();
	if (client_interrupted())
		return refuse(text, "interrupted");
	if (error < 0)
		return client_fail("fetch", text, error);
	if (r.state == RESPONSE_BROKEN)
		return refuse(text, r.why);
	return r.head.status < 300 ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *text, *why;
	struct net_stack *stack;
	struct http_url url;
	char host[HOST_MAX];
	int code;

	quiet = argc == 3 && strcmp(argv[1], "-q") == 0;
	if (argc != 2 + quiet)
		return usage();
	text = argv[1 + quiet];
	if (http_url_parse(text, strlen(text), &url, &why) < 0)
		return refuse(text, why);
	if (url.host.bytes >= sizeof(host) || url.target.bytes > HTTP_TARGET_MAX)
		return refuse(text, "it is too long");
	memcpy(host, url.host.at, url.host.bytes);
	host[url.host.bytes] = '\0';
	stack = client_start("fetch");
	if (stack == NULL)
		return 1;
	code = fetch(stack, text, &url, host);
	net_stack_end(stack);
	return code;
}
