/* SPDX-License-Identifier: MIT */
/*
 * filters.c - what deciding one received packet costs, with 10 and with 1,000 bindings.
 *
 * The bindings are what a machine has: TCP and UDP ports of its address under the claim on all
 * packets.  Each packet belongs to one of them, and every answer is checked.
 */
#include <base/string.h>
#include <base/util.h>
#include <net/pattern.h>

#include "bench.h"
#include "classifier.h"

#define PACKETS 100u            /* that are decided, of bindings all over the range */

static uint8_t packet[PACKETS][EXO_NIC_HEADER];
static uint64_t wanted[PACKETS];        /* filter of packet n */
static struct filter *root;
static uint32_t packets;
static uint64_t sum;

/* Binding n: UDP and TCP in turns, ports all over the range. */
static struct net_flow flow_of(uint32_t n)
{
	return (struct net_flow){
		.protocol = n % 2 ? NET_UDP : NET_TCP, .local_port = (uint16_t)(1 + n * 37 % 65521),
		.local = { .family = 4, .byte = { 10, 0, 2, 15 } },
	};
}

/* A packet that the pattern names, and other bytes where it names nothing. */
static void packet_make(uint8_t *to, const struct exo_pattern *pattern, uint8_t noise)
{
	const uint8_t *value = (const uint8_t *)pattern->value;
	const uint8_t *mask = (const uint8_t *)pattern->mask;

	for (unsigned i = 0; i < EXO_NIC_HEADER; i++)
		to[i] = (uint8_t)(value[i] | (noise++ & ~mask[i]));
}

static const char *filters_begin(uint32_t count)
{
	static struct exo_nic_spec spec;

	root = classifier_start();
	packets = (uint32_t)min_u64(count, PACKETS);
	for (uint32_t n = 0; n < count; n++) {
		const struct net_flow flow = flow_of(n);
		struct filter *f;

		memset(&spec, 0, sizeof(spec));
		if (net_pattern_flow(&spec, &flow, NULL) < 0)
			return "a pattern could not be made";
		f = classifier_add(root, &spec);
		if (!f)
			return "a binding was refused";
		if (n % (count / packets) == 0)
			packet_make(packet[n / (count / packets)], &spec.receive, (uint8_t)(n * 7));
	}
	/* Binding n got frame n + 2. */
	for (uint32_t i = 0; i < packets; i++) {
		wanted[i] = i * (count / packets) + 2;
		if (classifier_run(root, (const uint8_t (*)[EXO_NIC_HEADER])&packet[i], 1, 1) !=
		    wanted[i])
			return "a packet went to the wrong binding";
	}
	return NULL;
}

static const char *one_begin(void)
{
	return filters_begin(1);
}

static const char *hundred_begin(void)
{
	return filters_begin(100);
}

static const char *ten_begin(void)
{
	return filters_begin(10);
}

static const char *thousand_begin(void)
{
	return filters_begin(1000);
}

static void filters_run(uint32_t rounds)
{
	sum = classifier_run(root, (const uint8_t (*)[EXO_NIC_HEADER])packet, packets, rounds);
}

static const char *filters_check(uint32_t rounds)
{
	uint64_t right = 0;

	for (uint32_t i = 0; i < rounds; i++)
		right += wanted[i % packets];
	return sum == right ? NULL : "a packet went to the wrong binding";
}

static const struct bench_row filter_10 = {
	.name = "filter_10", .must = 250, .stretch = 150, .rounds = 100, .share = 1,
	.begin = ten_begin, .run = filters_run, .check = filters_check,
};

static const struct bench_row filter_1 = {
	.name = "filter_1", .rounds = 100, .share = 1,
	.begin = one_begin, .run = filters_run, .check = filters_check,
};

static const struct bench_row filter_100 = {
	.name = "filter_100", .rounds = PACKETS, .share = 1,
	.begin = hundred_begin, .run = filters_run, .check = filters_check,
};

static const struct bench_row filter_1000 = {
	.name = "filter_1000", .must = 300, .stretch = 170, .rounds = PACKETS, .share = 1,
	.begin = thousand_begin, .run = filters_run, .check = filters_check,
};

BENCH_ROW(filter_1);
BENCH_ROW(filter_10);
BENCH_ROW(filter_100);
BENCH_ROW(filter_1000);
