/* SPDX-License-Identifier: MIT */
/*
 * serve.c - the capture by HTTP: one request a connection, one connection at a time.
 *
 * What is sent is the store as it was when the request came; while it is sent, packets go on being
 * taken.  Whoever stalls is cut off.
 */
#include <base/format.h>
#include <base/string.h>
#include <exos/time.h>
#include <net/socket.h>
#include <services/client.h>
#include <services/http.h>

#include "capture.h"

#define HEAD_NS  5000000000ull  /* for a whole request head */
#define STALL_NS 10000000000ull /* for a piece to be taken */
#define LOOK_NS  200000000ull   /* how often Ctrl-C is looked for */
#define PIECE    16384u         /* bytes sent between looks at the ring */
#define HEAD_MAX 4096u

static const char page[] =
	"<!DOCTYPE html><meta charset=\"utf-8\"><title>capture</title>\n"
	"<p>The packets captured so far: <a href=\"/capture.pcap\">capture.pcap</a>\n";

static bool all_send(struct capture *c, struct net_socket *s, const void *data, size_t bytes)
{
	const char *at = data;
	uint64_t end = exos_deadline(STALL_NS);

	while (bytes > 0) {
		int64_t n = net_send(s, at, bytes, exos_deadline(LOOK_NS));

		capture_drain(c);
		if ((n < 0 && n != -NET_E_TIMEOUT) || client_interrupted())
			return false;
		if (n > 0) {
			end = exos_deadline(STALL_NS);
			at += n;
			bytes -= (size_t)n;
		} else if (exos_tsc() >= end) {
			return false;
		}
	}
	return true;
}

static bool head_send(struct capture *c, struct net_socket *s, const char *status,
		      const char *type, uint64_t length)
{
	char head[256];
	int n = format_buffer(head, sizeof(head),
			      "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %lu\r\n"
			      "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
			      status, type, (unsigned long)length);

	return all_send(c, s, head, (size_t)n);
}

static void text_send(struct capture *c, struct net_socket *s, const char *status,
		      const char *type, const char *text, bool body)
{
	if (head_send(c, s, status, type, strlen(text)) && body)
		all_send(c, s, text, strlen(text));
}

static void file_send(struct capture *c, struct net_socket *s, bool body)
{
	struct store_reader reader;
	struct pcap_file file;
	const uint8_t *piece;
	bool going;
	uint64_t n;

	store_file_header(&file, c->snap);
	store_read_begin(&c->store, &reader);
	going = head_send(c, s, "200 OK", "application/vnd.tcpdump.pcap",
			  sizeof(file) + reader.end - reader.at) &&
		body && all_send(c, s, &file, sizeof(file));
	while (going && (n = store_read(&c->store, reader.at, reader.end, PIECE, &piece)) > 0) {
		going = all_send(c, s, piece, n);
		store_read_done(&reader, n);
	}
	store_read_end(&c->store, &reader);
}

static void request_answer(struct capture *c, struct net_socket *s, const char *head, size_t bytes)
{
	struct http_request r;
	bool get;

	if (http_request_parse(head, bytes, &r) != 0) {
		text_send(c, s, "400 Bad Request", "text/plain", "This is no request.\n", true);
		return;
	}
	get = http_text_is(r.method, "GET");
	if (!get && !http_text_is(r.method, "HEAD"))
		text_send(c, s, "405 Method Not Allowed\r\nAllow: GET, HEAD", "text/plain",
			  "Only GET and HEAD.\n", true);
	else if (http_text_is(r.target, "/capture.pcap"))
		file_send(c, s, get);
	else if (http_text_is(r.target, "/"))
		text_send(c, s, "200 OK", "text/html; charset=utf-8", page, get);
	else
		text_send(c, s, "404 Not Found", "text/plain", "There is only /capture.pcap.\n",
			  get);
}

/* Receive the head of a request; its bytes, or 0. */
static size_t head_receive(struct capture *c, struct net_socket *s, char *head)
{
	uint64_t end = exos_deadline(HEAD_NS);
	size_t used = 0, seen = 0, whole = 0;

	while (whole == 0 && used < HEAD_MAX && exos_tsc() < end && !client_interrupted()) {
		int64_t n = net_receive(s, head + used, HEAD_MAX - used, exos_deadline(LOOK_NS));

		capture_drain(c);
		if (n == 0 || (n < 0 && n != -NET_E_TIMEOUT))
			return 0;
		if (n > 0)
			used += (size_t)n;
		whole = http_head_bytes(head, used, &seen);
	}
	return whole;
}

void serve_once(struct capture *c, struct net_socket *listener)
{
	static char head[HEAD_MAX];
	struct net_socket *s;
	size_t bytes;

	if (net_accept(listener, 1, &s) < 0)
		return;
	bytes = head_receive(c, s, head);
	if (bytes > 0) {
		request_answer(c, s, head, bytes);
		net_close(s);
	} else {
		net_abort(s);
	}
}
