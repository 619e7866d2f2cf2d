/* SPDX-License-Identifier: MIT */
/*
 * virtio.c - the modern PCI transport (virtio 1.2, 4.1) and the split queue (2.7).
 *
 * Invariant: a structure that a capability names is mapped only if it lies in its BAR and is large
 * enough; waits are bounded.  What goes through a queue is the driver's business.
 */
#include "dev/virtio.h"

#include "kernel.h"
#include "x86/direct.h"
#include "x86/insn.h"

enum {                          /* 4.1.4: fields of a capability, and its kinds */
	CAP_KIND = 3,           /* byte */
	CAP_BAR = 4,            /* byte */
	CAP_OFFSET = 8,
	CAP_BYTES = 12,
	CAP_MULTIPLIER = 16,
	KIND_COMMON = 1,
	KIND_NOTIFY = 2,
	KIND_DEVICE = 4,
	CONFIG_MAX = 4096,      /* more of a structure than anybody uses */
	NOTIFY_MAX = 1 << 20,   /* a page a queue, for the queues that anybody uses */
	SPINS = 10000000,
	USED_OFFSET = 1024,     /* of the used ring in its frame */
};
_Static_assert(sizeof(struct virtq_avail) <= USED_OFFSET, "queue: one frame for both rings");
_Static_assert(USED_OFFSET + sizeof(struct virtq_used) <= EXO_PAGE_SIZE, "queue: one frame");

/* Map at most `most` bytes of what the capability at `cap` names; less than `need`: NULL and 0. */
static void *structure_map(uint32_t where, unsigned cap, uint32_t need, uint32_t most,
                           uint64_t *bytes)
{
	uint32_t off = pci_read(where, cap + CAP_OFFSET), length = pci_read(where, cap + CAP_BYTES);
	void *mapped = NULL;

	length = (uint32_t)min_u64(length, most);
	if (length >= need && off % 4 == 0)
		mapped = pci_map(where, pci_read(where, cap + CAP_BAR) & 0xff, off, length);
	*bytes = mapped ? length : 0;
	return mapped;
}

/* Notification areas may be large: one address for each queue. */
static void capability_take(struct virtio *v, unsigned cap)
{
	uint64_t bytes = 0;

	switch (pci_read(v->where, cap) >> CAP_KIND * 8) {
	case KIND_COMMON:
		if (!v->common)
			v->common = structure_map(v->where, cap, sizeof(*v->common), CONFIG_MAX,
			                          &bytes);
		break;
	case KIND_NOTIFY:
		if (!v->notify) {
			v->notify = structure_map(v->where, cap, 2, NOTIFY_MAX, &v->notify_bytes);
			v->notify_multiplier = pci_read(v->where, cap + CAP_MULTIPLIER);
		}
		break;
	case KIND_DEVICE:
		if (!v->config)
			v->config = structure_map(v->where, cap, 1, CONFIG_MAX, &v->config_bytes);
		break;
	}
}

/* 4.1.4.3.2: a reset is done when the status reads 0. */
static bool virtio_reset(struct virtio *v)
{
	v->common->device_status = 0;
	for (unsigned i = 0; i < SPINS; i++) {
		if (!v->common->device_status)
			return true;
		cpu_pause();
	}
	return false;
}

bool virtio_find(uint32_t where, struct virtio *v)
{
	unsigned cap = 0;

	memset(v, 0, sizeof(*v));
	v->where = where;
	for (unsigned i = 0; i < PCI_CAPS_MAX; i++) {
		cap = pci_capability(where, PCI_CAP_VENDOR, cap);
		if (!cap)
			break;
		if (cap <= 0x100 - CAP_MULTIPLIER - 4)
			capability_take(v, cap);
	}
	if (!v->common || !v->notify)
		return false;
	pci_command(where, PCI_COMMAND_MEMORY | PCI_COMMAND_NO_INTX, PCI_COMMAND_MASTER);
	if (!virtio_reset(v) || !msix_start(where, &v->msix))
		return false;
	pci_command(where, PCI_COMMAND_MASTER, 0);
	return true;
}

static uint64_t features_offered(struct virtio *v)
{
	uint64_t features;

	v->common->device_feature_select = 0;
	features = v->common->device_feature;
	v->common->device_feature_select = 1;
	return features | (uint64_t)v->common->device_feature << 32;
}

/* 3.1.1, steps 1 to 6 */
uint64_t virtio_negotiate(struct virtio *v, uint64_t need, uint64_t want)
{
	uint64_t features;

	if (!virtio_reset(v))
		return 0;
	v->common->device_status = VIRTIO_ACKNOWLEDGE;
	v->common->device_status = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER;
	features = features_offered(v);
	if ((features & need) != need)
		return 0;
	features &= need | want;
	v->common->driver_feature_select = 0;
	v->common->driver_feature = (uint32_t)features;
	v->common->driver_feature_select = 1;
	v->common->driver_feature = (uint32_t)(features >> 32);
	v->common->device_status = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK;
	return v->common->device_status & VIRTIO_FEATURES_OK ? features : 0;
}

void virtio_ready(struct virtio *v)
{
	v->common->device_status = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK |
	                           VIRTIO_DRIVER_OK;
}

bool virtio_config_entry(struct virtio *v, uint16_t entry)
{
	v->common->config_msix_vector = entry;
	return v->common->config_msix_vector == entry;
}

bool virtio_is_broken(const struct virtio *v)
{
	return v->common->device_status & VIRTIO_NEEDS_RESET;
}

/* It may ignore the reset: then it must not reach memory that is about to be others'. */
void virtio_fail(struct virtio *v)
{
	virtio_reset(v);
	pci_command(v->where, 0, PCI_COMMAND_MASTER);
	v->common->device_status = VIRTIO_FAILED;
}

void virtq_memory(struct virtq *q)
{
	q->desc = boot_frames(1);
	q->avail = boot_frames(1);
	q->used = (struct virtq_used *)((uint8_t *)q->avail + USED_OFFSET);
}

/* Where the device is told of this queue, 4.1.5.2; the queue is selected. */
static bool virtq_doorbell(struct virtio *v, struct virtq *q)
{
	uint64_t off = (uint64_t)v->common->queue_notify_off * v->notify_multiplier;

	if (off % 2 || !range_fits(off, 2, v->notify_bytes))
		return false;
	q->doorbell = (volatile uint16_t *)(v->notify + off);
	return true;
}

static void virtq_empty(struct virtq *q, uint16_t size)
{
	memset(q->desc, 0, EXO_PAGE_SIZE);
	memset(q->avail, 0, EXO_PAGE_SIZE);
	q->size = size;
	q->avail_idx = q->shown_idx = q->used_idx = 0;
}

/* 4.1.5.1.3 */
bool virtq_start(struct virtio *v, struct virtq *q, uint16_t index, uint16_t entry)
{
	volatile struct virtio_common *c = v->common;
	uint64_t desc = virt_to_phys(q->desc), avail = virt_to_phys(q->avail);
	uint64_t used = virt_to_phys(q->used);
	uint16_t size;

	c->queue_select = index;
	size = c->queue_size;
	if (!size || size & (size - 1) || !virtq_doorbell(v, q))
		return false;
	q->index = index;
	virtq_empty(q, (uint16_t)min_u64(size, VIRTQ_MAX));
	c->queue_size = q->size;
	c->config_msix_vector = VIRTIO_NO_ENTRY;
	c->queue_msix_vector = entry;
	if (c->queue_msix_vector != entry)
		return false;
	c->queue_desc_lo = (uint32_t)desc;
	c->queue_desc_hi = (uint32_t)(desc >> 32);
	c->queue_driver_lo = (uint32_t)avail;
	c->queue_driver_hi = (uint32_t)(avail >> 32);
	c->queue_device_lo = (uint32_t)used;
	c->queue_device_hi = (uint32_t)(used >> 32);
	c->queue_enable = 1;
	return true;
}

void virtq_add(struct virtq *q, uint16_t head)
{
	q->avail->ring[q->avail_idx % q->size] = head;
	q->avail_idx++;
}

/* The index must be seen before the flag is read, or both sides could wait (2.7.13.4.1). */
void virtq_publish(struct virtq *q)
{
	if (q->shown_idx == q->avail_idx)
		return;
	__atomic_store_n(&q->avail->idx, q->avail_idx, __ATOMIC_RELEASE);
	q->shown_idx = q->avail_idx;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(__atomic_load_n(&q->used->flags, __ATOMIC_RELAXED) & VIRTQ_NO_NOTIFY))
		*q->doorbell = q->index;
}

bool virtq_take_bytes(struct virtq *q, uint32_t *id, uint32_t *bytes)
{
	unsigned n = q->used_idx % q->size;

	if (__atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE) == q->used_idx)
		return false;
	*id = __atomic_load_n(&q->used->ring[n].id, __ATOMIC_RELAXED);
	*bytes = __atomic_load_n(&q->used->ring[n].bytes, __ATOMIC_RELAXED);
	q->used_idx++;
	return true;
}

bool virtq_take(struct virtq *q, uint32_t *id)
{
	uint32_t bytes;

	return virtq_take_bytes(q, id, &bytes);
}

/* The flag must be seen before the used ring is looked at again (2.7.7). */
void virtq_interrupts(struct virtq *q, bool on)
{
	uint16_t flags = on ? 0 : VIRTQ_NO_INTERRUPT;

	if (q->avail->flags == flags)
		return;
	__atomic_store_n(&q->avail->flags, flags, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
