/* SPDX-License-Identifier: MIT */
/*
 * main.c - capture: lines about packets, and the packets themselves by HTTP.
 *
 * Beside the share it holds the claim of one TCP port, which a stack of its own serves.
 */
#include <base/format.h>
#include <base/string.h>
#include <exos/console.h>
#include <exos/frame.h>
#include <exos/heap.h>
#include <net/error.h>
#include <net/socket.h>
#include <services/client.h>

#include "capture.h"
#include "words.h"

#define MIB       (1u << 20)
#define KEEP_MIB  4u            /* packets kept, in MiB, if -m does not say otherwise */
#define MIB_MAX   1024u
#define SPARE_MIB 1u            /* left for everything else */

static struct capture capture = { .snap = CAPTURE_SNAP };
static uint64_t keep_mib = KEEP_MIB;

static int usage(void)
{
	printf("usage: capture [-q] [-c COUNT] [-s BYTES] [-m MIB] [WORD]...\n"
	       "    -q no lines, -c end after COUNT packets, -s keep BYTES of a packet, -m keep "
	       "the last MIB\n"
	       "    words: arp ip ip6 tcp udp icmp icmp6, host ADDRESS, port N (here), remote N\n");
	return 1;
}

static bool number_read(const char *word, uint64_t least, uint64_t most, uint64_t *out)
{
	const char *end;

	return word != NULL && parse_u64(word, &end, out) >= 0 && *end == '\0' && *out >= least &&
	       *out <= most;
}

/* Options come first; the index of the first word, or -1. */
static int options_read(int argc, char **argv)
{
	uint64_t snap;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "-q") == 0) {
			capture.quiet = true;
			continue;
		}
		if (strcmp(argv[i], "-c") == 0) {
			if (!number_read(value, 1, UINT64_MAX, &capture.wanted))
				return -1;
		} else if (strcmp(argv[i], "-s") == 0) {
			if (!number_read(value, 1, CAPTURE_SNAP, &snap))
				return -1;
			capture.snap = (uint32_t)snap;
		} else if (strcmp(argv[i], "-m") != 0 ||
			   !number_read(value, 1, MIB_MAX, &keep_mib)) {
			return -1;
		}
		i++;
	}
	return i;
}

/* The heap is demand-zero: whether there are frames for all of it is looked at before. */
static bool store_make(void)
{
	struct exos_frame_stats stats;
	void *memory = NULL;

	exos_frame_stats(&stats);
	if (stats.free * EXO_PAGE_SIZE / MIB > keep_mib + SPARE_MIB)
		memory = malloc(keep_mib * MIB);
	if (memory == NULL) {
		printf("capture: there is no memory to keep %lu MiB, only for %lu; say -m\n",
		       (unsigned long)keep_mib,
		       (unsigned long)(stats.free * EXO_PAGE_SIZE / MIB) - SPARE_MIB);
		return false;
	}
	store_init(&capture.store, memory, keep_mib * MIB);
	return true;
}

/* Where the packets are fetched; without a listener the lines go on. */
static struct net_socket *listen_start(struct net_stack *stack)
{
	static struct net_page page;
	const struct net_page_address *own = NULL;
	struct net_socket *listener;
	char text[NET_ADDR_TEXT];
	int error = net_listen(stack, CAPTURE_PORT, 8, &listener);

	if (error < 0) {
		client_fail("capture", "the packets cannot be fetched by HTTP", error);
		return NULL;
	}
	if (net_page_read(net_stack_page(stack), &page))
		own = net_page_address(&page, 4);
	printf("capturing; what is kept: http://%s:%u/capture.pcap (packets of this port are left "
	       "out)\n", own != NULL ? net_addr_text(&own->addr, text) : "this machine",
	       CAPTURE_PORT);
	return listener;
}

static void run(struct net_stack *stack, struct net_socket *listener)
{
	while (!capture_full(&capture) && !client_interrupted()) {
		client_turn(stack, 0);
		capture_drain(&capture);
		if (listener != NULL)
			serve_once(&capture, listener);
	}
}

static void summary(void)
{
	const struct exo_packets_page *page = capture.ring.page;

	printf("%lu packets", (unsigned long)capture.seen);
	if (page->dropped > 0)
		printf(", %lu more came too fast", (unsigned long)page->dropped);
	if (capture.store.left_out > 0)
		printf(", %lu shown but not kept", (unsigned long)capture.store.left_out);
	printf("\n");
}

int main(int argc, char **argv)
{
	int first = options_read(argc, argv), error;
	struct net_socket *listener;
	struct net_stack *stack;
	struct net_flow flow;
	char why[WORDS_WHY];

	if (first < 0)
		return usage();
	if (words_read(argc - first, argv + first, &flow, why) < 0) {
		printf("capture: the word ");
		client_print(why, strlen(why), false);
		printf("\n");
		return 1;
	}
	stack = client_start("capture");
	if (stack == NULL || !store_make())
		return 1;
	capture.gate = net_stack_gate(stack);
	listener = listen_start(stack);
	error = capture_start(&capture, &flow);
	if (error < 0)
		return client_fail("capture", "no share of these packets", error);
	run(stack, listener);
	summary();
	capture_stop(&capture);
	net_stack_end(stack);
	return 0;
}
