/* SPDX-License-Identifier: MIT */
/*
 * net.c - the network on Linux: UDP echo on port 7, a sink for TCP on port 9, a source on port 19,
 * as in ../net.c; and on port 80 an HTTP server, all by one epoll, waiting for nobody.
 *
 * The HTTP server is the least that is right for GET of two documents, held in memory with their
 * heads: no real server does less for a request, so none is faster here.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linux.h"

enum kind { ECHO, LISTEN, SINK, SOURCE, HTTP };
#define CONNS 1024              /* file numbers are below */
#define HEAD  1024              /* bytes of a request's head */
#define BYTES (64u << 10)

static struct conn {
	enum kind kind, makes;
	size_t bytes;           /* of the head that came */
	char head[HEAD + 1];
} conn[CONNS];
static int epoll;
static char buffer[BYTES];

/* The two documents, with heads for connections that stay and that end. */
static struct page {
	const char *path;
	size_t bytes, whole[2];
	char *text[2];
} page[] = { { .path = "GET /100 ", .bytes = 100 }, { .path = "GET /10240 ", .bytes = 10240 } };

static void pages_make(void)
{
	static const char *const stays[] = { "close", "keep-alive" };

	for (size_t p = 0; p < sizeof(page) / sizeof(page[0]); p++)
		for (int k = 0; k < 2; k++) {
			char *at = malloc(page[p].bytes + 256);
			size_t head = (size_t)sprintf(at, "HTTP/1.1 200 OK\r\nServer: bench\r\n"
				"Content-Type: application/octet-stream\r\n"
				"Content-Length: %zu\r\nConnection: %s\r\n\r\n",
				page[p].bytes, stays[k]);

			for (size_t i = 0; i < page[p].bytes; i++)
				at[head + i] = (char)(i * 31 % 251);
			page[p].text[k] = at;
			page[p].whole[k] = head + page[p].bytes;
		}
}

static void watch(int file, enum kind kind, enum kind makes)
{
	struct epoll_event e = { .events = kind == SOURCE ? EPOLLOUT : EPOLLIN, .data.fd = file };

	if (file < 0 || file >= CONNS || epoll_ctl(epoll, EPOLL_CTL_ADD, file, &e)) {
		close(file);
		return;
	}
	conn[file].kind = kind;
	conn[file].makes = makes;
	conn[file].bytes = 0;
}

static int door(int type, uint16_t port, enum kind makes)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(port) };
	int file = socket(AF_INET, type | SOCK_NONBLOCK, 0), on = 1;

	setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(file, (struct sockaddr *)&own, sizeof(own)) ||
	    (type == SOCK_STREAM && listen(file, 255)))
		return -1;
	watch(file, type == SOCK_STREAM ? LISTEN : ECHO, makes);
	return 0;
}

static void echo(int file)
{
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(file, buffer, BYTES, 0, (struct sockaddr *)&from, &length)) >= 0)
		sendto(file, buffer, (size_t)n, 0, (struct sockaddr *)&from, length);
}

static void take(int file)
{
	int on = 1, got;

	while ((got = accept4(file, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		setsockopt(got, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		watch(got, conn[file].makes, HTTP);
	}
}

/* false: the connection is over. */
static bool pass(int file)
{
	ssize_t n;

	do
		n = conn[file].kind == SINK ? read(file, buffer, BYTES) :
		                              write(file, buffer, BYTES);
	while (n > 0);
	return n < 0 && errno == EAGAIN;
}

/* A whole answer fits the socket's buffer: one that does not go at once ends the connection. */
static bool answer(int file, struct conn *c)
{
	bool stays = strcasestr(c->head, "connection: keep-alive") != NULL;

	c->bytes = 0;
	for (size_t p = 0; p < sizeof(page) / sizeof(page[0]); p++)
		if (!strncmp(c->head, page[p].path, strlen(page[p].path)))
			return write(file, page[p].text[stays], page[p].whole[stays]) ==
			       (ssize_t)page[p].whole[stays] && stays;
	return false;
}

static bool request(int file)
{
	struct conn *c = &conn[file];
	ssize_t n = read(file, c->head + c->bytes, HEAD - c->bytes);

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	c->bytes += (size_t)n;
	c->head[c->bytes] = 0;
	if (strstr(c->head, "\r\n\r\n"))
		return answer(file, c);
	return c->bytes < HEAD;
}

static void serve(int file)
{
	if (conn[file].kind == ECHO)
		echo(file);
	else if (conn[file].kind == LISTEN)
		take(file);
	else if (!(conn[file].kind == HTTP ? request(file) : pass(file)))
		close(file);
}

void linux_net(void)
{
	struct epoll_event ready[64];

	signal(SIGPIPE, SIG_IGN);       /* who goes away in the middle gets no more */
	pages_make();
	epoll = epoll_create1(0);
	if (linux_card_start() || door(SOCK_DGRAM, 7, ECHO) || door(SOCK_STREAM, 9, SINK) ||
	    door(SOCK_STREAM, 19, SOURCE) || door(SOCK_STREAM, 80, HTTP)) {
		printf("bench: network failed: %m\n");
		return;
	}
	printf("bench: network ready\n");
	for (;;) {
		int n = epoll_wait(epoll, ready, 64, -1);

		for (int i = 0; i < n; i++)
			serve(ready[i].data.fd);
	}
}
