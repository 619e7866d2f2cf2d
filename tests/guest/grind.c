/* SPDX-License-Identifier: MIT */
/*
 * grind.c - random hostile calls on every CPU at once, beside a victim that must not notice.
 *
 * Each grinder has frames, a space it does not run in, an environment, doorbells, a gate and a few
 * time slots, and makes every call with arguments from these and from nowhere.  The victim keeps
 * a pattern in its own memory and counts its slices.  Grinders also call gates: of a server that
 * is stopped and started, and of each other.  Meanwhile the test takes back what it gave them and
 * gives it anew.  What a grinder does to itself is its affair; the suite then looks for what is
 * left
 * over in the machine.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/gate.h>
#include <exos/slot.h>
#include <exos/start.h>
#include <exos/time.h>
#include <exo/disk.h>
#include <exos/space.h>
#include "grind.h"
#include "guest.h"
#include "peer.h"
#include "x86/insn.h"

#define SECOND   1000000000ull
#define MOST     GRINDERS
#define FRAMES   56u            /* of each */
#define BLOCKS   64u            /* of the disk, of each */

static volatile uint64_t over;
static struct peer grinders[MOST], victim, server;
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
			.prot = (uint16_t)(next(peer) & (EXO_SIZE_2M | 7)),
		};
	exo_space_update(some_name(peer), (uint64_t)op, 1 + next(peer) % 4);
}

static void some_ports(struct peer *peer)
{
	struct exo_port_op op = { .port = (uint16_t)next(peer), .size = (uint8_t)(next(peer) % 5),
				  .op = (uint8_t)(next(peer) % 4),
					  .tries = (uint32_t)(next(peer) % 3) };

	exo_port_io(some_name(peer), (uint64_t)&op, 1);
}

/* Call a gate; sometimes with an alarm that cuts the call, or with a claim to pass. */
static void some_gate(struct peer *p)
{
	struct exos_gate_message m = { .cap = next(p) % 4 ? 0 : some_name(p) };

	p->page->gate_open = next(p) % 2 ? p->sid + 8 + next(p) % 56 : some_number(p);
	p->page->alarm_tsc = next(p) % 2 ? 0 : insn_tsc() + next(p) % 200000;
	exos_gate_call_once(next(p) % 4 ? exo_slot_make(p->sid + 4, p->slots[4].gen) : some_name(p),
			    &m);
}

/* Packets: a byte or two of a random spec. */
static void some_narrow(struct peer *p)
{
	struct exo_nic_spec spec = { 0 };
	unsigned word = next(p) % EXO_NIC_WORDS;

	spec.receive.mask[word] = spec.send.mask[word] = 0xfful << next(p) % 64;
	spec.receive.value[word] = spec.receive.mask[word] & next(p);
	spec.send.value[word] = spec.send.mask[word] & next(p);
	exo_nic_narrow(some_name(p), some_number(p), some_name(p),
		       next(p) % 4 ? (uintptr_t)&spec : some_number(p), next(p) & (3 | EXO_SHARE));
}

/* A page with requests, as the grinder's own ring has it; some are good. */
static void some_disk(struct peer *p)
{
	struct exo_disk_sq_page *sq = (void *)p->word[5];
	struct exo_disk_cq_page *cq = (void *)p->word[7];
	exo_slot ring = exo_slot_make(p->sid + 6, p->slots[6].gen);
	uint64_t r = next(p);

	exo_disk_bind(ring, exo_slot_make(p->sid + 7, p->slots[7].gen), 1 + r % 9);
	for (unsigned i = 0; i < 1 + r % 7; i++, cq->sq_tail++)
		sq->req[cq->sq_tail % EXO_DISK_RING] = (struct exo_disk_req){
			.slot = exo_slot_make(p->sid, p->slots[0].gen),
			.pfn = p->word[1] + 7 + next(p) % 30,
			.block = p->word[6] + next(p) % BLOCKS,
			.count = (uint32_t)(1 + next(p) % 16), .op = EXO_DISK_READ };
	exo_disk_kick(ring);
	cq->cq_head = cq->cq_tail;
}

/* One call, any but exit and a wait without end. */
static void some_call(struct peer *p)
{
	static const uint32_t kinds[] = { EXO_KIND_PT, EXO_KIND_TABLE, EXO_KIND_ENV, EXO_KIND_SPACE,
					  EXO_KIND_RING, EXO_KIND_FILTER, EXO_KIND_PACKETS,
					  EXO_KIND_FRAME, EXO_KIND_VCPU };
	uint64_t r = next(p);

	switch (r % 29) {
	case 0: case 1: case 2:
		exo_cap_narrow(some_name(p), some_number(p), some_number(p), some_number(p),
			       next(p) & (0x3ff | EXO_SHARE));
		break;
	case 3: exo_cap_give(some_name(p), some_name(p), some_number(p),
			     next(p) & (0x3ff | EXO_SHARE)); break;
	case 4: exo_cap_drop(r & 1024 ? some_name(p) : exo_slot_make(p->sid + 8 + r / 2048 % 56,
			     p->slots[8 + r / 2048 % 56].gen)); break;
	case 5: exo_cap_revoke(some_name(p)); break;
	case 6: case 7: case 8:
		exo_retype(some_name(p), some_number(p), some_number(p), kinds[next(p) % 9],
			   r & 1024 ? some_name(p) : next(p) % 5);
		break;
	case 9: case 10: some_map(p); break;
	case 11: exo_env_control(some_name(p), next(p) % 7,
				 r & 1024 ? some_name(p) : some_number(p),
				 some_number(p)); break;
	case 12: exo_env_notify(some_name(p)); break;
	case 13: exo_doorbell(some_name(p), some_number(p), some_number(p), next(p) & 0x3ff); break;
	case 14: exo_gate_make(some_name(p), some_number(p), some_number(p), some_number(p)); break;
	case 15: exo_slot_set(some_name(p), some_number(p), some_name(p)); break;
	case 16: some_ports(p); break;
	case 17: exo_disk_bind(some_name(p), some_name(p), some_number(p)); break;
	case 18: exo_space_update(some_name(p), some_number(p), some_number(p)); break;
	case 19: case 20: some_gate(p); break;
	case 21: some_narrow(p); break;
	case 22: exo_nic_bind(some_name(p), some_name(p), some_number(p)); break;
	case 23: exo_nic_kick(some_name(p)); break;
	case 24: exo_vcpu_bind(some_name(p), some_name(p)); break;
	case 25: exo_vcpu_run(some_name(p), r & 1024 ? p->page->event_head : some_number(p)); break;
	case 26: exo_cap_ask(some_name(p), insn_tsc(), 0); break;
	case 27: exo_env_wait(p->page->event_head, insn_tsc() + r % 100000); break;
	default: exo_env_yield(some_name(p)); break;
	}
}

static void grind(struct peer *peer)
{
	while (!over) {
		if (peer->word[5] && next(peer) % 8 == 0)
			some_disk(peer);
		some_call(peer);
		__atomic_store_n(&peer->word[2], peer->word[2] + 1, __ATOMIC_RELAXED);
	}
}

/* The service of all gates: some calls take longer than others. */
static void serve(struct peer_gate_frame *frame)
{
	if (frame->word[0] % 8 == 0)
		exo_env_yield(0);
	frame->rdi = 1;
	frame->rsi = 0;
}

static void be_the_server(struct peer *peer)
{
	for (;;)
		exo_env_wait(peer->page->event_head, 0);
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

/* Put a claim into the grinder's table, over whatever it made of that slot. */
static void give(struct peer *p, unsigned index, exo_slot claim, uint32_t rights)
{
	peer_give(p, index, claim, rights);
}

static exo_slot slots_of[MOST], gates_of[MOST];

static bool make_grinder(unsigned n)
{
	struct peer *p = &grinders[n];

	if (!expect_eq(peer_make(p), 0) || !expect_eq(guest_frames_make(&frames[n], FRAMES), 0))
		return false;
	peer_serve(p, serve);
	p->word[0] = 0x243f6a8885a308d3 + n * 0x100000001b3ull;
	p->word[1] = frames[n].lo;
	slots_of[n] = 0;
	return true;
}

/* What a grinder holds, in the first slots of its table. */
static bool equip(unsigned n, uint32_t cpu)
{
	struct peer *p = &grinders[n];
	const struct exos_grant *time = peer_time(cpu);
	uint64_t first = time ? time->lo + 4 + 2 * (n / exos_machine()->cpus) : 0;
	exo_slot frame, space, env, bell, gate, nested;
	int64_t vcpu;

	space = guest_retype(frames[n].slot, frames[n].lo, EXO_KIND_SPACE, 0);
	env = guest_retype(frames[n].slot, frames[n].lo + 4, EXO_KIND_ENV, 0);
	nested = guest_retype(frames[n].slot, frames[n].lo + 7, EXO_KIND_SPACE, EXO_SPACE_GUEST);
	vcpu = exo_retype(frames[n].slot, guest_sid(), frames[n].lo + 11, EXO_KIND_VCPU, 0);
	frame = guest_narrow(frames[n].slot, frames[n].lo + 14, frames[n].hi, GUEST_R_FRAMES);
	if (!space || !env || !frame)
		return false;
	bell = (exo_slot)exo_doorbell(env, guest_sid(), 9, EXO_R_NOTIFY);
	gate = (exo_slot)exo_gate_make(n % 2 ? grinders[n - 1].env : server.env, guest_sid(),
				       (uint64_t)peer_gate, n);
	gates_of[n] = gate;
	if (time && first + 2 <= time->hi && !slots_of[n]) {
		slots_of[n] = guest_narrow(time->slot, first, first + 2, EXO_R_CONTROL);
		give(p, 5, slots_of[n], EXO_R_CONTROL);
	}
	give(p, 0, frame, GUEST_R_FRAMES);
	give(p, 1, space, EXO_R_CONTROL);
	give(p, 2, env, EXO_R_CONTROL | EXO_R_RUN | EXO_R_NOTIFY | EXO_R_GIVE | EXO_R_MAP);
	give(p, 3, bell, EXO_R_NOTIFY);
	give(p, 4, gate, EXO_R_CALL);
	if (vcpu > 0) {         /* there is SVM */
		expect_eq(exo_vcpu_bind((exo_slot)vcpu, nested), 0);
		/* From now on it may run. */
		give(p, 62, (exo_slot)vcpu, EXO_R_CONTROL | EXO_R_RUN | EXO_R_MAP);
		give(p, 63, nested, EXO_R_CONTROL | EXO_R_RUN);
	}
	return true;
}

/*
 * End all that one grinder made of its frames, at any moment, and equip it again; the server too.
 */
static void take_and_give_again(unsigned n, uint32_t cpu)
{
	expect_eq(exos_cap_revoke(frames[n].slot), 0);
	expect_eq(guest_held(frames[n].lo, frames[n].hi, exo_slot_sid(frames[n].slot)), FRAMES);
	while (exo_env_control(server.env, EXO_ENV_STOP, 0, 0) == EXO_MORE)
		continue;
	expect_eq(peer_start(&server, be_the_server, 0), 0);
	exos_slot_sweep();
	equip(n, cpu);
}

/* --- for kills.c: grinders that come and go --- */
static exo_slot blocks_of[MOST];
static void *rings[MOST][2];    /* their two pages */

/* A ring of the grinder's last frames, which it finds mapped, and some blocks. */
static bool equip_disk(unsigned n)
{
	const struct exos_grant *disk = exos_grant("disk", 0);
	struct peer *p = &grinders[n];
	uint64_t pfn = frames[n].hi - EXO_FRAMES_RING;
	exo_slot ring;

	rings[n][0] = rings[n][1] = NULL;
	if (!disk)
		return true;
	ring = guest_retype(frames[n].slot, pfn, EXO_KIND_RING, 0);
	for (unsigned i = 0; ring && i < 2; i++)
		rings[n][i] = exos_space_window(ring, pfn + 1 + i, 1, GUEST_RW, NULL);
	if (!expect(rings[n][0] && rings[n][1]))
		return false;
	p->word[7] = (uint64_t)rings[n][1];
	p->word[5] = (uint64_t)rings[n][0];
	p->word[6] = disk->lo + n * BLOCKS;
	if (!blocks_of[n])
		blocks_of[n] = guest_narrow(disk->slot, p->word[6], p->word[6] + BLOCKS,
					    EXO_R_READ);
	give(p, 6, ring, EXO_R_CONTROL | EXO_R_MAP);
	give(p, 7, blocks_of[n], EXO_R_READ);
	return true;
}

bool grind_begin(void)
{
	over = 0;
	return expect_eq(peer_make(&server), 0) && (peer_serve(&server, serve), true) &&
	       expect_eq(peer_slots(&server, exos_page()->cpu, 3, 1), 0) &&
	       expect_eq(peer_start(&server, be_the_server, 0), 0);
}

bool grind_start(unsigned n, uint64_t seed)
{
	uint32_t cpus = exos_machine()->cpus;

	if (!make_grinder(n))
		return false;
	grinders[n].word[0] = seed | 1;
	frames[n].hi -= EXO_FRAMES_RING;
	if (!equip(n, n % cpus))
		return false;
	frames[n].hi += EXO_FRAMES_RING;
	return equip_disk(n) && expect_eq(peer_slots(&grinders[n], n % cpus, n / cpus, 1), 0) &&
	       expect_eq(peer_start(&grinders[n], grind, 0), 0);
}

uint64_t grind_requests(unsigned n)
{
	const struct exo_disk_cq_page *cq = rings[n][1];

	return cq ? cq->sq_head : 0;
}

uint64_t grind_calls(unsigned n)
{
	return __atomic_load_n(&grinders[n].word[2], __ATOMIC_RELAXED);
}

void grind_yield(unsigned n)
{
	exo_env_yield(grinders[n].env);
}

void grind_kill(unsigned n, bool objects_first)
{
	struct peer *p = &grinders[n];
	exo_slot first = objects_first ? frames[n].slot : p->frames.slot;
	exo_slot second = objects_first ? p->frames.slot : frames[n].slot;

	if (exos_cap_look(gates_of[n]))         /* the server's does not end with the rest */
		exos_cap_drop(gates_of[n]);
	expect_eq(exos_cap_revoke(first), 0);
	expect_eq(exos_cap_revoke(second), 0);
	expect_eq(exos_cap_look(first)->unit, first == p->frames.slot ? PEER_FRAMES : FRAMES);
	for (unsigned i = 0; i < 2 && rings[n][i]; i++)
		exos_space_window_end(rings[n][i], 1);
	guest_frames_end(&frames[n]);
	if (slots_of[n])
		exos_cap_end(slots_of[n]);
	if (blocks_of[n])
		exos_cap_end(blocks_of[n]);
	slots_of[n] = blocks_of[n] = 0;
	exos_space_window_end(p->page, 1);
	p->page = NULL;                 /* there is nothing left to stop */
	peer_end(p);
}

void grind_end(void)
{
	over = 1;
	peer_end(&server);
}

static void grind_for(uint64_t seconds)
{
	uint32_t cpus = (uint32_t)min_u64(exos_machine()->cpus, MOST), count = cpus < 2 ? 2 : cpus;
	uint64_t end, slices, total = 0;

	over = 0;
	must_eq(peer_make(&server), 0);
	peer_serve(&server, serve);
	must_eq(peer_slots(&server, exos_page()->cpu, 3, 1), 0);
	must_eq(peer_start(&server, be_the_server, 0), 0);
	for (unsigned n = 0; n < count; n++) {
		must(make_grinder(n) && equip(n, n % cpus));
		must_eq(peer_slots(&grinders[n], n % cpus, n / cpus, 1), 0);
	}
	must_eq(peer_make(&victim), 0);
	must_eq(peer_slots(&victim, exos_page()->cpu, 2, 1), 0);
	must_eq(peer_start(&victim, be_the_victim, 0), 0);
	for (unsigned n = 0; n < count; n++)
		must_eq(peer_start(&grinders[n], grind, 0), 0);
	guest_pause_ms(100);
	slices = victim.page->slices;
	end = exos_deadline(seconds * SECOND);
	for (unsigned n = 0; exos_tsc() < end; n++) {
		exos_sleep(SECOND / 20);
		take_and_give_again(n % count, n % count % cpus);
	}
	expect(victim.page->slices > slices);
	over = 1;
	expect(peer_wait(&victim, 20000));
	expect(victim.word[3] > 1);
	expect_eq(victim.word[4], 0);
	for (unsigned n = 0; n < count; n++) {
		expect(peer_wait(&grinders[n], 20000));
		expect_eq(grinders[n].page->stop_reason, EXO_STOP_EXIT);
		expect(grinders[n].word[2] > 0);
		total += grinders[n].word[2];
	}
	printf("grind: %lu calls on %u CPUs, %lu rounds of the victim\n", total, cpus,
	       victim.word[3]);
	for (unsigned n = 0; n < count; n++) {
		expect_eq(exos_cap_end(frames[n].slot), 0);
		peer_end(&grinders[n]);
		exos_cap_end(slots_of[n]);
	}
	peer_end(&server);
	peer_end(&victim);
}

EXO_TEST(random_calls_on_every_cpu_harm_nobody, LONG)
{
	grind_for(5);
}
