/* SPDX-License-Identifier: MIT */
/*
 * ring.c - the application's side of a disk ring.
 */
#include <base/string.h>
#include <libfs/errors.h>
#include <libfs/ring.h>

void fs_ring_init(struct fs_ring *ring, struct exo_disk_sq_page *sq, struct exo_disk_cq_page *cq,
		  uint64_t first_block)
{
	memset(ring, 0, sizeof *ring);
	ring->sq = sq;
	ring->cq = cq;
	ring->first_block = first_block;
	ring->put = cq->sq_tail;
	ring->taken = cq->cq_head;
	ring->pieces_most = 1;
	ring->blocks_most = 1;
}

/* A tag that is free; only called while one is. */
static uint32_t ring_tag(const struct fs_ring *ring)
{
	uint32_t tag = ring->put % EXO_DISK_RING;

	/* Completions come in any order: the place's own tag may still be out. */
	while (ring->flight[tag])
		tag = (tag + 1) % EXO_DISK_RING;
	return tag;
}

bool fs_ring_put(struct fs_ring *ring, struct fs_request *request, exo_slot claim, uint64_t pfn)
{
	struct exo_disk_req *r = &ring->sq->req[ring->put % EXO_DISK_RING];
	uint32_t tag;

	if (ring->out == EXO_DISK_RING)
		return false;
	tag = ring_tag(ring);
	memset(r, 0, sizeof *r);
	r->slot = claim;
	r->pfn = pfn;
	r->block = ring->first_block + request->block;
	r->count = request->count;
	r->offset = (uint32_t)((uintptr_t)request->data % EXO_PAGE_SIZE);
	r->op = EXO_DISK_READ;
	r->tag = tag;
	request->status = FS_PENDING;
	request->tag = tag;
	request->next = NULL;
	ring->flight[tag] = request;
	ring->out++;
	ring->put++;
	return true;
}

/* Does the buffer of `last` go on where that of `before` ends, in frames of the same claim? */
static bool buffer_goes_on(const struct fs_ring *ring, const struct exo_disk_req *before,
			   const struct exo_disk_req *last)
{
	uint64_t block_bytes = EXO_DISK_MAX_BYTES / ring->blocks_most;
	uint64_t end = before->pfn * EXO_PAGE_SIZE + before->offset + before->count * block_bytes;

	return before->slot == last->slot && end == last->pfn * EXO_PAGE_SIZE + last->offset;
}

/* The last entry becomes part of the one before; both requests wait for that one's tag. */
static void entry_fold(struct fs_ring *ring, struct exo_disk_req *before,
		       const struct exo_disk_req *last)
{
	struct fs_request *request = ring->flight[last->tag];

	ring->flight[last->tag] = NULL;
	ring->out--;
	ring->put--;
	before->count += last->count;
	request->tag = (uint32_t)before->tag;
	request->next = ring->flight[before->tag];
	ring->flight[before->tag] = request;
}

void fs_ring_join(struct fs_ring *ring)
{
	struct exo_disk_req *last = &ring->sq->req[(ring->put - 1) % EXO_DISK_RING];
	struct exo_disk_req *before = &ring->sq->req[(ring->put - 2) % EXO_DISK_RING];
	bool goes_on = ring->put - ring->cq->sq_tail >= 2 && before->op == last->op &&
		       before->block + before->count == last->block &&
		       ring->blocks < ring->blocks_most &&
		       last->count <= ring->blocks_most - ring->blocks;

	if (goes_on && buffer_goes_on(ring, before, last)) {
		ring->blocks += last->count;
		entry_fold(ring, before, last);
	} else if (goes_on && ring->pieces < ring->pieces_most) {
		ring->blocks += last->count;
		before->flags |= EXO_DISK_MORE;
		ring->pieces++;
	} else {
		ring->pieces = 1;
		ring->blocks = last->count;
	}
}

uint32_t fs_ring_show(struct fs_ring *ring)
{
	uint32_t shown = ring->put - ring->cq->sq_tail;

	/* The kernel may look as soon as the tail moves: what stands before it must be there. */
	__atomic_store_n(&ring->cq->sq_tail, ring->put, __ATOMIC_RELEASE);
	return shown;
}

static void ring_finish(struct fs_ring *ring, uint64_t tag, int status)
{
	struct fs_request *request = tag < EXO_DISK_RING ? ring->flight[tag] : NULL, *next;

	if (!request)
		return;
	ring->flight[tag] = NULL;
	ring->out--;
	for (; request; request = next) {
		next = request->next;
		request->status = status == -EXO_E_DEVICE ? -FS_E_IO : status;
	}
}

uint32_t fs_ring_take(struct fs_ring *ring)
{
	uint32_t tail = __atomic_load_n(&ring->cq->cq_tail, __ATOMIC_ACQUIRE), taken = 0;

	for (; ring->taken != tail; ring->taken++, taken++) {
		const struct exo_disk_done *d = &ring->cq->done[ring->taken % EXO_DISK_RING];

		ring_finish(ring, d->tag, d->status);
	}
	__atomic_store_n(&ring->cq->cq_head, ring->taken, __ATOMIC_RELEASE);
	return taken;
}

void fs_ring_take_back(struct fs_ring *ring, int error)
{
	uint32_t head = __atomic_load_n(&ring->cq->sq_head, __ATOMIC_ACQUIRE);

	while (ring->put != head) {
		ring->put--;
		ring_finish(ring, ring->sq->req[ring->put % EXO_DISK_RING].tag, error);
	}
	__atomic_store_n(&ring->cq->sq_tail, ring->put, __ATOMIC_RELEASE);
}

void fs_ring_abandon(struct fs_ring *ring, int error)
{
	for (uint64_t tag = 0; tag < EXO_DISK_RING; tag++)
		ring_finish(ring, tag, error);
}
