/* SPDX-License-Identifier: MIT */
/*
 * nic_prog.c - programs at the end of a NIC binding: which packets get where, and what is refused.
 */
#include <base/string.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/time.h>
#include "nic.h"
#include "prog.h"

/* The answer to an ARP request: the address it is for ends at byte 41. */
static const struct exo_insn drop_all[] = { I_EXIT };
static const struct exo_insn take_any[] = { I_MOV(0, EXO_VERDICT_ANY), I_EXIT };
static const struct exo_insn second_ring[] = { I_MOV(0, 2), I_EXIT };
static const struct exo_insn third_ring[] = { I_MOV(0, 3), I_EXIT };
static const struct exo_insn quietly[] = { I_MOV(0, EXO_VERDICT_ANY | EXO_VERDICT_QUIET), I_EXIT };
static const struct exo_insn answers_only[] = {
	I_LOAD16(2, 1, 20),             /* operation, in the packet's byte order */
	I_JNE(2, 0x200, 1),             /* 2: an answer */
	I_MOV(0, 1), I_EXIT };
static const struct exo_insn beyond[] = { I_LOAD8(2, 1, 0x7000), I_MOV(0, 1), I_EXIT };

static void ask(struct ring *r, uint8_t host)
{
	uint8_t packet[ARP_BYTES];

	arp_request(packet, host);
	ring_packet(r, packet, ARP_BYTES);
	expect(ring_done(r, 3000));
}

static bool answered(struct ring *r, uint8_t host, uint64_t ms)
{
	const struct exo_rx *e;
	const uint8_t *p = ring_receive(r, &e, ms);

	if (!p)
		return false;
	expect(arp_is_answer(p, e->bytes, host));
	ring_repost(r);
	return true;
}

EXO_TEST(nic_prog_drops_and_delivers, NIC)
{
	struct guest_prog drop, take, some, out;
	exo_slot claim;
	struct ring r;

	must((claim = nic_arp_claim(guest_claim("nic"), 60)) != 0);
	must_eq(ring_open(&r, claim), 0);
	must(GUEST_PROG(&drop, drop_all) && GUEST_PROG(&take, take_any) &&
	     GUEST_PROG(&some, answers_only) && GUEST_PROG(&out, beyond));
	must_eq(exo_nic_prog(claim, drop.prog), 0);
	ask(&r, 60);
	expect(!answered(&r, 60, 300));
	must_eq(exo_nic_prog(claim, take.prog), 0);
	ask(&r, 60);
	expect(answered(&r, 60, 3000));
	must_eq(exo_nic_prog(claim, out.prog), 0);
	ask(&r, 60);
	expect(!answered(&r, 60, 300));
	must_eq(exo_nic_prog(claim, some.prog), 0);
	ask(&r, 60);
	expect(answered(&r, 60, 3000));
	/* None: as before. */
	must_eq(exo_nic_prog(claim, 0), 0);
	ask(&r, 60);
	expect(answered(&r, 60, 3000));
	expect_eq(r.page->received, 3);
	guest_prog_end(&drop);
	guest_prog_end(&take);
	guest_prog_end(&some);
	guest_prog_end(&out);
	ring_close(&r);
}

EXO_TEST(nic_prog_chooses_the_ring, NIC)
{
	struct guest_prog two, three;
	struct ring a, b;
	exo_slot claim;

	must((claim = nic_arp_claim(guest_claim("nic"), 61)) != 0);
	must_eq(ring_open(&a, claim), 0);
	must_eq(ring_open(&b, claim), 0);
	must(GUEST_PROG(&two, second_ring) && GUEST_PROG(&three, third_ring));
	ask(&a, 61);
	expect(answered(&a, 61, 3000));
	must_eq(exo_nic_prog(claim, two.prog), 0);
	ask(&a, 61);
	expect(answered(&b, 61, 3000));
	/* There is no third. */
	must_eq(exo_nic_prog(claim, three.prog), 0);
	ask(&a, 61);
	expect(!answered(&a, 61, 300) && !answered(&b, 61, 0));
	/* The program ended: as before. */
	guest_prog_end(&three);
	guest_prog_end(&two);
	ask(&a, 61);
	expect(answered(&a, 61, 3000));
	ring_close(&a);
	ring_close(&b);
}

EXO_TEST(nic_prog_delivers_quietly, NIC)
{
	struct guest_prog quiet;
	uint64_t until;
	exo_slot claim;
	struct ring r;

	must((claim = nic_arp_claim(guest_claim("nic"), 62)) != 0);
	must_eq(ring_open(&r, claim), 0);
	must(GUEST_PROG(&quiet, quietly) != 0);
	must_eq(exo_nic_prog(claim, quiet.prog), 0);
	exos_event_take(r.entry);
	ask(&r, 62);
	exos_event_take(r.entry);
	until = exos_deadline(3000000000);
	while (__atomic_load_n(&r.page->rx_done, __ATOMIC_ACQUIRE) == r.seen && exos_tsc() < until)
		;
	expect_eq(r.page->rx_done, r.seen + 1);
	expect_eq(exos_event_pending(r.entry), 0);
	guest_prog_end(&quiet);
	ring_close(&r);
}

EXO_TEST(nic_prog_is_checked, NIC)
{
	static struct exo_nic_spec none;
	exo_slot claim, root = guest_claim("nic"), child, weak, filter, share;
	struct guest_prog p, empty;
	struct guest_frames f;
	struct ring r;

	must((claim = nic_arp_claim(root, 63)) != 0);
	must_eq(ring_open(&r, claim), 0);
	must(GUEST_PROG(&p, take_any) != 0);
	must_eq(guest_prog_make(&empty, 8), 0);
	expect_error(exo_nic_prog(claim, empty.prog), USE);
	expect_error(exo_nic_prog(claim, claim), KIND);
	expect_error(exo_nic_prog(p.prog, p.prog), KIND);
	expect_error(exo_nic_prog(claim, p.prog + 1), STALE);
	expect_error(exo_nic_prog(claim + 1, p.prog), STALE);
	must((weak = guest_narrow(p.prog, 0, 0, EXO_R_CONTROL)) != 0);
	expect_error(exo_nic_prog(claim, weak), RIGHTS);
	/* A share gets copies; its holder decides nothing. */
	must_eq(guest_frames_make(&f, 1), 0);
	must((filter = guest_retype(f.slot, f.lo, EXO_KIND_FILTER, 0)) != 0);
	share = (exo_slot)exo_nic_narrow(claim, guest_sid(), filter, (uint64_t)&none,
	                                 EXO_R_READ | EXO_SHARE);
	must((int64_t)share > 0);
	expect_error(exo_nic_prog(share, p.prog), SHARED);
	expect_eq(exos_cap_end(share), 0);
	must_eq(exo_nic_prog(claim, p.prog), 0);
	expect_error(exo_nic_prog(claim, p.prog), BUSY);
	must(arp_works(&r, 63));
	/* Given on: the program does not decide for whom it was given to, nor the giver for him. */
	must_eq(exo_nic_prog(claim, 0), 0);
	must_eq(exo_nic_prog(claim, p.prog), 0);
	ring_close(&r);
	must((child = guest_narrow(claim, 0, 0, EXO_R_READ | EXO_R_WRITE)) != 0);
	expect_error(exo_nic_prog(claim, p.prog), SPLIT);
	expect_eq(exo_nic_prog(child, p.prog), 0);
	expect_eq(exos_cap_drop(child), 0);
	expect_eq(exo_nic_prog(claim, p.prog), 0);
	guest_prog_end(&p);
	guest_prog_end(&empty);
	guest_frames_end(&f);
}

/* Programs are dropped while packets come in for them, and the claim under a program. */
EXO_TEST(nic_prog_dropped_while_bound, NIC)
{
	struct guest_prog p;
	exo_slot claim;
	struct ring r;

	must((claim = nic_arp_claim(guest_claim("nic"), 64)) != 0);
	must_eq(ring_open(&r, claim), 0);
	for (unsigned i = 0; i < 40; i++) {
		uint8_t packet[ARP_BYTES];

		must(GUEST_PROG(&p, take_any) != 0);
		must_eq(exo_nic_prog(claim, p.prog), 0);
		arp_request(packet, 64);
		ring_packet(&r, packet, ARP_BYTES);
		must(ring_kick(&r) >= 0);
		guest_prog_end(&p);
		expect(answered(&r, 64, 3000));
	}
	must(GUEST_PROG(&p, take_any) != 0);
	must_eq(exo_nic_prog(claim, p.prog), 0);
	ring_close(&r);
	expect_eq(exos_cap_end(claim), 0);
	must((claim = nic_arp_claim(guest_claim("nic"), 64)) != 0);
	must_eq(ring_open(&r, claim), 0);
	expect_eq(exo_nic_prog(claim, p.prog), 0);
	must(arp_works(&r, 64));
	guest_prog_end(&p);
	ring_close(&r);
}

/* `count` times an instruction, and a result of 1: how many instructions. */
static uint32_t repeat(struct exo_insn *insn, uint32_t count, struct exo_insn one)
{
	for (uint32_t i = 0; i < count; i++)
		insn[i] = one;
	insn[count] = (struct exo_insn)I_MOV(0, 1);
	insn[count + 1] = (struct exo_insn)I_EXIT;
	return count + 2;
}

/* The dearest programs that there are, for each packet: they still come, and so does all else. */
EXO_TEST(nic_prog_of_full_cost, NIC)
{
	static const struct {
		struct exo_insn insn;
		uint32_t cost;
	} kind[] = { { I_ADD(2, 1), EXO_PROG_COST_PLAIN },
		     { I_LOAD64(2, 1, 0), EXO_PROG_COST_MEMORY },
		     { I_DIVIDE(2, 1), EXO_PROG_COST_DIVIDE } };
	static struct exo_insn insn[EXO_PROG_MAX];
	struct guest_prog p;
	exo_slot claim;
	struct ring r;

	must((claim = nic_arp_claim(guest_claim("nic"), 65)) != 0);
	must_eq(ring_open(&r, claim), 0);
	for (unsigned n = 0; n < 3; n++) {
		uint32_t most = (EXO_PROG_PACKET_COST - 2) / kind[n].cost;

		must(guest_prog(&p, insn, repeat(insn, most, kind[n].insn)) != 0);
		must_eq(exo_nic_prog(claim, p.prog), 0);
		for (unsigned i = 0; i < 50; i++)
			must(arp_works(&r, 65));
		guest_prog_end(&p);
		if (most + 3 > EXO_PROG_MAX)
			continue;
		must(guest_prog(&p, insn, repeat(insn, most + 1, kind[n].insn)) != 0);
		expect_error(exo_nic_prog(claim, p.prog), RANGE);
		guest_prog_end(&p);
	}
	ring_close(&r);
}
