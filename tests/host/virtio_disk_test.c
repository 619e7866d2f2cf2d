/* SPDX-License-Identifier: MIT */
/*
 * virtio_disk_test.c - disk rings over a fake device: random and hostile owners against a model.
 *
 * Invariant: what the device is given lies inside the claims of the ring it came from and is
 * pinned; every request taken completes exactly once, with the status the model foretells; in the
 * end no pin is left.  The kernel's claims, frames and events are fakes here.
 */
// sources: exo/dev/disk.c exo/dev/disk_turn.c exo/dev/disk_request.c exo/dev/disk_bind.c
// sources: exo/lend.c exo/base/string.c exo/lock.c
// includes: exo
// flags: -include tests/host/virtio_fake.h -fno-builtin
#include <stdio.h>
#include <stdlib.h>

#include "claim.h"
#include "dev/disk.h"
#include "dev/pci.h"
#include "frame.h"
#include "kernel.h"
#include "tree_fake.h"

void *percpu_self(void) { return &the_cpu; }

#define RINGS      6u
#define BLOCKS     1000u        /* of each ring's claim */
#define BUFFERS    160u         /* frames of each ring's FRAME claim */
#define DEVICE_MAX 16u
#define TAGS       4000000u
#define PIECES     8u           /* of one request of the fake disk */
#define DISCARD    64u          /* blocks of one discard */

/* Physical layout of the fake machine, in frames. */
enum { TABLE_PFN = 1, USER_PFN = 2, RING_PFN = 16, BUFFER_PFN = 64, RAM_FRAMES = 2048 };

uint8_t *fake_ram;
int work_left = 1 << 30;
struct frame_map frames;
struct pci_list pci;
static struct exo_machine fake_machine = { .tsc_hz = 1000 };
struct exo_machine *machine = &fake_machine;
static uint64_t now_tsc, timer_due;
static bool windows_interrupt;
static uint64_t charged[RINGS + 3];     /* by environment's frame; 0: nobody */
static unsigned reap_takes;             /* time stamps */
static unsigned failures, pins[RAM_FRAMES], posts[RINGS + 1], reserved[RINGS + 1];
static struct exo_frame fake_fine[2 * RAM_FRAMES + EXO_CHUNK_FRAMES];
static struct exo_chunk fake_chunks[RAM_FRAMES / EXO_CHUNK_FRAMES];
static enum exo_use use_of[RAM_FRAMES];

static void fail(const char *what, uint64_t a, uint64_t b)
{
	if (failures++ < 10)
		printf("# %s: %lu, %lu\n", what, a, b);
}
#define EXPECT(cond, a, b) do { if (!(cond)) fail(#cond, (uint64_t)(a), (uint64_t)(b)); } while (0)

/* --- what disks use of the kernel --- */

/* Where interrupts are let in, handlers take the disk's lock. */
void interrupts_window(void)
{
	EXPECT(!LOCKED(disks.disk->lock), 0, 0);
	if (windows_interrupt)
		disk_interrupt(disks.disk);
}

void work_done(int steps)
{
	EXPECT(LOCKED(tree_lock), steps, 0);
	work_left -= steps;
	interrupts_window();
}

void interrupt_again(void) { }
uint64_t charge_begin(void) { return now_tsc; }
void charge_work(struct env *owner, uint64_t *since)
{
	EXPECT(LOCKED(disks.disk->lock) && *since <= now_tsc, *since, now_tsc);
	charged[owner ? owner->pfn : 0] += now_tsc - *since;
	*since = now_tsc;
}
void spin_wait(void) { fail("a lock is taken twice", 0, 0); abort(); }
uint64_t read_tsc(void) { return now_tsc; }
bool pci_is_left(const struct exo_pci_info *info) { return !info; }
void timer_set(struct timer *t, uint64_t tsc) { timer_due = tsc; (void)t; }
void machine_notice(const char *format, ...) { (void)format; }
bool virtio_blk_is(const struct exo_pci_info *info) { return info->vendor == 1; }
bool nvme_disk_is(const struct exo_pci_info *info) { return !info; }
bool nvme_disk_start(const struct exo_pci_info *info) { (void)info; abort(); }

void *boot_frames(uint64_t count) { return calloc(count, EXO_PAGE_SIZE); }
void *boot_export(uint64_t bytes) { return calloc(1, bytes); }

static struct exo_cap *slot_n(unsigned n)
{
	return (struct exo_cap *)pfn_to_virt(TABLE_PFN) + n;
}

bool table_serves(struct env *e, uint64_t pfn)
{
	return e == env_at(USER_PFN) && pfn == TABLE_PFN;
}

enum exo_use frame_use(uint64_t pfn) { return pfn < RAM_FRAMES ? use_of[pfn] : EXO_USE_NONE; }

/* Frame 150 of each buffer has been given away. */
bool frame_range_held(uint64_t lo, uint64_t hi, exo_sid sid)
{
	uint64_t gone = slot_at(sid)->lo + 150;

	return hi <= gone || lo > gone;
}

void frame_pin(struct exo_cap *claim, uint64_t lo, uint64_t count)
{
	EXPECT(LOCKED(tree_lock), 0, 0);
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
	EXPECT(e == env_at(USER_PFN), entry, 0);
	EXPECT(entry >= 1 && entry <= RINGS && reserved[entry], entry, 0);
	posts[entry]++;
}

int event_reserve(struct env *e, unsigned entry, enum source_kind kind, uint64_t id)
{
	EXPECT(kind == SOURCE_RING && e == env_at(USER_PFN), kind, id);
	if (reserved[entry])
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

static struct {
	struct disk_io io;
	bool busy, done;
	int status;
} queue[DEVICE_MAX];
static unsigned queue_size = 4, kicks, dead, order_count;
static bool lost;
static struct { unsigned ring; uint64_t bytes; uint32_t op; } order[100000];

static unsigned ring_number(uint64_t cookie) { return (unsigned)(cookie / 64 - RING_PFN) / 3; }

static void piece_check(const struct disk_piece *p, unsigned n)
{
	uint64_t lo = BUFFER_PFN + n * BUFFERS, first = p->pa / 4096, last;

	EXPECT(p->bytes && p->bytes <= EXO_DISK_MAX_BYTES && p->bytes % 512 == 0, p->bytes, 0);
	last = (p->pa + p->bytes - 1) / 4096;
	EXPECT(first >= lo && last < lo + BUFFERS, first, last);
	for (uint64_t i = first; i <= last && i < RAM_FRAMES; i++)
		EXPECT(pins[i], i, n);
}

static bool is_heavy(const struct disk_io *io)
{
	return io->op == EXO_DISK_FLUSH || io->op == EXO_DISK_DISCARD;
}

static void io_check(const struct disk_io *io)
{
	unsigned n = ring_number(io->cookie);
	uint32_t bytes = 0;

	EXPECT(n < RINGS && io->cookie / 64 == RING_PFN + 3 * n, io->cookie, n);
	EXPECT(!io->fua, io->op, n);    /* the fake device has no such thing */
	for (unsigned i = 0; i < queue_size && is_heavy(io); i++)
		EXPECT(!queue[i].busy || !is_heavy(&queue[i].io) ||
		       ring_number(queue[i].io.cookie) != n, n, io->op);
	if (io->op == EXO_DISK_FLUSH)
		return;
	if (io->op == EXO_DISK_DISCARD) {
		EXPECT(io->count && io->count <= DISCARD && !io->pieces, io->count, n);
		bytes = io->count * 512;
	} else {
		EXPECT(io->op == EXO_DISK_READ || io->op == EXO_DISK_WRITE, io->op, 0);
		EXPECT(io->pieces && io->pieces <= PIECES, io->pieces, n);
		for (unsigned i = 0; i < io->pieces; i++) {
			piece_check(&io->piece[i], n);
			bytes += io->piece[i].bytes;
		}
		EXPECT(bytes == io->bytes && bytes <= EXO_DISK_MAX_BYTES, bytes, io->bytes);
	}
	EXPECT(io->block >= n * BLOCKS && io->block + bytes / 512 <= (n + 1) * BLOCKS,
	       io->block, n);
}

static int fake_submit(struct disk *d, const struct disk_io *io)
{
	EXPECT(LOCKED(d->lock), 0, 0);
	if (dead)
		return -EXO_E_DEVICE;
	for (unsigned i = 0; i < queue_size; i++) {
		if (queue[i].busy)
			continue;
		io_check(io);
		queue[i].io = *io;
		queue[i].busy = true;
		queue[i].done = false;
		if (order_count < ARRAY_LEN(order)) {
			order[order_count].ring = ring_number(io->cookie);
			order[order_count].op = io->op;
			order[order_count++].bytes = io->bytes;
		}
		return 0;
	}
	return EXO_MORE;
}

static void fake_kick(struct disk *d) { EXPECT(LOCKED(d->lock), 0, 0); kicks++; }

static bool fake_reap(struct disk *d, struct disk_result *result)
{
	EXPECT(LOCKED(d->lock), 0, 0);
	for (unsigned i = 0; i < queue_size; i++) {
		if (!queue[i].busy || !queue[i].done)
			continue;
		queue[i].busy = false;
		now_tsc += reap_takes;
		*result = (struct disk_result){
			.cookie = queue[i].io.cookie, .status = queue[i].status };
		return true;
	}
	return false;
}

static void fake_reset(struct disk *d)
{
	(void)d;
	lost = true;
	for (unsigned i = 0; i < queue_size; i++) {
		queue[i].done = true;
		queue[i].status = -EXO_E_DEVICE;
	}
}

static const struct disk_ops fake_ops = { fake_submit, fake_kick, fake_reap, fake_reset };

bool virtio_blk_start(const struct exo_pci_info *info)
{
	struct exo_disk_info i = { .blocks = RINGS * BLOCKS, .block_bytes = 512,
	                           .pieces = PIECES, .discard = DISCARD };

	(void)info;
	disk_add(&fake_ops, NULL, &i, DISK_CAN_FLUSH);
	return true;
}

/* The device finishes request i of its queue. */
static void device_finish(unsigned i, int status)
{
	queue[i].status = status;
	queue[i].done = true;
}

static void device_finish_all(void)
{
	for (unsigned turns = 0; turns < 1000; turns++) {
		for (unsigned i = 0; i < queue_size; i++)
			if (queue[i].busy)
				device_finish(i, 0);
		now_tsc = timer_due > now_tsc ? timer_due : now_tsc;
		disk_interrupt(&disks.disk[0]);
	}
}

/* --- owners --- */

struct owner {
	exo_slot ring, block, buffer;
	struct exo_disk_sq_page *sq;
	struct exo_disk_cq_page *cq;
	/* requests taken by the kernel, completions read, on the ring */
	uint32_t sent, got, written;
	uint64_t first_tag[64];
};
static struct owner owners[RINGS];
static int *expected;           /* by tag: status + 1000; 0: not taken, or completed */
static uint64_t next_tag;
#define ANY_STATUS 2000         /* what the device says */
static uint64_t *first_of;      /* by tag: the tag of the first entry of its request */
static int *first_status;       /* by that tag: status + 1000, once known */

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

static void machine_make(void)
{
	static struct exo_pci_info info = { .vendor = 1 };
	static struct exo_env_page own_page;

	fake_ram = aligned_alloc(EXO_PAGE_SIZE, RAM_FRAMES * EXO_PAGE_SIZE);
	memset(fake_ram, 0, RAM_FRAMES * EXO_PAGE_SIZE);
	frames = (struct frame_map){
		.chunks = fake_chunks, .fine = fake_fine, .top_pfn = RAM_FRAMES };
	for (unsigned i = 0; i < RAM_FRAMES; i++) {
		fake_chunks[i / EXO_CHUNK_FRAMES].fine = 1 + i / EXO_CHUNK_FRAMES;
		use_of[i] = EXO_USE_MEMORY;
	}
	pci = (struct pci_list){ .info = &info, .count = 1 };
	disks_start();
	EXPECT(disks.count == 1 && info.used, disks.count, info.used);
	expected = calloc(TAGS, sizeof(*expected));
	first_of = calloc(TAGS, sizeof(*first_of));
	first_status = calloc(TAGS, sizeof(*first_status));
	env_at(USER_PFN)->pfn = USER_PFN;
	env_at(USER_PFN)->page = &own_page;
	for (unsigned i = 0; i < RINGS; i++) {
		struct owner *o = &owners[i];
		uint64_t lo = BUFFER_PFN + i * BUFFERS;

		o->ring = claim_make(4 * i, EXO_KIND_RING, RING_PFN + 3 * i, 0, EXO_R_CONTROL);
		o->block = claim_make(4 * i + 1, EXO_KIND_BLOCK, i * BLOCKS, (i + 1) * BLOCKS,
		                      EXO_R_READ | EXO_R_WRITE);
		o->buffer = claim_make(4 * i + 2, EXO_KIND_FRAME, lo, lo + BUFFERS,
		                       EXO_R_READ | EXO_R_WRITE);
		o->sq = pfn_to_virt(RING_PFN + 3 * i + 1);
		o->cq = pfn_to_virt(RING_PFN + 3 * i + 2);
		use_of[lo + 140] = EXO_USE_PT;
	}
}

static int64_t owner_bind(unsigned i)
{
	return sys_disk_bind(env_at(USER_PFN), owners[i].ring, owners[i].block, i + 1);
}

/* Write a request on the ring, with a flaw or without; what its completion must say. */
static void owner_write(unsigned i, struct exo_disk_req *q, int status)
{
	struct owner *o = &owners[i];

	q->tag = ++next_tag;
	if (next_tag >= TAGS)
		abort();
	o->first_tag[o->written % 64] = next_tag;
	expected[next_tag] = status + 1000;
	first_of[next_tag] = next_tag;
	o->sq->req[o->written++ % 64] = *q;
}

static struct exo_disk_req request_good(unsigned i, enum exo_disk_op op, uint32_t blocks)
{
	struct owner *o = &owners[i];

	return (struct exo_disk_req){ .slot = o->buffer, .op = (uint16_t)op, .count = blocks,
		.pfn = BUFFER_PFN + i * BUFFERS + (uint64_t)(rand() % 70),
		.offset = (uint32_t)(rand() % 8) * 512,
		.block = i * BLOCKS + (uint64_t)rand() % (BLOCKS - blocks + 1) };
}

/* One of everything that can be wrong with a request. */
static int request_spoil(unsigned i, struct exo_disk_req *q)
{
	uint64_t lo = BUFFER_PFN + i * BUFFERS;

	switch (rand() % 14) {
	case 0: q->op = 0; return -EXO_E_ARG;
	case 1: q->op = 77; return -EXO_E_ARG;
	case 2: q->count = 0; return -EXO_E_RANGE;
	case 3: q->count = 513; return -EXO_E_RANGE;
	case 4: q->count = 0xffffffff; return -EXO_E_RANGE;
	case 5: q->block = (i + 1) * BLOCKS - q->count + 1; return -EXO_E_RANGE;
	case 6: q->block = ~0ul; return -EXO_E_RANGE;
	case 7: q->offset = 4096; return -EXO_E_ARG;
	case 8: q->offset = 100; return -EXO_E_ARG;
	case 9: q->slot += 1ul << 32; return -EXO_E_STALE;
	case 10: q->slot = owners[i].ring; return -EXO_E_KIND;
	case 11: q->pfn = rand() % 2 ? lo - 1 : ~0ul; return -EXO_E_RANGE;
	case 12: q->pfn = lo + 140; q->count = 1; return -EXO_E_USE;
	default: q->pfn = lo + 150; q->count = 1; return -EXO_E_SPLIT;
	}
}

/* A request of several entries, in a random way spoiled or not; all must say the same. */
static void owner_random_pieces(unsigned i)
{
	unsigned pieces = 2 + (unsigned)rand() % PIECES, bad = (unsigned)rand() % (3 * pieces);
	struct exo_disk_req q = request_good(i, 1 + (enum exo_disk_op)(rand() % 2), 64);
	uint64_t first = next_tag + 1;
	uint32_t count = 1 + (uint32_t)rand() % (rand() % 4 ? 6 : 75);

	for (unsigned n = 0; n < pieces; n++) {
		struct exo_disk_req p = q;

		p.flags = n + 1 < pieces ? EXO_DISK_MORE : 0;
		p.count = count;
		p.pfn = BUFFER_PFN + i * BUFFERS + (uint64_t)(rand() % 100);
		p.block = q.block + (uint64_t)n * count;
		if (n == bad)
			request_spoil(i, &p);
		if (n == bad && rand() % 3 == 0)
			p.block++;
		owner_write(i, &p, ANY_STATUS + 1);
		first_of[next_tag] = first;
	}
}

static void owner_random_request(unsigned i)
{
	struct exo_disk_req q = request_good(i, 1 + (enum exo_disk_op)(rand() % 2),
	                                     1 + (uint32_t)rand() % (rand() % 4 ? 8 : 512));
	int status = ANY_STATUS;

	if (rand() % 12 == 0)
		q.op = EXO_DISK_FLUSH;
	else if (q.count <= DISCARD && rand() % 12 == 0)
		q.op = EXO_DISK_DISCARD;
	else if (rand() % 4 == 0)
		status = request_spoil(i, &q);
	else if (q.op == EXO_DISK_WRITE && rand() % 2)
		q.flags = EXO_DISK_FUA;
	owner_write(i, &q, status);
}

/* Read completions; each must be expected, once. */
static void owner_read(unsigned i)
{
	struct owner *o = &owners[i];

	EXPECT(o->cq->cq_tail - o->got <= 64, o->cq->cq_tail, o->got);
	for (; o->got != o->cq->cq_tail; o->got++) {
		const struct exo_disk_done *done = &o->cq->done[o->got % 64];
		int want = done->tag < TAGS ? expected[done->tag] - 1000 : -1000;

		EXPECT(want != -1000, done->tag, i);
		if (want == ANY_STATUS + 1) {
			uint64_t first = first_of[done->tag];

			EXPECT(!first_status[first] || first_status[first] == done->status + 1000,
			       -done->status, first_status[first]);
			first_status[first] = done->status + 1000;
		} else if (want == ANY_STATUS)
			EXPECT(done->status == 0 || done->status == -EXO_E_DEVICE ||
			       done->status == -EXO_E_STALE, done->status, done->tag);
		else
			EXPECT(done->status == want, -done->status, -want);
		if (done->tag < TAGS)
			expected[done->tag] = 0;
	}
	o->cq->cq_head = o->got;
}

static int64_t owner_kick(unsigned i)
{
	struct owner *o = &owners[i];
	int64_t n;

	o->cq->sq_tail = o->written;
	n = sys_disk_kick(env_at(USER_PFN), o->ring);
	EXPECT(!LOCKED(tree_lock) && !LOCKED(disks.disk[0].lock), 0, 0);
	if (n > 0)
		o->sent += (uint32_t)n;
	EXPECT(o->cq->sq_head == o->sent, o->cq->sq_head, o->sent);
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

static void detach(unsigned i)
{
	uint64_t pfn = RING_PFN + 3 * i;
	int left = 0;

	while (1) {
		int more;

		lock_take(&tree_lock);
		work_left = 256;
		windows_interrupt = rand() % 2;
		more = rand() % 2 ? ring_end(pfn) : block_unbind(slot_n(4 * i + 1));
		windows_interrupt = false;
		lock_release(&tree_lock);
		if (!more)
			break;
		EXPECT(sys_disk_kick(env_at(USER_PFN), owners[i].ring) == -EXO_E_STALE, i, 0);
		for (unsigned k = 0; k < queue_size; k++)
			if (queue[k].busy && rand() % 2)
				device_finish(k, 0);
		EXPECT(left++ < 1000, i, left);
	}
	EXPECT(!slot_n(4 * i + 1)->bind && !reserved[i + 1], i, 0);
	EXPECT(!slot_n(4 * i + 2)->held, i, 0);
	for (unsigned k = 0; k < queue_size; k++)
		EXPECT(!queue[k].busy || ring_number(queue[k].io.cookie) != i, i, k);
	EXPECT(sys_disk_kick(env_at(USER_PFN), owners[i].ring) == -EXO_E_ARG, i, 0);
}

/* Everything that was written is taken and completed, nothing is pinned. */
static void drain(void)
{
	for (unsigned turns = 0; turns < 2; turns++) {
		device_finish_all();
		for (unsigned i = 0; i < RINGS; i++) {
			owner_read(i);
			if (owners[i].written != owners[i].sent)
				owner_kick(i);
		}
	}
	device_finish_all();
	for (unsigned i = 0; i < RINGS; i++) {
		owner_read(i);
		EXPECT(owners[i].sent == owners[i].written, owners[i].sent, owners[i].written);
		EXPECT(owners[i].got == owners[i].sent, owners[i].got, owners[i].sent);
	}
	EXPECT(pins_left() == 0, pins_left(), 0);
	EXPECT(!disks.disk[0].turn && !disks.disk[0].flight, disks.disk[0].turn, 0);
}

static void verdict(const char *name)
{
	printf(failures ? "FAIL %s: %u expectations\n" : "ok %s\n", name, failures);
	if (failures)
		exit(1);
}

static void test_random(void)
{
	for (unsigned i = 0; i < RINGS; i++)
		EXPECT(owner_bind(i) == 0, i, 0);
	for (unsigned step = 0; step < 200000; step++) {
		unsigned i = (unsigned)rand() % RINGS, k = (unsigned)rand() % queue_size;

		switch (rand() % 8) {
		case 0: case 1: case 2:
			if (owners[i].written - owners[i].sent < 64)
				owner_random_request(i);
			if (owners[i].written - owners[i].sent < 50 && rand() % 4 == 0)
				owner_random_pieces(i);
			break;
		case 3:
			owner_kick(i);
			break;
		case 4:
			owner_read(i);
			break;
		case 5: case 6:
			if (queue[k].busy)
				device_finish(k, rand() % 10 ? 0 : -EXO_E_DEVICE);
			disk_interrupt(&disks.disk[0]);
			break;
		default:
			if (rand() % 500 == 0) {
				detach(i);
				EXPECT(owner_bind(i) == 0, i, 0);
			}
			if (rand() % 1000 == 0 && !disks.disk[0].flight)
				queue_size = 1 + (unsigned)rand() % DEVICE_MAX;
		}
	}
	drain();
	verdict("disk_random_requests_complete_once_and_pins_balance");
}

/* Indices that no owner can have reached. */
static void test_hostile_indices(void)
{
	struct owner *o = &owners[0];
	uint32_t tail = o->cq->cq_tail;

	for (uint64_t jump = 65; jump < 1ul << 32; jump *= 3) {
		o->cq->sq_tail = o->sent + (uint32_t)jump;
		EXPECT(sys_disk_kick(env_at(USER_PFN), o->ring) == -EXO_E_RANGE, jump, 0);
	}
	EXPECT(o->cq->sq_head == o->sent && o->cq->cq_tail == tail, o->sent, tail);
	o->cq->sq_tail = o->sent;
	for (unsigned i = 0; i < 3; i++)
		owner_random_request(0);
	for (uint64_t lie = 1; lie < 1ul << 31; lie *= 5) {
		o->cq->cq_head = o->got + (uint32_t)lie;
		EXPECT(owner_kick(0) == 0, lie, 0);
		o->cq->cq_head = o->got - 64 - (uint32_t)lie;
		EXPECT(owner_kick(0) == 0, lie, 0);
	}
	o->cq->cq_head = o->got;
	EXPECT(owner_kick(0) == 3, 0, 0);
	drain();
	/* All 64 in flight or waiting, and completions taken that were never there. */
	for (unsigned i = 0; i < 64; i++) {
		struct exo_disk_req q = request_good(0, EXO_DISK_READ, 1);

		owner_write(0, &q, ANY_STATUS);
	}
	EXPECT(owner_kick(0) == 64, 0, 0);
	owner_random_request(0);
	EXPECT(owner_kick(0) == 0, 0, 0);
	o->cq->cq_head = o->got + 30;
	EXPECT(owner_kick(0) == 0, 0, 0);
	o->cq->cq_head = o->got;
	drain();
	verdict("disk_hostile_indices_take_nothing");
}

/* Random rubbish in all of the owner's pages, for ever: the checks of the fake device hold. */
static void test_hostile_pages(void)
{
	struct owner *o = &owners[1];

	for (unsigned step = 0; step < 30000; step++) {
		uint8_t *page = rand() % 2 ? (uint8_t *)o->sq : (uint8_t *)o->cq;

		page[rand() % 4096] = (uint8_t)rand();
		if (rand() % 3 == 0) {
			o->sq->req[rand() % 64] = request_good(1, EXO_DISK_READ,
			                                       1 + (uint32_t)rand() % 512);
			o->cq->sq_tail = ring_at(RING_PFN + 3)->sq_head + (uint32_t)rand() % 70;
			o->cq->cq_head = ring_at(RING_PFN + 3)->cq_tail - (uint32_t)rand() % 70;
		}
		sys_disk_kick(env_at(USER_PFN), o->ring);
		if (queue[step % queue_size].busy)
			device_finish(step % queue_size, 0);
		disk_interrupt(&disks.disk[0]);
	}
	device_finish_all();
	EXPECT(pins_left() == 0, pins_left(), 0);
	detach(1);
	memset(pfn_to_virt(RING_PFN + 3), 0, 3 * EXO_PAGE_SIZE);
	o->sent = o->got = o->written = 0;
	EXPECT(owner_bind(1) == 0, 0, 0);
	verdict("disk_hostile_pages_reach_nothing_else");
}

/* Two greedy rings and a flush behind them: nobody gets more than a turn while others wait. */
static void test_turns(void)
{
	struct exo_disk_req q;
	uint64_t run = 0;
	unsigned last = RINGS, turns[RINGS] = { 0 };

	queue_size = 4;
	for (unsigned n = 0; n < 4; n++) {
		q = request_good(5, EXO_DISK_READ, 1);
		owner_write(5, &q, ANY_STATUS);
	}
	owner_kick(5);          /* the device is full before the others come */
	for (unsigned n = 0; n < 48; n++) {
		q = request_good(0, EXO_DISK_READ, 128);
		owner_write(0, &q, ANY_STATUS);
		q = request_good(2, EXO_DISK_WRITE, 8);
		owner_write(2, &q, ANY_STATUS);
	}
	q = (struct exo_disk_req){ .op = EXO_DISK_FLUSH };
	owner_write(3, &q, ANY_STATUS);
	order_count = 0;
	owner_kick(0);
	owner_kick(2);
	owner_kick(3);
	drain();
	EXPECT(order_count == 97, order_count, 97);
	for (unsigned i = 0; i < order_count; i++) {
		if (order[i].ring != last) {
			turns[order[i].ring]++;
			run = 0;
		}
		last = order[i].ring;
		run += order[i].bytes;
		EXPECT(run <= DISK_TURN_BYTES || turns[2] > 0, run, i);
	}
	EXPECT(turns[2] == 1 && turns[3] == 1 && turns[0] == 2, turns[0], turns[2]);
	/* 256 KiB of the first, all 192 KiB of the second, the flush, the rest of the first. */
	EXPECT(order[3].ring == 0 && order[4].ring == 2 && order[52].ring == 3, order[4].ring,
	       order[52].ring);
	verdict("disk_turns_are_fair");
}

static void test_one_kick(void)
{
	struct exo_disk_req q;
	uint64_t before = owners[4].cq->kicks;
	unsigned told;

	queue_size = DEVICE_MAX;
	for (unsigned n = 0; n < 12; n++) {
		q = request_good(4, EXO_DISK_READ, 512);
		owner_write(4, &q, ANY_STATUS);
	}
	kicks = 0;
	posts[5] = 0;
	EXPECT(owner_kick(4) == 12, 0, 0);
	EXPECT(kicks == 1 && owners[4].cq->kicks == before + 1, kicks, owners[4].cq->kicks);
	for (unsigned i = 0; i < 12; i++)
		device_finish(i, 0);
	disk_interrupt(&disks.disk[0]);
	told = posts[5];
	EXPECT(told == 1, told, 0);
	drain();
	verdict("disk_a_batch_is_one_kick_and_one_event");
}

static void test_rights(void)
{
	struct exo_disk_req q;
	struct exo_cap *buffer = slot_n(4 * 5 + 2);

	detach(5);
	slot_n(4 * 5 + 1)->rights = EXO_R_READ;
	EXPECT(owner_bind(5) == 0, 0, 0);
	q = request_good(5, EXO_DISK_WRITE, 1);
	owner_write(5, &q, -EXO_E_RIGHTS);
	q = request_good(5, EXO_DISK_READ, 1);
	owner_write(5, &q, ANY_STATUS);
	EXPECT(owner_kick(5) == 2, 0, 0);
	drain();
	buffer->rights = EXO_R_READ;
	q = request_good(5, EXO_DISK_READ, 1);
	owner_write(5, &q, -EXO_E_RIGHTS);
	EXPECT(owner_kick(5) == 1, 0, 0);
	buffer->rights = EXO_R_READ | EXO_R_WRITE;
	buffer->flags = EXO_CAP_FROZEN;
	owner_write(5, &q, -EXO_E_FROZEN);
	EXPECT(owner_kick(5) == 1, 0, 0);
	buffer->flags = EXO_CAP_SHARE;
	q.pfn = buffer->lo + 150;
	q.count = 1;
	owner_write(5, &q, ANY_STATUS);
	EXPECT(owner_kick(5) == 1, 0, 0);
	buffer->flags = 0;
	slot_n(4 * 5 + 1)->flags = EXO_CAP_FROZEN;
	EXPECT(owner_kick(5) == -EXO_E_FROZEN, 0, 0);
	slot_n(4 * 5 + 1)->flags = 0;
	drain();
	verdict("disk_rights_are_checked");
}

static void test_bind_errors(void)
{
	struct exo_cap *block = slot_n(4 * 5 + 1), *child = slot_n(60);

	EXPECT(owner_bind(5) == -EXO_E_BUSY, 0, 0);
	detach(5);
	child->flags = 0;
	block->badge = slot_sid(child);
	EXPECT(owner_bind(5) == -EXO_E_SPLIT, 0, 0);
	block->badge = 0;
	block->child = slot_sid(child);
	child->flags = EXO_CAP_SHARE;
	block->unit = 1;
	EXPECT(owner_bind(5) == -EXO_E_ABSENT, 0, 0);
	block->unit = 0;
	EXPECT(sys_disk_bind(env_at(USER_PFN), owners[5].ring, owners[5].block,
	                     256) == -EXO_E_RANGE, 0, 0);
	EXPECT(sys_disk_bind(env_at(USER_PFN), owners[5].ring, owners[5].block, 1) == -EXO_E_ROOM,
	       0, 0);
	EXPECT(sys_disk_bind(env_at(USER_PFN), owners[5].block, owners[5].block, 6) == -EXO_E_KIND,
	       0, 0);
	EXPECT(!block->bind, 0, 0);
	EXPECT(owner_bind(5) == 0, 0, 0);
	block->child = 0;
	verdict("disk_bind_refuses");
}

/*
 * The environment that was told ends first: nobody is told any more, requests complete all
 * the same.
 */
static void test_forget(void)
{
	struct exo_disk_req q = request_good(5, EXO_DISK_READ, 8);
	unsigned before = posts[6];

	owner_write(5, &q, ANY_STATUS);
	EXPECT(owner_kick(5) == 1, 0, 0);
	lock_take(&tree_lock);
	ring_forget(RING_PFN + 15);
	lock_release(&tree_lock);
	reserved[6] = 0;
	drain();
	EXPECT(posts[6] == before, posts[6], before);
	detach(5);
	EXPECT(owner_bind(5) == 0, 0, 0);
	verdict("disk_ring_survives_who_it_tells");
}

/* A device that stops answering is reset after its time; then one that is dead. */
static void test_silent_device(void)
{
	struct exo_disk_req q;

	queue_size = 2;
	for (unsigned n = 0; n < 5; n++) {
		q = request_good(0, EXO_DISK_READ, 8);
		owner_write(0, &q, n < 2 ? -EXO_E_DEVICE : -EXO_E_STALE);
	}
	EXPECT(owner_kick(0) == 5, 0, 0);
	lock_take(&tree_lock);
	EXPECT(ring_end(RING_PFN) == EXO_MORE && !lost, 0, 0);
	now_tsc += 9 * 1000;
	EXPECT(ring_end(RING_PFN) == EXO_MORE && !lost, 0, 0);
	now_tsc += 2 * 1000;
	EXPECT(ring_end(RING_PFN) == 0 && lost, 0, 0);
	lock_release(&tree_lock);
	owner_read(0);
	EXPECT(owners[0].got == owners[0].sent && pins_left() == 0, owners[0].got, pins_left());
	dead = 1;
	for (unsigned n = 0; n < 5; n++) {
		q = request_good(2, EXO_DISK_READ, 8);
		owner_write(2, &q, -EXO_E_DEVICE);
	}
	EXPECT(owner_kick(2) == 5, 0, 0);
	dead = 0;
	drain();
	verdict("disk_silent_device_is_reset");
}

/* Who is told of a ring owes the time that its completions take. */
static void test_charge(void)
{
	struct exo_disk_req q;

	queue_size = 4;
	for (unsigned n = 0; n < 3; n++) {
		q = request_good(2, EXO_DISK_READ, 8);
		owner_write(2, &q, ANY_STATUS);
	}
	EXPECT(owner_kick(2) == 3, 0, 0);
	device_finish_all();
	for (unsigned n = 0; n < 3; n++) {
		q = request_good(2, EXO_DISK_READ, 8);
		owner_write(2, &q, ANY_STATUS);
	}
	EXPECT(owner_kick(2) == 3, 0, 0);
	for (unsigned n = 0; n < 3; n++)
		device_finish(n, 0);
	memset(charged, 0, sizeof(charged));
	reap_takes = 7;
	disk_interrupt(disks.disk);
	reap_takes = 0;
	EXPECT(charged[ring_at(RING_PFN + 6)->env] == 21 && !charged[0], charged[USER_PFN],
	       charged[0]);
	drain();
	verdict("disk_work_is_charged_to_who_it_is_done_for");
}

/* What a reset took from the device is completed to the last, by the timer: no interrupt comes. */
static void test_reset_in_pieces(void)
{
	struct exo_disk_req q;

	queue_size = DEVICE_MAX;
	for (unsigned n = 0; n < DEVICE_MAX; n++) {
		q = request_good(2, EXO_DISK_READ, 512);
		owner_write(2, &q, -EXO_E_DEVICE);
	}
	EXPECT(owner_kick(2) == DEVICE_MAX, 0, 0);
	now_tsc += 11 * 1000;
	timer_due = 0;
	lock_take(&tree_lock);
	disks_expire();
	lock_release(&tree_lock);
	owner_read(2);
	EXPECT(owners[2].got < owners[2].sent, owners[2].got, owners[2].sent);
	for (unsigned turns = 0; timer_due && turns < 100; turns++) {
		now_tsc = timer_due > now_tsc ? timer_due : now_tsc;
		timer_due = 0;
		disk_timer(&disks.disk[0].timer);
	}
	owner_read(2);
	EXPECT(owners[2].got == owners[2].sent && pins_left() == 0, owners[2].got, pins_left());
	verdict("disk_what_a_reset_ended_is_completed_by_the_timer");
}

/* Entries behind one that has EXO_DISK_MORE, for this ring: a read in one-page pieces. */
static void write_pieces(unsigned i, unsigned pieces, bool ends, int status)
{
	for (unsigned n = 0; n < pieces; n++) {
		struct exo_disk_req q = { .slot = owners[i].buffer, .op = EXO_DISK_READ,
			.pfn = BUFFER_PFN + i * BUFFERS + 2 * n, .count = 8,
			.block = i * BLOCKS + n * 8,
			.flags = n + 1 < pieces || !ends ? EXO_DISK_MORE : 0 };

		owner_write(i, &q, status);
	}
}

static void test_pieces(void)
{
	unsigned before;

	queue_size = DEVICE_MAX;
	order_count = 0;
	posts[1] = 0;
	write_pieces(0, PIECES, true, 0);
	EXPECT(owner_kick(0) == PIECES && order_count == 1, order_count, 0);
	EXPECT(order[0].bytes == PIECES * 4096, order[0].bytes, 0);
	before = owners[0].cq->cq_tail;
	device_finish_all();
	EXPECT(owners[0].cq->cq_tail - before == PIECES && posts[1] == 1, posts[1], before);
	drain();
	write_pieces(0, PIECES + 3, true, -EXO_E_RANGE);        /* one too many, and the rest */
	owner_kick(0);
	drain();
	write_pieces(0, 3, false, -EXO_E_ARG);                  /* no end */
	EXPECT(owner_kick(0) == 3 && pins_left() == 0, pins_left(), 0);
	write_pieces(0, 2, true, -EXO_E_ARG);                   /* it comes too late */
	owner_kick(0);
	write_pieces(0, 2, true, 0);
	EXPECT(owner_kick(0) == 2, 0, 0);
	EXPECT(order_count == 2 && pins_left(), order_count, 0);
	drain();
	verdict("disk_pieces_go_together");
}

/* No completion of such a write before the flush behind it. */
static void test_fua(void)
{
	struct exo_disk_req q = request_good(0, EXO_DISK_WRITE, 8);

	queue_size = DEVICE_MAX;
	order_count = 0;
	q.flags = EXO_DISK_FUA;
	owner_write(0, &q, 0);
	owner_kick(0);
	EXPECT(order_count == 1 && order[0].op == EXO_DISK_WRITE, order_count, 0);
	device_finish(0, 0);
	disk_interrupt(&disks.disk[0]);
	EXPECT(order_count == 2 && order[1].op == EXO_DISK_FLUSH, order_count, 0);
	EXPECT(owners[0].cq->cq_tail == owners[0].got && pins_left(), owners[0].got, 0);
	device_finish(0, -EXO_E_DEVICE);
	disk_interrupt(&disks.disk[0]);
	expected[next_tag] = -EXO_E_DEVICE + 1000;
	owner_read(0);
	EXPECT(owners[0].got == owners[0].sent && !pins_left(), owners[0].got, owners[0].sent);
	q.op = EXO_DISK_READ;
	owner_write(0, &q, -EXO_E_ARG);
	q = (struct exo_disk_req){ .op = EXO_DISK_FLUSH, .flags = EXO_DISK_MORE };
	owner_write(0, &q, -EXO_E_ARG);
	q = (struct exo_disk_req){ .op = EXO_DISK_FLUSH };      /* it is passed over */
	owner_write(0, &q, -EXO_E_ARG);
	/* A write whose ring ends while it is in the device is not promised to be on the medium. */
	q = request_good(0, EXO_DISK_WRITE, 8);
	q.flags = EXO_DISK_FUA;
	owner_write(0, &q, -EXO_E_STALE);
	EXPECT(owner_kick(0) == 4, 0, 0);
	lock_take(&tree_lock);
	EXPECT(ring_end(RING_PFN) == EXO_MORE, 0, 0);
	device_finish(0, 0);
	EXPECT(ring_end(RING_PFN) == 0, 0, 0);
	lock_release(&tree_lock);
	owner_read(0);
	EXPECT(!pins_left() && owner_bind(0) == 0, pins_left(), 0);
	verdict("disk_fua_is_a_write_and_a_flush");
}

/* Flushes and discards of one ring do not fill the device: another's reads find it free. */
static void test_flood(void)
{
	struct exo_disk_req q;
	unsigned before;

	queue_size = 4;
	for (unsigned n = 0; n < 60; n++) {
		q = (struct exo_disk_req){ .op = EXO_DISK_FLUSH };
		if (n % 2)
			q = request_good(0, EXO_DISK_DISCARD, 8);
		owner_write(0, &q, 0);
	}
	order_count = 0;
	owner_kick(0);
	EXPECT(order_count == 1, order_count, 0);
	for (unsigned n = 0; n < 40; n++) {     /* one at a time: no flush stands before it */
		q = request_good(1, EXO_DISK_READ, 1);
		owner_write(1, &q, 0);
		before = order_count;
		owner_kick(1);
		EXPECT(order_count == before + 1 && order[before].ring == 1, order_count, before);
		for (unsigned i = 0; i < queue_size; i++)
			if (queue[i].busy && (n % 4 == 0 || ring_number(queue[i].io.cookie) == 1))
				device_finish(i, 0);
		disk_interrupt(&disks.disk[0]);
	}
	drain();
	EXPECT(order_count == 100, order_count, 0);
	/* A flush that took its time is followed by a rest, while another uses the disk. */
	for (unsigned n = 0; n < 3; n++) {
		q = (struct exo_disk_req){ .op = EXO_DISK_FLUSH };
		owner_write(0, &q, 0);
	}
	owner_kick(0);
	order_count = 0;
	for (unsigned n = 0; n < 20; n++) {
		q = request_good(1, EXO_DISK_READ, 1);
		owner_write(1, &q, 0);
	}
	owner_kick(1);
	EXPECT(order_count == 3 && disks.disk[0].flight == 4, order_count, 0);
	now_tsc += 50;
	for (unsigned i = 0; i < queue_size; i++)
		if (ring_number(queue[i].io.cookie) == 0)
			device_finish(i, 0);
	disk_interrupt(&disks.disk[0]);
	for (unsigned n = 0; n < 6; n++) {
		now_tsc += 8;
		EXPECT(order[order_count - 1].ring == 1, order_count, n);
		for (unsigned i = 0, any = 1; i < queue_size && any; i++)
			if (queue[i].busy) {
				device_finish(i, 0);
				any = 0;
			}
		disk_interrupt(&disks.disk[0]);
	}
	EXPECT(timer_due && disks.disk[0].rest, timer_due, 0);
	now_tsc += 8;
	device_finish_all();
	EXPECT(!disks.disk[0].rest && order_count > 20, order_count, 0);
	drain();
	EXPECT(!disks.disk[0].rest, order_count, 0);
	verdict("disk_flood_of_flushes_leaves_room");
}

/* A ring that polls, by its flag or because it was bound so, is told nothing. */
static void test_polling(void)
{
	struct exo_disk_req q = request_good(0, EXO_DISK_READ, 1);

	queue_size = DEVICE_MAX;
	posts[1] = 0;
	owners[0].cq->quiet = 1;
	owner_write(0, &q, 0);
	owner_kick(0);
	device_finish(0, 0);
	EXPECT(owner_kick(0) == 0 && owners[0].cq->cq_tail == owners[0].sent, 0, 0);
	owner_read(0);
	EXPECT(posts[1] == 0, posts[1], 0);
	owners[0].cq->quiet = 0;
	owner_write(0, &q, 0);
	owner_kick(0);
	drain();
	EXPECT(posts[1] == 1, posts[1], 0);
	detach(0);
	EXPECT(sys_disk_bind(env_at(USER_PFN), owners[0].ring, owners[0].block, 0) == 0, 0, 0);
	EXPECT(!reserved[0] && !reserved[1], reserved[0], reserved[1]);
	owner_write(0, &q, 0);
	owner_kick(0);
	drain();
	EXPECT(posts[0] == 0 && posts[1] == 1, posts[0], posts[1]);
	detach(0);
	EXPECT(owner_bind(0) == 0, 0, 0);
	verdict("disk_polling_posts_nothing");
}

int main(void)
{
	srand(1);
	machine_make();
	test_random();
	test_hostile_indices();
	test_hostile_pages();
	test_turns();
	test_one_kick();
	test_pieces();
	test_fua();
	test_flood();
	test_polling();
	test_rights();
	test_bind_errors();
	test_forget();
	test_silent_device();
	test_reset_in_pieces();
	test_charge();
	return 0;
}
