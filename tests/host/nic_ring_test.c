/* SPDX-License-Identifier: MIT */
/*
 * nic_ring_test.c - packet rings over a fake device: random and hostile owners against a model.
 *
 * Invariant: what the device is given lies inside the ring it came from or is pinned, matches the
 * claim's send pattern, and comes in the order it was written; every part taken is done once; in
 * the end no pin is left.  What is received reaches the one ring whose pattern it matches.  The
 * kernel's claims, frames, events and timers are fakes here; the classifier is the real one.
 */
// sources: exo/dev/nic.c exo/dev/nic_bind.c exo/dev/nic_receive.c exo/dev/nic_kick.c exo/lend.c
// sources: exo/lock.c
// sources: exo/dev/nic_send.c exo/dev/nic_turn.c exo/base/string.c
// sources: exo/filter.c exo/filter_check.c exo/filter_find.c exo/filter_group.c
// includes: exo
// flags: -include tests/host/virtio_fake.h -fno-builtin
#include <stdio.h>
#include <stdlib.h>

#include "charge.h"
#include "claim.h"
#include "dev/nic.h"
#include "dev/nic_time.h"
#include "dev/pci.h"
#include "frame.h"
#include "kernel.h"
#include "tree_fake.h"

void *percpu_self(void) { return &the_cpu; }

#define RINGS   6u              /* ring 5 is bound by a share */
#define SHARE   5u
#define DATA    20u             /* frames of each data area */
#define BUFFERS 64u             /* frames of each ring's FRAME claim */
#define DEVICE_MAX 12u
#define QUEUES  2u
#define MTU     1514u

/* Physical layout of the fake machine, in frames. */
enum { TABLE_PFN = 1, USER_PFN = 2, FILTER_PFN = 8, RING_PFN = 32, RING_STEP = 32,
       BUFFER_PFN = 256, BOOT_PFN = 1024, JOIN_PFN = 1920, RAM_FRAMES = 2048 };

uint8_t *fake_ram;
int work_left = 1 << 30;
struct frame_map frames;
struct pci_list pci;
static struct exo_machine fake_machine = { .tsc_hz = 1000 };
struct exo_machine *machine = &fake_machine;
static uint64_t now_tsc;
static unsigned failures, pins[RAM_FRAMES], posts[64], reserved[64], boot_used;
static unsigned soon, late, arms, cpu, lends;
static uint64_t charged[8];             /* by environment's frame; 0: nobody */
static unsigned came_of[RINGS];         /* packets sent, by their byte 1, where any ring is good */
static bool any_ring, windows_interrupt;
static struct exo_frame fake_fine[2 * RAM_FRAMES + EXO_CHUNK_FRAMES];
static struct exo_chunk fake_chunks[RAM_FRAMES / EXO_CHUNK_FRAMES];
static enum exo_use use_of[RAM_FRAMES];

static void fail(int line, const char *what, uint64_t a, uint64_t b)
{
	if (failures++ < 10)
		printf("# line %d: %s: %lu, %lu\n", line, what, a, b);
}
#define EXPECT(cond, a, b) \
	do { if (!(cond)) fail(__LINE__, #cond, (uint64_t)(a), (uint64_t)(b)); } while (0)

/* --- what NICs use of the kernel --- */

void spin_wait(void) { fail(0, "a lock is taken twice", 0, 0); abort(); }

/* Where interrupts are let in, handlers take the NIC's lock. */
void interrupts_window(void)
{
	EXPECT(!LOCKED(nics.nic->lock), 0, 0);
	if (windows_interrupt)
		nic_interrupt(nics.nic, (unsigned)rand() % QUEUES);
}

void work_done(int steps)
{
	EXPECT(LOCKED(tree_lock), steps, 0);
	work_left -= steps;
	interrupts_window();
}

uint64_t read_tsc(void) { return now_tsc; }
uint64_t cpu_entropy(void) { return 1; }
void *boot_export(uint64_t bytes) { return calloc(1, bytes + 1); }
unsigned nic_cpu(void) { return cpu; }
void nic_time_soon(struct nic_queue *q, uint64_t began)
{
	EXPECT(LOCKED(q->nic->lock), began, 0);
	soon++;
}
void nic_time_late(struct nic_queue *q) { EXPECT(LOCKED(q->nic->lock), 0, 0); late++; }
uint64_t charge_begin(void) { return now_tsc; }
void charge_work(struct env *owner, uint64_t *since)
{
	EXPECT(LOCKED(nics.nic[0].lock) && *since <= now_tsc, *since, now_tsc);
	if (owner)
		charged[owner->pfn] += now_tsc - *since;
	else
		charged[0] += now_tsc - *since;
	*since = now_tsc;
}
void nic_time_arm(void) { EXPECT(!LOCKED(nics.nic[0].lock) && !LOCKED(tree_lock), 0, 0); arms++; }

void *boot_frames(uint64_t count)
{
	void *p = pfn_to_virt(BOOT_PFN + boot_used);

	boot_used += (unsigned)count;
	return p;
}

static struct exo_cap *slot_n(unsigned n) { return (struct exo_cap *)pfn_to_virt(TABLE_PFN) + n; }

bool table_serves(struct env *e, uint64_t pfn) { return e == env_at(USER_PFN) && pfn == TABLE_PFN; }
enum exo_use frame_use(uint64_t pfn) { return pfn < RAM_FRAMES ? use_of[pfn] : EXO_USE_NONE; }

/* Frame 50 of each buffer has been given away. */
bool frame_range_held(uint64_t lo, uint64_t hi, exo_sid sid)
{
	uint64_t gone = slot_at(sid)->lo + 50;

	return hi <= gone || lo > gone;
}

void frame_pin(struct exo_cap *claim, uint64_t lo, uint64_t count)
{
	EXPECT(LOCKED(tree_lock), 0, 0);
	lends++;
	claim->held++;
	for (uint64_t i = lo; i < lo + count; i++)
		pins[i]++;
}

void frame_unpin(exo_sid claim, uint64_t lo, uint64_t count)
{
	slot_at(claim)->held--;
	for (uint64_t i = lo; i < lo + count; i++) {
		EXPECT(pins[i] > 0, i, count);
		pins[i]--;
	}
}

void event_post(struct env *e, unsigned entry)
{
	EXPECT(e == env_at(USER_PFN) && reserved[entry], entry, 0);
	posts[entry]++;
}

int event_reserve(struct env *e, unsigned entry, enum source_kind kind, uint64_t id)
{
	EXPECT(kind == SOURCE_PACKETS && e == env_at(USER_PFN), kind, id);
	if (entry >= ARRAY_LEN(reserved) || reserved[entry])
		return -EXO_E_ROOM;
	reserved[entry] = 1;
	return 0;
}

void event_free(struct env *e, unsigned entry)
{
	EXPECT(e && reserved[entry], entry, 0);
	reserved[entry] = 0;
}

/* --- the fake device --- */

static struct { bool busy, done; uint64_t cookie; uint8_t header[EXO_NIC_HEADER]; }
	flight[QUEUES][DEVICE_MAX];
static unsigned device_size = 4, kicks, given[QUEUES], resets, order_count;
static bool off[QUEUES][2], dead, broken, cable = true;
static struct { unsigned ring; uint32_t bytes; } order[20000];
static uint32_t last_seq[RINGS];        /* of the packets that came, they grow */
static bool in_order = true;

/* Packets to receive, one at a time in this buffer. */
static uint8_t in_buffer[2048] __attribute__((aligned(8)));
static unsigned in_waiting[QUEUES];
static unsigned in_buffers = 1;         /* of each of them, or just of the last */
static bool in_last;
static void (*in_make)(struct nic_packet *p);
static unsigned join_calls;
static bool joining;

static enum nic_got fake_receive(struct nic *n, unsigned queue, unsigned room,
                                 struct nic_packet *p)
{
	EXPECT(LOCKED(n->lock) && queue < QUEUES, queue, 0);
	if (!in_waiting[queue])
		return NIC_GOT_NOTHING;
	if ((in_last && in_waiting[queue] > 1 ? 1 : in_buffers) > room)
		return NIC_GOT_LARGE;
	in_waiting[queue]--;
	*p = (struct nic_packet){ .data = in_buffer };
	in_make(p);
	return NIC_GOT_PACKET;
}

static void fake_join(struct nic *n, bool on)
{
	EXPECT(LOCKED(n->lock) && LOCKED(tree_lock) && joining != on, on, joining);
	joining = on;
	join_calls++;
}

static void fake_recycle(struct nic *n, unsigned queue, const struct nic_packet *p)
{
	EXPECT(LOCKED(n->lock) && p->data == in_buffer, queue, 0);
}

static void fake_refill(struct nic *n, unsigned queue) { EXPECT(LOCKED(n->lock), queue, 0); }

static unsigned slot_free(unsigned queue)
{
	for (unsigned i = 0; i < device_size; i++)
		if (!flight[queue][i].busy)
			return i;
	return DEVICE_MAX;
}

static uint8_t *fake_header(struct nic *n, unsigned queue)
{
	unsigned i = slot_free(queue);

	EXPECT(LOCKED(n->lock) && !n->dead, queue, 0);
	return i < DEVICE_MAX ? flight[queue][i].header : NULL;
}

static int fake_segments(const struct nic *n, const struct filter *f, const struct nic_send *s,
                         const uint8_t *header)
{
	EXPECT(n && f && header, 0, 0);
	return s->segment < 64 ? -EXO_E_ARG : 0;
}

static unsigned ring_of(uint64_t cookie)
{
	return (unsigned)((cookie >> 16) - RING_PFN) / RING_STEP;
}

/* Every byte of what the device reads: the ring's own, or pinned. */
static void rest_check(unsigned ring, const struct nic_rest *rest)
{
	uint64_t data = RING_PFN + RING_STEP * ring + EXO_PACKETS_DATA;

	EXPECT(rest->bytes && rest->bytes <= NIC_SEND_MAX, rest->bytes, 0);
	for (uint64_t pfn = rest->pa / 4096; pfn <= (rest->pa + rest->bytes - 1) / 4096; pfn++)
		EXPECT((pfn >= data && pfn < data + DATA) || (pfn < RAM_FRAMES && pins[pfn]), pfn,
		       ring);
}

static void send_check(const struct nic_send *s, const uint8_t *header)
{
	unsigned ring = ring_of(s->cookie);
	uint32_t length = s->copied, seq;

	if (any_ring) {
		came_of[header[1] % RINGS]++;
		return;
	}
	EXPECT(ring < RINGS && ring != SHARE, ring, 0);
	EXPECT(header[1] == ring, header[1], ring);
	EXPECT(s->copied == min_u64(s->length, EXO_NIC_HEADER) && s->rests <= EXO_PACKET_PARTS,
	       s->rests, 0);
	for (uint32_t i = 0; i < s->rests; i++) {
		rest_check(ring, &s->rest[i]);
		length += s->rest[i].bytes;
	}
	for (uint32_t i = s->copied; i < EXO_NIC_HEADER; i++)
		EXPECT(!header[i], i, header[i]);
	EXPECT(length == s->length && length <= (s->segment ? NIC_SEND_MAX : MTU), length,
	       s->length);
	memcpy(&seq, header + 2, 4);
	if (in_order)
		EXPECT(seq > last_seq[ring], seq, last_seq[ring]);
	last_seq[ring] = seq;
	if (order_count < ARRAY_LEN(order)) {
		order[order_count].ring = ring;
		order[order_count++].bytes = s->length;
	}
}

static void fake_send(struct nic *n, unsigned queue, const struct nic_send *s)
{
	unsigned i = slot_free(queue);

	EXPECT(LOCKED(n->lock) && i < DEVICE_MAX, i, 0);
	send_check(s, flight[queue][i].header);
	flight[queue][i].busy = true;
	flight[queue][i].done = false;
	flight[queue][i].cookie = s->cookie;
	given[queue]++;
}

static void fake_kick(struct nic *n, unsigned queue) { EXPECT(LOCKED(n->lock), queue, 0); kicks++; }

static bool fake_sent(struct nic *n, unsigned queue, uint64_t *cookie)
{
	unsigned from = (unsigned)rand();

	EXPECT(LOCKED(n->lock), queue, 0);
	for (unsigned k = 0; k < DEVICE_MAX; k++) {
		unsigned i = (from + k) % DEVICE_MAX;

		if (!flight[queue][i].busy || !flight[queue][i].done)
			continue;
		flight[queue][i].busy = false;
		*cookie = flight[queue][i].cookie;
		return true;
	}
	return false;
}

static void fake_in_interrupts(struct nic *n, unsigned queue, bool on)
{
	EXPECT(LOCKED(n->lock), queue, 0);
	off[queue][0] = !on;
}

static void fake_out_interrupts(struct nic *n, unsigned queue, bool on)
{
	EXPECT(LOCKED(n->lock), queue, 0);
	off[queue][1] = !on;
}

static bool fake_link(struct nic *n, bool *is_broken)
{
	EXPECT(LOCKED(n->lock), 0, 0);
	*is_broken = broken;
	return cable;
}

static bool fake_reset(struct nic *n)
{
	EXPECT(LOCKED(n->lock), 0, 0);
	resets++;
	broken = false;
	for (unsigned q = 0; q < QUEUES; q++)
		for (unsigned i = 0; i < DEVICE_MAX; i++)
			flight[q][i].done = true;
	return !dead;
}

static const struct nic_ops fake_ops = {
	.receive = fake_receive, .recycle = fake_recycle, .refill = fake_refill,
	.header = fake_header, .segments = fake_segments, .send = fake_send, .kick = fake_kick,
	.sent = fake_sent, .receive_interrupts = fake_in_interrupts,
	.send_interrupts = fake_out_interrupts, .join = fake_join, .link = fake_link,
	.reset = fake_reset,
};

bool pci_is_left(const struct exo_pci_info *info) { return !info; }
bool virtio_net_is(const struct exo_pci_info *info) { return info->vendor == 1; }
bool virtio_net_start(const struct exo_pci_info *info)
{
	const struct exo_nic_info i = { .bytes_max = MTU, .queues = QUEUES,
		.flags = EXO_NIC_LINK | EXO_NIC_CHECKSUM | EXO_NIC_SEGMENT4 |
			 EXO_NIC_JOIN };

	(void)info;
	nic_add(&fake_ops, NULL, &i);
	return true;
}

static void device_finish(void)
{
	for (unsigned q = 0; q < QUEUES; q++)
		for (unsigned i = 0; i < DEVICE_MAX; i++)
			flight[q][i].done |= flight[q][i].busy;
}

/* The device sends all it has, until nothing waits. */
static void device_drain(void)
{
	for (unsigned turns = 0; turns < 3000; turns++) {
		device_finish();
		for (unsigned q = 0; q < QUEUES; q++)
			nic_interrupt(&nics.nic[0], q);
	}
}

/* --- owners --- */

struct owner {
	exo_slot ring, claim, buffer;
	struct exo_packets_page *page;
	struct exo_rx *rx;
	struct exo_tx *tx;
	uint8_t *data;
	uint32_t written, seq;          /* parts, packets */
	uint32_t refused;               /* expected */
};
static struct owner owners[RINGS];

static struct packets *ring_n(unsigned i) { return packets_at(RING_PFN + RING_STEP * i); }

static exo_slot claim_make(unsigned n, enum exo_kind kind, uint64_t lo, uint64_t hi,
			   unsigned rights)
{
	struct exo_cap *c = slot_n(n);

	c->gen = 7;
	c->kind = (uint8_t)kind;
	c->lo = lo;
	c->hi = hi;
	c->rights = (uint16_t)rights;
	return slot_name(c);
}

static uint8_t *bytes_of(uint64_t words[EXO_NIC_WORDS]) { return (uint8_t *)words; }

/* Receives packets whose byte 0 is i, sends those whose byte 1 is; the share sees all. */
static void filter_make(unsigned i)
{
	struct exo_nic_spec spec = { 0 }, whole;
	struct filter *root = filter_at(nics.nic[0].filter), *f = filter_at(FILTER_PFN + i);

	if (i != SHARE) {
		bytes_of(spec.receive.mask)[0] = bytes_of(spec.send.mask)[1] = 0xff;
		bytes_of(spec.receive.value)[0] = bytes_of(spec.send.value)[1] = (uint8_t)i;
	}
	EXPECT(filter_check(root, &spec, 3, i == SHARE, &whole) == 0, i, 0);
	filter_attach(root, f, &whole, 3, i == SHARE);
	f->pub.holder = slot_sid(slot_n(4 * i + 1));
}

static void owner_make(unsigned i)
{
	struct owner *o = &owners[i];
	uint64_t pfn = RING_PFN + RING_STEP * i, lo = BUFFER_PFN + BUFFERS * i;

	packets_make(pfn, DATA);
	o->ring = claim_make(4 * i, EXO_KIND_PACKETS, pfn, 0, EXO_R_CONTROL);
	o->claim = claim_make(4 * i + 1, EXO_KIND_NIC, FILTER_PFN + i, 0, EXO_R_READ | EXO_R_WRITE);
	o->buffer = claim_make(4 * i + 2, EXO_KIND_FRAME, lo, lo + BUFFERS, EXO_R_READ);
	if (i == SHARE)
		slot_n(4 * i + 1)->flags = EXO_CAP_SHARE;
	filter_make(i);
	o->page = pfn_to_virt(pfn + EXO_PACKETS_PAGE);
	o->rx = pfn_to_virt(pfn + EXO_PACKETS_RX);
	o->tx = pfn_to_virt(pfn + EXO_PACKETS_TX);
	o->data = pfn_to_virt(pfn + EXO_PACKETS_DATA);
	use_of[lo + 40] = EXO_USE_PT;
}

static void machine_make(void)
{
	static struct exo_pci_info info = { .vendor = 1 };

	fake_ram = aligned_alloc(EXO_PAGE_SIZE, RAM_FRAMES * EXO_PAGE_SIZE);
	memset(fake_ram, 0, RAM_FRAMES * EXO_PAGE_SIZE);
	frames =
		(struct frame_map){.chunks = fake_chunks, .fine = fake_fine, .top_pfn = RAM_FRAMES};
	for (unsigned i = 0; i < RAM_FRAMES; i++) {
		fake_chunks[i / EXO_CHUNK_FRAMES].fine = 1 + i / EXO_CHUNK_FRAMES;
		use_of[i] = EXO_USE_MEMORY;
	}
	pci = (struct pci_list){ .info = &info, .count = 1 };
	nics_start();
	EXPECT(nics.count == 1 && info.used, nics.count, info.used);
	static struct exo_env_page own_page;

	env_at(USER_PFN)->pfn = USER_PFN;
	env_at(USER_PFN)->page = &own_page;
	for (unsigned i = 0; i < RINGS; i++)
		owner_make(i);
}

static int64_t owner_bind(unsigned i)
{
	return sys_nic_bind(env_at(USER_PFN), owners[i].ring, owners[i].claim, i + 1);
}

static struct exo_tx *owner_part(unsigned i, exo_slot slot, uint64_t at, uint32_t bytes, bool more)
{
	struct exo_tx *t = &owners[i].tx[owners[i].written++ % EXO_PACKETS];

	*t = (struct exo_tx){ .slot = slot, .at = at, .bytes = bytes,
	                      .flags = more ? EXO_TX_MORE : 0 };
	return t;
}

/* The header of a packet, in a place of its own in the data area, as the first part. */
static struct exo_tx *owner_begin(unsigned i, uint32_t bytes, bool more)
{
	struct owner *o = &owners[i];
	uint32_t at = o->written % EXO_PACKETS * 256;

	o->seq++;
	o->data[at] = 0x77;
	o->data[at + 1] = (uint8_t)i;
	memcpy(o->data + at + 2, &o->seq, 4);
	return owner_part(i, 0, at, bytes, more);
}

/* A part behind the first, from the data area or lent. */
static void owner_rest(unsigned i, uint32_t bytes, bool more)
{
	if (rand() % 2)
		owner_part(i, 0, (uint64_t)rand() % (DATA * 4096 - bytes), bytes, more);
	else
		owner_part(i, owners[i].buffer, (BUFFER_PFN + BUFFERS * i) * 4096ul +
		           (uint64_t)rand() % (38 * 4096 - bytes), bytes, more);
}

/* One of everything that can be wrong with a packet; the last part is spoiled. */
static void part_spoil(unsigned i, struct exo_tx *t)
{
	uint64_t lo = (BUFFER_PFN + BUFFERS * i) * 4096ul;

	owners[i].refused++;
	switch (rand() % 12) {
	case 0: t->bytes = 0; break;
	case 1: t->bytes = 0xffffffff; break;
	case 2: t->slot = 0; t->at = DATA * 4096 - t->bytes + 1; break;
	case 3: t->slot = 0; t->at = ~0ul - 3; break;
	case 4: t->flags |= 0x8000; break;
	case 5: t->slot = owners[i].ring; break;
	case 6: t->slot = owners[i].buffer + (1ul << 32); break;
	case 7: t->slot = owners[i].buffer; t->at = lo - 1; break;
	case 8: t->slot = owners[i].buffer; t->at = lo + 40 * 4096; break;
	case 9: t->slot = owners[i].buffer; t->at = lo + 50 * 4096; break;
	case 10: t->slot = owners[i].buffer; t->at = lo + 64 * 4096 - t->bytes + 1; break;
	default: t->slot = owners[i].buffer; t->at = ~0ul - 7;
	}
}

static bool owner_has_room(unsigned i, unsigned parts)
{
	return owners[i].written - owners[i].page->tx_done + parts <= EXO_PACKETS;
}

static void owner_random_packet(unsigned i)
{
	unsigned rests = (unsigned)rand() % (rand() % 4 ? 3 : 20), spoil = rand() % 6;

	if (!owner_has_room(i, 1 + rests))
		return;
	owner_begin(i, 6 + (uint32_t)rand() % 200, rests);
	for (unsigned n = rests; n; n--)
		owner_rest(i, 1 + (uint32_t)rand() % 60, n > 1);
	if (spoil == 0)
		part_spoil(i, &owners[i].tx[(owners[i].written - 1) % EXO_PACKETS]);
}

static int64_t owner_kick(unsigned i)
{
	struct owner *o = &owners[i];
	int64_t n;

	o->page->tx_tail = o->written;
	n = sys_nic_kick(env_at(USER_PFN), o->ring);
	EXPECT(!LOCKED(tree_lock) && !LOCKED(nics.nic[0].lock), 0, 0);
	EXPECT(n < 0 || o->page->tx_taken == o->written, o->page->tx_taken, o->written);
	return n;
}

static unsigned pins_left(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RAM_FRAMES; i++)
		n += pins[i];
	for (unsigned i = 0; i < RINGS; i++)
		n += (unsigned)slot_n(4 * i + 2)->held;
	return n;
}

static void all_done(unsigned i)
{
	struct owner *o = &owners[i];

	EXPECT(o->page->tx_done == o->written, o->page->tx_done, o->written);
	EXPECT(o->page->refused == o->refused, o->page->refused, o->refused);
	EXPECT(o->page->sent + o->page->refused == o->seq, o->page->sent, o->seq);
	EXPECT(filter_at(FILTER_PFN + i)->pub.sent == o->page->sent, i, o->page->sent);
	EXPECT(filter_at(FILTER_PFN + i)->pub.refused == o->page->refused, i, o->page->refused);
}

static void drain(void)
{
	for (unsigned i = 0; i < SHARE; i++)
		owner_kick(i);
	device_drain();
	EXPECT(pins_left() == 0, pins_left(), 0);
	for (unsigned q = 0; q < QUEUES; q++)
		EXPECT(!nic_waits(&nics.nic[0]) && !nics.nic[0].queue[q].flight, q, 0);
}

static void verdict(const char *name)
{
	printf(failures ? "FAIL %s: %u expectations\n" : "ok %s\n", name, failures);
	if (failures)
		exit(1);
}

/* --- sending --- */

static void detach(unsigned i)
{
	unsigned turns = 0;
	int left;

	do {
		lock_take(&tree_lock);
		work_left = 256;
		windows_interrupt = rand() % 2;
		left = rand() % 2 ? packets_end(RING_PFN + RING_STEP * i)
				  : nic_unbind(slot_n(4 * i + 1));
		windows_interrupt = false;
		lock_release(&tree_lock);
		if (left)
			EXPECT(sys_nic_kick(env_at(USER_PFN), owners[i].ring) == -EXO_E_STALE, i,
			       0);
		for (unsigned q = 0; q < QUEUES; q++)
			for (unsigned k = 0; k < DEVICE_MAX; k++)
				flight[q][k].done |= flight[q][k].busy && rand() % 2;
		EXPECT(turns++ < 1000, i, left);
	} while (left);
	EXPECT(!slot_n(4 * i + 1)->bind && !reserved[i + 1] && !slot_n(4 * i + 2)->held, i, 0);
	EXPECT(ring_n(i)->tx_done == ring_n(i)->tx_taken && !ring_n(i)->turn.up, i, 0);
	EXPECT(sys_nic_kick(env_at(USER_PFN), owners[i].ring) == -EXO_E_ARG, i, 0);
}

static void test_random(void)
{
	for (unsigned i = 0; i < RINGS; i++)
		EXPECT(owner_bind(i) == 0, i, 0);
	for (unsigned step = 0; step < 150000; step++) {
		unsigned i = (unsigned)rand() % SHARE;

		cpu = (unsigned)rand() % 3;
		switch (rand() % 6) {
		case 0: case 1: case 2:
			owner_random_packet(i);
			break;
		case 3:
			owner_kick(i);
			break;
		default:
			flight[rand() % QUEUES][rand() % DEVICE_MAX].done = true;
			nic_interrupt(&nics.nic[0], (unsigned)rand() % QUEUES);
			if (rand() % 3000 == 0)
				device_size = 1 + (unsigned)rand() % DEVICE_MAX;
		}
		for (unsigned q = 0; q < QUEUES; q++)
			for (unsigned k = 0; k < DEVICE_MAX; k++)
				flight[q][k].done &= flight[q][k].busy;
	}
	drain();
	for (unsigned i = 0; i < SHARE; i++)
		all_done(i);
	verdict("nic_random_packets_are_done_once_and_pins_balance");
}

static void test_detach(void)
{
	for (unsigned step = 0; step < 300; step++) {
		unsigned i = (unsigned)rand() % SHARE;

		for (unsigned n = (unsigned)rand() % 20; n; n--)
			owner_random_packet(i);
		owner_kick(i);
		detach(i);
		EXPECT(owner_bind(i) == 0, i, 0);
		owners[i].refused = (uint32_t)owners[i].page->refused;
		EXPECT(owners[i].page->tx_done == owners[i].written, i, 0);
		owners[i].seq = last_seq[i] = owners[i].seq + 1;
	}
	drain();
	for (unsigned i = 0; i < SHARE; i++)
		owners[i].seq = (uint32_t)(owners[i].page->sent + owners[i].page->refused);
	in_order = false;
	verdict("nic_rings_end_with_parts_in_flight");
}

static void test_hostile_indices(void)
{
	struct owner *o = &owners[0];

	for (uint64_t jump = 257; jump < 1ul << 32; jump *= 3) {
		o->page->tx_tail = o->written + (uint32_t)jump;
		EXPECT(sys_nic_kick(env_at(USER_PFN), o->ring) == -EXO_E_RANGE, jump, 0);
	}
	EXPECT(o->page->tx_taken == o->written, o->page->tx_taken, o->written);
	/* With some in flight there is room for fewer. */
	device_size = 4;
	for (unsigned n = 0; n < 10; n++)
		owner_begin(0, 60, false);
	EXPECT(owner_kick(0) == 10, 0, 0);
	o->page->tx_tail = o->written + 247;
	EXPECT(sys_nic_kick(env_at(USER_PFN), o->ring) == -EXO_E_RANGE, 0, 0);
	o->page->tx_done = o->written;  /* a lie about the kernel's own index changes nothing */
	EXPECT(sys_nic_kick(env_at(USER_PFN), o->ring) == -EXO_E_RANGE, 0, 0);
	drain();
	all_done(0);
	verdict("nic_hostile_indices_take_nothing");
}

/* 21 parts, 256 parts without an end, an end that comes in a later kick. */
static void test_too_many_parts(void)
{
	struct owner *o = &owners[1];

	owner_begin(1, 20, true);
	for (unsigned n = 0; n < EXO_PACKET_PARTS; n++)
		owner_part(1, 0, 0, 4, n + 1 < EXO_PACKET_PARTS);
	o->refused++;
	owner_begin(1, 20, true);
	for (unsigned n = 1; n < EXO_PACKET_PARTS; n++)
		owner_part(1, 0, 0, 4, n + 1 < EXO_PACKET_PARTS);
	EXPECT(owner_kick(1) == 41, 0, 0);
	drain();
	all_done(1);
	EXPECT(o->page->error == -EXO_E_ARG, o->page->error, 0);
	owner_begin(1, 20, true);
	for (unsigned n = 1; n < EXO_PACKETS; n++)
		owner_part(1, 0, 0, 4, true);
	o->refused++;
	EXPECT(owner_kick(1) == EXO_PACKETS, 0, 0);
	EXPECT(o->page->tx_done == o->written, o->page->tx_done, o->written);
	owner_part(1, 0, 0, 4, false);          /* its end */
	owner_begin(1, 20, true);
	EXPECT(owner_kick(1) == 2, 0, 0);
	EXPECT(!ring_n(1)->flight && o->page->tx_done == o->written - 1, 0, 0);
	owner_part(1, 0, 6, 10, false);
	EXPECT(owner_kick(1) == 1 && ring_n(1)->flight == 1, 0, 0);
	drain();
	all_done(1);
	verdict("nic_packets_of_too_many_parts_are_refused");
}

/* Random rubbish in all of the owner's pages: the checks of the fake device hold. */
static void test_hostile_pages(void)
{
	struct owner *o = &owners[2];

	for (unsigned step = 0; step < 60000; step++) {
		uint8_t *p = pfn_to_virt(RING_PFN + RING_STEP * 2 + EXO_PACKETS_PAGE);

		p[rand() % (4 * 4096)] = (uint8_t)rand();
		if (rand() % 3 == 0) {
			owner_begin(2, 100 + (uint32_t)rand() % 100, rand() % 2);
			o->page->tx_tail = ring_n(2)->tx_taken + (uint32_t)rand() % 70;
		}
		if (rand() % 4 == 0)
			o->tx[rand() % EXO_PACKETS].slot = rand() % 2 ? o->buffer : 0;
		sys_nic_kick(env_at(USER_PFN), o->ring);
		device_finish();
		nic_interrupt(&nics.nic[0], step % QUEUES);
	}
	device_drain();
	EXPECT(pins_left() == 0, pins_left(), 0);
	detach(2);
	packets_make(RING_PFN + RING_STEP * 2, DATA);
	o->written = o->seq = o->refused = 0;
	filter_at(FILTER_PFN + 2)->pub.sent = filter_at(FILTER_PFN + 2)->pub.refused = 0;
	EXPECT(owner_bind(2) == 0, 0, 0);
	verdict("nic_hostile_pages_reach_nothing_else");
}

/* Two greedy rings and a small one behind them. */
static void test_turns(void)
{
	unsigned run = 0, seen[RINGS] = { 0 };
	uint32_t bytes = 0, last = RINGS;

	cpu = 0;
	device_size = 2;
	owner_begin(4, 60, false);
	owner_begin(4, 60, false);
	owner_kick(4);
	for (unsigned n = 0; n < 100; n++) {
		owner_begin(0, 60, false);
		owner_part(1, 0, 0, 1, true);
		owners[1].data[0] = 0x77;
		owners[1].data[1] = 1;
		owners[1].seq++;
		owner_part(1, 0, 1, 1400, false);
	}
	owners[1].data[1] = owners[1].data[2] = 1;
	owner_begin(3, 60, false);
	order_count = 0;
	owner_kick(0);
	owner_kick(1);
	owner_kick(3);
	drain();
	EXPECT(order_count == 201, order_count, 201);
	for (unsigned i = 0; i < order_count && seen[0] + seen[1] < 200; i++) {
		run = order[i].ring == last ? run + 1 : 1;
		last = order[i].ring;
		seen[last]++;
		bytes = run == 1 ? order[i].bytes : bytes + order[i].bytes;
		if (seen[0] < 100 && seen[1] < 100)
			EXPECT(run <= NIC_TURN_PACKETS && bytes <= NIC_TURN_BYTES + 1514, run,
			       bytes);
		if (order[i].ring == 3)
			EXPECT(i <= 2 * NIC_TURN_PACKETS, i, 0);
	}
	verdict("nic_turns_are_fair");
}

/* A claim below that of owner 4, on packets whose byte 2 is k: its slot. */
static exo_slot claim_below(unsigned slot, unsigned k)
{
	struct filter *f = filter_at(FILTER_PFN + 16 + k);
	struct exo_nic_spec spec = { 0 }, whole;

	bytes_of(spec.send.mask)[2] = 0xff;
	bytes_of(spec.send.value)[2] = (uint8_t)k;
	EXPECT(!filter_check(filter_at(FILTER_PFN + 4), &spec, EXO_R_WRITE, false, &whole), k, 0);
	filter_attach(filter_at(FILTER_PFN + 4), f, &whole, EXO_R_WRITE, false);
	f->pub.holder = slot_sid(slot_n(slot));
	return claim_make(slot, EXO_KIND_NIC, filter_pfn(f), 0, EXO_R_WRITE);
}

/* Rings of one data frame, bound, with as many packets of owner 4's as they hold; kicked. */
static void ring_of_four(unsigned n, exo_slot claim, unsigned k)
{
	uint64_t pfn = BOOT_PFN + 100 + 8 * n;
	exo_slot ring = claim_make(36 + n, EXO_KIND_PACKETS, pfn, 0, EXO_R_CONTROL);
	struct exo_tx *tx = pfn_to_virt(pfn + EXO_PACKETS_TX);
	uint8_t *data = pfn_to_virt(pfn + EXO_PACKETS_DATA);

	packets_make(pfn, 1);
	data[1] = 4;
	data[2] = (uint8_t)k;
	for (unsigned i = 0; i < EXO_PACKETS; i++)
		tx[i] = (struct exo_tx){ .bytes = 60 };
	EXPECT(sys_nic_bind(env_at(USER_PFN), ring, claim, 20 + n) == 0, n, 0);
	packets_page(packets_at(pfn))->tx_tail = EXO_PACKETS;
	EXPECT(sys_nic_kick(env_at(USER_PFN), ring) == EXO_PACKETS, n, 0);
}

/* Sixteen greedy rings of one claim and of what was narrowed from it, and one ring of another. */
static void test_turns_of_claims(void)
{
	enum { BELOW = 4, RINGS_OF_FOUR = 16, MINE = 200 };
	static const unsigned slot[BELOW] = { 52, 53, 54, 55 };
	exo_slot claim[BELOW];

	device_size = 4;
	any_ring = true;
	memset(came_of, 0, sizeof(came_of));
	for (unsigned k = 0; k < BELOW; k++)
		claim[k] = claim_below(slot[k], k);
	for (unsigned n = 0; n < RINGS_OF_FOUR; n++) {
		cpu = n % QUEUES;
		ring_of_four(n, n < 4 ? owners[4].claim : claim[n % BELOW], n % BELOW);
	}
	cpu = 1;
	for (unsigned n = 0; n < MINE; n++)
		owner_begin(0, 60, false);
	memset(came_of, 0, sizeof(came_of));
	EXPECT(owner_kick(0) == MINE, 0, 0);
	for (unsigned n = 0; n < 10000 && came_of[0] < MINE; n++) {
		device_finish();
		nic_interrupt(&nics.nic[0], n % QUEUES);
	}
	/* One of each two turns, but for those that had begun or were under way. */
	EXPECT(came_of[0] == MINE && came_of[4] <= MINE + 3 * NIC_TURN_PACKETS, came_of[0],
	       came_of[4]);
	EXPECT(came_of[4] >= MINE - 2 * NIC_TURN_PACKETS, came_of[4], 0);
	/* Whose parent goes, with packets that wait, is one of the parent's children then. */
	lock_take(&nics.nic[0].lock);
	nic_turn_rehang(filter_at(FILTER_PFN + 16), filter_at(nics.nic[0].filter));
	lock_release(&nics.nic[0].lock);
	EXPECT(nic_waits(&nics.nic[0]), 0, 0);
	device_drain();
	device_drain();
	EXPECT(came_of[4] > 3000 && !nic_waits(&nics.nic[0]), came_of[4], 0);
	lock_take(&tree_lock);
	work_left = 1 << 30;
	for (unsigned k = 0; k < BELOW; k++) {
		EXPECT(nic_unbind(slot_n(slot[k])) == 0, k, 0);
		lock_take(&nics.nic[0].lock);
		filter_detach(filter_at(FILTER_PFN + 16 + k));
		lock_release(&nics.nic[0].lock);
	}
	EXPECT(nic_unbind(slot_n(4 * 4 + 1)) == 0, 0, 0);
	lock_release(&tree_lock);
	EXPECT(owner_bind(4) == 0, 0, 0);
	filter_at(FILTER_PFN + 4)->pub.sent = owners[4].page->sent;
	any_ring = false;
	verdict("nic_turns_go_by_claims_not_by_rings");
}

static void test_interrupts(void)
{
	struct owner *o = &owners[3];
	uint64_t rounds = o->page->rounds;
	unsigned other, before;

	cpu = 1;
	device_size = DEVICE_MAX;
	kicks = late = 0;
	posts[4] = 0;
	for (unsigned n = 0; n < 8; n++)
		owner_begin(3, 60, false);
	tree_lock.insists = 1;  /* nothing is lent: the kick does not take it, or would wait */
	EXPECT(owner_kick(3) == 8, 0, 0);
	tree_lock.insists = 0;
	EXPECT(kicks == 1 && o->page->rounds == rounds + 1, kicks, o->page->rounds);
	EXPECT(off[1][1] && late == 1, off[1][1], late);
	cpu = 0;                /* packets do not overtake those in another queue */
	other = given[0];
	owner_begin(3, 60, false);
	EXPECT(owner_kick(3) == 1 && given[0] == other, given[0], other);
	cpu = 1;
	device_finish();
	EXPECT(owner_kick(3) == 0 && o->page->tx_done == o->written, 0, 0);
	EXPECT(!posts[4], posts[4], 0);
	o->page->tx_wake = 1;
	owner_begin(3, 60, false);
	EXPECT(owner_kick(3) == 1 && !off[1][1], off[1][1], 0);
	device_finish();
	nic_interrupt(&nics.nic[0], 1);
	EXPECT(posts[4] == 1 && off[1][1], posts[4], 0);
	o->page->tx_wake = 0;
	owner_begin(3, 60, true);
	owner_part(3, o->buffer, (BUFFER_PFN + BUFFERS * 3) * 4096ul, 100, false);
	before = lends;
	EXPECT(owner_kick(3) == 2 && !off[1][1] && lends > before, off[1][1], lends);
	drain();
	for (unsigned n = 0; n < 20; n++)
		owner_begin(3, 60, false);
	EXPECT(owner_kick(3) == 20 && !off[1][1], off[1][1], 0);        /* some wait */
	drain();
	all_done(3);
	verdict("nic_interrupts_only_when_somebody_waits");
}

/* Refused packets alone leave nobody to go on with those that wait: the timer does. */
static void test_refused_flood(void)
{
	struct owner *o = &owners[0];

	soon = arms = 0;
	for (unsigned n = 0; n < 100; n++) {
		owner_begin(0, 60, false);
		o->data[o->tx[(o->written - 1) % EXO_PACKETS].at + 1] = 9;      /* another's */
		o->refused++;
	}
	owner_begin(0, 60, false);
	EXPECT(owner_kick(0) == 101 && soon == 1 && arms == 1, soon, arms);
	EXPECT(o->page->refused < o->refused && o->page->error == -EXO_E_RIGHTS, o->page->error, 0);
	drain();
	o->seq = (uint32_t)(o->page->sent + o->page->refused);
	all_done(0);
	verdict("nic_forged_packets_are_refused_in_pieces");
}

/* Any number of rings may wait with packets that have no end: they are looked at in pieces. */
static void test_unfinished(void)
{
	enum { MANY = 80, FIRST = BOOT_PFN + 400 };
	struct nic *n = &nics.nic[0];
	unsigned waiting = 0;

	cpu = 0;
	lock_take(&n->lock);
	for (unsigned i = 0; i < MANY; i++) {
		struct packets *r = packets_at(FIRST + 7 * i);

		packets_make(FIRST + 7 * i, 1);
		r->tx_taken = 1;
		r->part[0].flags = EXO_TX_MORE;
		r->filter = n->filter;
		packets_queue_up(n, r);
	}
	lock_release(&n->lock);
	soon = 0;
	nic_work(n, 0, true);
	for (unsigned i = 0; i < MANY; i++)
		waiting += packets_at(FIRST + 7 * i)->turn.up != 0;
	EXPECT(waiting == MANY - NIC_LATER_BATCH && soon == 1, waiting, soon);
	for (unsigned i = 1; i <= MANY / NIC_LATER_BATCH; i++)
		nic_work(n, 0, true);
	EXPECT(!nic_waits(n), 0, 0);
	verdict("nic_rings_without_a_whole_packet_are_passed_in_pieces");
}

static int32_t send_error(unsigned i, struct exo_tx t)
{
	struct owner *o = &owners[i];
	uint64_t refused = o->page->refused;
	struct exo_tx *first = owner_begin(i, t.bytes ? t.bytes : 60, t.flags & EXO_TX_MORE);

	first->flags |= t.flags;
	first->segment = t.segment;
	first->header = t.header;
	first->checksum_start = t.checksum_start;
	first->checksum_offset = t.checksum_offset;
	if (t.flags & EXO_TX_MORE)
		owner_part(i, 0, 0, t.spare, false);
	owner_kick(i);
	drain();
	o->refused = (uint32_t)o->page->refused;
	all_done(i);
	return o->page->refused == refused ? 0 : o->page->error;
}

static void test_offload(void)
{
	struct exo_tx sum = {.flags = EXO_TX_CHECKSUM, .checksum_start = 10, .checksum_offset = 4};
	struct exo_tx cut = {.flags = EXO_TX_CHECKSUM | EXO_TX_SEGMENT4 | EXO_TX_MORE,
			     .spare = 20000,
			     .checksum_start = 10,
			     .checksum_offset = 4,
			     .segment = 1000,
			     .header = 54};
	struct exo_tx t;

	EXPECT(send_error(3, sum) == 0, 0, 0);
	t = sum, t.checksum_start = 60;
	EXPECT(send_error(3, t) == -EXO_E_RANGE, 0, 0);
	t = sum, t.checksum_offset = 49;
	EXPECT(send_error(3, t) == -EXO_E_RANGE, 0, 0);
	t = sum, t.checksum_offset = 65535, t.checksum_start = 50;
	EXPECT(send_error(3, t) == -EXO_E_RANGE, 0, 0);
	t = sum, t.checksum_offset = 48;
	EXPECT(send_error(3, t) == 0, 0, 0);
	for (unsigned at = 0; at < 3; at++) {   /* byte 1 is named */
		t = sum, t.checksum_start = 0, t.checksum_offset = (uint16_t)at;
		EXPECT(send_error(3, t) == (at < 2 ? -EXO_E_RIGHTS : 0), at, 0);
	}
	EXPECT(send_error(3, cut) == 0, 0, 0);
	t = cut, t.flags &= ~EXO_TX_SEGMENT4;
	EXPECT(send_error(3, t) == -EXO_E_RANGE, 0, 0);
	t = cut, t.flags &= ~EXO_TX_CHECKSUM;
	EXPECT(send_error(3, t) == -EXO_E_ARG, 0, 0);
	t = cut, t.flags |= EXO_TX_SEGMENT6;
	EXPECT(send_error(3, t) == -EXO_E_ARG, 0, 0);
	t = cut, t.flags ^= EXO_TX_SEGMENT4 | EXO_TX_SEGMENT6;
	EXPECT(send_error(3, t) == -EXO_E_ABSENT, 0, 0);
	t = cut, t.segment = 3;
	EXPECT(send_error(3, t) == -EXO_E_ARG, 0, 0);
	t = cut, t.spare = 65535, t.bytes = 16;
	EXPECT(send_error(3, t) == -EXO_E_RANGE, 0, 0);
	nics.info[0].flags &= ~(uint32_t)EXO_NIC_CHECKSUM;
	EXPECT(send_error(3, sum) == -EXO_E_ABSENT, 0, 0);
	nics.info[0].flags |= EXO_NIC_CHECKSUM;
	verdict("nic_offloads_are_checked");
}

static void test_rights(void)
{
	struct exo_cap *claim = slot_n(4 * 4 + 1);
	const struct exo_tx plain = { 0 }, long_one = { .flags = EXO_TX_MORE, .spare = 1455 };

	EXPECT(send_error(4, plain) == 0, 0, 0);
	EXPECT(send_error(4, long_one) == -EXO_E_RANGE, 0, 0);
	claim->flags = EXO_CAP_FROZEN;
	EXPECT(owner_kick(4) == -EXO_E_FROZEN, 0, 0);
	claim->flags = 0;
	claim->gen++;
	EXPECT(owner_kick(4) == -EXO_E_STALE, 0, 0);
	claim->gen--;
	detach(4);
	claim->rights = EXO_R_READ;
	EXPECT(owner_bind(4) == 0, 0, 0);
	EXPECT(send_error(4, plain) == -EXO_E_RIGHTS, 0, 0);
	detach(4);
	claim->rights = EXO_R_READ | EXO_R_WRITE;
	EXPECT(owner_bind(4) == 0, 0, 0);
	owner_begin(SHARE, 60, false);
	EXPECT(owner_kick(SHARE) == 1 && owners[SHARE].page->error == -EXO_E_RIGHTS, 0, 0);
	verdict("nic_rights_are_checked");
}

static void test_bind_errors(void)
{
	struct env *e = env_at(USER_PFN);
	struct exo_cap *claim = slot_n(4 * 4 + 1);

	EXPECT(owner_bind(4) == -EXO_E_BUSY, 0, 0);
	detach(4);
	EXPECT(sys_nic_bind(e, owners[4].ring, owners[4].claim, 0) == -EXO_E_RANGE, 0, 0);
	EXPECT(sys_nic_bind(e, owners[4].ring, owners[4].claim, 256) == -EXO_E_RANGE, 0, 0);
	EXPECT(sys_nic_bind(e, owners[4].ring, owners[4].claim, 1) == -EXO_E_ROOM, 0, 0);
	EXPECT(sys_nic_bind(e, owners[4].claim, owners[4].claim, 5) == -EXO_E_KIND, 0, 0);
	EXPECT(sys_nic_bind(e, owners[4].ring, owners[4].ring, 5) == -EXO_E_KIND, 0, 0);
	claim->unit = 1;
	EXPECT(owner_bind(4) == -EXO_E_ABSENT, 0, 0);
	claim->unit = 0;
	claim->flags = EXO_CAP_FROZEN;
	EXPECT(owner_bind(4) == -EXO_E_FROZEN, 0, 0);
	claim->flags = 0;
	EXPECT(!claim->bind, 0, 0);
	/* At most 16 rings on a claim, in the order they were bound. */
	for (unsigned n = 0; n < NIC_RINGS_MAX + 1; n++) {
		uint64_t pfn = BOOT_PFN + 100 + 8 * n;
		exo_slot ring = claim_make(40 + n, EXO_KIND_PACKETS, pfn, 0, EXO_R_CONTROL);

		packets_make(pfn, 1);
		EXPECT(sys_nic_bind(e, ring, owners[4].claim, 20 + n) ==
		       (n < NIC_RINGS_MAX ? 0 : -EXO_E_ROOM), n, 0);
	}
	EXPECT(claim->bind == BOOT_PFN + 100 &&
		       packets_at(claim->bind)->bind_next == BOOT_PFN + 108,
	       0, 0);
	lock_take(&tree_lock);
	work_left = 1 << 30;
	EXPECT(nic_unbind(claim) == 0 && !claim->bind, 0, 0);
	lock_release(&tree_lock);
	EXPECT(owner_bind(4) == 0, 0, 0);
	verdict("nic_bind_refuses");
}

/* --- receiving --- */

static struct { uint8_t first; uint32_t length, takes; } next_in;

/* What the first buffer has no room for, in as few others as the device has it. */
#define FIRST 2032u
#define OTHER 2044u
static struct nic_rest in_rest[EXO_PACKET_BUFFERS];

static void make_rests(struct nic_packet *p)
{
	uint8_t *to = pfn_to_virt(JOIN_PFN);

	p->rest = in_rest;
	p->bytes = FIRST;
	p->segment = 1448;
	for (uint32_t at = FIRST; at < p->length; at += OTHER) {
		struct nic_rest *r = &in_rest[p->rests++];

		*r = (struct nic_rest){ virt_to_phys(to + at),
			(uint32_t)min_u64(OTHER, p->length - at) };
		for (uint32_t i = 0; i < r->bytes; i++)
			to[at + i] = (uint8_t)((at + i) * 7);
	}
}

static void make_next(struct nic_packet *p)
{
	memset(in_buffer, 0xee, sizeof(in_buffer));
	in_buffer[0] = next_in.first;
	for (uint32_t i = 1; i < next_in.length && i < sizeof(in_buffer); i++)
		in_buffer[i] = (uint8_t)(i * 7);
	now_tsc += next_in.takes;
	p->length = p->bytes = in_last && in_waiting[0] ? 60 : next_in.length;
	p->checked = next_in.length % 2;
	if (p->length > FIRST)
		make_rests(p);
}

static void receive_one(uint8_t first, uint32_t length)
{
	next_in.first = first;
	next_in.length = length;
	in_make = make_next;
	in_waiting[0] = 1;
	nic_interrupt(&nics.nic[0], 0);
}

static void owner_post(unsigned i, uint32_t offset)
{
	struct owner *o = &owners[i];

	o->rx[o->page->rx_posted % EXO_PACKETS] = (struct exo_rx){.offset = offset, .bytes = 9999};
	__atomic_store_n(&o->page->rx_posted, o->page->rx_posted + 1, __ATOMIC_RELEASE);
}

static void test_receive(void)
{
	static const uint32_t lengths[] = { 1, 6, 60, 127, 128, 129, 700, 1514, 2032 };

	for (unsigned n = 0; n < 4000; n++) {
		unsigned i = (unsigned)rand() % SHARE;
		struct owner *o = &owners[i];
		uint32_t length = lengths[n % ARRAY_LEN(lengths)], at = (uint32_t)rand() % 70000;
		uint32_t done = o->page->rx_done;
		const struct exo_rx *e = &o->rx[done % EXO_PACKETS];

		owner_post(i, at);
		posts[i + 1] = 0;
		o->data[at + length] = 0x5a;
		receive_one((uint8_t)i, length);
		EXPECT(o->page->rx_done == done + 1 && posts[i + 1] == 1, o->page->rx_done,
		       posts[i + 1]);
		EXPECT(e->length == length && e->bytes == length && e->offset == at, e->bytes,
		       length);
		EXPECT(e->flags == (length % 2 ? EXO_RX_CHECKED : 0), e->flags, 0);
		EXPECT(o->data[at] == i && o->data[at + length] == 0x5a, i, length);
		for (uint32_t k = 1; k < length; k++)
			EXPECT(o->data[at + k] == (uint8_t)(k * 7), k, length);
	}
	EXPECT(nics.info[0].received == 4000 && nics.info[0].dropped == 0, nics.info[0].received,
	       0);
	verdict("nic_packets_reach_the_ring_of_their_claim");
}

/* Nobody's, no buffer, no data area, indices that lie; a batch is one event. */
static void test_receive_odd(void)
{
	struct owner *o = &owners[0];
	uint64_t dropped = nics.info[0].dropped;
	uint32_t done = o->page->rx_done;

	receive_one(0x99, 100);
	EXPECT(nics.info[0].dropped == dropped + 1, 0, 0);
	receive_one(0x99, 3);
	for (unsigned i = 3; i < EXO_NIC_HEADER; i++)   /* compared as if zeros followed */
		EXPECT(!in_buffer[i], i, in_buffer[i]);
	dropped++;
	receive_one(0, 100);
	EXPECT(nics.info[0].dropped == dropped + 2 && o->page->dropped == 1, o->page->dropped, 0);
	for (uint64_t lie = 257; lie < 1ul << 32; lie *= 2) {
		o->page->rx_posted = done + (uint32_t)lie;
		receive_one(0, 100);
	}
	EXPECT(o->page->rx_done == done, o->page->rx_done, done);
	o->page->rx_posted = done;
	owner_post(0, DATA * 4096 - 2047);
	owner_post(0, ~0u);
	receive_one(0, 100);
	receive_one(0, 100);
	EXPECT(o->page->rx_done == done + 2 && o->rx[done % EXO_PACKETS].bytes == 0,
	       o->page->rx_done, done);
	EXPECT(o->rx[done % EXO_PACKETS].length == 100, 0, 0);
	owner_post(0, DATA * 4096 - 2048);
	receive_one(0, 100);
	EXPECT(o->rx[(done + 2) % EXO_PACKETS].bytes == 100, 0, 0);
	for (unsigned n = 0; n < 10; n++)
		owner_post(0, n * 2048);
	posts[1] = 0;
	in_waiting[0] = 7;
	nic_interrupt(&nics.nic[0], 0);
	EXPECT(posts[1] == 1 && o->page->rx_done == done + 10, posts[1], o->page->rx_done);
	o->page->rx_quiet = 1;
	owner_post(0, 0);
	receive_one(0, 100);
	EXPECT(posts[1] == 1 && o->page->rx_done == done + 11, posts[1], 0);
	o->page->rx_quiet = 0;
	verdict("nic_odd_receive_rings_lose_only_their_own");
}

static void rebind(unsigned i, uint32_t joined)
{
	detach(i);
	owners[i].page->rx_joined = joined;
	EXPECT(owner_bind(i) == 0, i, 0);
	owners[i].page->rx_posted = owners[i].page->rx_done;
}

static void post_all(unsigned i, unsigned count)
{
	owners[i].page->rx_posted = owners[i].page->rx_done;
	for (unsigned n = 0; n < count; n++)    /* not in the order in which they lie */
		owner_post(i, n * 7 % 40 * EXO_PACKET_BYTES);
}

/* Are these the buffers of a packet of so many bytes, from entry `first` on? */
static void joined_check(unsigned i, uint32_t first, uint32_t length)
{
	uint32_t done = 0;

	for (uint32_t n = first; done < length; n++) {
		const struct exo_rx *e = &owners[i].rx[n % EXO_PACKETS];
		const uint8_t *at = owners[i].data + e->offset;

		EXPECT(e->length == length && e->bytes == min_u64(done ? OTHER : FIRST, length -
		       done), e->length, e->bytes);
		EXPECT(e->flags == ((length % 2 ? EXO_RX_CHECKED : 0) |
		                    (done + e->bytes < length ? EXO_RX_MORE : 0)),
		       e->flags, length);
		EXPECT(e->segment == (length > FIRST ? 1448 : 0), e->segment, length);
		for (uint32_t k = !done; k < e->bytes && e->bytes <= 2048; k++)
			EXPECT(at[k] == (uint8_t)((done + k) * 7), done + k, length);
		done += e->bytes ? e->bytes : length;
	}
}

/* A packet in several buffers, all of them at once; or cut off, where rings do not take them. */
static void test_joined(void)
{
	static const uint32_t lengths[] = { 60, 2032, 2033, 2048, 2049, 4076, 4077, 4096, 4097,
		9000, 65549, FIRST + 32 * OTHER };
	struct owner *o = &owners[1], *share = &owners[SHARE];

	rebind(1, 1);
	for (unsigned n = 0; n < 2 * ARRAY_LEN(lengths); n++) {
		uint32_t length = lengths[n / 2];
		uint32_t need = length > FIRST ? 1 + (length - FIRST + OTHER - 1) / OTHER : 1;
		uint32_t done = o->page->rx_done, copied = (uint32_t)o->page->copied;
		uint64_t dropped = o->page->dropped, came = share->page->rx_done;
		const struct exo_rx *e = &share->rx[came % EXO_PACKETS];

		post_all(1, need - n % 2);      /* each second time one is missing */
		post_all(SHARE, 1);
		posts[2] = 0;
		receive_one(1, length);
		EXPECT(o->page->rx_done == done + (n % 2 ? 0 : need), o->page->rx_done, length);
		EXPECT(o->page->dropped == dropped + n % 2 && posts[2] == 1 - n % 2, posts[2], 0);
		EXPECT(o->page->copied - copied == (n % 2 ? 0 : length), copied, length);
		if (n % 2 == 0)
			joined_check(1, done, length);
		EXPECT(share->page->rx_done == came + 1 && e->length == length && e->bytes ==
		       min_u64(length, 2048) && !(e->flags & EXO_RX_MORE), e->flags, e->bytes);
	}
	post_all(2, 40);
	receive_one(2, 9000);
	EXPECT(owners[2].page->rx_done == owners[2].page->rx_posted - 39, 0, 0);
	EXPECT(owners[2].rx[(owners[2].page->rx_done - 1) % EXO_PACKETS].bytes == 2048 &&
	       owners[2].rx[(owners[2].page->rx_done - 1) % EXO_PACKETS].length == 9000, 0, 0);
	verdict("nic_joined_packets_fill_several_buffers_at_once");
}

/* From a buffer outside the data area on nothing is written, and the owner can see that. */
static void test_joined_odd(void)
{
	struct owner *o = &owners[1];
	uint32_t done = o->page->rx_done;
	uint64_t dropped = o->page->dropped, all = nics.info[0].dropped;

	post_all(1, 5);
	o->rx[(done + 2) % EXO_PACKETS].offset = DATA * 4096 - 2047;
	memset(o->data, 0x11, DATA * 4096);
	receive_one(1, 9000);
	EXPECT(o->page->rx_done == done + 5 && o->page->dropped == dropped + 1, 0, 0);
	EXPECT(nics.info[0].dropped == all + 1, nics.info[0].dropped, all);
	for (unsigned n = 0; n < 5; n++) {
		const struct exo_rx *e = &o->rx[(done + n) % EXO_PACKETS];

		EXPECT(e->bytes == (n == 0 ? FIRST : n == 1 ? OTHER : 0), n, e->bytes);
		EXPECT(!(e->flags & EXO_RX_MORE) == (n == 4), n, e->flags);
		EXPECT(n < 2 || n == 2 || o->data[e->offset] == 0x11, n, 0);
	}
	done += 5;
	for (uint64_t lie = 257; lie < 1ul << 32; lie *= 2) {
		o->page->rx_posted = done + (uint32_t)lie;
		receive_one(1, 9000);
	}
	EXPECT(o->page->rx_done == done, o->page->rx_done, done);
	o->page->rx_posted = done;
	verdict("nic_odd_buffers_of_joined_packets_lose_only_these");
}

/* The card joins while all rings bound take it, and there are some. */
static void test_joins(void)
{
	unsigned calls = join_calls;

	EXPECT(!joining && !(nics.info[0].flags & EXO_NIC_JOINS), calls, 0);
	for (unsigned i = 0; i < RINGS; i++) {
		EXPECT(!joining, i, 0);
		rebind(i, 1 + i);
	}
	EXPECT(joining && (nics.info[0].flags & EXO_NIC_JOINS), nics.info[0].flags, 0);
	owners[2].page->rx_joined = 0;          /* what it says later does not count */
	rebind(4, 1);
	EXPECT(joining && join_calls == calls + 1, join_calls, calls);
	rebind(SHARE, 0);
	EXPECT(!joining && !(nics.info[0].flags & EXO_NIC_JOINS), 0, 0);
	detach(SHARE);
	EXPECT(joining && join_calls == calls + 3, join_calls, calls);
	for (unsigned i = 0; i < SHARE; i++)
		detach(i);
	EXPECT(!joining && !nics.nic[0].rings && !nics.nic[0].rings_joined, 0, 0);
	for (unsigned i = 0; i < RINGS; i++)
		rebind(i, 0);
	EXPECT(!joining && join_calls == calls + 4, join_calls, calls);
	verdict("nic_joins_while_all_rings_take_it");
}

/* A large packet is a time's work: behind others, or where somebody sends, it has its own. */
static void test_large(void)
{
	struct owner *o = &owners[1];
	uint32_t done;

	drain();
	rebind(1, 1);
	post_all(1, 40);
	done = o->page->rx_done;
	in_last = true;
	in_buffers = 33;
	next_in.first = 0x99;
	next_in.length = 65549;
	in_waiting[0] = 1;
	soon = 0;
	nic_interrupt(&nics.nic[0], 0);
	EXPECT(!in_waiting[0] && !soon && !off[0][0], in_waiting[0], soon);
	in_waiting[0] = 4;
	nic_interrupt(&nics.nic[0], 0);
	EXPECT(in_waiting[0] == 1 && soon == 1 && off[0][0], in_waiting[0], soon);
	for (unsigned n = 0; n < 60; n++)
		owner_begin(0, 60, false);
	owner_kick(0);
	kicks = 0;
	device_finish();
	nic_work(&nics.nic[0], 0, true);
	EXPECT(!in_waiting[0] && !kicks && soon == 2, kicks, soon);
	in_waiting[0] = 1;
	nic_work(&nics.nic[0], 0, true);
	EXPECT(in_waiting[0] == 1 && kicks == 1 && soon == 3, kicks, soon);
	nic_work(&nics.nic[0], 0, true);
	EXPECT(!in_waiting[0] && kicks == 1, kicks, soon);
	in_last = false;
	in_buffers = 1;
	EXPECT(o->page->rx_done == done, 0, 0);
	drain();
	rebind(1, 0);
	verdict("nic_large_packets_have_a_time_of_their_own");
}

/* Who is told of the rings owes the time, also if nothing came of the packet. */
static void test_charge(void)
{
	struct owner *o = &owners[1];

	memset(charged, 0, sizeof(charged));
	next_in.takes = 7;
	o->page->rx_posted = o->page->rx_done;
	for (unsigned n = 0; n < 5; n++)
		owner_post(1, n * 2048);
	for (unsigned n = 0; n < 5; n++)
		receive_one(1, 60);
	EXPECT(charged[USER_PFN] == 35 && !charged[0], charged[USER_PFN], charged[0]);
	receive_one(1, 60);
	EXPECT(charged[USER_PFN] == 42, charged[USER_PFN], 0);
	ring_n(1)->env = 0;
	receive_one(1, 60);
	EXPECT(charged[USER_PFN] == 42 && charged[0] == 7, charged[0], 0);
	ring_n(1)->env = USER_PFN;
	receive_one(0x99, 60);
	EXPECT(charged[USER_PFN] == 42 && charged[0] == 14, charged[0], 0);
	next_in.takes = 0;
	verdict("nic_work_is_charged_to_who_it_is_done_for");
}

/* A flood is taken in pieces, the rest by the timer, meanwhile without interrupts. */
static void test_flood(void)
{
	const unsigned piece = NIC_RECEIVE_BATCH / 2;   /* the share gets copies, and they count */
	unsigned left = 10 * piece + 1;

	in_waiting[0] = left;
	next_in.first = 0x99;
	next_in.length = 60;
	soon = arms = 0;
	nic_interrupt(&nics.nic[0], 0);
	EXPECT(in_waiting[0] == (left -= piece) && off[0][0] && soon == 1 && arms == 1,
	       in_waiting[0], soon);
	nic_interrupt(&nics.nic[0], 0);         /* one for what was sent */
	EXPECT(in_waiting[0] == left, in_waiting[0], left);
	for (unsigned n = 2; left > piece; n++) {
		nic_work(&nics.nic[0], 0, true);
		EXPECT(in_waiting[0] == (left -= piece) && off[0][0] && soon == n && arms == 1,
		       in_waiting[0], soon);
	}
	nic_work(&nics.nic[0], 0, true);
	EXPECT(in_waiting[0] == 0 && !off[0][0] && soon == 10, in_waiting[0], soon);
	verdict("nic_a_flood_is_taken_in_pieces");
}

/* A share sees received and sent packets; several rings of a claim are filled in turn. */
static void test_share(void)
{
	struct owner *o = &owners[SHARE];
	uint32_t done = o->page->rx_done;
	const struct exo_rx *e = &o->rx[done % EXO_PACKETS];

	o->page->rx_posted = done;
	owner_post(SHARE, 4096);
	owner_post(1, 0);
	receive_one(1, 300);
	EXPECT(o->page->rx_done == done + 1 && e->flags == EXO_RX_COPY && e->bytes == 300, e->flags,
	       e->bytes);
	EXPECT(o->data[4096] == 1 && o->data[4096 + 299] == (uint8_t)(299 * 7), 0, 0);
	owner_post(SHARE, 8192);
	e = &o->rx[(done + 1) % EXO_PACKETS];
	owners[2].data[owner_begin(2, 100, true)->at + 99] = 0x21;
	memset(pfn_to_virt(BUFFER_PFN + BUFFERS * 2), 0x3c, 4096);
	owner_part(2, owners[2].buffer, (BUFFER_PFN + BUFFERS * 2) * 4096ul, 900, false);
	EXPECT(owner_kick(2) == 2, 0, 0);
	EXPECT(o->page->rx_done == done + 2 && e->flags == (EXO_RX_COPY | EXO_RX_SENT), e->flags,
	       0);
	EXPECT(e->bytes == 1000 && o->data[8192 + 1] == 2 && o->data[8192 + 99] == 0x21, 0, 0);
	EXPECT(o->data[8192 + 100] == 0x3c && o->data[8192 + 999] == 0x3c, 0, 0);
	drain();
	verdict("nic_shares_get_copies_both_ways");
}

/* Copies for shares are work: the more there are, the fewer packets are sent at a time. */
static void test_many_shares(void)
{
	struct exo_nic_spec none = { 0 }, whole;
	struct filter *root = filter_at(nics.nic[0].filter);
	unsigned first = 16;

	lock_take(&nics.nic[0].lock);
	for (unsigned i = 0; i < FILTER_SHARES - 1; i++) {
		EXPECT(!filter_check(root, &none, EXO_R_WRITE, true, &whole), i, 0);
		filter_attach(root, filter_at(FILTER_PFN + first + i), &whole, EXO_R_WRITE, true);
	}
	lock_release(&nics.nic[0].lock);
	device_size = DEVICE_MAX;
	for (unsigned n = 0; n < DEVICE_MAX; n++)
		owner_begin(1, 60, false);
	EXPECT(owner_kick(1) == DEVICE_MAX, 0, 0);
	EXPECT(ring_n(1)->flight == NIC_RECEIVE_BATCH / FILTER_SHARES, ring_n(1)->flight, 0);
	drain();
	EXPECT(owners[1].page->tx_done == owners[1].written, 0, 0);
	lock_take(&nics.nic[0].lock);
	for (unsigned i = 0; i < FILTER_SHARES - 1; i++)
		filter_detach(filter_at(FILTER_PFN + first + i));
	lock_release(&nics.nic[0].lock);
	verdict("nic_copies_of_sent_packets_are_counted_as_work");
}

/* --- the device's troubles --- */

static void test_link(void)
{
	exo_slot wide = claim_make(60, EXO_KIND_NIC, nics.nic[0].filter, 0, 3);
	exo_slot ring = claim_make(61, EXO_KIND_PACKETS, BOOT_PFN + 300, 0, EXO_R_CONTROL);

	packets_make(BOOT_PFN + 300, 1);
	EXPECT(sys_nic_bind(env_at(USER_PFN), ring, wide, 50) == 0, 0, 0);
	posts[50] = posts[1] = 0;
	cable = false;
	nic_changed(&nics.nic[0]);
	EXPECT(posts[50] == 1 && !(nics.info[0].flags & EXO_NIC_LINK) && !posts[1], posts[50], 0);
	nic_changed(&nics.nic[0]);
	EXPECT(posts[50] == 1, posts[50], 0);
	cable = true;
	nic_changed(&nics.nic[0]);
	EXPECT(posts[50] == 2 && (nics.info[0].flags & EXO_NIC_LINK), posts[50], 0);
	lock_take(&tree_lock);
	packets_forget(BOOT_PFN + 300);
	reserved[50] = 0;
	lock_release(&tree_lock);
	cable = false;
	nic_changed(&nics.nic[0]);
	cable = true;
	nic_changed(&nics.nic[0]);
	EXPECT(posts[50] == 2, posts[50], 0);
	lock_take(&tree_lock);
	EXPECT(packets_end(BOOT_PFN + 300) == 0 && !nics.nic[0].wide, 0, 0);
	lock_release(&tree_lock);
	verdict("nic_the_link_is_told_to_who_looks_after_it");
}

static void test_silent_device(void)
{
	cpu = 0;
	device_size = 2;
	for (unsigned n = 0; n < 5; n++)
		owner_begin(0, 60, false);
	EXPECT(owner_kick(0) == 5 && ring_n(0)->flight == 2, ring_n(0)->flight, 0);
	lock_take(&tree_lock);
	EXPECT(packets_end(RING_PFN) == EXO_MORE && !resets, 0, 0);
	now_tsc += 9 * 1000;
	nics_expire();
	EXPECT(packets_end(RING_PFN) == EXO_MORE && !resets, 0, 0);
	now_tsc += 2 * 1000;
	EXPECT(packets_end(RING_PFN) == EXO_MORE || resets, 0, 0);
	EXPECT(packets_end(RING_PFN) == 0 && resets == 1, resets, 0);
	lock_release(&tree_lock);
	EXPECT(owners[0].page->tx_done == owners[0].written, 0, 0);
	/* One that asks for a reset, with packets in it and packets that wait. */
	for (unsigned n = 0; n < 5; n++)
		owner_begin(1, 60, false);
	late = 0;
	EXPECT(owner_kick(1) == 5, 0, 0);
	broken = true;
	nic_changed(&nics.nic[0]);
	EXPECT(resets == 2 && !ring_n(1)->flight && late, resets, late);
	nic_work(&nics.nic[0], ring_n(1)->queue, true);
	EXPECT(ring_n(1)->flight == 2, ring_n(1)->flight, 0);
	/* One that does not come back. */
	dead = broken = true;
	nic_changed(&nics.nic[0]);
	EXPECT(nics.nic[0].dead && !(nics.info[0].flags & EXO_NIC_LINK), 0, 0);
	drain();
	EXPECT(owners[1].page->tx_done == owners[1].written, 0, 0);
	EXPECT(owners[1].page->error == -EXO_E_DEVICE, owners[1].page->error, 0);
	verdict("nic_silent_and_broken_devices_are_reset");
}

int main(void)
{
	srand(1);
	machine_make();
	test_random();
	test_detach();
	test_hostile_indices();
	test_too_many_parts();
	test_hostile_pages();
	test_turns();
	test_turns_of_claims();
	test_interrupts();
	test_refused_flood();
	test_unfinished();
	test_offload();
	test_rights();
	test_bind_errors();
	test_receive();
	test_receive_odd();
	test_joined();
	test_joined_odd();
	rebind(1, 0);
	test_joins();
	test_charge();
	test_flood();
	test_large();
	test_share();
	test_many_shares();
	test_link();
	test_silent_device();
	return 0;
}
