/* SPDX-License-Identifier: MIT */
/*
 * virtio_blk.c - disks over virtio (virtio 1.2, 5.2): the driver behind disk.h's table.
 *
 * Invariant: request slot n owns the descriptors [n * stride, n * stride + stride) and the n-th
 * header and status; a slot is free or in the device.  An id that the device returns counts only if
 * it is the first descriptor of a slot that is in the device.  Runs with the disk's lock held.
 */
#include "dev/virtio.h"

#include "dev/disk.h"
#include "kernel.h"

enum {
	F_SIZE_MAX = 1, F_SEG_MAX = 2, F_RO = 5, F_BLK_SIZE = 6, F_FLUSH = 9,
	CONFIG_CAPACITY = 0, CONFIG_SIZE_MAX = 8, CONFIG_SEG_MAX = 12, CONFIG_BLK_SIZE = 20,
	TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4,
	STATUS_OK = 0, STATUS_NONE = 0xff,
	SECTOR = 512,           /* unit of capacity and of requests, whatever the block size */
	SLOTS_MAX = 85,         /* VIRTQ_MAX / 3 */
	QUEUE = 0, VECTOR_ENTRY = 0,
	DEVICE_TRANSITIONAL = 0x1001, DEVICE_MODERN = 0x1042,
};

/* What the device reads and writes beside the data: 32 bytes a slot. */
struct blk_wire {
	uint32_t type, spare;
	uint64_t sector;
	uint8_t  status;
	uint8_t  pad[15];
};
_Static_assert(sizeof(struct blk_wire) * SLOTS_MAX <= EXO_PAGE_SIZE, "one frame");

struct blk {
	struct virtio v;
	struct virtq q;
	uint64_t features;      /* agreed on */
	struct blk_wire *wire;  /* [SLOTS_MAX], one frame */
	uint32_t stride;        /* descriptors a slot */
	uint32_t segment_bytes; /* most data bytes of one descriptor */
	uint32_t block_bytes;
	uint32_t slots, free;
	struct disk *disk;      /* NULL: not in use */
	bool     broken;        /* does not come back from a reset */
	uint32_t lost;          /* after a reset: slots below it were reaped or not in the device */
	uint8_t  free_slot[SLOTS_MAX];
	bool     busy[SLOTS_MAX];
	uint64_t cookie[SLOTS_MAX];
};
_Static_assert(sizeof(struct blk) <= EXO_PAGE_SIZE, "one frame");

static bool blk_has(const struct blk *b, unsigned feature)
{
	return b->features >> feature & 1;
}

static void blk_slots_free(struct blk *b)
{
	b->free = b->slots;
	for (uint32_t i = 0; i < b->slots; i++) {
		b->free_slot[i] = (uint8_t)(b->slots - 1 - i);
		b->busy[i] = false;
	}
}

static void desc_set(struct virtq_desc *d, uint64_t pa, uint32_t bytes, unsigned flags,
                     unsigned next)
{
	*d = (struct virtq_desc){ .pa = pa, .bytes = bytes, .flags = (uint16_t)flags,
	                          .next = (uint16_t)next };
}

/* Header, data in segments, status: the chain of slot n. */
static void blk_chain(struct blk *b, uint32_t n, const struct disk_io *io)
{
	struct blk_wire *w = &b->wire[n];
	unsigned at = n * b->stride, write = io->op == EXO_DISK_READ ? VIRTQ_WRITE : 0;
	uint32_t left = io->op == EXO_DISK_FLUSH ? 0 : io->bytes;
	uint64_t pa = io->pa;

	desc_set(&b->q.desc[at], virt_to_phys(w), 16, VIRTQ_NEXT, at + 1);
	while (left) {
		uint32_t bytes = (uint32_t)min_u64(left, b->segment_bytes);

		at++;
		desc_set(&b->q.desc[at], pa, bytes, VIRTQ_NEXT | write, at + 1);
		pa += bytes;
		left -= bytes;
	}
	desc_set(&b->q.desc[at + 1], virt_to_phys(&w->status), 1, VIRTQ_WRITE, 0);
}

static int blk_submit(struct disk *d, const struct disk_io *io)
{
	static const uint32_t type[] = { [EXO_DISK_READ] = TYPE_IN, [EXO_DISK_WRITE] = TYPE_OUT,
	                                 [EXO_DISK_FLUSH] = TYPE_FLUSH };
	struct blk *b = d->driver;
	uint32_t n;

	if (b->broken)
		return -EXO_E_DEVICE;
	if (!b->free || b->lost < b->slots)
		return EXO_MORE;
	n = b->free_slot[--b->free];
	b->busy[n] = true;
	b->cookie[n] = io->cookie;
	b->wire[n].type = type[io->op];
	b->wire[n].sector = io->op == EXO_DISK_FLUSH ? 0 : io->block * (b->block_bytes / SECTOR);
	b->wire[n].status = STATUS_NONE;
	blk_chain(b, n, io);
	virtq_add(&b->q, (uint16_t)(n * b->stride));
	return 0;
}

static void blk_kick(struct disk *d)
{
	struct blk *b = d->driver;

	virtq_publish(&b->q);
}

static void blk_take_back(struct blk *b, uint32_t n, struct disk_result *result, int status)
{
	b->busy[n] = false;
	b->free_slot[b->free++] = (uint8_t)n;
	*result = (struct disk_result){ .cookie = b->cookie[n], .status = status };
}

/* What a reset took from the device, one at a time. */
static bool blk_reap_lost(struct blk *b, struct disk_result *result)
{
	while (b->lost < b->slots) {
		uint32_t n = b->lost++;

		if (b->busy[n]) {
			blk_take_back(b, n, result, -EXO_E_DEVICE);
			return true;
		}
	}
	return false;
}

static bool blk_reap(struct disk *d, struct disk_result *result)
{
	struct blk *b = d->driver;
	uint32_t id, n;

	if (blk_reap_lost(b, result))
		return true;
	for (unsigned turns = 0; turns < VIRTQ_MAX && !b->broken; turns++) {
		if (!virtq_take(&b->q, &id))
			return false;
		n = id / b->stride;
		if (id % b->stride || n >= b->slots || !b->busy[n])
			continue;
		blk_take_back(b, n, result, b->wire[n].status == STATUS_OK ? 0 : -EXO_E_DEVICE);
		return true;
	}
	return false;
}

static uint32_t config_u32(const struct blk *b, unsigned off)
{
	return *(volatile uint32_t *)(b->v.config + off);
}

/* Features, queue, interrupt: at boot and after a reset. */
static bool blk_connect(struct blk *b)
{
	const uint64_t want = 1ul << F_SIZE_MAX | 1ul << F_SEG_MAX | 1ul << F_RO |
	                      1ul << F_BLK_SIZE | 1ul << F_FLUSH;

	b->features = virtio_negotiate(&b->v, VIRTIO_F_VERSION_1, want);
	if (!b->features || !virtq_start(&b->v, &b->q, QUEUE, VECTOR_ENTRY))
		return false;
	return true;
}

/* The device is stopped first, so that no frame is written after its pin is gone. */
static void blk_reset(struct disk *d)
{
	struct blk *b = d->driver;
	uint64_t features = b->features;

	b->lost = 0;
	if (blk_connect(b) && b->features == features) {
		virtio_ready(&b->v);
		return;
	}
	virtio_fail(&b->v);
	b->broken = true;
}

static const struct disk_ops blk_ops = { blk_submit, blk_kick, blk_reap, blk_reset };

/* How requests fit into descriptors; why not, or NULL. */
static const char *blk_shape(struct blk *b)
{
	uint32_t segments;

	b->segment_bytes = EXO_DISK_MAX_BYTES;
	if (blk_has(b, F_SIZE_MAX) && config_u32(b, CONFIG_SIZE_MAX))
		b->segment_bytes = (uint32_t)min_u64(config_u32(b, CONFIG_SIZE_MAX),
		                                     EXO_DISK_MAX_BYTES);
	segments = (EXO_DISK_MAX_BYTES + b->segment_bytes - 1) / b->segment_bytes;
	if (blk_has(b, F_SEG_MAX) && segments > max_u64(config_u32(b, CONFIG_SEG_MAX), 1))
		return "it takes too little in one request";
	if (segments + 2 > b->q.size)
		return "its queue is too short";
	b->stride = segments + 2;
	b->slots = (uint32_t)min_u64(b->q.size / b->stride, SLOTS_MAX);
	b->lost = b->slots;
	blk_slots_free(b);
	return NULL;
}

/* Size and flags of the disk; why it cannot be used, or NULL. */
static const char *blk_measure(struct blk *b, struct exo_disk_info *info)
{
	uint64_t sectors = config_u32(b, CONFIG_CAPACITY) |
	                   (uint64_t)config_u32(b, CONFIG_CAPACITY + 4) << 32;

	b->block_bytes = blk_has(b, F_BLK_SIZE) ? config_u32(b, CONFIG_BLK_SIZE) : SECTOR;
	if (b->block_bytes < SECTOR || b->block_bytes > EXO_PAGE_SIZE ||
	    b->block_bytes & (b->block_bytes - 1))
		return "its block size is not 512, 1024, 2048 or 4096 bytes";
	if (sectors > UINT64_MAX / SECTOR)
		return "its size is nonsense";
	*info = (struct exo_disk_info){
		.blocks = sectors / (b->block_bytes / SECTOR), .block_bytes = b->block_bytes,
		.flags = blk_has(b, F_RO) ? EXO_DISK_RO : 0, .queue = b->slots,
		.pci = b->v.where & 0xffff };
	return info->blocks ? NULL : "it is empty";
}

static void blk_interrupt(void *context)
{
	struct blk *b = context;

	if (b->disk)
		disk_interrupt(b->disk);
}

/* Why the disk cannot be used, or NULL: then it runs. */
static const char *blk_start(struct blk *b, uint32_t where)
{
	struct exo_disk_info info;
	const char *wrong;
	unsigned vector;

	if (!virtio_find(where, &b->v) || b->v.config_bytes < CONFIG_BLK_SIZE + 4)
		return "it is no modern virtio device with MSI-X";
	virtq_memory(&b->q);
	b->wire = boot_frames(1);
	if (!blk_connect(b))
		return "it refuses what is asked of it";
	wrong = blk_shape(b);
	if (!wrong)
		wrong = blk_measure(b, &info);
	if (wrong)
		return wrong;
	vector = vector_take(blk_interrupt, b);
	if (!vector)
		return "no interrupt vector is left";
	msix_set(&b->v.msix, VECTOR_ENTRY, msi_address(0), vector);
	b->disk = disk_add(&blk_ops, b, &info, blk_has(b, F_FLUSH));
	virtio_ready(&b->v);
	return NULL;
}

bool virtio_blk_is(const struct exo_pci_info *info)
{
	return info->vendor == VIRTIO_VENDOR &&
	       (info->device == DEVICE_MODERN || info->device == DEVICE_TRANSITIONAL);
}

bool virtio_blk_start(const struct exo_pci_info *info)
{
	struct blk *b = boot_frames(1);
	const char *wrong = blk_start(b, info->where);

	if (!wrong)
		return true;
	if (b->v.common)
		virtio_fail(&b->v);
	pci_command(info->where, 0, PCI_COMMAND_MASTER);
	machine_notice("disk at %02x:%02x.%x is not used: %s", info->where >> 8 & 0xff,
	               info->where >> 3 & 31, info->where & 7, wrong);
	return false;
}
