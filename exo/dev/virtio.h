/* SPDX-License-Identifier: MIT */
/*
 * virtio.h - the modern PCI transport of virtio devices, and one split queue (virtio 1.2).
 *
 * Invariant: the device gets only addresses that its driver put into descriptors; what it writes
 * back (used ring, status, configuration) is checked before it is used as an index.
 */
#ifndef EXO_DEV_VIRTIO_H
#define EXO_DEV_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "pci.h"

#define VIRTIO_VENDOR 0x1af4u
#define VIRTIO_F_VERSION_1 (1ul << 32)

/* device_status, 2.1 */
#define VIRTIO_ACKNOWLEDGE 1u
#define VIRTIO_DRIVER      2u
#define VIRTIO_DRIVER_OK   4u
#define VIRTIO_FEATURES_OK 8u
#define VIRTIO_NEEDS_RESET 64u
#define VIRTIO_FAILED      128u

struct virtio_common {          /* 4.1.4.3, little endian like the processor */
	uint32_t device_feature_select, device_feature;
	uint32_t driver_feature_select, driver_feature;
	uint16_t config_msix_vector, num_queues;
	uint8_t  device_status, config_generation;
	uint16_t queue_select, queue_size, queue_msix_vector, queue_enable, queue_notify_off;
	uint32_t queue_desc_lo, queue_desc_hi;
	uint32_t queue_driver_lo, queue_driver_hi;
	uint32_t queue_device_lo, queue_device_hi;
};
_Static_assert(sizeof(struct virtio_common) == 56, "virtio 1.2, 4.1.4.3");

struct virtio {
	uint32_t where;
	volatile struct virtio_common *common;
	volatile uint8_t *notify;       /* start of the notification area */
	uint64_t notify_bytes;
	uint32_t notify_multiplier;
	volatile uint8_t *config;       /* of the device's kind, or NULL */
	uint64_t config_bytes;
	struct msix msix;
};

/* Queues, 2.7: descriptors, the driver's ring, the device's ring. */
struct virtq_desc {
	uint64_t pa;
	uint32_t bytes;
	uint16_t flags;         /* VIRTQ_* */
	uint16_t next;
};
#define VIRTQ_NEXT  1u
#define VIRTQ_WRITE 2u          /* the device writes it */
#define VIRTQ_NO_NOTIFY 1u      /* the device's flag: need not be told */
#define VIRTQ_NO_INTERRUPT 1u   /* the driver's flag: need not be interrupted */
#define VIRTIO_NO_ENTRY 0xffffu /* no MSI-X table entry: no interrupts */
#define VIRTQ_MAX   256u        /* descriptors that we use of a queue, so that it fits two frames */

struct virtq_avail {
	uint16_t flags, idx;
	uint16_t ring[VIRTQ_MAX];
};
struct virtq_used {
	uint16_t flags, idx;
	struct {
		uint32_t id, bytes;
	} ring[VIRTQ_MAX];
};

struct virtq {
	struct virtq_desc *desc;        /* [size], one frame */
	struct virtq_avail *avail;      /* second frame */
	struct virtq_used *used;        /* second frame, from 1024 on */
	volatile uint16_t *doorbell;
	uint16_t index;                 /* which queue of the device */
	uint16_t size;                  /* power of two */
	uint16_t avail_idx;             /* ours, not yet shown to the device until virtq_publish */
	uint16_t shown_idx;
	uint16_t used_idx;              /* taken */
};

/* Find and map the structures of the function at `where`; reset it; turn on mastering, MSI-X. */
bool virtio_find(uint32_t where, struct virtio *v);

/*
 * Reset, acknowledge, agree on features: all of `need` and what the device has of `want`.  The
 * features agreed on, or 0 if it refuses.  Bounded waits.
 */
uint64_t virtio_negotiate(struct virtio *v, uint64_t need, uint64_t want);
void virtio_ready(struct virtio *v);    /* DRIVER_OK */
/* Interrupt by this MSI-X table entry when the configuration changes; after the queues' start. */
bool virtio_config_entry(struct virtio *v, uint16_t entry);
/* Does the device say that it needs a reset? */
bool virtio_is_broken(const struct virtio *v);
/* Give up: reset, FAILED, and no bus mastering, whatever the device does. */
void virtio_fail(struct virtio *v);

/* Memory for a queue (boot_frames, two of them); boot only. */
void virtq_memory(struct virtq *q);
/*
 * Set queue `index` up with MSI-X table entry `entry`, or VIRTIO_NO_ENTRY; at most VIRTQ_MAX
 * descriptors.  Also after a reset.  false: the device has no such queue, or one that is unusable.
 */
bool virtq_start(struct virtio *v, struct virtq *q, uint16_t index, uint16_t entry);

/* Add the chain that starts at descriptor `head`; show what was added; tell the device. */
void virtq_add(struct virtq *q, uint16_t head);
void virtq_publish(struct virtq *q);
/*
 * Take one entry off the used ring: false if there is none.  *id and *bytes (how many it says it
 * wrote) are as the device wrote them.
 */
bool virtq_take_bytes(struct virtq *q, uint32_t *id, uint32_t *bytes);
bool virtq_take(struct virtq *q, uint32_t *id);
/* Leave the entry that was taken last for another time. */
static inline void virtq_untake(struct virtq *q) { q->used_idx--; }
/* Ask for interrupts, or for none; on: whoever takes entries after this misses none. */
void virtq_interrupts(struct virtq *q, bool on);

/* Fill a descriptor. */
static inline void virtq_desc_set(struct virtq *q, unsigned n, uint64_t pa, uint32_t bytes,
                                  unsigned flags, unsigned next)
{
	q->desc[n] = (struct virtq_desc){ .pa = pa, .bytes = bytes, .flags = (uint16_t)flags,
	                                  .next = (uint16_t)next };
}

#endif
