/* SPDX-License-Identifier: MIT */
/*
 * capture_serve_test.c - the capture by HTTP, over a connection that exists only here.
 */
// sources: services/capture/serve.c services/capture/store.c services/http/head.c
// sources: services/http/request.c services/http/text.c exo/base/format.c
// includes: services/capture services/include libnet/include libexos/include
#include <exos/time.h>
#include <net/socket.h>
#include <services/client.h>
#include <stdlib.h>

#include "capture.h"
#include "test.h"

/* The other side: what it says, how it says it, and what it was told. */
static struct {
	const char *says;       /* NULL: nobody asks */
	size_t said, step;
	bool   ends;            /* after its words: closes; else it is silent */
	size_t takes;           /* bytes at a time; 0: it stalls */
	bool   resets;          /* from the second piece on */
	char   told[100000];
	size_t told_bytes;
	int    closed, aborted;
} peer;
static uint64_t now;            /* time stamp */
static struct capture capture;
static uint8_t memory[5000];
static unsigned drained, late;  /* packets that arrive while the answer is sent */

uint64_t exos_tsc(void)
{
	return now;
}

uint64_t exos_deadline(uint64_t ns)
{
	return now + ns;
}

bool client_interrupted(void)
{
	return false;
}

void capture_drain(struct capture *c)
{
	static const uint8_t packet[100];

	drained++;
	if (late > 0) {
		late--;
		store_add(&c->store, now, packet, sizeof(packet), sizeof(packet));
	}
}

int net_accept(struct net_socket *listener, uint64_t deadline, struct net_socket **out)
{
	(void)listener;
	CHECK_EQ(deadline, 1);
	if (peer.says == NULL)
		return -NET_E_TIMEOUT;
	*out = (struct net_socket *)&peer;
	return 0;
}

int64_t net_receive(struct net_socket *socket, void *buffer, size_t bytes, uint64_t deadline)
{
	size_t n = strlen(peer.says) - peer.said;

	(void)socket;
	if (n == 0 && peer.ends)
		return 0;
	if (n == 0) {
		now = deadline;
		return -NET_E_TIMEOUT;
	}
	n = n < peer.step ? n : peer.step;
	n = n < bytes ? n : bytes;
	memcpy(buffer, peer.says + peer.said, n);
	peer.said += n;
	return (int64_t)n;
}

int64_t net_send(struct net_socket *socket, const void *data, size_t bytes, uint64_t deadline)
{
	(void)socket;
	if (peer.takes == 0) {
		now = deadline;
		return -NET_E_TIMEOUT;
	}
	if (peer.resets && peer.told_bytes > 0)
		return -NET_E_RESET;
	bytes = bytes < peer.takes ? bytes : peer.takes;
	memcpy(peer.told + peer.told_bytes, data, bytes);
	peer.told_bytes += bytes;
	peer.told[peer.told_bytes] = '\0';
	return (int64_t)bytes;
}

void net_close(struct net_socket *socket)
{
	(void)socket;
	peer.closed++;
}

void net_abort(struct net_socket *socket)
{
	(void)socket;
	peer.aborted++;
}

static void setup(unsigned packets)
{
	static const uint8_t packet[100] = { 1, 2, 3 };

	memset(&peer, 0, sizeof(peer));
	memset(&capture, 0, sizeof(capture));
	peer.step = peer.takes = 1000;
	now = 100;
	late = drained = 0;
	capture.snap = 2048;
	store_init(&capture.store, memory, sizeof(memory));
	while (packets-- > 0)
		store_add(&capture.store, 0, packet, sizeof(packet), sizeof(packet));
}

/* Ask and give back the body, or NULL if the head is not this status or lies about the length. */
static const char *asked(const char *request, const char *status)
{
	char line[64];
	const char *body, *length;

	peer.says = request;
	serve_once(&capture, NULL);
	CHECK_EQ(peer.closed, 1);
	CHECK(capture.store.readers == NULL);
	snprintf(line, sizeof(line), "HTTP/1.1 %s\r\n", status);
	if (strncmp(peer.told, line, strlen(line)) != 0)
		return NULL;
	body = strstr(peer.told, "\r\n\r\n");
	length = strstr(peer.told, "Content-Length: ");
	if (body == NULL || length == NULL)
		return NULL;
	body += 4;
	if (strncmp(request, "HEAD", 4) != 0)
		CHECK_EQ(atol(length + 16), peer.told + peer.told_bytes - body);
	return body;
}

/* Whole records up to the end; how many, or -1. */
static int records(const char *body, size_t bytes)
{
	int count = 0;

	for (size_t at = sizeof(struct pcap_file); at < bytes; count++) {
		struct pcap_record r;

		if (bytes - at < sizeof(r))
			return -1;
		memcpy(&r, body + at, sizeof(r));
		at += sizeof(r);
		if (r.bytes > bytes - at)
			return -1;
		at += r.bytes;
	}
	return count;
}

TEST(nobody_asks)
{
	setup(1);
	serve_once(&capture, NULL);
	CHECK_EQ(peer.closed + peer.aborted, 0);
}

TEST(the_file_is_whole)
{
	for (size_t step = 1; step < 40; step += 3) {
		struct pcap_file file;
		const char *body;

		setup(20);
		peer.step = step;
		peer.takes = step * 7;
		body = asked("GET /capture.pcap HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK");
		REQUIRE(body != NULL);
		memcpy(&file, body, sizeof(file));
		CHECK_EQ(file.magic, 0xa1b2c3d4u);
		CHECK_EQ(file.major * 10 + file.minor, 24);
		CHECK_EQ(file.snap, 2048);
		CHECK_EQ(file.link, 1);
		CHECK_EQ(records(body, (size_t)(peer.told + peer.told_bytes - body)), 20);
		CHECK(drained > 0);
	}
}

TEST(packets_that_come_meanwhile_do_not_spoil_it)
{
	const char *body;

	setup(40);      /* the ring is nearly full: 40 * 116 of 5000 bytes */
	late = 100;
	peer.takes = 50;
	body = asked("GET /capture.pcap HTTP/1.1\r\n\r\n", "200 OK");
	REQUIRE(body != NULL);
	/* One came with the request. */
	CHECK_EQ(records(body, (size_t)(peer.told + peer.told_bytes - body)), 41);
	CHECK(capture.store.packets > 0);
}

TEST(nothing_captured_yet)
{
	const char *body;

	setup(0);
	body = asked("GET /capture.pcap HTTP/1.0\r\n\r\n", "200 OK");
	REQUIRE(body != NULL);
	CHECK_EQ(peer.told + peer.told_bytes - body, sizeof(struct pcap_file));
}

TEST(head_has_no_body)
{
	const char *body;

	setup(3);
	body = asked("HEAD /capture.pcap HTTP/1.1\r\n\r\n", "200 OK");
	REQUIRE(body != NULL);
	CHECK_STR(body, "");
	CHECK(strstr(peer.told, "Content-Length: 372\r\n") != NULL);
}

TEST(other_requests)
{
	setup(1);
	CHECK(asked("GET / HTTP/1.1\r\n\r\n", "200 OK") != NULL);
	CHECK(strstr(peer.told, "/capture.pcap") != NULL);
	setup(1);
	CHECK(asked("GET /x HTTP/1.1\r\n\r\n", "404 Not Found") != NULL);
	setup(1);
	CHECK(asked("POST / HTTP/1.1\r\n\r\n", "405 Method Not Allowed") != NULL);
	CHECK(strstr(peer.told, "\r\nAllow: GET, HEAD\r\n") != NULL);
	setup(1);
	CHECK(asked("rubbish\r\n\r\n", "400 Bad Request") != NULL);
}

TEST(who_says_half_a_request_is_cut_off)
{
	setup(1);
	peer.says = "GET /capture.pc";
	serve_once(&capture, NULL);
	CHECK_EQ(peer.aborted, 1);
	CHECK(now >= 5000000000ull && now < 6000000000ull);
	setup(1);
	peer.says = "GET /capture.pc";
	peer.ends = true;
	serve_once(&capture, NULL);
	CHECK_EQ(peer.aborted, 1);
	CHECK_EQ(now, 100);
}

TEST(a_head_too_long_is_cut_off)
{
	static char text[10000];

	setup(1);
	memset(text, 'a', sizeof(text) - 1);
	peer.says = text;
	serve_once(&capture, NULL);
	CHECK_EQ(peer.aborted, 1);
	CHECK_EQ(peer.told_bytes, 0);
}

TEST(who_stalls_or_leaves_is_let_go)
{
	setup(20);
	peer.takes = 0;
	peer.says = "GET /capture.pcap HTTP/1.1\r\n\r\n";
	serve_once(&capture, NULL);
	CHECK(capture.store.readers == NULL);
	CHECK(now >= 10000000000ull && now < 11000000000ull);
	setup(20);
	peer.resets = true;
	peer.says = "GET /capture.pcap HTTP/1.1\r\n\r\n";
	serve_once(&capture, NULL);
	CHECK(capture.store.readers == NULL);
	CHECK_EQ(now, 100);
}

TEST_MAIN
