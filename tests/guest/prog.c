/* SPDX-License-Identifier: MIT */
/*
 * prog.c - loading programs into the kernel, and what is refused; programs as wake-up predicates.
 */
#include "prog.h"

#include <base/util.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include "peer.h"

#define MS 1000000ull

/* Where the test keeps what predicates look at: the last word of the library's part of its page. */
#define WORD (offsetof(struct exo_env_page, user) + sizeof(((struct exo_env_page *)0)->user) - 8)

static volatile uint64_t *word(void)
{
	return (volatile uint64_t *)((char *)exos_page() + WORD);
}

int guest_prog_make(struct guest_prog *p, uint32_t max)
{
	uint64_t frames = EXO_FRAMES_PROG(max), lo;
	int err = guest_frames_make(&p->frames, 2 * frames);

	if (err)
		return err;
	lo = p->frames.lo;
	if (lo / EXO_CHUNK_FRAMES != (lo + frames - 1) / EXO_CHUNK_FRAMES)
		lo = p->frames.hi - frames;
	err = exos_cap_retype(p->frames.slot, lo, EXO_KIND_PROG, max, &p->prog);
	if (err)
		guest_frames_end(&p->frames);
	return err;
}

void guest_prog_end(struct guest_prog *p)
{
	if (p->prog)
		expect_eq(exos_cap_end(p->prog), 0);
	guest_frames_end(&p->frames);
}

int64_t guest_prog_load(exo_slot prog, const struct exo_insn *insn, uint64_t count)
{
	int64_t n;

	do
		n = exo_prog_load(prog, (uint64_t)insn, count);
	while (n == EXO_MORE);
	return n;
}

exo_slot guest_prog(struct guest_prog *p, const struct exo_insn *insn, uint32_t count)
{
	int64_t err = guest_prog_make(p, count);

	if (!err && (err = guest_prog_load(p->prog, insn, count)) < 0)
		guest_prog_end(p);
	if (err)
		guest_fail("no program: error %ld", err);
	return err ? 0 : p->prog;
}

static int64_t predicate(exo_slot prog)
{
	return exo_env_control(guest_claim("env"), EXO_ENV_PREDICATE, prog, 0);
}

static const struct exo_insn yes[] = { I_MOV(0, 1), I_EXIT };
static const struct exo_insn no[] = { I_EXIT };
static const struct exo_insn word_is_set[] = { I_LOAD64(0, 1, WORD), I_EXIT };

EXO_TEST(prog_is_loaded_once, SHORT)
{
	struct guest_prog p;

	must_eq(guest_prog_make(&p, 64), 0);
	expect_error(predicate(p.prog), USE);
	expect_eq(guest_prog_load(p.prog, yes, 2), 0);
	expect_error(exo_prog_load(p.prog, (uint64_t)yes, 2), BUSY);
	expect_eq(predicate(p.prog), 0);
	expect_eq(predicate(0), 0);
	guest_prog_end(&p);
}

EXO_TEST(prog_load_is_checked, SHORT)
{
	static const struct exo_insn bad[][3] = {
		{ I(0x8d, 0, 0, 0, 0), I_EXIT },                /* no such instruction */
		{ I(0x85, 0, 0, 0, 1), I_EXIT },                /* call */
		{ I(0xdb, 1, 2, 0, 0), I_EXIT },                /* atomic */
		{ I(0x05, 0, 0, -1, 0), I_EXIT, I_EXIT },       /* backwards */
		{ I(0x05, 0, 0, 2, 0), I_EXIT, I_EXIT },        /* out of the program */
		{ I_MOV(10, 1), I_EXIT, I_EXIT },               /* the frame pointer */
		{ I_MOV(11, 1), I_EXIT, I_EXIT },
		{ I(0xb7, 0, 1, 0, 1), I_EXIT, I_EXIT },        /* unused field */
		{ I_EXIT, I_EXIT, I_MOV(0, 1) },                /* no end */
	};
	struct guest_prog p;

	must_eq(guest_prog_make(&p, 4), 0);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		expect_error(guest_prog_load(p.prog, bad[i], 3), PROGRAM);
	expect_error(guest_prog_load(p.prog, yes, 0), ARG);
	expect_error(guest_prog_load(p.prog, yes, EXO_PROG_MAX + 1), ARG);
	expect_error(guest_prog_load(p.prog, yes, 5), ROOM);
	expect_error(guest_prog_load(p.prog, NULL, 2), FAULT);
	expect_error(guest_prog_load(p.prog, (void *)~15ul, 2), FAULT);
	expect_error(guest_prog_load(p.prog, (void *)0xffff800000000000ul, 2), FAULT);
	expect_error(guest_prog_load(guest_claim("env"), yes, 2), KIND);
	expect_error(guest_prog_load(p.prog + 1, yes, 2), STALE);
	expect_eq(guest_prog_load(p.prog, yes, 2), 0);
	guest_prog_end(&p);
	expect_error(guest_prog_load(p.prog, yes, 2), STALE);
}

EXO_TEST(prog_objects_are_checked, SHORT)
{
	struct guest_frames f;
	exo_sid sid = guest_sid();
	exo_slot weak;
	struct guest_prog p;

	must_eq(guest_frames_make(&f, 2), 0);
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_PROG, 0), ARG);
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_PROG, EXO_PROG_MAX + 1), ARG);
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_PROG, ~0ul), ARG);
	expect_error(exo_retype(f.slot, sid, f.lo / EXO_CHUNK_FRAMES * EXO_CHUNK_FRAMES +
	                        EXO_CHUNK_FRAMES - 8, EXO_KIND_PROG, EXO_PROG_MAX), RANGE);
	expect_refused(exo_retype(f.slot, sid, f.lo, EXO_KIND_PROG, 1));  /* too few frames */
	must(guest_prog(&p, yes, 2) != 0);
	must((weak = guest_narrow(p.prog, 0, 0, EXO_R_CONTROL)) != 0);
	expect_error(predicate(weak), RIGHTS);
	expect_eq(exos_cap_drop(weak), 0);
	must((weak = guest_narrow(p.prog, 0, 0, EXO_R_CALL)) != 0);
	expect_error(exo_prog_load(weak, (uint64_t)yes, 2), RIGHTS);
	expect_eq(predicate(weak), 0);
	expect_error(predicate(p.prog), BUSY);
	expect_eq(predicate(0), 0);
	expect_eq(predicate(p.prog), 0);
	guest_prog_end(&p);
	guest_frames_end(&f);
}

/* Four in one piece of the code window come and go in every order; each goes on working. */
EXO_TEST(prog_share_a_table_of_the_window, SHORT)
{
	static const uint8_t order[6][4] = { { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 3, 0, 2 },
		                             { 2, 0, 3, 1 }, { 0, 3, 1, 2 }, { 1, 0, 2, 3 } };
	struct guest_prog p[4];

	for (unsigned round = 0; round < ARRAY_LEN(order); round++) {
		for (unsigned i = 0; i < 4; i++)
			must(GUEST_PROG(&p[i], yes) != 0);
		for (unsigned i = 0; i < 4; i++) {
			guest_prog_end(&p[order[round][i]]);
			for (unsigned j = i + 1; j < 4; j++) {
				must_eq(predicate(p[order[round][j]].prog), 0);
				expect(exo_env_wait_until(exos_deadline(1000 * MS)) >= 0);
			}
			predicate(0);
		}
	}
}

EXO_TEST(prog_predicate_without_one_is_refused, SHORT)
{
	struct guest_prog p;
	struct exo_insn big[EXO_PROG_WAKE_MAX + 1];

	expect_error(exo_env_wait_until(0), ABSENT);
	for (unsigned i = 0; i < ARRAY_LEN(big); i++)
		big[i] = (struct exo_insn)I_EXIT;
	must(GUEST_PROG(&p, big) != 0);
	expect_error(predicate(p.prog), RANGE);
	guest_prog_end(&p);
	must(guest_prog(&p, big, EXO_PROG_WAKE_MAX) != 0);
	expect_eq(predicate(p.prog), 0);
	guest_prog_end(&p);
	expect_error(exo_env_wait_until(0), ABSENT);
}

EXO_TEST(prog_predicate_decides_when_to_wake, SHORT)
{
	uint64_t start = exos_tsc(), until = exos_deadline(30 * MS);
	struct guest_prog p, q;

	must(GUEST_PROG(&p, yes) != 0);
	must(GUEST_PROG(&q, no) != 0);
	must_eq(predicate(p.prog), 0);
	expect_eq(exo_env_wait_until(0), exos_page()->event_head);
	must_eq(predicate(q.prog), 0);
	expect_eq(exo_env_wait_until(until), exos_page()->event_head);
	expect(exos_tsc() >= until);
	expect(exos_tsc_to_ns(exos_tsc() - start) < 10000 * MS);
	predicate(0);
	guest_prog_end(&p);
	guest_prog_end(&q);
}

/* Loads and stores outside end it with 0: nobody wakes by them; inside they tell the truth. */
EXO_TEST(prog_loads_outside_are_zero, SHORT)
{
	static const struct exo_insn outside[][4] = {
		{ I_LOAD64(2, 1, 4089), I_MOV(0, 1), I_EXIT, I_EXIT },
		{ I_LOAD8(2, 1, -1), I_MOV(0, 1), I_EXIT, I_EXIT },
		{ I_ADD(1, -0x1000000), I_LOAD8(2, 1, 0), I_MOV(0, 1), I_EXIT },
		{ I_MOV(3, 0xffff8000), I_LOAD64(2, 3, 0), I_MOV(0, 1), I_EXIT },
		{ I_LOAD8(2, 10, 0), I_MOV(0, 1), I_EXIT, I_EXIT },
		{ I_LOAD8(2, 10, -513), I_MOV(0, 1), I_EXIT, I_EXIT },
		{ I_STORE64(1, 0, 1), I_MOV(0, 1), I_EXIT, I_EXIT },    /* the page is read only */
		{ I_COPY(3, 10), I_STORE64(3, 0, 1), I_MOV(0, 1), I_EXIT },
	};
	static const struct exo_insn inside[][4] = {
		{ I_LOAD64(2, 1, 4088), I_MOV(0, 1), I_EXIT, I_EXIT },
		{ I_STORE64(10, -512, 1), I_LOAD64(0, 10, -512), I_EXIT, I_EXIT },
		{ I_COPY(3, 10), I_STORE64(3, -8, 1), I_LOAD64(0, 10, -8), I_EXIT },
	};
	struct guest_prog p;

	for (unsigned i = 0; i < ARRAY_LEN(outside); i++) {
		uint64_t until = exos_deadline(5 * MS);

		must(GUEST_PROG(&p, outside[i]) != 0);
		must_eq(predicate(p.prog), 0);
		expect(exo_env_wait_until(until) >= 0 && exos_tsc() >= until);
		guest_prog_end(&p);
	}
	for (unsigned i = 0; i < ARRAY_LEN(inside); i++) {
		must(GUEST_PROG(&p, inside[i]) != 0);
		must_eq(predicate(p.prog), 0);
		expect(exo_env_wait_until(exos_deadline(20000 * MS)) >= 0);
		guest_prog_end(&p);
	}
}

static void writer(struct peer *peer)
{
	guest_pause_ms(30);
	*word() = peer->word[0];
	for (;;)
		exo_env_yield(0);
}

/* Another environment that may write the page wakes it, without a call. */
EXO_TEST(prog_predicate_sees_memory, SHORT)
{
	struct guest_prog p;
	struct peer peer;
	uint64_t until;

	*word() = 0;
	must(GUEST_PROG(&p, word_is_set) != 0);
	must_eq(predicate(p.prog), 0);
	must_eq(peer_make(&peer), 0);
	peer.word[0] = 7;
	must_eq(peer_slots(&peer, exos_page()->cpu, 0, 1), 0);
	must_eq(peer_start(&peer, writer, 0), 0);
	until = exos_deadline(20000 * MS);
	expect(exo_env_wait_until(until) >= 0);
	expect_eq(*word(), 7);
	expect(exos_tsc() < until);
	peer_end(&peer);
	guest_prog_end(&p);
}

static void ringer(struct peer *peer)
{
	for (unsigned i = 0; i < 4; i++) {
		peer->word[1] = i + 1;
		peer->word[2] |= (uint64_t)exo_env_notify(peer->word[0]);
		guest_pause_ms(5);
	}
	for (;;)
		exo_env_yield(0);
}

/* Events wake it only when the predicate says so: here when three were counted. */
EXO_TEST(prog_predicate_counts_events, SHORT)
{
	uint32_t entry = exos_event_alloc();
	const struct exo_insn three[] = {
		I_LOAD32(2, 1, offsetof(struct exo_env_page, event_count) + 4 * entry),
		I(0xa5, 2, 0, 1, 3),            /* r2 below 3: go to the exit */
		I_MOV(0, 1), I_EXIT };
	struct guest_prog p;
	struct peer peer;
	exo_slot bell = 0;

	must(GUEST_PROG(&p, three) != 0);
	must_eq(predicate(p.prog), 0);
	must_eq(exos_cap_doorbell(entry, &bell), 0);
	must_eq(peer_make(&peer), 0);
	must((int64_t)(peer.word[0] = (uint64_t)peer_give(&peer, 8, bell, EXO_R_NOTIFY)) > 0);
	must_eq(peer_slots(&peer, exos_page()->cpu, 0, 1), 0);
	must_eq(peer_start(&peer, ringer, 0), 0);
	expect(exo_env_wait_until(exos_deadline(20000 * MS)) >= 0);
	expect(peer.word[1] >= 3);
	expect_eq(peer.word[2], 0);
	expect(exos_event_take(entry) >= 3);
	peer_end(&peer);
	guest_prog_end(&p);
}

static void sleeper(struct peer *peer)
{
	peer->word[2] = (uint64_t)exo_env_wait_until(0);
	peer->word[1] = 1;
	for (;;)
		exo_env_yield(0);
}

/* Its object's holder ends it: who sleeps by it wakes up, and can be ended while asleep. */
EXO_TEST(prog_ends_under_a_sleeper, SHORT)
{
	for (unsigned round = 0; round < 3; round++) {
		struct guest_prog p;
		struct peer peer;

		must(GUEST_PROG(&p, no) != 0);
		must_eq(peer_make(&peer), 0);
		must_eq(exo_env_control(peer.env, EXO_ENV_PREDICATE, p.prog, 0), 0);
		must_eq(peer_slots(&peer, exos_page()->cpu, 0, 1), 0);
		must_eq(peer_start(&peer, sleeper, 0), 0);
		guest_pause_ms(30);
		expect_eq(peer.word[1], 0);
		if (round == 0) {
			guest_prog_end(&p);
			expect(guest_await(&peer.word[1], 1, 5000));
			expect((int64_t)peer.word[2] >= 0);
		} else if (round == 1) {
			expect_eq(exo_env_control(peer.env, EXO_ENV_PREDICATE, 0, 0), 0);
			expect(guest_await(&peer.word[1], 1, 5000));
		}
		peer_end(&peer);
		if (round)
			guest_prog_end(&p);
	}
}

/* A program of 4,096 instructions is loaded in many short calls, none of which does much. */
EXO_TEST(prog_of_full_length, LONG)
{
	static struct exo_insn insn[EXO_PROG_MAX];
	struct guest_prog p;
	unsigned calls = 0;
	int64_t n;

	for (unsigned i = 0; i < EXO_PROG_MAX - 1; i++)
		insn[i] = (struct exo_insn)I_ADD(0, 1);
	insn[EXO_PROG_MAX - 1] = (struct exo_insn)I_EXIT;
	must_eq(guest_prog_make(&p, EXO_PROG_MAX), 0);
	do {
		n = exo_prog_load(p.prog, (uint64_t)insn, EXO_PROG_MAX);
		calls++;
	} while (n == EXO_MORE);
	expect_eq(n, 0);
	expect(calls >= EXO_PROG_MAX / 64 * 3);
	guest_prog_end(&p);
	/* What was begun and left is begun anew, also with another length. */
	must_eq(guest_prog_make(&p, EXO_PROG_MAX), 0);
	for (unsigned i = 0; i < 100; i++)
		must_eq(exo_prog_load(p.prog, (uint64_t)insn, EXO_PROG_MAX), EXO_MORE);
	expect_eq(guest_prog_load(p.prog, yes, 2), 0);
	expect_eq(predicate(p.prog), 0);
	expect(exo_env_wait_until(exos_deadline(20000 * MS)) >= 0);
	guest_prog_end(&p);
}

/* Frames of a program are mapped by nobody, given to nobody, made into nothing else. */
EXO_TEST(prog_frames_are_the_kernels, SHORT)
{
	exo_sid sid = guest_sid();
	struct guest_prog p;
	uint64_t lo, hi;

	must(GUEST_PROG(&p, yes) != 0);
	lo = exos_cap_look(p.prog)->lo;
	hi = lo + EXO_FRAMES_PROG(2);
	for (uint64_t pfn = lo; pfn < hi; pfn++) {
		expect_eq(guest_use(pfn), EXO_USE_PROG);
		expect(!exos_space_window(p.frames.slot, pfn, 1, EXO_R_READ, NULL));
		expect(!exos_space_window(p.prog, pfn, 1, EXO_R_READ, NULL));
		expect(!exos_space_window(p.prog, pfn, 1, GUEST_RW, NULL));
		expect_refused(exo_cap_narrow(p.frames.slot, sid, pfn, pfn + 1, GUEST_RW));
		expect_refused(exo_retype(p.frames.slot, sid, pfn, EXO_KIND_FILTER, 0));
		expect_refused(exo_retype(p.prog, sid, pfn, EXO_KIND_FILTER, 0));
	}
	must_eq(exos_cap_end(p.prog), 0);
	for (uint64_t pfn = lo; pfn < hi; pfn++)
		expect_eq(guest_use(pfn), EXO_USE_MEMORY);
	p.prog = 0;
	/* What comes back is zero: no code of the former program. */
	for (uint64_t pfn = lo; pfn < hi; pfn++) {
		const uint64_t *at = exos_space_window(p.frames.slot, pfn, 1, EXO_R_READ, NULL);
		uint64_t any = 0;

		must(at != NULL);
		for (unsigned i = 0; i < EXO_PAGE_SIZE / 8; i++)
			any |= at[i];
		expect_eq(any, 0);
		exos_space_window_end((void *)at, 1);
	}
	guest_prog_end(&p);
}

static void light_sleeper(struct peer *peer)
{
	for (;;) {
		int64_t n = exo_env_wait_until(exos_deadline(MS));

		peer->word[n >= 0 ? 1 : 2]++;
		if (n < 0)
			exo_env_yield(0);
	}
}

/* Programs come and go under an environment that sleeps by them on another CPU. */
EXO_TEST(prog_come_and_go_on_another_cpu, SMP)
{
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	must_eq(peer_slots(&peer, !exos_page()->cpu, 0, 2), 0);
	must_eq(peer_start(&peer, light_sleeper, 0), 0);
	for (unsigned round = 0; round < 200; round++) {
		struct guest_prog p;

		must(GUEST_PROG(&p, no) != 0);
		must_eq(exo_env_control(peer.env, EXO_ENV_PREDICATE, p.prog, 0), 0);
		if (round % 4 == 0)
			guest_pause_ms(1 + round % 5);
		guest_prog_end(&p);
	}
	expect(peer.word[1] > 0);       /* slept */
	expect(peer.word[2] > 0);       /* had nothing to sleep by */
	peer_end(&peer);
}

#define MEASURED 56u            /* instructions of a kind in one program, of EXO_PROG_WAKE_MAX */
#define INSN_TSC 128u           /* time stamps an instruction takes with -icount 7 */

/* What asking a predicate costs that repeats an instruction so often: time stamps. */
static uint64_t predicate_cost(struct exo_insn one, uint32_t count, bool stack)
{
	struct exo_insn insn[EXO_PROG_WAKE_MAX] = {
		I_MOV(3, 5), stack ? (struct exo_insn)I_COPY(4, 10) : (struct exo_insn)I_COPY(4, 1),
		I_ADD(4, stack ? -64 : 0),
	};
	uint64_t least = UINT64_MAX;
	struct guest_prog p;

	for (uint32_t i = 0; i < count; i++)
		insn[3 + i] = one;
	insn[3 + count] = (struct exo_insn)I_MOV(0, 1);
	insn[4 + count] = (struct exo_insn)I_EXIT;
	if (!guest_prog(&p, insn, count + 5) || !expect_eq(predicate(p.prog), 0))
		return 0;
	for (unsigned i = 0; i < 5; i++) {
		uint64_t began = exos_tsc();

		exo_env_wait_until(1);
		least = min_u64(least, exos_tsc() - began);
	}
	guest_prog_end(&p);
	return least;
}

/* What an instruction more is said to cost is what it costs at most, for each kind. */
EXO_TEST(prog_costs_no_more_than_is_said, SHORT)
{
	static const struct {
		struct exo_insn insn;
		bool stack;
		uint32_t cost;
	} kind[] = {
		{ I(0x3f, 2, 3, 1, 0), false, EXO_PROG_COST_DIVIDE },   /* signed, by r3 */
		{ I(0x9f, 2, 3, 1, 0), false, EXO_PROG_COST_DIVIDE },
		{ I(0x37, 2, 0, 0, 7), false, EXO_PROG_COST_DIVIDE },
		{ I_LOAD64(5, 4, 0), false, EXO_PROG_COST_MEMORY },
		{ I_LOAD64(5, 4, 0), true, EXO_PROG_COST_MEMORY + EXO_PROG_COST_STACK },
		{ I_STORE64(4, 8, 3), true, EXO_PROG_COST_MEMORY + EXO_PROG_COST_STACK },
		{ I_LOAD64(5, 10, -8), true, EXO_PROG_COST_PLAIN },
		{ I_STORE64(10, -8, 10), true, EXO_PROG_COST_PLAIN + EXO_PROG_COST_R10 },
		{ I_JEQ(3, 1, 0), false, EXO_PROG_COST_BRANCH },
		{ I(0x1d, 10, 10, 0, 0), true, EXO_PROG_COST_BRANCH + 2 * EXO_PROG_COST_R10 },
		{ I(0x6c, 2, 3, 0, 0), false, EXO_PROG_COST_SHIFT },    /* 32 bits, by r3 */
		{ I(0xdc, 2, 0, 0, 16), false, EXO_PROG_COST_SWAP },
		{ I_ADD(2, 1), false, EXO_PROG_COST_PLAIN },
		{ I(0x0f, 2, 10, 0, 0), true, EXO_PROG_COST_PLAIN + EXO_PROG_COST_R10 },
		{ I(0x2f, 2, 3, 0, 0), false, EXO_PROG_COST_PLAIN },
	};

	for (unsigned n = 0; n < sizeof(kind) / sizeof(kind[0]); n++) {
		uint64_t before = predicate_cost(kind[n].insn, 1, kind[n].stack);
		uint64_t after = predicate_cost(kind[n].insn, 1 + MEASURED, kind[n].stack);
		uint64_t took = (after - before) / INSN_TSC;

		if (guest_icount() && (!took || took > MEASURED * kind[n].cost))
			guest_fail("kind %u: %u of them take %lu instructions", n, MEASURED, took);
	}
	predicate(0);
}
