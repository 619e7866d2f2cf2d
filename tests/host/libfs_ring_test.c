/* SPDX-License-Identifier: MIT */
/*
 * libfs_ring_test.c - the application's side of a disk ring against a kernel's side written from
 * exo/disk.h: every request is completed once, in any order, across the wrap of the indices.
 */
// sources: libfs/ring.c
// includes: libfs/include
#include <stdlib.h>

#include <libfs/errors.h>
#include <libfs/ring.h>

#include "test.h"

#define FIRST 1000u     /* first block of the claim */

static struct exo_disk_sq_page sq;
static struct exo_disk_cq_page cq;
static struct fs_ring ring;
static _Alignas(4096) uint8_t frames[8][4096];

/* The kernel: requests it has taken and not yet completed. */
static struct exo_disk_req held[EXO_DISK_RING];
static unsigned holds;

static void start(uint32_t index)
{
	memset(&sq, 0, sizeof sq);
	memset(&cq, 0, sizeof cq);
	cq.sq_tail = cq.sq_head = cq.cq_tail = cq.cq_head = index;
	holds = 0;
	fs_ring_init(&ring, &sq, &cq, FIRST);
}

/* Take at most `most` requests, as a kick does. */
static unsigned kernel_kick(unsigned most)
{
	unsigned n = 0;

	while (cq.sq_head != cq.sq_tail && n < most &&
	       holds + (cq.cq_tail - cq.cq_head) < EXO_DISK_RING) {
		held[holds++] = sq.req[cq.sq_head++ % EXO_DISK_RING];
		n++;
	}
	return n;
}

/* Complete a held request; each block's number is its first word.  Blocks have 512 bytes. */
static void kernel_complete(unsigned which, int status)
{
	struct exo_disk_req r = held[which];
	struct exo_disk_done *d = &cq.done[cq.cq_tail % EXO_DISK_RING];
	uint8_t *at = (uint8_t *)frames + r.pfn * 4096 + r.offset;

	held[which] = held[--holds];
	for (uint64_t i = 0; status == 0 && i < r.count; i++) {
		uint64_t block = r.block + i;

		if (at + i * 512 < (uint8_t *)frames + sizeof frames)
			memcpy(at + i * 512, &block, sizeof block);
	}
	d->tag = r.tag;
	d->status = status;
	cq.cq_tail++;
}

static struct fs_request make(uint64_t block, unsigned frame, uint32_t offset)
{
	return (struct fs_request){ .block = block, .count = 1, .op = FS_OP_READ,
				    .data = &frames[frame][offset], .handle = frame };
}

static bool put(struct fs_request *r)
{
	return fs_ring_put(&ring, r, 0x77, r->handle);
}

TEST(ring_request_is_what_the_kernel_wants)
{
	struct fs_request r = make(5, 3, 1024);

	start(0);
	r.count = 2;
	CHECK(put(&r));
	CHECK_EQ(r.status, FS_PENDING);
	CHECK_EQ(cq.sq_tail, 0);        /* not shown yet */
	CHECK_EQ(fs_ring_show(&ring), 1);
	CHECK_EQ(cq.sq_tail, 1);
	CHECK_EQ(sq.req[0].slot, 0x77);
	CHECK_EQ(sq.req[0].pfn, 3);
	CHECK_EQ(sq.req[0].block, FIRST + 5);
	CHECK_EQ(sq.req[0].count, 2);
	CHECK_EQ(sq.req[0].offset, 1024);
	CHECK_EQ(sq.req[0].op, EXO_DISK_READ);
	CHECK_EQ(fs_ring_take(&ring), 0);
	kernel_kick(99);
	kernel_complete(0, 0);
	CHECK_EQ(fs_ring_take(&ring), 1);
	CHECK_EQ(r.status, 0);
	CHECK_EQ(*(uint64_t *)r.data, FIRST + 5);
	CHECK_EQ(cq.cq_head, 1);
	CHECK_EQ(ring.out, 0);
}

TEST(ring_joins_neighbours)
{
	struct fs_request r[8];
	static const uint64_t block[8] = { 5, 6, 7, 8, 9, 11, 12, 13 };

	start(UINT32_MAX - 3);          /* the indices wrap */
	ring.pieces_most = 3;
	ring.blocks_most = 512;
	for (unsigned i = 0; i < 8; i++) {
		r[i] = make(block[i], i, 0);
		CHECK(put(&r[i]));
		fs_ring_join(&ring);
		if (i == 6)
			fs_ring_show(&ring);
	}
	/* 5 6 7, 8 9, 11 12; 13 comes too late. */
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(sq.req[(UINT32_MAX - 3 + i) % EXO_DISK_RING].flags,
			 i == 0 || i == 1 || i == 3 || i == 5 ? EXO_DISK_MORE : 0);
	ring.blocks_most = 1;
	fs_ring_show(&ring);
	kernel_kick(99);
	while (holds)
		kernel_complete(0, 0);
	CHECK_EQ(fs_ring_take(&ring), 8);
	r[0] = make(20, 0, 0);
	r[1] = make(21, 1, 0);
	CHECK(put(&r[0]));
	fs_ring_join(&ring);
	CHECK(put(&r[1]));
	fs_ring_join(&ring);
	CHECK_EQ(sq.req[(ring.put - 2) % EXO_DISK_RING].flags, 0);
}

#define RUN 66u         /* pages; an entry takes 64 at most */

/* Put a page whose blocks follow page n - 1's. */
static void put_page(struct fs_request *r, unsigned n, uint64_t pfn, exo_slot claim)
{
	*r = (struct fs_request){ .block = 8 * n, .count = 8, .op = FS_OP_READ,
				  .data = frames[0], .handle = pfn };
	CHECK(fs_ring_put(&ring, r, claim, pfn));
	fs_ring_join(&ring);
}

static void put_run(struct fs_request *r)
{
	start(UINT32_MAX - 1);
	ring.pieces_most = 3;
	ring.blocks_most = EXO_DISK_MAX_BYTES / 512;
	for (unsigned i = 0; i < RUN; i++)
		put_page(&r[i], i, 100 + i, 0x77);
}

/* Pages that follow each other in memory as on the disk become one entry. */
TEST(ring_folds_what_goes_on_in_memory_too)
{
	struct fs_request r[RUN + 3];
	const struct exo_disk_req *q = held;

	put_run(r);
	put_page(&r[RUN], RUN, 200, 0x77);              /* elsewhere in memory: a piece */
	put_page(&r[RUN + 1], RUN + 1, 201, 0x78);      /* another's claim: likewise */
	put_page(&r[RUN + 2], RUN + 2, 202, 0x78);
	CHECK_EQ(ring.out, 4);
	CHECK_EQ(fs_ring_show(&ring), 4);
	CHECK_EQ(kernel_kick(99), 4);
	CHECK(q[0].pfn == 100 && q[0].block == FIRST && q[0].count == 512 && q[0].flags == 0);
	CHECK(q[1].pfn == 164 && q[1].block == FIRST + 512 && q[1].count == 16 &&
	      q[1].flags == EXO_DISK_MORE);
	CHECK(q[2].pfn == 200 && q[2].count == 8 && q[2].slot == 0x77 &&
	      q[2].flags == EXO_DISK_MORE);
	CHECK(q[3].pfn == 201 && q[3].count == 16 && q[3].slot == 0x78 && q[3].flags == 0);
	kernel_complete(0, -EXO_E_DEVICE);
	CHECK_EQ(fs_ring_take(&ring), 1);
	for (unsigned i = 0; i < RUN + 3; i++)
		CHECK_EQ(r[i].status, i < 64 ? -FS_E_IO : FS_PENDING);
	while (holds)
		kernel_complete(0, 0);
	CHECK_EQ(fs_ring_take(&ring), 3);
	for (unsigned i = 64; i < RUN + 3; i++)
		CHECK_EQ(r[i].status, 0);
	CHECK_EQ(ring.out, 0);
}

/* What was folded is taken back with its entry, and can be put again alone. */
TEST(ring_takes_back_what_was_folded)
{
	struct fs_request r[RUN];

	put_run(r);
	fs_ring_show(&ring);
	CHECK_EQ(kernel_kick(1), 1);
	fs_ring_take_back(&ring, -EXO_E_FROZEN);
	for (unsigned i = 0; i < RUN; i++)
		CHECK_EQ(r[i].status, i < 64 ? FS_PENDING : -EXO_E_FROZEN);
	CHECK(fs_ring_put(&ring, &r[65], 0x77, 165));
	fs_ring_show(&ring);
	kernel_kick(1);
	kernel_complete(1, 0);
	CHECK_EQ(fs_ring_take(&ring), 1);
	CHECK_EQ(r[64].status, -EXO_E_FROZEN);
	CHECK_EQ(r[65].status, 0);
	fs_ring_abandon(&ring, -EXO_E_TIME);
	for (unsigned i = 0; i < 64; i++)
		CHECK_EQ(r[i].status, -EXO_E_TIME);
	CHECK_EQ(ring.out, 0);
}

TEST(ring_is_full_at_64)
{
	struct fs_request r[EXO_DISK_RING + 1];

	start(UINT32_MAX - 20);         /* the indices wrap */
	for (unsigned i = 0; i <= EXO_DISK_RING; i++) {
		r[i] = make(i, i % 8, i / 8 * 512);
		CHECK_EQ(put(&r[i]), i < EXO_DISK_RING);
	}
	CHECK_EQ(r[EXO_DISK_RING].status, 0);
	CHECK_EQ(fs_ring_show(&ring), EXO_DISK_RING);
	CHECK_EQ(kernel_kick(99), EXO_DISK_RING);
	/* Completed but not taken: still no room. */
	kernel_complete(7, 0);
	CHECK(!put(&r[EXO_DISK_RING]));
	CHECK_EQ(fs_ring_take(&ring), 1);
	CHECK(put(&r[EXO_DISK_RING]));
	CHECK(!put(&r[7]));
}

TEST(ring_errors_reach_their_request)
{
	struct fs_request a = make(1, 0, 0), b = make(2, 1, 0), c = make(3, 2, 0);

	start(0);
	CHECK(put(&a) && put(&b) && put(&c));
	fs_ring_show(&ring);
	kernel_kick(3);
	kernel_complete(1, -EXO_E_DEVICE);
	kernel_complete(1, -EXO_E_STALE);
	kernel_complete(0, 0);
	CHECK_EQ(fs_ring_take(&ring), 3);
	CHECK_EQ(a.status, 0);
	CHECK_EQ(b.status, -FS_E_IO);
	CHECK_EQ(c.status, -EXO_E_STALE);
}

TEST(ring_take_back_after_a_failed_kick)
{
	struct fs_request r[5];

	start(UINT32_MAX - 2);
	for (unsigned i = 0; i < 5; i++) {
		r[i] = make(i, i, 0);
		CHECK(put(&r[i]));
	}
	fs_ring_show(&ring);
	kernel_kick(2);
	fs_ring_take_back(&ring, -EXO_E_FROZEN);
	CHECK_EQ(ring.out, 2);
	CHECK_EQ(cq.sq_tail, cq.sq_head);
	for (unsigned i = 0; i < 5; i++)
		CHECK_EQ(r[i].status, i < 2 ? FS_PENDING : -EXO_E_FROZEN);
	CHECK(put(&r[2]));
	fs_ring_show(&ring);
	CHECK_EQ(kernel_kick(9), 1);
	fs_ring_abandon(&ring, -EXO_E_TIME);
	CHECK_EQ(ring.out, 0);
	CHECK_EQ(r[0].status, -EXO_E_TIME);
	CHECK_EQ(r[2].status, -EXO_E_TIME);
}

/* A completion that names no request in flight changes nothing. */
TEST(ring_unknown_tags_are_passed_over)
{
	struct fs_request r = make(1, 0, 0);

	start(0);
	CHECK(put(&r));
	cq.done[0].tag = 63;
	cq.done[1].tag = UINT64_MAX;
	cq.done[2].tag = r.tag;
	cq.done[3].tag = r.tag;
	cq.cq_tail = 4;
	CHECK_EQ(fs_ring_take(&ring), 4);
	CHECK_EQ(r.status, 0);
	CHECK_EQ(ring.out, 0);
}

#define MANY 40u

struct traffic {
	struct fs_request r[MANY];
	bool busy[MANY];
	unsigned long begun, ended, failed;
	uint64_t seed, block;   /* the one put last */
};

static unsigned traffic_random(struct traffic *t, unsigned below)
{
	t->seed = t->seed * 6364136223846793005ul + 1442695040888963407ul;
	return (unsigned)((t->seed >> 33) % below);
}

static void traffic_put(struct traffic *t, unsigned i)
{
	if (t->busy[i])
		return;
	t->block = traffic_random(t, 3) ? t->block + 1 : traffic_random(t, 100000);
	t->r[i] = make(t->block, i % 8, i / 8 * 512);
	t->busy[i] = put(&t->r[i]);
	t->begun += t->busy[i];
	if (t->busy[i])
		fs_ring_join(&ring);
}

static void traffic_check(struct traffic *t)
{
	for (unsigned i = 0; i < MANY; i++) {
		if (!t->busy[i] || t->r[i].status == FS_PENDING)
			continue;
		t->busy[i] = false;
		t->ended++;
		t->failed += t->r[i].status < 0;
		if (t->r[i].status == 0 && *(uint64_t *)t->r[i].data != FIRST + t->r[i].block)
			test_fail("request %u got another's data", i);
	}
}

TEST(ring_random_traffic)
{
	struct traffic t = { .seed = 7 };
	unsigned last = 0;

	start(UINT32_MAX - 1000);
	ring.pieces_most = 3;
	ring.blocks_most = EXO_DISK_MAX_BYTES / 512;
	for (unsigned step = 0; step < 300000; step++) {
		switch (traffic_random(&t, 5)) {
		case 0:
		case 1:
			/* Often the next 512 bytes of memory. */
			last = traffic_random(&t, 2) ? (last + 8) % MANY : traffic_random(&t, MANY);
			traffic_put(&t, last);
			break;
		case 2:
			fs_ring_show(&ring);
			kernel_kick(traffic_random(&t, 4));
			break;
		case 3:
			if (holds)
				kernel_complete(traffic_random(&t, holds),
						traffic_random(&t, 20) ? 0 : -EXO_E_DEVICE);
			break;
		case 4:
			fs_ring_take(&ring);
			traffic_check(&t);
		}
	}
	fs_ring_show(&ring);
	kernel_kick(99);
	while (holds)
		kernel_complete(0, 0);
	fs_ring_take(&ring);
	traffic_check(&t);
	CHECK_EQ(t.begun, t.ended);
	CHECK_EQ(ring.out, 0);
	CHECK(t.ended > 10000 && t.failed > 300);
}

TEST_MAIN
