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
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include "fuzz.h"
#include "guest/disk.h"
#include "guest/nic.h"
#include "guest/suite.h"
#include "guest/vm.h"

#define VICTIM_SLOTS 2u
#define CHECKS  20u             /* checkpoints of a group */
#define LOOK_NS 200000000u      /* between looks at the victim's devices */

static struct peer victim;
static struct disk victim_disk;
static struct guest_frames buffer;
static struct ring victim_ring;
static uint64_t *victim_words, disk_checks, packet_checks;
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

/* The victim's part of the disk, behind the groups', and its packets. */
static bool make_victim_devices(void)
{
	const struct exos_grant *disk = exos_grant("disk", 0);
	exo_slot blocks, nic;

	if (disk) {
		blocks = guest_narrow(disk->slot, disk->lo + FUZZ_GROUPS_MAX * FUZZ_GROUP_BLOCKS,
				      disk->hi, GUEST_RW);
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

/*
 * Its slots stand among the first group's actors', who can always run, and neither is the first of
 * a run of ours: no slot before its own is lent to it, so it begins just those that are its.
 */
static bool make_victim(void)
{
	const struct peer *beside = &fuzz.group[0].actor[1].peer;

	if (!expect_eq(peer_make(&victim), 0) || !make_victim_devices())
		return false;
	for (unsigned i = 0; i < VICTIM_SLOTS; i++)
		if (!fuzz_put_on(beside, 0, 1 + i) || !fuzz_put_on(&victim, 0, 1))
			return false;
	return fuzz_put_on(beside, 0, ~0u);
}

static void check_victim(void)
{
	struct exo_disk_req req = { .slot = buffer.slot, .pfn = buffer.lo, .count = 8,
				    .op = EXO_DISK_READ, .tag = ++disk_checks };

	if (victim_disk.ring) {
		req.block = exos_grant("disk", 0)->lo + FUZZ_GROUPS_MAX * FUZZ_GROUP_BLOCKS +
			    disk_checks % 512 * 8;
		disk_put(&victim_disk, &req);
		expect_eq(disk_run(&victim_disk, 1), 1);
		expect_eq(disk_status(&victim_disk, req.tag), 0);
		expect_eq(disk_wrong(victim_words, 512, req.block), 0);
	}
	if (victim_ring.ring && disk_checks % 4 == 1)
		packet_checks += expect(arp_works(&victim_ring, 77));
}

static void log_header(struct group *g)
{
	const uint64_t header[6] = { FUZZ_MAGIC, fuzz.seed, g->actors, g->arena.lo, g->arena.hi,
				     g->number };

	fuzz_note(g, FUZZ_HEADER, 0, header, 6);
	for (unsigned i = 0; i < g->actors; i++) {
		const struct peer *p = &g->actor[i].peer;
		const uint64_t who[3] = { peer_pfn(p), p->sid / EXO_SLOTS_PER_FRAME,
					  exo_slot_sid(p->env) };

		fuzz_note(g, FUZZ_ACTOR, i, who, 3);
	}
	fuzz_checkpoint(g);
}

/* What the test itself has to do for a group; false: the group is over. */
static bool drive(struct group *g)
{
	if (!fuzz_flush(g, false))
		return false;
	if (__atomic_load_n(&g->turn, __ATOMIC_ACQUIRE) == FUZZ_MAIN) {
		if (g->over)
			return false;
		fuzz_checkpoint(g);
		fuzz_turn_pass(g);
	}
	exo_env_yield(g->actor[g->turn % g->actors].peer.env);
	return true;
}

/* Beside the actors: logs go to the disk, the victim is looked after. */
static void drive_all(void)
{
	uint64_t look = 0;
	bool more = true;

	while (more && !fuzz.wrong) {
		more = false;
		for (unsigned i = 0; i < fuzz.ordered; i++)
			more |= drive(&fuzz.group[i]);
		if (exos_tsc() > look) {
			check_victim();
			look = exos_deadline(LOOK_NS);
		}
	}
}

/* Does this machine have claims of this kind? */
static bool evil_has(unsigned kind)
{
	const exo_slot *given = fuzz.group[0].given;

	switch (kind) {
	case EXO_KIND_NIC: case EXO_KIND_FILTER: case EXO_KIND_PACKETS:
		return given[HAS_NIC] != 0;
	case EXO_KIND_VCPU: return fuzz.vcpus;
	case EXO_KIND_PCI: return given[HAS_PCI] != 0;
	case EXO_KIND_BLOCK: case EXO_KIND_RING: return given[HAS_BLOCK] != 0;
	default: return true;
	}
}

static void report_revoked(void)
{
	for (unsigned kind = 1; kind < EXO_KIND_COUNT; kind++) {
		uint64_t count = 0;

		for (unsigned i = 0; i < fuzz.groups; i++)
			count += fuzz.group[i].revoked[kind];
		printf("fuzz: revoked %u %lu\n", kind, count);
		if (count < cycles_wanted && evil_has(kind))
			guest_fail("kind %u was revoked in use only %lu times", kind, count);
	}
}

/*
 * Slots that began with the victim against those that were its, in a hundredth: more than all where
 * others left it theirs.  With more CPUs than the host has cores, or a busy host, a slot may pass
 * while its CPU stands still.
 */
static void report_share(uint64_t elapsed)
{
	uint64_t of_its = elapsed * VICTIM_SLOTS / EXO_VECTOR_SLOTS;
	uint64_t due = of_its * 10000 / exos_machine()->slice_tsc;
	uint64_t share = victim.page->slots * 100000000 / max_u64(1, due);

	printf("fuzz: victim %lu rounds, %lu slots, %lu.%02lu%% of its own, %lu reads, "
	       "%lu packets\n", victim.word[3], victim.page->slots, share / 100, share % 100,
	       disk_checks, packet_checks);
	expect_eq(victim.word[4], 0);
	expect(victim.word[3] > 1);
	if (guest_icount() && due > 1000000)
		expect(share >= 9900);
	else
		expect(share >= (exos_machine()->cpus > 1 ? 1000 : 4500));
}

static void report(uint64_t elapsed)
{
	uint64_t calls = 0, succeeded = 0, without = 0;

	for (unsigned i = 0; i < fuzz.groups; i++) {
		const struct group *g = &fuzz.group[i];

		calls += g->calls;
		succeeded += g->succeeded;
		without += g->ordered ? 0 : g->calls;
		expect(g->calls >= g->want || !g->ordered);
	}
	printf("fuzz: %lu calls, %lu succeeded, %lu of them without turns, %u groups\n", calls,
	       succeeded, without, fuzz.groups);
	report_share(elapsed);
	report_revoked();
	if (fuzz.wrong)
		guest_fail("%s (%lu times such things)", fuzz.why, fuzz.wrong);
	expect(succeeded * 5 >= calls);
}

static bool make_all(void)
{
	uint64_t want = max_u64(1000, word_number("fuzz", 1000000));

	cycles_wanted = max_u64(1, word_number("cycles", 1000));
	fuzz.seed = word_number("seed", 1);
	fuzz.ordered = (unsigned)min_u64(exos_machine()->cpus, FUZZ_GROUPS_MAX - 1);
	fuzz.groups = fuzz.ordered > 1 ? fuzz.ordered + 1 : 1;
	fuzz.vcpus = vm_present();
	for (unsigned i = 0; i < fuzz.groups; i++) {
		struct group *g = &fuzz.group[i];

		g->want = want / fuzz.ordered;
		g->step = g->next_check = g->want / CHECKS;
		g->warden.wanted = (cycles_wanted + fuzz.ordered - 1) / fuzz.ordered;
		if (!fuzz_group_make(g, i))
			return false;
	}
	return make_victim() && fuzz_log_open();
}

static void end_all(void)
{
	for (unsigned i = 0; i < fuzz.groups; i++)
		fuzz_group_end(&fuzz.group[i]);
	peer_end(&victim);
	if (victim_disk.ring)
		disk_close(&victim_disk);
	if (victim_ring.ring)
		ring_close(&victim_ring);
	fuzz_log_close();
}

static void finish_logs(void)
{
	for (unsigned i = 0; i < fuzz.ordered; i++) {
		struct group *g = &fuzz.group[i];

		fuzz_checkpoint(g);
		fuzz_note(g, FUZZ_END, 0, (const uint64_t[]){ g->calls, g->succeeded }, 2);
		expect(fuzz_flush(g, true));
	}
}

static bool all_ended(void)
{
	bool good = peer_wait(&victim, 20000);

	for (unsigned i = 0; i < fuzz.groups; i++)
		for (unsigned n = 0; n < fuzz.group[i].actors; n++) {
			const struct peer *p = &fuzz.group[i].actor[n].peer;

			good &= expect(peer_wait((struct peer *)p, 20000)) &&
				expect_eq(p->page->stop_reason, EXO_STOP_EXIT);
		}
	return good;
}

EXO_TEST(fuzz_calls, FUZZ)
{
	uint64_t begin;

	must(make_all());
	for (unsigned i = 0; i < fuzz.ordered; i++)
		log_header(&fuzz.group[i]);
	for (unsigned i = 0; i < fuzz.groups; i++)
		must(fuzz_group_begin(&fuzz.group[i]));
	must_eq(peer_start(&victim, be_the_victim, 0), 0);
	begin = exos_tsc();
	for (unsigned i = 0; i < fuzz.groups; i++)
		must(fuzz_group_start(&fuzz.group[i]));
	drive_all();
	begin = exos_tsc() - begin;
	fuzz.over = true;
	expect(all_ended());
	finish_logs();
	report(begin);
	end_all();
}
