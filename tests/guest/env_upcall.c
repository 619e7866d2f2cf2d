/* SPDX-License-Identifier: MIT */
/*
 * env_upcall.c - faults and foreign calls as upcalls: what is told, what stays live, what one
 * costs.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include "guest.h"
#include "peer.h"
#include "x86/insn.h"

#define HERE    (exos_page()->cpu)
#define SECOND  1000000000ull
#define NOWHERE 0x0000300000000000ull   /* never mapped */

/* Make a peer whose upcalls go to handler, run it to its end; false: a failure was noted. */
static bool run(struct peer *peer, peer_main *start, peer_handler *handler, uint64_t skip)
{
	peer_upcalls(peer, handler);
	peer->word[15] = skip;
	peer->upcalls = 0;
	return expect_eq(peer_slots(peer, HERE, 0, 2), 0) &&
		expect_eq(peer_start(peer, start, 0), 0) &&
	       expect(peer_wait(peer, 10000));
}

static void do_store(struct peer *p) { insn_store((void *)p->word[0], 1); p->word[1]++; }
static void do_load(struct peer *p) { insn_load((void *)p->word[0]); p->word[1]++; }
static void do_ud2(struct peer *p) { insn_ud2(); p->word[1]++; }
static void do_div(struct peer *p) { insn_div0(); p->word[1]++; }
static void do_cli(struct peer *p) { insn_cli(); p->word[1]++; }
static void do_hlt(struct peer *p) { insn_hlt(); p->word[1]++; }
static void do_out(struct peer *p) { insn_out(0xf4, 0x55); p->word[1]++; }
static void do_rdmsr(struct peer *p) { insn_rdmsr(0xc0000080); p->word[1]++; }
static void do_int3(struct peer *p) { insn_int3(); p->word[1]++; }
static void do_int80(struct peer *p) { p->word[2] = insn_int80(20); p->word[1]++; }
static void do_foreign(struct peer *p) { p->word[2] = insn_foreign(p->word[0], 5); p->word[1]++; }
static void do_trap(struct peer *p) { insn_trap_flag(); p->word[1]++; }

static const struct cause {
	peer_main *start;
	uint64_t word;          /* address or number */
	uint64_t skip, vector, error;
} causes[] = {
	{ do_store, NOWHERE + 8, INSN_STORE_BYTES, 14, 6 },
	{ do_load, NOWHERE, INSN_LOAD_BYTES, 14, 4 },
	{ do_load, 0, INSN_LOAD_BYTES, 14, 4 },
	{ do_load, 0xffffffff80000000, INSN_LOAD_BYTES, 14, ~0ull },
	{ do_store, 0xffff800000100000, INSN_STORE_BYTES, 14, ~0ull },
	{ do_store, EXO_SELF_VA, INSN_STORE_BYTES, 14, ~0ull },
	{ do_load, 1ull << 63, INSN_LOAD_BYTES, 13, 0 },
	{ do_ud2, 0, INSN_UD2_BYTES, 6, 0 },
	{ do_div, 0, INSN_DIV_BYTES, 0, 0 },
	{ do_cli, 0, INSN_CLI_BYTES, 13, 0 },
	{ do_hlt, 0, INSN_HLT_BYTES, 13, 0 },
	{ do_out, 0, INSN_OUT_BYTES, 13, 0 },
	{ do_rdmsr, 0, INSN_RDMSR_BYTES, 13, 0 },
	{ do_int3, 0, 0, 3, 0 },
	{ do_int80, 0, 0, EXO_TRAP_INT80, 0 },
	{ do_foreign, 0, 0, EXO_TRAP_FOREIGN, 0 },
	{ do_foreign, 39, 0, EXO_TRAP_FOREIGN, 0 },
	{ do_foreign, 0x3fff, 0, EXO_TRAP_FOREIGN, 0 },
	{ do_foreign, 0x401f, 0, EXO_TRAP_FOREIGN, 0 },
	{ do_foreign, 0x401f, 0, EXO_TRAP_FOREIGN, 0 },
	{ do_foreign, 0x4027, 0, EXO_TRAP_FOREIGN, 0 },
	{ do_foreign, 1ull << 32 | 0x4000, 0, EXO_TRAP_FOREIGN, 0 },
	{ do_foreign, ~0ull, 0, EXO_TRAP_FOREIGN, 0 },
};

EXO_TEST(each_cause_is_told_as_it_is, LONG)
{
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	for (unsigned i = 0; i < ARRAY_LEN(causes); i++) {
		const struct cause *c = &causes[i];
		bool good;

		peer.word[0] = c->word;
		peer.word[1] = 0;
		must(run(&peer, c->start, peer_note, c->skip));
		good = expect_eq(peer.page->stop_reason, EXO_STOP_EXIT) &&
			expect_eq(peer.upcalls, 1) &&
		       expect_eq(peer.seen.vector, c->vector) && expect_eq(peer.word[1], 1);
		if (c->error != ~0ull)
			good = expect_eq(peer.seen.error, c->error) && good;
		if (c->vector == 14)
			good = expect_eq(peer.seen.cr2, c->word) && good;
		if (c->vector == EXO_TRAP_FOREIGN)
			good = expect_eq(peer.seen.rax, c->word) && expect_eq(peer.seen.rdi, 5) &&
				good;
		if (!good)
			guest_fail("cause %u", i);
	}
	expect_eq(peer.page->upcalls_off, 0);
	peer_end(&peer);
}

static void clear_trap(struct peer *peer, struct exo_context *context)
{
	peer_note(peer, context);
	context->rflags &= ~0x100ull;
}

EXO_TEST(single_steps_are_told, SHORT)
{
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	must(run(&peer, do_trap, clear_trap, 0));
	expect_eq(peer.page->stop_reason, EXO_STOP_EXIT);
	expect_eq(peer.upcalls, 1);
	expect_eq(peer.seen.vector, 1);
	peer_end(&peer);
}

static uint64_t found[16];      /* by peer_registers */

static void do_registers(struct peer *peer) { (void)peer; peer_registers(found); }

EXO_TEST(all_registers_survive_an_upcall, SHORT)
{
	/*
	 * Order of found: rflags, r15 ... r8, rbp, rdi, rsi, rdx, rcx, rbx, rax; low digit by
	 * register.
	 */
	static const uint8_t digit[16] = { 0, 15, 14, 13, 12, 11, 10, 9, 8, 6, 5, 4, 3, 2, 1, 0 };
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	must(run(&peer, do_registers, peer_note, INSN_UD2_BYTES));
	expect_eq(peer.upcalls, 1);
	expect_eq(found[0] & 0x401, 0x401);
	for (unsigned i = 1; i < 16; i++)
		expect_eq(found[i], 0xa000000000000000 + digit[i]);
	expect_eq(peer.seen.r15, 0xa00000000000000f);
	expect_eq(peer.seen.rax, 0xa000000000000000);
	expect_eq(peer.seen.rflags & 0x401, 0x401);
	peer_end(&peer);
}

/* Entries of all kinds on this CPU but interrupts, and calls; the same slice, or a retry. */
static void count_entries(struct peer *p)
{
	const struct exo_cpu_stats *stats = (const void *)p->word[0];
	uint64_t entries, others, calls, faults, slices;

	do {
		slices = p->page->slices;
		entries = stats->entries;
		others = stats->interrupts;
		calls = p->page->calls;
		faults = p->page->faults;
		insn_ud2();
		p->word[2] = stats->entries - entries;
		p->word[3] = stats->interrupts - others;
		p->word[4] = p->page->calls - calls;
		p->word[5] = p->page->faults - faults;
	} while (p->page->slices != slices || p->word[3]);
}

EXO_TEST(a_fault_handled_and_resumed_is_one_entry, SHORT)
{
	const struct exo_machine *m = exos_machine();
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	peer.word[0] = (uint64_t)exos_machine_at(m->stats_off + HERE * EXO_PAGE_SIZE);
	must(run(&peer, count_entries, peer_note, INSN_UD2_BYTES));
	expect_eq(peer.page->stop_reason, EXO_STOP_EXIT);
	expect_eq(peer.word[2], 1);
	expect_eq(peer.word[4], 0);
	expect_eq(peer.word[5], 1);
	peer_end(&peer);
}

EXO_TEST(without_an_entry_a_fault_stops_it, SHORT)
{
	static const uint64_t entries[] = { 0, 1ull << 47, 0xffffffff80000000, ~0ull };
	uint32_t entry = exos_event_alloc();
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	must_eq(exo_env_control(peer.env, EXO_ENV_WATCH, entry, 0), 0);
	for (unsigned i = 0; i < ARRAY_LEN(entries); i++) {
		peer.word[0] = NOWHERE + 16;
		peer_upcalls(&peer, NULL);
		peer.page->fault_rip = entries[i];
		must_eq(peer_slots(&peer, HERE, 0, 2), 0);
		must_eq(peer_start(&peer, do_store, 0), 0);
		must_eq(exos_event_wait(entry, exos_deadline(5 * SECOND)), 1);
		expect_eq(peer.page->stop_reason, EXO_STOP_FAULT);
		expect_eq(peer.page->area[EXO_AREA_DOUBLE].vector, 14);
		expect_eq(peer.page->area[EXO_AREA_DOUBLE].cr2, NOWHERE + 16);
		expect_eq(peer.page->area[EXO_AREA_DOUBLE].rdi, NOWHERE + 16);
		expect(peer.page->area[EXO_AREA_DOUBLE].rip >= EXOS_IMAGE_VA);
	}
	peer_end(&peer);
}
