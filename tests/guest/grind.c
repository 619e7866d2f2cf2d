/* SPDX-License-Identifier: MIT */
/*
 * grind.c - random hostile calls on every CPU at once, beside a victim that must not notice.
 *
 * Each grinder has frames, a space it does not run in, an environment, doorbells, a gate and a few
 * time slots, and makes every call with arguments from these and from nowhere.  The victim keeps
 * a pattern in its own memory and counts its slices.  What a grinder does to itself is its affair;
 * the suite then looks for what is left over in the machine.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/slot.h>
#include <exos/start.h>
#include <exos/time.h>
#include "guest.h"
#include "peer.h"
#include "x86/insn.h"

#define SECOND   1000000000ull
#define MOST     8u             /* grinders */
#define FRAMES   48u            /* of each */

static volatile uint64_t over;
static struct peer grinders[MOST], victim;
static struct guest_frames frames[MOST];

static uint64_t next(struct peer *peer)
{
	uint64_t x = peer->word[0];

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return peer->word[0] = x;
}

/* A name: mostly of a slot of the own table as it is now, else nonsense. */
static exo_slot some_name(struct peer *peer)
{
	uint64_t r = next(peer);
	unsigned i = r % EXO_SLOTS_PER_FRAME;

	if (r >> 60 == 0)
		return next(peer);
	if (r >> 60 == 1)
		i %= 8;
	return exo_slot_make(peer->sid + i, peer->slots[i].gen);
}

/* A number: a sid, a frame or an address near our own, a small or an absurd one. */
static uint64_t some_number(struct peer *peer)
{
	uint64_t r = next(peer);

	switch (r >> 61) {
	case 0: return peer->sid + r % 70;
	case 1: return peer->word[1] + r % (FRAMES + 2) - 1;
	case 2: return r % 8;
	case 3: return (r % 4096) * 4096;
	case 4: return 1ull << (r % 64);
	case 5: return r % 300;
	case 6: return (uint64_t)peer->stack + r % 512;
	default: return r;
	}
}

static void some_map(struct peer *peer)
{
	struct exo_map_op op[4];

	for (unsigned i = 0; i < 4; i++)
		op[i] = (struct exo_map_op){
			.slot = some_name(peer), .va = some_number(peer), .pfn = some_number(peer),
			.pages = (uint32_t)(next(peer) % 6), .op = (uint16_t)(next(peer) % 7),
			.prot = (uint16_t)(next(peer) & (EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC | 0x1000)),
		};
	exo_space_update(some_name(peer), (uint64_t)op, 1 + next(peer) % 4);
}

static void some_ports(struct peer *peer)
{
	struct exo_port_op op = { .port = (uint16_t)next(peer), .size = (uint8_t)(next(peer) % 5),
				  .op = (uint8_t)(next(peer) % 4), .tries = (uint32_t)(next(peer) % 3) };

	exo_port_io(some_name(peer), (uint64_t)&op, 1);
}

/* One call, any but exit and a wait without end. */
static void some_call(struct peer *p)
{
	static const uint32_t kinds[] = { EXO_KIND_PT, EXO_KIND_TABLE, EXO_KIND_ENV, EXO_KIND_SPACE,
					  EXO_KIND_RING, EXO_KIND_FRAME };
	uint64_t r = next(p);

	switch (r % 20) {
	case 0: case 1: case 2:
		exo_cap_narrow(some_name(p), some_number(p), some_number(p), some_number(p),
			       next(p) & (0x3ff | EXO_SHARE));
		break;
	case 3: exo_cap_give(some_name(p), some_name(p), some_number(p), next(p) & (0x3ff | EXO_SHARE)); break;
	case 4: exo_cap_drop(r & 1024 ? some_name(p) : exo_slot_make(p->sid + 8 + r / 2048 % 56,
			     p->slots[8 + r / 2048 % 56].gen)); break;
	case 5: exo_cap_revoke(some_name(p)); break;
	case 6: case 7: case 8:
		exo_retype(some_name(p), some_number(p), some_number(p), kinds[next(p) % 6],
			   r & 1024 ? some_name(p) : next(p) % 5);
		break;
	case 9: case 10: some_map(p); break;
	case 11: exo_env_control(some_name(p), next(p) % 7, r & 1024 ? some_name(p) : some_number(p),
				 some_number(p)); break;
	case 12: exo_env_notify(some_name(p)); break;
	case 13: exo_doorbell(some_name(p), some_number(p), some_number(p), next(p) & 0x3ff); break;
	case 14: exo_gate_make(some_name(p), some_number(p), some_number(p), some_number(p)); break;
	case 15: exo_slot_set(some_name(p), some_number(p), some_name(p)); break;
	case 16: some_ports(p); break;
	case 17: exo_disk_bind(some_name(p), some_name(p), some_number(p)); break;
	case 18: exo_space_update(some_name(p), some_number(p), some_number(p)); break;
	default: exo_env_yield(some_name(p)); break;
	}
}

static void grind(struct peer *peer)
{
	while (!over) {
		some_call(peer);
		__atomic_store_n(&peer->word[2], peer->word[2] + 1, __ATOMIC_RELAXED);
	}
}

/* The victim's memory is its stack's lowest page; word[3] counts rounds, word[4] what was wrong. */
static void be_the_victim(struct peer *peer)
{
	volatile uint64_t *mine = (volatile uint64_t *)peer->stack;

	for (uint64_t round = 1; !over; round++) {
		for (unsigned i = 0; i < 512; i++)
			mine[i] = round * 0x9e3779b97f4a7c15 + i;
		for (unsigned i = 0; i < 512; i++)
			peer->word[4] += mine[i] != round * 0x9e3779b97f4a7c15 + i;
		peer->word[3] = round;
	}
}

/* What a grinder holds, in the first slots of its table. */
static bool equip(unsigned n, uint32_t cpu)
{
	struct peer *p = &grinders[n];
	const struct exos_grant *time = peer_time(cpu);
	uint64_t first = time ? time->lo + 4 + 2 * (n / exos_machine()->cpus) : 0;
	exo_slot frame, space, env, bell;

	if (!expect_eq(peer_make(p), 0) || !expect_eq(guest_frames_make(&frames[n], FRAMES), 0))
		return false;
	p->word[0] = 0x243f6a8885a308d3 + n * 0x100000001b3ull;
	p->word[1] = frames[n].lo;
	space = guest_retype(frames[n].slot, frames[n].lo, EXO_KIND_SPACE, 0);
	env = guest_retype(frames[n].slot, frames[n].lo + 4, EXO_KIND_ENV, 0);
	frame = guest_narrow(frames[n].slot, frames[n].lo + 7, frames[n].hi, GUEST_R_FRAMES);
	bell = (exo_slot)exo_doorbell(env, guest_sid(), 9, EXO_R_NOTIFY);
	if (!space || !env || !frame || !expect((int64_t)bell > 0))
		return false;
	if (time && first + 2 <= time->hi) {
		exo_slot part = guest_narrow(time->slot, first, first + 2, EXO_R_CONTROL);

		expect(part && peer_give(p, 5, part, EXO_R_CONTROL) > 0);
	}
	return expect(peer_give(p, 0, frame, GUEST_R_FRAMES) > 0) &&
	       expect(peer_give(p, 1, space, exos_cap_look(space)->rights) > 0) &&
	       expect(peer_give(p, 2, env, exos_cap_look(env)->rights) > 0) &&
	       expect(peer_give(p, 3, bell, EXO_R_NOTIFY) > 0);
}

static void grind_for(uint64_t seconds)
{
	uint32_t cpus = (uint32_t)min_u64(exos_machine()->cpus, MOST), count = cpus < 2 ? 2 : cpus;
	uint64_t end, slices, total = 0;

	over = 0;
	for (unsigned n = 0; n < count; n++) {
		must(equip(n, n % cpus));
		must_eq(peer_slots(&grinders[n], n % cpus, n / cpus, 1), 0);
	}
	must_eq(peer_make(&victim), 0);
	must_eq(peer_slots(&victim, exos_page()->cpu, 2, 2), 0);
	must_eq(peer_start(&victim, be_the_victim, 0), 0);
	for (unsigned n = 0; n < count; n++)
		must_eq(peer_start(&grinders[n], grind, 0), 0);
	guest_pause_ms(100);
	slices = victim.page->slices;
	end = exos_deadline(seconds * SECOND);
	while (exos_tsc() < end)
		exos_sleep(SECOND / 10);
	expect(victim.page->slices > slices);
	over = 1;
	expect(peer_wait(&victim, 20000));
	expect(victim.word[3] > 1);
	expect_eq(victim.word[4], 0);
	for (unsigned n = 0; n < count; n++) {
		expect(peer_wait(&grinders[n], 20000));
		expect_eq(grinders[n].page->stop_reason, EXO_STOP_EXIT);
		expect(grinders[n].word[2] > 100);
		total += grinders[n].word[2];
	}
	printf("grind: %lu calls on %u CPUs, %lu rounds of the victim\n", total, cpus, victim.word[3]);
	for (unsigned n = 0; n < count; n++) {
		expect_eq(exos_cap_end(frames[n].slot), 0);
		peer_end(&grinders[n]);
	}
	peer_end(&victim);
}

EXO_TEST(random_calls_on_every_cpu_harm_nobody, LONG)
{
	grind_for(5);
}
