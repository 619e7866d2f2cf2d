/* SPDX-License-Identifier: MIT */
/*
 * disk.c - the list of disks, and what happens when a request is done.
 *
 * Invariant: see disk.h.  A completion is written before the counter that shows it, and the frames
 * are unpinned before either.
 */
#include "dev/disk.h"

#include "charge.h"
#include "dev/pci.h"
#include "frame.h"
#include "kernel.h"
#include "timer.h"
#include "x86/insn.h"

struct disk_list disks;

/* Kinds of disks. */
static const struct disk_driver {
	bool (*is)(const struct exo_pci_info *info);
	bool (*start)(const struct exo_pci_info *info);
} drivers[] = {
	{ virtio_blk_is, virtio_blk_start },
	{ nvme_disk_is, nvme_disk_start },
};

static const struct disk_driver *driver_of(const struct exo_pci_info *info)
{
	for (unsigned i = 0; i < ARRAY_LEN(drivers); i++) {
		if (drivers[i].is(info) && !pci_is_left(info))
			return &drivers[i];
	}
	return NULL;
}

/* The arrays are made for all that look like disks, so that disk_add always has room. */
void disks_start(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < pci.count; i++)
		n += driver_of(&pci.info[i]) != NULL;
	disks.info = boot_export(n * sizeof(*disks.info));
	if (!n)
		return;
	disks.disk = boot_frames((n * sizeof(*disks.disk) + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE);
	for (uint32_t i = 0; i < pci.count; i++) {
		const struct disk_driver *driver = driver_of(&pci.info[i]);

		if (driver && driver->start(&pci.info[i]))
			pci.info[i].used = 1;
	}
}

struct disk *disk_add(const struct disk_ops *ops, void *driver, const struct exo_disk_info *info,
                      unsigned can)
{
	struct disk *d = &disks.disk[disks.count];

	*d = (struct disk){ .ops = ops, .driver = driver, .info = *info, .can = can,
	                    .timer.kind = TIMER_DISK };
	disks.info[disks.count++] = *info;
	return d;
}

void ring_complete(struct ring *r, uint64_t tag, int32_t status)
{
	struct exo_disk_cq_page *cq = ring_cq(r);

	cq->done[r->cq_tail % EXO_DISK_RING] = (struct exo_disk_done){
		.tag = tag, .status = status };
	r->cq_tail++;
	__atomic_store_n(&cq->cq_tail, r->cq_tail, __ATOMIC_RELEASE);
}

unsigned ring_finish(struct ring *r, unsigned n, int32_t status)
{
	unsigned work = 0;

	if (r->env && r->disk && !status)
		env_at(r->env)->page->blocks +=
			r->request[n].bytes / disks.disk[r->disk - 1].info.block_bytes;
	while (n != RING_NONE) {
		const struct ring_request *q = &r->request[n];

		if (q->claim)
			frame_unpin(q->claim, q->pfn, q->frames);
		r->used &= ~(1ul << n);
		ring_complete(r, q->tag, status);
		work += 16u + q->frames;
		n = q->next;
	}
	return work;
}

void ring_tell(const struct ring *r)
{
	if (r->env && !__atomic_load_n(&ring_cq(r)->quiet, __ATOMIC_RELAXED))
		event_post(env_at(r->env), r->entry);
}

/*
 * The device is through with request n: completed, or, where a write is to be on the medium and the
 * device could not be told so, a flush from now on.  How much work that was.
 */
static unsigned request_returned(struct disk *d, struct ring *r, unsigned n, int32_t status)
{
	struct ring_request *q = &r->request[n];

	ring_returned(d, r, n);
	if (status || !q->fua || d->can != DISK_CAN_FLUSH || q->op == EXO_DISK_FLUSH)
		return ring_finish(r, n, status);
	if (r->ending)
		return ring_finish(r, n, -EXO_E_STALE);
	q->op = EXO_DISK_FLUSH;
	ring_queue(d, r, n);
	return 16;
}

/*
 * One event for each run of completions of one ring; also for a write whose flush follows.  The
 * time is charged to who is told of the ring.
 */
unsigned disk_reap(struct disk *d)
{
	uint64_t since = charge_begin();
	struct disk_result result;
	struct ring *last = NULL;
	unsigned work = 0;

	while (work < DISK_REAP_WORK && d->ops->reap(d, &result)) {
		struct ring *r = ring_at(result.cookie / EXO_DISK_RING);

		if (last && last != r)
			ring_tell(last);
		work += request_returned(d, r, result.cookie % EXO_DISK_RING, result.status);
		charge_work(ring_env(r), &since);
		last = r;
	}
	if (!last)
		return 0;
	d->life_tsc = read_tsc();
	ring_tell(last);
	return work;
}

void disk_later(struct disk *d, uint64_t began)
{
	uint64_t now = read_tsc();

	timer_set(&d->timer, now + (now - began));
}

void disk_expire(struct disk *d)
{
	if (!d->flight || read_tsc() - d->life_tsc < machine->tsc_hz * DISK_RESET_SECONDS)
		return;
	d->ops->reset(d);
	if (disk_reap(d) >= DISK_REAP_WORK)     /* no interrupt comes for what a reset ended */
		disk_later(d, read_tsc());
}

void disks_expire(void)
{
	for (uint32_t i = 0; i < disks.count; i++) {
		struct disk *d = &disks.disk[i];
		unsigned work;

		lock_take(&d->lock);
		work = disk_reap(d);
		disk_expire(d);
		disk_submit(d, work);
		lock_release(&d->lock);
		interrupts_window();
	}
}

/* Take from the device and give to it, as much as may be done at a time: true if there is more. */
static bool disk_serve(struct disk *d)
{
	unsigned work = disk_reap(d);

	return disk_submit(d, work) || work >= DISK_REAP_WORK;
}

/* What is left over when that was much comes a little later. */
void disk_timer(struct timer *t)
{
	struct disk *d = container_of(t, struct disk, timer);
	uint64_t began = read_tsc();

	lock_take(&d->lock);
	if (disk_serve(d))
		disk_later(d, began);
	lock_release(&d->lock);
}

void disk_interrupt(struct disk *d)
{
	bool more;

	lock_take(&d->lock);
	more = disk_serve(d);
	lock_release(&d->lock);
	if (more)
		interrupt_again();
}
