/* SPDX-License-Identifier: MIT */
/*
 * virtio_blk.c - disks over virtio (virtio 1.2, 5.2): the driver behind disk.h's table.
 *
 * Invariant: request slot n owns the n-th header and status; a slot is free or in the device.  A
 * descriptor is free or in the chain of one slot; both lists are kept in memory that the device
 * does not see.  An id that the device returns counts only if it is the first descriptor of a slot
 * that is in the device.  Runs with the disk's lock held.
 */
#include "dev/virtio.h"

#include "dev/disk.h"
#include "kernel.h"

enum {
	F_SIZE_MAX = 1, F_SEG_MAX = 2, F_RO = 5, F_BLK_SIZE = 6, F_FLUSH = 9, F_DISCARD = 13,
	CONFIG_CAPACITY = 0, CONFIG_SIZE_MAX = 8, CONFIG_SEG_MAX = 12, CONFIG_BLK_SIZE = 20,
	CONFIG_DISCARD = 36, CONFIG_DISCARD_END = 48,
	TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4, TYPE_DISCARD = 11,
	STATUS_OK = 0, STATUS_NONE = 0xff,
	SECTOR = 512,           /* unit of capacity and of requests, whatever the block size */
	SLOTS_MAX = 85,         /* VIRTQ_MAX / 3 */
	QUEUE = 0, VECTOR_ENTRY = 0,
	DEVICE_TRANSITIONAL = 0x1001, DEVICE_MODERN = 0x1042,
};

/* What the device reads and writes beside the data: 48 bytes a slot. */
struct blk_wire {
	uint32_t type, spare;
	uint64_t sector;
	uint64_t discard_sector;        /* what a discard has in place of data */
	uint32_t discard_sectors, discard_flags;
	uint8_t  status;
	uint8_t  pad[15];
};
_Static_assert(sizeof(struct blk_wire) * SLOTS_MAX <= EXO_PAGE_SIZE, "one frame");

struct blk {
	struct virtio v;
	struct virtq q;
	uint64_t features;      /* agreed on */
	struct blk_wire *wire;  /* [SLOTS_MAX], one frame */
	uint32_t segment_bytes; /* most data bytes of one descriptor */
	uint32_t pieces;        /* most of one request */
	uint32_t block_bytes;
	uint32_t slots, free;
	struct disk *disk;      /* NULL: not in use */
	bool     broken;        /* does not come back from a reset */
	uint32_t lost;          /* after a reset: slots below it were reaped or not in the device */
	uint8_t  free_slot[SLOTS_MAX];
	uint32_t descs_free;
	uint8_t  desc_free;     /* first of the free descriptors, if there are any */
	uint8_t  next[VIRTQ_MAX];       /* the descriptor behind one, free or in a chain */
	uint8_t  head[SLOTS_MAX];       /* first descriptor of a slot in the device */
	uint16_t length[SLOTS_MAX];     /* its descriptors */
	uint8_t  slot[VIRTQ_MAX];       /* of a chain's first descriptor */
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
	b->descs_free = b->q.size;
	b->desc_free = 0;
	for (uint32_t i = 0; i < b->q.size; i++)
		b->next[i] = (uint8_t)(i + 1);
}

/* Descriptors that a request takes: header, data, status. */
static uint32_t blk_descs(const struct blk *b, const struct disk_io *io)
{
	uint32_t count = 2 + (io->op == EXO_DISK_DISCARD);

	for (uint32_t i = 0; i < io->pieces; i++)
		count += (io->piece[i].bytes + b->segment_bytes - 1) / b->segment_bytes;
	return count;
}

/* The next descriptor of slot n's chain; the last one has no VIRTQ_NEXT. */
static void chain_add(struct blk *b, uint32_t n, uint64_t pa, uint32_t bytes, unsigned flags)
{
	uint8_t at = b->desc_free;

	virtq_desc_set(&b->q, at, pa, bytes, flags, b->next[at]);
	b->desc_free = b->next[at];
	b->descs_free--;
	b->length[n]++;
}

/* Header, data in segments, status: the chain of slot n.  There are descriptors enough. */
static void blk_chain(struct blk *b, uint32_t n, const struct disk_io *io)
{
	unsigned write = io->op == EXO_DISK_READ ? VIRTQ_WRITE : 0;
	struct blk_wire *w = &b->wire[n];

	b->head[n] = b->desc_free;
	b->slot[b->head[n]] = (uint8_t)n;
	b->length[n] = 0;
	chain_add(b, n, virt_to_phys(w), 16, VIRTQ_NEXT);
	if (io->op == EXO_DISK_DISCARD)
		chain_add(b, n, virt_to_phys(&w->discard_sector), 16, VIRTQ_NEXT);
	for (uint32_t i = 0; i < io->pieces; i++) {
		uint64_t pa = io->piece[i].pa;
		uint32_t left = io->piece[i].bytes;

		while (left) {
			uint32_t bytes = (uint32_t)min_u64(left, b->segment_bytes);

			chain_add(b, n, pa, bytes, VIRTQ_NEXT | write);
			pa += bytes;
			left -= bytes;
		}
	}
	chain_add(b, n, virt_to_phys(&w->status), 1, VIRTQ_WRITE);
}

/* The chain of slot n is free again. */
static void chain_free(struct blk *b, uint32_t n)
{
	uint8_t last = b->head[n];

	for (uint32_t i = 1; i < b->length[n]; i++)
		last = b->next[last];
	b->next[last] = b->desc_free;
	b->desc_free = b->head[n];
	b->descs_free += b->length[n];
}

/* Header and, of a discard, its range (5.2.6). */
static void blk_wire_fill(const struct blk *b, struct blk_wire *w, const struct disk_io *io)
{
	static const uint32_t type[] = { [EXO_DISK_READ] = TYPE_IN, [EXO_DISK_WRITE] = TYPE_OUT,
	                                 [EXO_DISK_FLUSH] = TYPE_FLUSH,
	                                 [EXO_DISK_DISCARD] = TYPE_DISCARD };
	uint32_t sectors = b->block_bytes / SECTOR;

	w->type = type[io->op];
	w->sector = io->pieces ? io->block * sectors : 0;
	w->status = STATUS_NONE;
	if (io->op == EXO_DISK_DISCARD) {
		w->discard_sector = io->block * sectors;
		w->discard_sectors = io->count * sectors;
		w->discard_flags = 0;
	}
}

static int blk_submit(struct disk *d, const struct disk_io *io)
{
	struct blk *b = d->driver;
	uint32_t n;

	if (b->broken)
		return -EXO_E_DEVICE;
	if (!b->free || b->lost < b->slots || b->descs_free < blk_descs(b, io))
		return EXO_MORE;
	n = b->free_slot[--b->free];
	b->busy[n] = true;
	b->cookie[n] = io->cookie;
	blk_wire_fill(b, &b->wire[n], io);
	blk_chain(b, n, io);
	virtq_add(&b->q, b->head[n]);
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
	chain_free(b, n);
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
		if (id >= b->q.size)
			continue;
		n = b->slot[id];
		if (!b->busy[n] || b->head[n] != id)
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
	                      1ul << F_BLK_SIZE | 1ul << F_FLUSH | 1ul << F_DISCARD;

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
	uint32_t segments, most;

	b->segment_bytes = EXO_DISK_MAX_BYTES;
	if (blk_has(b, F_SIZE_MAX) && config_u32(b, CONFIG_SIZE_MAX))
		b->segment_bytes = (uint32_t)min_u64(config_u32(b, CONFIG_SIZE_MAX),
		                                     EXO_DISK_MAX_BYTES);
	segments = (EXO_DISK_MAX_BYTES + b->segment_bytes - 1) / b->segment_bytes;
	most = segments;
	if (blk_has(b, F_SEG_MAX))
		most = (uint32_t)max_u64(config_u32(b, CONFIG_SEG_MAX), 1);
	if (segments > most)
		return "it takes too little in one request";
	if (segments + 2 > b->q.size || b->q.size < 3)
		return "its queue is too short";
	most = (uint32_t)min_u64(most, b->q.size - 2u);
	/* In the worst case each piece has one segment more than its bytes need. */
	b->pieces = (uint32_t)min_u64(most - segments + 1, EXO_DISK_PIECES);
	b->slots = (uint32_t)min_u64(b->q.size / 3, SLOTS_MAX);
	b->lost = b->slots;
	blk_slots_free(b);
	return NULL;
}

/* Blocks of one discard, at most; 0: it takes none. */
static uint32_t blk_discard(const struct blk *b)
{
	if (!blk_has(b, F_DISCARD) || b->v.config_bytes < CONFIG_DISCARD_END)
		return 0;
	return config_u32(b, CONFIG_DISCARD) / (b->block_bytes / SECTOR);
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
		.flags = blk_has(b, F_RO) ? EXO_DISK_RO : 0, .queue = (uint16_t)b->slots,
		.pieces = (uint16_t)b->pieces, .discard = blk_discard(b),
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
	b->disk = disk_add(&blk_ops, b, &info, blk_has(b, F_FLUSH) ? DISK_CAN_FLUSH : 0);
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
