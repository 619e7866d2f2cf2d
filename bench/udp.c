/* SPDX-License-Identifier: MIT */
/*
 * udp.c - what it costs to answer a UDP packet of 60 bytes in the event upcall, from the interrupt
 * to the device being told of the answer.  A program of its own: it needs a NIC and a peer, which
 * bench/run.py is.
 *
 * The program runs a loop that notes the time stamp, of a few instructions a round; the upcall that
 * ends it takes the packet off the ring, turns it round where it lies, and kicks.  So a figure may
 * be too high by one round of that loop, and the least of all samples is what is judged.
 */
#include <base/format.h>
#include <base/string.h>
#include <base/util.h>
#include <exo/machine.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/event.h>
#include <exos/error.h>
#include <exos/frame.h>
#include <exos/slot.h>
#include <exos/start.h>
#include <exos/upcall.h>
#include <net/packets.h>
#include <net/pattern.h>

#include "bench.h"

enum { FRAMES = 64, IP = 14, UDP = 34, SAMPLES = 64, PORT = 7 };

static struct net_ring ring;
static volatile uint64_t noted;         /* time stamp of the interrupted loop */
static volatile uint32_t answered;
static bool profiled;                   /* profile.py traces: the first quarter, the half, all */
static uint64_t cost[SAMPLES];
static struct bench_counts after[SAMPLES];     /* the kernel's counters then */

static void swap(uint8_t *a, uint8_t *b, size_t bytes)
{
	while (bytes--) {
		uint8_t byte = a[bytes];

		a[bytes] = b[bytes];
		b[bytes] = byte;
	}
}

/* IPv4's checksum does not depend on the order; UDP's may be 0 (RFC 768). */
static void turn_round(uint8_t *packet)
{
	swap(packet, packet + 6, 6);
	swap(packet + IP + 12, packet + IP + 16, 4);
	swap(packet + UDP, packet + UDP + 2, 2);
	packet[UDP + 6] = packet[UDP + 7] = 0;
}

/* As in profile.c: the first piece ends where the second begins, and has half of its packets. */
static void mark(void)
{
	if (answered == SAMPLES / 4 || answered == SAMPLES / 2 || answered == SAMPLES)
		bench_profile_mark();
	if (answered == SAMPLES / 2)
		bench_profile_mark();
}

/* The event upcall: answer, tell the device, and only then look at the clock. */
static void on_event(struct exo_context *context)
{
	struct exo_rx rx;

	(void)context;
	exos_event_take(ring.event);
	if (!net_ring_take(&ring, &rx))
		return;
	if (profiled)
		mark();
	turn_round(ring.data + rx.offset);
	net_ring_put_data(&ring, rx.offset, rx.bytes);
	net_ring_flush(&ring);
	if (answered < SAMPLES) {
		cost[answered] = insn_tsc_ordered() - noted;
		bench_counts_read(&after[answered]);
	}
	answered++;
}

/* The claim on UDP port PORT of 10.0.2.15: 0 or an error. */
static int claim_make(exo_slot *claim)
{
	const struct net_flow flow = { .protocol = NET_UDP, .local_port = PORT,
		                       .local = net_addr_v4(10, 0, 2, 15) };
	static struct exo_nic_spec spec;
	exo_slot memory, filter;
	exo_sid sid = exos_slot_alloc();
	uint64_t pfn;
	int64_t err = sid ? 0 : -EXO_E_ROOM;

	if (!err)
		err = net_pattern_flow(&spec, &flow, NULL);

	if (err < 0 || (err = exos_frame_alloc(1, &pfn, &memory)) < 0 ||
	    (err = exos_cap_retype(memory, pfn, EXO_KIND_FILTER, 0, &filter)) < 0)
		return (int)err;
	err = exo_nic_narrow(exos_grant("nic", 0)->slot, sid, filter, (uintptr_t)&spec,
	                     EXO_R_READ | EXO_R_WRITE);
	*claim = (exo_slot)err;
	return err < 0 ? (int)err : 0;
}

static void buffers_post(void)
{
	for (uint32_t i = 0; i < FRAMES * 2; i++)
		net_ring_post(&ring, i * EXO_PACKET_BYTES);
	net_ring_show(&ring);
}

/* How many packets the boot line wants answered. */
static uint32_t answers_wanted(void)
{
	const char *at = bench_word("answers=");
	uint64_t n;

	return at && parse_u64(at, &at, &n) == 0 && n > SAMPLES ? (uint32_t)n : SAMPLES;
}

/* The first quarter finds things that are not set up yet. */
static void samples_print(void)
{
	static const struct bench_row row = { .name = "udp_echo", .way = "event upcall" };
	struct bench_result r = { .n = SAMPLES - SAMPLES / 4, .min10 = ~0ul };
	const uint64_t *before = (const uint64_t *)&after[SAMPLES / 4 - 1];
	uint64_t *counts = (uint64_t *)&r.counts, scale = bench_scale ? bench_scale : 1;

	for (unsigned i = SAMPLES / 4; i < SAMPLES; i++) {
		r.min10 = min_u64(r.min10, cost[i] * 10 / scale);
		r.max10 = max_u64(r.max10, cost[i] * 10 / scale);
	}
	r.median10 = r.min10;
	r.operations = r.n;
	r.counts = after[SAMPLES - 1];
	for (unsigned i = 0; i < BENCH_COUNTS; i++)
		counts[i] -= before[i];
	bench_row_print(&row, &r);
	bench_end_print(0);
}

/* What the packets interrupt. */
static __attribute__((noinline)) void note(uint32_t wanted)
{
	while (answered < wanted)
		noted = insn_tsc();
}

/* Wait for the tracer, a byte on the console. */
static void profile_begin(void)
{
	char byte;

	printf("bench: ready to be traced, %u operations\n", SAMPLES / 4u);
	profiled = exos_console_read(&byte, 1, 0) > 0;
}

int main(int argc, char **argv)
{
	exo_slot claim;
	uint32_t wanted;
	int err;

	(void)argc, (void)argv;
	bench_scale_read();
	bench_slots_take();
	if (!exos_grant("nic", 0)) {
		printf("bench: udp_echo failed: there is no NIC\n");
		return 1;
	}
	err = claim_make(&claim);
	if (!err)
		err = net_ring_open(&ring, claim, FRAMES, exos_event_alloc(), NET_RING_JOINED);
	if (err < 0) {
		printf("bench: udp_echo failed: %s\n", exo_error_text(err));
		return 1;
	}
	wanted = answers_wanted();
	if (bench_word("profile=")) {
		profile_begin();
		wanted = SAMPLES + 1;
	}
	buffers_post();
	exos_upcall_event(on_event);
	printf("bench: udp ready\n");
	note(wanted);
	exos_upcall_event(NULL);
	if (profiled)
		printf("bench: traced\n");
	samples_print();
	return 0;
}
