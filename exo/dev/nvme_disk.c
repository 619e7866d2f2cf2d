/* SPDX-License-Identifier: MIT */
/*
 * nvme_disk.c - disks behind NVMe controllers: the driver behind disk.h's table.
 *
 * Invariant: a controller whose requests are handed back does not access memory: it was stopped, or
 * may not master the bus any more.  Queues and requests are base/nvme.h's.  One namespace of a
 * controller is used, the first.  Runs with the disk's lock held.
 */
#include <base/nvme.h>

#include "dev/disk.h"
#include "dev/pci.h"
#include "kernel.h"
#include "x86/insn.h"

#define REGISTERS_MAX (256u * 1024u)    /* registers and doorbells; more is never used */
#define BOOT_WAIT_NS  5000000000ul
/* After boot somebody waits with interrupts off; a controller that takes longer is given up. */
#define RESET_WAIT_NS 100000000ul
#define VECTOR_ENTRY  0                 /* admin completions always come by it (NVMe 5.3) */

struct nvme_disk {
	struct nvme nvme;
	struct msix msix;
	struct disk *disk;      /* NULL: not in use */
	bool broken;            /* did not come back from a reset */
	struct nvme_piece piece[EXO_DISK_PIECES];       /* of the request that is submitted */
};
_Static_assert(sizeof(struct nvme_disk) <= EXO_PAGE_SIZE, "one frame");

static int nvme_disk_submit(struct disk *d, const struct disk_io *io)
{
	static const enum nvme_op op[] = { [EXO_DISK_READ] = NVME_READ,
	                                   [EXO_DISK_WRITE] = NVME_WRITE,
	                                   [EXO_DISK_FLUSH] = NVME_FLUSH,
	                                   [EXO_DISK_DISCARD] = NVME_DISCARD };
	struct nvme_disk *n = d->driver;
	struct nvme_request request = { .op = op[io->op], .fua = io->fua, .count = io->count,
	                                .block = io->block, .piece = n->piece,
	                                .pieces = io->pieces, .cookie = io->cookie };
	int err;

	if (n->broken)
		return -EXO_E_DEVICE;
	for (uint32_t i = 0; i < io->pieces; i++)
		n->piece[i] = (struct nvme_piece){ io->piece[i].pa, io->piece[i].bytes };
	err = nvme_io_submit(&n->nvme.io, &request);
	if (err == NVME_FULL)
		return EXO_MORE;
	return err < 0 ? -EXO_E_ARG : 0;
}

static void nvme_disk_kick(struct disk *d)
{
	struct nvme_disk *n = d->driver;

	if (!n->broken)
		nvme_io_kick(&n->nvme.io);
}

static bool nvme_disk_reap(struct disk *d, struct disk_result *result)
{
	struct nvme_disk *n = d->driver;
	struct nvme_done done;

	if (!nvme_io_reap(&n->nvme.io, &done))
		return false;
	*result = (struct disk_result){ .cookie = done.cookie,
	                                .status = done.status ? -EXO_E_DEVICE : 0 };
	return true;
}

/*
 * It is stopped first, so that no frame is written after its pin is gone; else cut off the bus.
 * tree_lock is held too, as pci.h asks: only disk_expire comes here.
 */
static void nvme_disk_reset(struct disk *d)
{
	struct nvme_disk *n = d->driver;

	if (!nvme_restart(&n->nvme))
		return;
	pci_command(n->msix.where, 0, PCI_COMMAND_MASTER);
	n->broken = true;
}

static const struct disk_ops nvme_disk_ops = {
	nvme_disk_submit, nvme_disk_kick, nvme_disk_reap, nvme_disk_reset
};

static void nvme_disk_interrupt(void *context)
{
	struct nvme_disk *n = context;

	if (n->disk)
		disk_interrupt(n->disk);
}

/* Other CPUs may wait for us meanwhile. */
static uint64_t nvme_disk_clock(void *context)
{
	(void)context;
	spin_wait();
	return read_tsc() / (machine->tsc_hz / 1000000) * 1000;
}

/* Registers, queues' memory, interrupt; why it cannot be used, or NULL. */
static const char *nvme_disk_connect(struct nvme_disk *n, uint32_t where)
{
	struct pci_bar bar;

	n->msix.where = where;
	pci_command(where, PCI_COMMAND_MEMORY | PCI_COMMAND_NO_INTX, 0);
	if (!pci_bar(where, 0, &bar))
		return "it has no registers";
	n->nvme.registers_bytes = min_u64(bar.bytes, REGISTERS_MAX);
	n->nvme.registers = pci_map(where, 0, 0, n->nvme.registers_bytes);
	if (!msix_start(where, &n->msix))
		return "it has no MSI-X";
	n->nvme.memory = boot_frames(NVME_PAGES);
	n->nvme.dma = virt_to_phys(n->nvme.memory);
	n->nvme.clock_ns = nvme_disk_clock;
	n->nvme.wait_ns = BOOT_WAIT_NS;
	n->nvme.vector = VECTOR_ENTRY;
	n->nvme.interrupts = true;
	pci_command(where, PCI_COMMAND_MASTER, 0);
	return nvme_start(&n->nvme);
}

/*
 * Pieces of one request: in the worst case each is a command of its own, and the largest one is as
 * many as its bytes need.  0: a request may be too large for the queue.
 */
static uint32_t nvme_disk_pieces(const struct nvme_io *io)
{
	uint32_t most = (EXO_DISK_MAX_BYTES + io->part_bytes - 1) / io->part_bytes;

	return io->slots < most ? 0 : (uint32_t)min_u64(io->slots - most + 1, EXO_DISK_PIECES);
}

static const char *nvme_disk_run(struct nvme_disk *n, uint32_t where)
{
	const struct nvme_identity *id = &n->nvme.identity;
	const char *wrong = nvme_disk_connect(n, where);
	struct exo_disk_info info;
	unsigned vector;

	if (wrong)
		return wrong;
	if (!nvme_disk_pieces(&n->nvme.io))
		return "it takes too little at a time";
	vector = vector_take(nvme_disk_interrupt, n);
	if (!vector)
		return "no interrupt vector is left";
	msix_set(&n->msix, VECTOR_ENTRY, msi_address(0), vector);
	n->nvme.wait_ns = RESET_WAIT_NS;
	info = (struct exo_disk_info){
		.blocks = id->blocks, .block_bytes = id->block_bytes,
		.queue = (uint16_t)n->nvme.io.slots,
		.pieces = (uint16_t)nvme_disk_pieces(&n->nvme.io),
		.discard = id->discard ? UINT32_MAX : 0,
		.flags = id->read_only ? EXO_DISK_RO : 0, .pci = where & 0xffff };
	n->disk = disk_add(&nvme_disk_ops, n, &info,
			   DISK_CAN_FUA | (id->cache ? DISK_CAN_FLUSH : 0));
	return NULL;
}

bool nvme_disk_is(const struct exo_pci_info *info)
{
	return info->class_code == NVME_CLASS;
}

bool nvme_disk_start(const struct exo_pci_info *info)
{
	struct nvme_disk *n = boot_frames(1);
	const char *wrong = nvme_disk_run(n, info->where);
	uint32_t place = info->where;

	if (!wrong && n->nvme.identity.others)
		machine_notice("disk at %02x:%02x.%x: only the first namespace is used",
		               place >> 8 & 0xff, place >> 3 & 31, place & 7);
	if (!wrong)
		return true;
	pci_command(place, 0, PCI_COMMAND_MASTER);
	machine_notice("disk at %02x:%02x.%x is not used: %s", place >> 8 & 0xff, place >> 3 & 31,
	               place & 7, wrong);
	return false;
}
