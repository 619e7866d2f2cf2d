/* SPDX-License-Identifier: MIT */
/*
 * virtio_device_test.c - the virtio-blk driver against a fake function that may lie: configuration
 * space, capability lists, queue contents.
 *
 * Invariant: whatever the function says, the driver maps nothing outside its BARs, and returns only
 * requests that are in flight, each once.  Registers are plain memory, which is enough: the fake
 * device looks into it between the driver's steps.
 */
// sources: exo/dev/pci.c exo/dev/pci_scan.c exo/dev/msix.c exo/dev/virtio.c exo/dev/virtio_blk.c
// sources: exo/lock.c
// sources: exo/base/string.c
// includes: exo
// flags: -include tests/host/virtio_fake.h -fno-builtin
#include <stdio.h>
#include <stdlib.h>

#include "dev/acpi.h"
#include "dev/disk.h"
#include "dev/iommu.h"
#include "dev/pci.h"
#include "dev/virtio.h"
#include "kernel.h"
#include "tree_fake.h"

#define RAM_BYTES (256u * 4096)
#define BAR_PA    0xc0000000ul
#define BAR_BYTES 0x4000u
#define WHERE     0x10u                 /* 00:02.0 */
/* bits 0 (version 1, upper half), 6 block size, 9 flush, 12 */
#define FEATURES  0x1241u

uint8_t *fake_ram;
struct acpi_info acpi;
static unsigned failures, ram_used;
static uint8_t config[256], bar[BAR_BYTES];
static bool bar_is_64;
static struct disk disk;
static bool started;
static unsigned notices;

#define EXPECT(cond) \
	do { \
		if (!(cond) && failures++ < 20) \
			printf("# line %d: %s\n", __LINE__, #cond); \
	} while (0)

void out8(uint16_t port, uint8_t v) { (void)port, (void)v; }
void out32(uint16_t port, uint32_t v) { (void)port, (void)v; }
uint32_t in32(uint16_t port) { return port ? ~0u : 0; }
void spin_wait(void) { abort(); }
void machine_notice(const char *format, ...) { (void)format; notices++; }
void *boot_export(uint64_t bytes) { return calloc(1, bytes + 1); }
unsigned vector_take(interrupt_handler *handler, void *context) { return handler && context ?
	48 : 0; }
struct iommu_message iommu_message(uint32_t where, uint64_t address, unsigned vector)
{
	(void)where;
	return (struct iommu_message){ address, vector };
}
uint64_t msi_address(unsigned cpu) { return 0xfee00000 + cpu; }
void disk_interrupt(struct disk *d) { EXPECT(d == &disk); }

void *boot_frames(uint64_t count)
{
	uint8_t *p = fake_ram + ram_used;

	ram_used += (unsigned)count * 4096;
	if (ram_used > RAM_BYTES)
		abort();
	memset(p, 0, count * 4096);
	return p;
}

/* Only the function's own BAR may be asked for. */
void *boot_map_device(uint64_t pa, uint64_t bytes)
{
	EXPECT(pa >= BAR_PA && range_fits(pa - BAR_PA, bytes, BAR_BYTES) && bytes);
	if (pa < BAR_PA || !range_fits(pa - BAR_PA, bytes, BAR_BYTES))
		exit(1);
	return bar + (pa - BAR_PA);
}

struct disk *disk_add(const struct disk_ops *ops, void *driver, const struct exo_disk_info *info,
                      unsigned can)
{
	disk = (struct disk){ .ops = ops, .driver = driver, .info = *info, .can = can };
	started = true;
	return &disk;
}

static uint32_t config_read(uint32_t where, unsigned off)
{
	uint32_t v = ~0u;

	EXPECT(off % 4 == 0 && off < 256);
	if (where == WHERE && off < 256)
		memcpy(&v, config + off, 4);
	return v;
}

/* BAR 4 is BAR_BYTES large: its lower bits cannot be written.  Other BARs are not there. */
static void config_write(uint32_t where, unsigned off, uint32_t value)
{
	EXPECT(where == WHERE && off % 4 == 0 && off < 256);
	if (off == 0x20)
		value = (value & ~(BAR_BYTES - 1)) | (bar_is_64 ? 4 : 0);
	else if (off == 0x24 && !bar_is_64)
		value = 0;
	else if (off >= 0x10 && off < 0x20)
		value = 0;
	else if (off == PCI_COMMAND)    /* status bits are cleared by ones, and ours are constant */
		value = (config_read(where, off) & 0xffff0000) | (value & 0xffff);
	memcpy(config + off, &value, 4);
}
static const struct pci_access fake_access = { config_read, config_write };

static void put(unsigned off, uint32_t value)
{
	memcpy(config + off, &value, 4);
}

static void capability(unsigned off, unsigned next, unsigned kind, uint32_t at, uint32_t bytes)
{
	put(off, PCI_CAP_VENDOR | next << 8 | 20 << 16 | kind << 24);
	put(off + 4, 4);
	put(off + 8, at);
	put(off + 12, bytes);
	put(off + 16, 4);
}

static struct virtio_common *common(void) { return (struct virtio_common *)bar; }

/* A sound function: common at 0, notify at 0x1000, config at 0x2000, MSI-X table at 0x3000. */
static void function_make(bool is_64)
{
	bar_is_64 = is_64;
	memset(config, 0, sizeof(config));
	memset(bar, 0, sizeof(bar));
	put(PCI_ID, 0x10421af4);
	put(PCI_COMMAND, 2 | PCI_STATUS_CAPABILITIES);
	put(PCI_CLASS, 0x01000000);
	put(0x20, (uint32_t)BAR_PA | (is_64 ? 4 : 0));
	put(PCI_CAPABILITIES, 0xa0);
	capability(0xa0, 0x40, 3, 0x800, 4);
	capability(0x40, 0x54, 1, 0, 56);
	capability(0x54, 0x80, 2, 0x1000, 0x1000);
	capability(0x80, 0x98, 4, 0x2000, 0x1000);
	put(0x98, PCI_CAP_MSIX | 1 << 16);
	put(0x9c, 0x3000 | 4);
	common()->device_feature = FEATURES;
	common()->queue_size = 256;
	*(uint64_t *)(bar + 0x2000) = 80000;
	*(uint32_t *)(bar + 0x2000 + 20) = 4096;
	ram_used = 0;
	started = false;
	notices = 0;
	pci_access = &fake_access;
}

static bool start(void)
{
	struct exo_pci_info info = { .vendor = 0x1af4, .device = 0x1042, .where = WHERE };

	EXPECT(virtio_blk_is(&info));
	return virtio_blk_start(&info);
}

static struct virtq_desc *descs(void)
{
	return phys_to_virt(common()->queue_desc_lo | (uint64_t)common()->queue_desc_hi << 32);
}
static struct virtq_avail *avail(void)
{
	return phys_to_virt(common()->queue_driver_lo | (uint64_t)common()->queue_driver_hi << 32);
}
static struct virtq_used *used(void)
{
	return phys_to_virt(common()->queue_device_lo | (uint64_t)common()->queue_device_hi << 32);
}

static void finish(uint32_t id, int status)
{
	uint16_t at = used()->idx;
	const struct virtq_desc *d = descs();
	unsigned i = id;

	if (id < 256) {
		while (d[i].flags & VIRTQ_NEXT && d[i].next < 256 && d[i].next)
			i = d[i].next;
		if (d[i].bytes == 1)
			*(uint8_t *)phys_to_virt(d[i].pa) = (uint8_t)status;
	}
	used()->ring[at % 256].id = id;
	used()->idx = (uint16_t)(at + 1);
}

static int submit(unsigned op, uint64_t cookie)
{
	static const struct disk_piece piece = { 0x40000, 8192 };
	struct disk_io io = { .piece = &piece, .pieces = op < EXO_DISK_FLUSH, .bytes = 8192,
	                      .block = 7, .count = 2, .op = (uint16_t)op, .cookie = cookie };

	return disk.ops->submit(&disk, &io);
}

static void verdict(const char *name)
{
	static unsigned before;

	printf(failures == before ? "ok %s\n" : "FAIL %s: see the lines above\n", name);
	before = failures;
}

static void test_sound(void)
{
	for (int is_64 = 0; is_64 < 2; is_64++) {
		function_make(is_64);
		EXPECT(start() && started && !notices);
		EXPECT(disk.info.blocks == 10000 && disk.info.block_bytes == 4096 &&
		       disk.can == DISK_CAN_FLUSH);
		EXPECT(disk.info.queue == 85 && disk.info.pci == WHERE && !disk.info.flags);
		EXPECT(common()->device_status == 15 && common()->queue_enable == 1);
		EXPECT(common()->driver_feature == 1);
		EXPECT(*(uint32_t *)(bar + 0x3000) == 0xfee00000 && *(uint32_t *)(bar +
			0x3008) == 48);
		EXPECT(*(uint32_t *)(bar + 0x300c) == 0);
		EXPECT((config_read(WHERE, 4) & 0x406) == 0x406 && config_read(WHERE, 0x98) >> 31);
		EXPECT(config_read(WHERE, 0x20) == ((uint32_t)BAR_PA | (is_64 ? 4 : 0)));
	}
	verdict("virtio_sound_device");
}

static void test_chain(void)
{
	const struct virtq_desc *d;
	const uint32_t *head;
	struct disk_result r;

	function_make(true);
	EXPECT(start());
	EXPECT(submit(EXO_DISK_READ, 5) == 0 && submit(EXO_DISK_WRITE, 6) == 0);
	EXPECT(submit(EXO_DISK_FLUSH, 7) == 0);
	EXPECT(avail()->idx == 0);
	disk.ops->kick(&disk);
	EXPECT(avail()->idx == 3);
	d = &descs()[avail()->ring[0]];
	head = phys_to_virt(d[0].pa);
	EXPECT(head[0] == 0 && head[2] == 56 && d[0].bytes == 16 && d[0].flags == VIRTQ_NEXT);
	EXPECT(d[1].pa == 0x40000 && d[1].bytes == 8192 && d[1].flags == (VIRTQ_NEXT |
		VIRTQ_WRITE));
	EXPECT(d[2].bytes == 1 && d[2].flags == VIRTQ_WRITE);
	d = &descs()[avail()->ring[1]];
	EXPECT(*(uint32_t *)phys_to_virt(d[0].pa) == 1 && d[1].flags == VIRTQ_NEXT);
	d = &descs()[avail()->ring[2]];
	EXPECT(*(uint32_t *)phys_to_virt(d[0].pa) == 4 && d[1].bytes == 1);
	EXPECT(d[1].flags == VIRTQ_WRITE);
	finish(1, 0);           /* descriptors, but not the first of a chain */
	finish(5, 0);
	EXPECT(!disk.ops->reap(&disk, &r));
	finish(3, 0);
	EXPECT(disk.ops->reap(&disk, &r) && r.cookie == 6 && r.status == 0);
	verdict("virtio_chains");
}

/* Ids that are none, or not in flight, or twice: each request comes back once. */
static void test_hostile_used(void)
{
	struct disk_result r;
	unsigned back[200] = { 0 }, flying = 0, total = 0;

	srand(3);
	function_make(true);
	EXPECT(start());
	for (unsigned step = 0; step < 200000; step++) {
		switch (rand() % 5) {
		case 0: case 1:
			if (submit(EXO_DISK_READ, total % 200) == 0) {
				EXPECT(flying < 85 && !back[total % 200]);
				back[total++ % 200] = 1;
				flying++;
			} else {
				EXPECT(flying == 85);
			}
			disk.ops->kick(&disk);
			break;
		case 2:
			finish((uint32_t)rand() % 260, rand() % 2);
			break;
		case 3:
			finish((uint32_t)rand() % 2 ?
			       (uint32_t)rand() : 3 * ((uint32_t)rand() % 85), 0);
			break;
		default:
			for (unsigned n = 0; disk.ops->reap(&disk, &r); n++) {
				EXPECT(n < 86 && r.cookie < 200 && back[r.cookie]);
				EXPECT(r.status == 0 || r.status == -EXO_E_DEVICE);
				back[r.cookie % 200] = 0;
				flying--;
			}
		}
		if (back[total % 200])          /* the oldest cookie is still in flight: free it */
			while (back[total % 200])
				total++;
	}
	used()->idx = (uint16_t)(used()->idx + 40000);
	for (unsigned n = 0; n < 10000 && disk.ops->reap(&disk, &r); n++)
		EXPECT(n < 86);
	verdict("virtio_hostile_used_ring");
}

static void test_reset(void)
{
	struct disk_result r;
	unsigned lost = 0;

	function_make(true);
	EXPECT(start());
	for (unsigned i = 0; i < 50; i++)
		EXPECT(submit(EXO_DISK_READ, i) == 0);
	disk.ops->kick(&disk);
	common()->device_status = 0;
	disk.ops->reset(&disk);
	EXPECT(common()->device_status == 15 && submit(EXO_DISK_READ, 99) == EXO_MORE);
	finish(0, 0);           /* too late */
	used()->idx = 0;
	while (disk.ops->reap(&disk, &r)) {
		EXPECT(r.status == -EXO_E_DEVICE && r.cookie < 50);
		lost++;
	}
	EXPECT(lost == 50 && avail()->idx == 0);
	EXPECT(submit(EXO_DISK_READ, 99) == 0);
	disk.ops->kick(&disk);
	finish(avail()->ring[0], 0);
	EXPECT(disk.ops->reap(&disk, &r) && r.cookie == 99 && r.status == 0);
	EXPECT(submit(EXO_DISK_READ, 77) == 0);
	common()->device_feature = 0;   /* it does not come back */
	disk.ops->reset(&disk);
	EXPECT(disk.ops->reap(&disk, &r) && r.cookie == 77 && r.status == -EXO_E_DEVICE);
	EXPECT(submit(EXO_DISK_READ, 78) == -EXO_E_DEVICE && !disk.ops->reap(&disk, &r));
	verdict("virtio_reset");
}

static void refused(unsigned line)
{
	bool ran = start();

	if ((ran || started || notices != 1 || common()->device_status & VIRTIO_DRIVER_OK) &&
	    failures++ < 20)
		printf("# line %u: the device was not refused\n", line);
}
#define REFUSED() refused(__LINE__)

static void test_refusals(void)
{
	function_make(true); put(0x40 + 8, 0x3ff0); REFUSED();          /* leaves the BAR */
	function_make(true); put(0x40 + 8, 0xfffffff0); REFUSED();
	function_make(true); put(0x40 + 12, 55); REFUSED();             /* too short */
	function_make(true); put(0x40 + 4, 5); REFUSED();               /* no such BAR */
	function_make(true); put(0x40 + 4, 200); REFUSED();
	function_make(true); put(0x40, 9 | 0x40 << 8 | 1u << 24); REFUSED();    /* the list loops */
	function_make(true); put(0x54, 9 | 0x40 << 8 | 7u << 24); REFUSED();
	function_make(true); put(0x34, 0); REFUSED();
	function_make(true); put(0x34, 0xff); REFUSED();
	function_make(true); put(PCI_COMMAND, 2); REFUSED();            /* no list */
	function_make(true); put(0x98, 0); REFUSED();                   /* no MSI-X */
	function_make(true); put(0x9c, 0x4000 | 4); REFUSED();
	function_make(true); put(0x98, PCI_CAP_MSIX | 0x7ff << 16); REFUSED();
	function_make(true); common()->device_feature = 0x40; REFUSED();
	function_make(true); common()->queue_size = 0; REFUSED();
	function_make(true); common()->queue_size = 3; REFUSED();
	function_make(true); common()->queue_size = 2; REFUSED();
	function_make(true); common()->queue_notify_off = 0xffff; REFUSED();
	function_make(true); *(uint32_t *)(bar + 0x2000 + 20) = 8192; REFUSED();
	function_make(true); *(uint32_t *)(bar + 0x2000 + 20) = 513; REFUSED();
	function_make(true); *(uint64_t *)(bar + 0x2000) = ~0ul; REFUSED();
	function_make(true); *(uint64_t *)(bar + 0x2000) = 7; REFUSED();
	function_make(true);
	common()->device_feature = FEATURES | 6;
	*(uint32_t *)(bar + 0x2000 + 8) = 4096;
	*(uint32_t *)(bar + 0x2000 + 12) = 63;
	REFUSED();
	verdict("virtio_refusals");
}

/* Pieces and discards: chains of different lengths share the descriptors, and none is lost. */
static void test_pieces(void)
{
	static struct disk_piece piece[EXO_DISK_PIECES];
	struct disk_io io = { .piece = piece, .op = EXO_DISK_READ };
	const struct virtq_desc *d;
	const uint32_t *range;
	struct disk_result r;
	unsigned flying = 0, full = 0;

	for (unsigned i = 0; i < EXO_DISK_PIECES; i++)
		piece[i] = (struct disk_piece){ 0x40000 + i * 0x10000, 4096 };
	function_make(true);
	common()->device_feature = FEATURES | 1u << 13 | 4;
	*(uint32_t *)(bar + 0x2000 + 12) = 254;
	*(uint32_t *)(bar + 0x2000 + 36) = 8000;
	EXPECT(start() && disk.info.pieces == EXO_DISK_PIECES && disk.info.discard == 1000);
	EXPECT(submit(EXO_DISK_DISCARD, 1) == 0);
	disk.ops->kick(&disk);
	d = &descs()[avail()->ring[0]];
	range = phys_to_virt(d[1].pa);
	EXPECT(*(uint32_t *)phys_to_virt(d[0].pa) == 11 && d[1].bytes == 16);
	EXPECT(d[1].flags == VIRTQ_NEXT && range[0] == 56 && !range[1] && range[2] == 16);
	EXPECT(!range[3] && d[2].bytes == 1 && d[2].flags == VIRTQ_WRITE);
	finish(avail()->ring[0], 0);
	EXPECT(disk.ops->reap(&disk, &r) && r.cookie == 1 && r.status == 0);
	for (unsigned step = 0; step < 100000; step++) {
		io.pieces = 1 + (unsigned)rand() % EXO_DISK_PIECES;
		io.bytes = io.pieces * 4096;
		if (disk.ops->submit(&disk, &io) == 0) {
			disk.ops->kick(&disk);
			d = &descs()[avail()->ring[(avail()->idx - 1u) % 256]];
			for (unsigned i = 0; i < io.pieces; i++) {
				d = &descs()[d->next];
				EXPECT(d->pa == piece[i].pa && d->bytes == 4096);
			}
			flying++;
			continue;
		}
		full++;
		for (unsigned i = 0; i < 256; i++)
			finish(i, 0);
		while (disk.ops->reap(&disk, &r))
			flying--;
		EXPECT(flying == 0);
	}
	EXPECT(full > 1000);
	verdict("virtio_pieces");
}

/* 64 segments of 4 KiB: three requests at a time in a queue of 256. */
static void test_segments(void)
{
	static const struct disk_piece piece = { 0x40000, EXO_DISK_MAX_BYTES };
	struct disk_io io = { .piece = &piece, .pieces = 1, .bytes = EXO_DISK_MAX_BYTES,
	                      .op = EXO_DISK_WRITE };
	const struct virtq_desc *d;
	unsigned n = 0;

	function_make(true);
	common()->device_feature = FEATURES | 6;
	*(uint32_t *)(bar + 0x2000 + 8) = 4096;
	*(uint32_t *)(bar + 0x2000 + 12) = 64;
	EXPECT(start() && disk.info.pieces == 1);
	while (disk.ops->submit(&disk, &io) == 0)
		n++;
	disk.ops->kick(&disk);
	EXPECT(n == 3 && avail()->idx == 3);
	for (d = &descs()[avail()->ring[2]], n = 0; d->flags & VIRTQ_NEXT; d = &descs()[d->next],
	     n++)
		EXPECT(n == 0 || (d->bytes == 4096 && d->pa == 0x40000 + (n - 1) * 4096));
	EXPECT(n == 65 && d->bytes == 1);
	verdict("virtio_segments");
}

/* Random bytes in configuration space and registers; boot_map_device checks what is mapped. */
static void test_fuzz(void)
{
	srand(4);
	for (unsigned run = 0; run < 30000; run++) {
		struct disk_result r;

		function_make(run % 2);
		for (unsigned i = 0; i < 1 + run % 6; i++) {
			unsigned off = (unsigned)rand() % 256;

			if (off >= 0x10 && off < 0x28)
				continue;       /* BARs are where the machine put them */
			config[off] = (uint8_t)rand();
		}
		for (unsigned i = 0; i < run % 4; i++)
			bar[rand() % 2 ? (unsigned)rand() % 64 : 0x2000 + (unsigned)rand() % 64] =
				(uint8_t)rand();
		if (!start())
			continue;
		EXPECT(disk.info.blocks && disk.info.queue && disk.info.queue <= 85 &&
		       disk.info.pieces && disk.info.pieces <= EXO_DISK_PIECES);
		while (submit(EXO_DISK_READ, 1) == 0)
			;
		disk.ops->kick(&disk);
		while (disk.ops->reap(&disk, &r))
			;
	}
	verdict("virtio_fuzz");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	fake_ram = aligned_alloc(4096, RAM_BYTES);
	test_sound();
	test_chain();
	test_hostile_used();
	test_reset();
	test_refusals();
	test_pieces();
	test_segments();
	test_fuzz();
	free(fake_ram);
	return failures != 0;
}
