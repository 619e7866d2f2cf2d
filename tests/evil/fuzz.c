/* SPDX-License-Identifier: MIT */
/*
 * fuzz.c - hostile programs that make random calls on every CPU, beside a victim that must not
 * notice: its memory, its disk blocks, its packets, its share of the CPU.
 *
 * The boot line says how many calls (fuzz=N), which (seed=N) and how often each kind is revoked in
 * use (cycles=N).  Runs only if it is named there.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/error.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include "fuzz.h"
#include "guest/disk.h"
#include "guest/nic.h"
#include "guest/suite.h"
#include "guest/vm.h"

#define ARENA   512u            /* frames */
#define VICTIM_SLOTS 2u
#define CHECKS  20u             /* checkpoints of a run */

static struct peer victim, server;
static struct disk victim_disk;
static struct guest_frames arena, buffer, nic_filter;
static struct ring victim_ring;
static uint64_t *victim_words, disk_checks, packet_checks;
static exo_slot given[HAS_GATE + 1];
static uint64_t cycles_wanted;

static uint64_t word_number(const char *key, uint64_t otherwise)
{
	const char *text = suite_word(key);
	uint64_t n = 0;

	if (!text)
		return otherwise;
	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	return n;
}

/* The first run of time slots on CPU 0: the warden's to divide. */
static const struct exos_grant *warden_time(void) { return peer_time(0); }

/* Let it run in so many slots of a CPU that nobody is in yet. */
static bool put_on(const struct peer *peer, uint32_t cpu, unsigned count)
{
	static uint64_t used[64];
	const struct exos_grant *g;

	for (unsigned n = 0; count && (g = exos_grant("slots", n)); n++)
		for (uint64_t slot = g->lo; count && slot < g->hi; slot++) {
			if (g->unit != cpu || g == warden_time() || used[cpu] >> slot & 1)
				continue;
			used[cpu] |= 1ull << slot;
			count -= exo_slot_set(g->slot, slot, peer->env) == 0;
		}
	return expect_eq(count, 0);
}

static void serve(struct peer_gate_frame *frame)
{
	frame->rdi = 1;
	if (frame->rsi)
		while (exo_cap_drop(frame->rsi) == EXO_MORE)
			continue;
	frame->rsi = 0;
}

static void be_the_server(struct peer *peer)
{
	peer->page->gate_open = peer->sid + 5;
	for (;;)
		exo_env_wait(peer->page->event_head, 0);
}

/* word[3]: rounds, word[4]: words of its memory that were not what it wrote. */
static void be_the_victim(struct peer *peer)
{
	volatile uint64_t *mine = (volatile uint64_t *)peer->stack;

	for (uint64_t round = 1; !fuzz.over; round++) {
		for (unsigned i = 0; i < 512; i++)
			mine[i] = round * 0x9e3779b97f4a7c15 + i;
		for (unsigned i = 0; i < 512; i++)
			peer->word[4] += mine[i] != round * 0x9e3779b97f4a7c15 + i;
		peer->word[3] = round;
	}
}

static void be_an_actor(struct peer *peer)
{
	struct actor *a = (struct actor *)peer;
	bool warden = a->number == 0;
	uint64_t cycles = 0;

	while (!fuzz.over) {
		if (warden && cycles * (fuzz.want / cycles_wanted) <= fuzz.calls) {
			fuzz_cycle(a);
			if (++cycles % 8 == 0)
				fuzz_equip(a, 1 + (unsigned)(cycles / 8 % (fuzz.actors - 1)));
		} else if (warden) {
			fuzz_yield(a);
		} else {
			fuzz_act(a);
		}
		if (fuzz.calls >= fuzz.want && (!warden || cycles >= cycles_wanted))
			break;
	}
}

/* A claim of another kind than memory for the warden; its parent stays ours. */
static void grant(struct actor *w, enum fuzz_slot index, exo_slot claim)
{
	if (!claim)
		return;
	given[index] = claim;
	expect(peer_give(&w->peer, index, claim, exos_cap_look(claim)->rights) > 0);
}

static exo_slot clock_ports(void)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant("port", n)); n++)
		if (g->lo <= 0x70 && g->hi >= 0x72)
			return guest_narrow(g->slot, 0x70, 0x72, EXO_R_CONTROL);
	return 0;
}

static exo_slot an_irq(void)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant_at(n)); n++)
		if (g->kind == EXO_KIND_IRQ)
			return guest_narrow(g->slot, 0, 0, EXO_R_CONTROL);
	return 0;
}

/* Packets of the ethertype for experiments: the victim's are ARP. */
static exo_slot some_packets(void)
{
	static struct exo_nic_spec spec;
	uint8_t *mask = (uint8_t *)spec.receive.mask, *value = (uint8_t *)spec.receive.value;
	exo_slot filter;

	if (!exos_grant("nic", 0) || guest_frames_make(&nic_filter, 1))
		return 0;
	filter = guest_retype(nic_filter.slot, nic_filter.lo, EXO_KIND_FILTER, 0);
	mask[12] = mask[13] = 0xff;
	value[12] = 0x88;
	value[13] = 0xb5;
	spec.send = spec.receive;
	return (exo_slot)exo_nic_narrow(guest_claim("nic"), guest_sid(), filter, (uint64_t)&spec,
					GUEST_RW);
}

static void grant_all(struct actor *w)
{
	const struct exos_grant *time = warden_time(), *disk = exos_grant("disk", 0);
	exo_slot gate = (exo_slot)exo_gate_make(server.env, guest_sid(), (uint64_t)peer_gate, 1);

	w->peer.page->open_hi = 0;      /* nobody fills its table */
	expect(peer_give(&w->peer, HAS_FRAME, arena.slot, GUEST_R_FRAMES) > 0);
	grant(w, HAS_SLOT, guest_narrow(time->slot, time->lo, time->hi, EXO_R_CONTROL));
	if (disk)
		grant(w, HAS_BLOCK, guest_narrow(disk->slot, disk->lo, disk->lo + 4096, GUEST_RW));
	grant(w, HAS_PORT, clock_ports());
	grant(w, HAS_IRQ, an_irq());
	grant(w, HAS_NIC, some_packets());
	for (unsigned i = 0; i < fuzz.actors; i++) {
		struct actor *a = &fuzz.actor[i];

		peer_give(&a->peer, HAS_TRACE, guest_claim("trace"), EXO_R_READ);
		peer_give(&a->peer, HAS_GATE, gate, EXO_R_CALL);
		peer_give(&a->peer, HAS_MAIN, guest_claim("env"), EXO_R_RUN);
		for (unsigned n = 0; n < fuzz.actors; n++)
			peer_give(&a->peer, HAS_ENV + n, fuzz.actor[n].peer.env,
				  EXO_R_GIVE | EXO_R_RUN | (n ? EXO_R_NOTIFY : 0));
	}
}

static bool make_actor(unsigned n, uint64_t seed)
{
	struct actor *a = &fuzz.actor[n];
	uint32_t cpus = exos_machine()->cpus, cpu = n % cpus;

	if (!expect_eq(peer_make(&a->peer), 0))
		return false;
	peer_serve(&a->peer, serve);
	a->number = n;
	a->random = (seed + 1) * 0x9e3779b97f4a7c15ull ^ (n + 1) * 0x243f6a8885a308d3ull;
	return put_on(&a->peer, cpu, 2);
}

static bool make_others(void)
{
	if (!expect_eq(peer_make(&server), 0) || !expect_eq(peer_make(&victim), 0))
		return false;
	peer_serve(&server, serve);
	return expect_eq(peer_start(&server, be_the_server, 0), 0) &&
	       put_on(&server, 0, 1) && put_on(&victim, 0, VICTIM_SLOTS);
}

/* The victim's part of the disk, behind the actors', and its packets. */
static bool make_victim_devices(void)
{
	const struct exos_grant *disk = exos_grant("disk", 0);
	exo_slot blocks, nic;

	if (disk) {
		blocks = guest_narrow(disk->slot, disk->lo + 4096, disk->hi, GUEST_RW);
		if (!blocks || !expect_eq(guest_frames_make(&buffer, 1), 0) ||
		    !expect_eq(disk_open(&victim_disk, blocks), 0))
			return false;
		victim_words = exos_space_window(buffer.slot, buffer.lo, 1, GUEST_RW, NULL);
	}
	if (exos_grant("nic", 0)) {
		nic = nic_arp_claim(guest_claim("nic"), 77);
		return nic && expect_eq(ring_open(&victim_ring, nic), 0);
	}
	return true;
}

static void check_victim(void)
{
	struct exo_disk_req req = { .slot = buffer.slot, .pfn = buffer.lo, .count = 8,
				    .op = EXO_DISK_READ, .tag = ++disk_checks };

	if (victim_disk.ring) {
		req.block = exos_grant("disk", 0)->lo + 4096 + disk_checks % 512 * 8;
		disk_put(&victim_disk, &req);
		expect_eq(disk_run(&victim_disk, 1), 1);
		expect_eq(disk_status(&victim_disk, req.tag), 0);
		expect_eq(disk_wrong(victim_words, 512, req.block), 0);
	}
	if (victim_ring.ring && disk_checks % 4 == 1)
		packet_checks += expect(arp_works(&victim_ring, 77));
}

static void log_header(uint64_t seed)
{
	const uint64_t header[6] = { FUZZ_MAGIC, seed, fuzz.actors, fuzz.arena_lo, fuzz.arena_hi,
				     fuzz.ordered };

	fuzz_note(FUZZ_HEADER, 0, header, 6);
	for (unsigned i = 0; i < fuzz.actors; i++) {
		const struct peer *p = &fuzz.actor[i].peer;
		const uint64_t who[3] = { peer_pfn(p), p->sid / EXO_SLOTS_PER_FRAME,
					  exo_slot_sid(p->env) };

		fuzz_note(FUZZ_ACTOR, i, who, 3);
	}
	fuzz_checkpoint();
}

static bool running(void)
{
	for (unsigned i = 0; i < fuzz.actors; i++)
		if (__atomic_load_n(&fuzz.actor[i].peer.page->stop_reason, __ATOMIC_ACQUIRE) ==
		    EXO_STOP_RUNS)
			return true;
	return false;
}

/* Beside the actors: the log goes to the disk, the victim is looked after. */
static void drive(void)
{
	uint64_t next = fuzz.want / CHECKS, step = next, look = 0, turn = 0;

	while (running() && !fuzz.wrong) {
		if (!fuzz_flush(false))
			break;
		/* Where others go on making calls, what a table says is over when it is read. */
		if (fuzz.ordered && fuzz.calls >= next) {
			while (!fuzz_lock_try())        /* who has it may wait for room */
				if (!fuzz_flush(false))
					return;
			fuzz_checkpoint();
			fuzz_unlock();
			next += step;
		}
		if (exos_tsc() > look) {
			check_victim();
			look = exos_deadline(200000000);
		}
		exo_env_yield(fuzz.actor[turn++ % fuzz.actors].peer.env);
	}
}

/* Does this machine have claims of this kind? */
static bool evil_has(unsigned kind)
{
	if (kind == EXO_KIND_NIC || kind == EXO_KIND_FILTER || kind == EXO_KIND_PACKETS)
		return given[HAS_NIC] != 0;
	if (kind == EXO_KIND_VCPU)
		return fuzz.vcpus;
	/* The end of a function's use takes 100 ms: evil_claims_revoked_in_use does it. */
	if (kind == EXO_KIND_PCI)
		return false;
	return kind != EXO_KIND_BLOCK || given[HAS_BLOCK];
}

static void report(uint64_t elapsed)
{
	uint64_t slots = elapsed / exos_machine()->slice_tsc;
	uint64_t due = slots * VICTIM_SLOTS / EXO_VECTOR_SLOTS;
	uint64_t share = victim.page->slices * 100 / max_u64(1, due);

	printf("fuzz: %lu calls, %lu succeeded, %u actors, %s\n", fuzz.calls, fuzz.succeeded,
	       fuzz.actors, fuzz.ordered ? "ordered" : "at once");
	printf("fuzz: victim %lu rounds, %lu%% of its slots, %lu reads, %lu packets\n",
	       victim.word[3], share, disk_checks, packet_checks);
	for (unsigned kind = 1; kind < EXO_KIND_COUNT; kind++)
		printf("fuzz: revoked %u %u\n", kind, fuzz.revoked[kind]);
	if (fuzz.wrong)
		guest_fail("%s (%lu times such things)", fuzz.why, fuzz.wrong);
	expect_eq(victim.word[4], 0);
	expect(victim.word[3] > 1);
	/* With more CPUs than the host has cores, a slot may pass while its CPU stands still. */
	expect(share >= (exos_machine()->cpus > 2 ? 10 : 45));
	for (unsigned kind = 1; kind < EXO_KIND_COUNT; kind++)
		if (fuzz.revoked[kind] < cycles_wanted && evil_has(kind))
			guest_fail("kind %u was revoked in use only %u times", kind,
				   fuzz.revoked[kind]);
	expect(fuzz.calls >= fuzz.want);
	expect(fuzz.succeeded * 5 >= fuzz.calls);
}

static void end_all(void)
{
	for (unsigned i = 0; i < fuzz.actors; i++)
		while (exo_env_control(fuzz.actor[i].peer.env, EXO_ENV_STOP, 0, 0) == EXO_MORE)
			continue;
	guest_frames_end(&arena);
	for (unsigned i = 0; i < ARRAY_LEN(given); i++)
		if (given[i])
			exos_cap_end(given[i]);
	for (unsigned i = 0; i < fuzz.actors; i++)
		peer_end(&fuzz.actor[i].peer);
	peer_end(&server);
	peer_end(&victim);
	if (victim_disk.ring)
		disk_close(&victim_disk);
	if (victim_ring.ring)
		ring_close(&victim_ring);
	if (nic_filter.slot)
		guest_frames_end(&nic_filter);
	fuzz_log_close();
}

static bool start(uint64_t seed)
{
	fuzz.want = max_u64(1000, word_number("fuzz", 1000000));
	cycles_wanted = max_u64(1, word_number("cycles", 1000));
	fuzz.ordered = exos_machine()->cpus == 1;
	fuzz.vcpus = vm_present();
	fuzz.actors = (unsigned)max_u64(4, min_u64(exos_machine()->cpus + 2, FUZZ_ACTORS_MAX));
	if (!expect_eq(guest_frames_make(&arena, ARENA), 0))
		return false;
	fuzz.arena_lo = arena.lo;
	fuzz.arena_hi = arena.hi;
	for (unsigned i = 0; i < fuzz.actors; i++)
		if (!make_actor(i, seed))
			return false;
	if (!make_others() || !make_victim_devices() || !fuzz_log_open())
		return false;
	grant_all(&fuzz.actor[0]);
	log_header(seed);
	/* Its first calls, made for it: what it needs for its cycles, and the others' pieces. */
	return !guest_failures();
}

static void be_the_warden(struct peer *peer)
{
	struct actor *w = (struct actor *)peer;

	fuzz_warden_start(w);
	for (unsigned i = 1; i < fuzz.actors; i++)
		fuzz_equip(w, i);
	peer->word[1] = 1;
	be_an_actor(peer);
}

EXO_TEST(fuzz_calls, FUZZ)
{
	uint64_t seed = word_number("seed", 1), begin;

	must(start(seed));
	must_eq(peer_start(&victim, be_the_victim, 0), 0);
	must_eq(peer_start(&fuzz.actor[0].peer, be_the_warden, 0), 0);
	while (!fuzz.actor[0].peer.word[1] && !fuzz.wrong && running())
		exo_env_yield(0);
	begin = exos_tsc();
	for (unsigned i = 1; i < fuzz.actors; i++)
		must_eq(peer_start(&fuzz.actor[i].peer, be_an_actor, 0), 0);
	drive();
	begin = exos_tsc() - begin;
	fuzz.over = true;
	for (unsigned i = 0; i < fuzz.actors; i++) {
		expect(peer_wait(&fuzz.actor[i].peer, 20000));
		expect_eq(fuzz.actor[i].peer.page->stop_reason, EXO_STOP_EXIT);
	}
	expect(peer_wait(&victim, 20000));
	fuzz.holder = NULL;
	fuzz_checkpoint();
	fuzz_note(FUZZ_END, 0, (const uint64_t[]){ fuzz.calls, fuzz.succeeded }, 2);
	expect(fuzz_flush(true));
	report(begin);
	end_all();
}
