/* SPDX-License-Identifier: MIT */
/*
 * nic.c - the list of NICs, their interrupts, the link, and what is done about one that breaks.
 *
 * Invariant: see nic.h.  Who is to be told is told before the NIC's lock is released, once for all
 * that happened meanwhile.
 */
#include "dev/nic.h"

#include "dev/nic_time.h"
#include "dev/pci.h"
#include "kernel.h"
#include "timer.h"
#include "x86/insn.h"

struct nic_list nics;

/* Kinds of NICs. */
static const struct nic_driver {
	bool (*is)(const struct exo_pci_info *info);
	bool (*start)(const struct exo_pci_info *info);
} drivers[] = {
	{ virtio_net_is, virtio_net_start },
};

static const struct nic_driver *driver_of(const struct exo_pci_info *info)
{
	for (unsigned i = 0; i < ARRAY_LEN(drivers); i++) {
		if (drivers[i].is(info) && !pci_is_left(info))
			return &drivers[i];
	}
	return NULL;
}

/* The arrays are made for all that look like NICs, so that nic_add always has room. */
void nics_start(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < pci.count; i++)
		n += driver_of(&pci.info[i]) != NULL;
	nics.info = boot_export(n * sizeof(*nics.info));
	if (!n)
		return;
	filter_seed(cpu_entropy());
	nics.nic = boot_frames((n * sizeof(*nics.nic) + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE);
	for (uint32_t i = 0; i < pci.count; i++) {
		const struct nic_driver *driver = driver_of(&pci.info[i]);

		if (driver && driver->start(&pci.info[i]))
			pci.info[i].used = 1;
	}
}

struct nic *nic_add(const struct nic_ops *ops, void *driver, const struct exo_nic_info *info)
{
	struct nic *n = &nics.nic[nics.count];
	struct filter *f = boot_frames(1);

	*n = (struct nic){ .ops = ops, .driver = driver, .info = &nics.info[nics.count],
	                   .filter = filter_pfn(f) };
	for (unsigned i = 0; i < NIC_QUEUES; i++) {
		n->queue[i].nic = n;
		n->queue[i].timer.kind = TIMER_NIC;
	}
	*n->info = *info;
	filter_root(f, nics.count++);
	return n;
}

void packets_tell(struct nic *n, struct packets *r)
{
	if (r->told)
		return;
	r->told = true;
	r->tell_next = n->tell;
	n->tell = packets_pfn(r);
}

void nic_tell_all(struct nic *n)
{
	while (n->tell) {
		struct packets *r = packets_at(n->tell);

		n->tell = r->tell_next;
		r->tell_next = 0;
		r->told = false;
		if (r->env)
			event_post(env_at(r->env), r->entry);
	}
}

/* Rings on the NIC's own filter are told: who looks after all of it wants to know. */
static void link_set(struct nic *n, bool up)
{
	uint32_t flags = (n->info->flags & ~(uint32_t)EXO_NIC_LINK) | (up ? EXO_NIC_LINK : 0);

	if (flags == n->info->flags)
		return;
	__atomic_store_n(&n->info->flags, flags, __ATOMIC_RELEASE);
	for (uint64_t pfn = n->wide; pfn; pfn = packets_at(pfn)->wide_next)
		packets_tell(n, packets_at(pfn));
}

/* All that it had to send is done, one way or the other. */
static void nic_reset(struct nic *n)
{
	bool broken = false;

	n->dead = n->dead || !n->ops->reset(n);
	for (unsigned i = 0; i < n->info->queues; i++) {
		while (nic_reap(n, i))
			;
		nic_time_late(&n->queue[i]);    /* for those that wait */
	}
	link_set(n, !n->dead && n->ops->link(n, &broken));
}

void nic_changed(struct nic *n)
{
	bool broken = false, up;

	lock_take(&n->lock);
	up = !n->dead && n->ops->link(n, &broken);
	if (broken && !n->dead)
		nic_reset(n);
	else
		link_set(n, up);
	nic_tell_all(n);
	lock_release(&n->lock);
}

/* Interrupts are off while the rest is left to the timer; what came in between is not missed. */
static bool receive_all(struct nic *n, unsigned queue, unsigned work)
{
	struct nic_queue *q = &n->queue[queue];
	bool more = nic_receive(n, queue, &work);

	if (more == q->polled)
		return more;
	n->ops->receive_interrupts(n, queue, !more);
	if (!more && nic_receive(n, queue, &work)) {
		n->ops->receive_interrupts(n, queue, false);
		more = true;
	}
	q->polled = more;
	return more;
}

/*
 * Finish and send: true if there is more.  *work: how much of what may be received in the same time
 * that was.  A large packet is received in a time when nothing of this was done.
 */
static bool send_some(struct nic *n, unsigned queue, unsigned *work)
{
	struct nic_queue *q = &n->queue[queue];
	uint32_t flight = q->flight;
	bool waits = nic_waits(n), more;

	if (q->large)
		return true;
	more = nic_reap(n, queue);
	more |= nic_submit(n, NIC_LATER_BATCH, NULL);
	*work = waits ? NIC_RECEIVE_BATCH / 2 : (flight - q->flight) / NIC_PACKET_REAPS;
	return more;
}

void nic_work(struct nic *n, unsigned queue, bool timer)
{
	struct nic_queue *q = &n->queue[queue];
	uint64_t began = read_tsc();
	unsigned work = 0;
	bool more;

	lock_take(&n->lock);
	more = send_some(n, queue, &work);
	if (timer || !q->polled)
		more |= receive_all(n, queue, work);
	nic_tell_all(n);
	if (more)
		nic_time_soon(q, began);
	lock_release(&n->lock);
	if (more && !timer)
		nic_time_arm();
}

void nic_interrupt(struct nic *n, unsigned queue)
{
	__atomic_add_fetch(&n->info->interrupts, 1, __ATOMIC_RELAXED);
	nic_work(n, queue, false);
}

void nic_expire(struct nic *n, unsigned queue)
{
	const struct nic_queue *q = &n->queue[queue];

	if (q->flight && read_tsc() - q->life_tsc >= machine->tsc_hz * NIC_RESET_SECONDS)
		nic_reset(n);
}

void nics_expire(void)
{
	for (uint32_t i = 0; i < nics.count; i++) {
		struct nic *n = &nics.nic[i];

		lock_take(&n->lock);
		for (unsigned queue = 0; queue < n->info->queues; queue++) {
			nic_reap(n, queue);
			nic_expire(n, queue);
		}
		if (nic_submit(n, NIC_LATER_BATCH, NULL))
			nic_time_late(&n->queue[0]);
		nic_tell_all(n);
		lock_release(&n->lock);
		interrupts_window();
	}
}
