/* SPDX-License-Identifier: MIT */
/*
 * virtio_net_test.c - the virtio-net driver against a fake function that may lie: configuration,
 * features, queue contents.
 *
 * Invariant: whatever the function says, the driver maps nothing outside its BAR, returns only
 * packets that the device had, each once, with lengths that fit their buffers.  Registers are plain
 * memory: the fake device looks into it, and into the driver's queues, between its steps.
 */
// sources: exo/dev/pci.c exo/dev/pci_scan.c exo/dev/msix.c exo/dev/virtio.c exo/lock.c
// sources: exo/dev/virtio_net.c exo/dev/virtio_net_queue.c exo/dev/virtio_net_segment.c
// sources: exo/dev/virtio_net_control.c
// sources: exo/filter.c exo/filter_check.c exo/filter_find.c exo/filter_group.c exo/base/string.c
// includes: exo
// flags: -include tests/host/virtio_fake.h -fno-builtin
#include <stdio.h>
#include <stdlib.h>

#include "dev/acpi.h"
#include "dev/nic_time.h"
#include "dev/iommu.h"
#include "dev/pci.h"
#include "dev/virtio_net.h"
#include "kernel.h"
#include "tree_fake.h"

#define RAM_FRAMES 2048u
#define BAR_PA    0xc0000000ul
#define BAR_BYTES 0x4000u
#define WHERE     0x18u                 /* 00:03.0 */
#define CONFIG    0x2000u               /* of the device, in the BAR */
/* Both halves of the features read the same: bit 0 of the upper one is version 1. */
#define FEATURES  (1u << NET_F_CSUM | 1u << NET_F_GUEST_CSUM | 1u << NET_F_MTU | \
                   1u << NET_F_MAC | 1u << NET_F_HOST_TSO4 | 1u << NET_F_STATUS)

uint8_t *fake_ram;
struct acpi_info acpi;
static unsigned failures, ram_used, notices, vectors, cpus_here = 1, changes;
static uint8_t config[256], bar[BAR_BYTES];
static struct nic nic;
static struct exo_nic_info info;
static bool started;

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
struct iommu_message iommu_message(uint32_t where, uint64_t address, unsigned vector)
{
	(void)where;
	return (struct iommu_message){ address, vector };
}
uint64_t msi_address(unsigned cpu) { return 0xfee00000 + cpu; }
unsigned nic_cpus(void) { return cpus_here; }
void nic_interrupt(struct nic *n, unsigned queue) { EXPECT(n == &nic && !queue); }
void nic_changed(struct nic *n) { EXPECT(n == &nic); changes++; }

static interrupt_handler *handler_of[8];
static void *context_of[8];
unsigned vector_take(interrupt_handler *handler, void *context)
{
	handler_of[vectors % 8] = handler;
	context_of[vectors % 8] = context;
	return 48 + vectors++;
}

void *boot_frames(uint64_t count)
{
	uint8_t *p = fake_ram + (uint64_t)ram_used * 4096;

	ram_used += (unsigned)count;
	if (ram_used > RAM_FRAMES)
		abort();
	memset(p, 0, count * 4096);
	return p;
}

/* Only the function's own BAR may be asked for. */
void *boot_map_device(uint64_t pa, uint64_t bytes)
{
	if (pa < BAR_PA || !range_fits(pa - BAR_PA, bytes, BAR_BYTES) || !bytes)
		exit(1);
	return bar + (pa - BAR_PA);
}

struct nic *nic_add(const struct nic_ops *ops, void *driver, const struct exo_nic_info *i)
{
	info = *i;
	nic = (struct nic){ .ops = ops, .driver = driver, .info = &info };
	started = true;
	return &nic;
}

static uint32_t config_read(uint32_t where, unsigned off)
{
	uint32_t v = ~0u;

	EXPECT(off % 4 == 0 && off < 256);
	if (where == WHERE && off < 256)
		memcpy(&v, config + off, 4);
	return v;
}

static void config_write(uint32_t where, unsigned off, uint32_t value)
{
	EXPECT(where == WHERE && off % 4 == 0 && off < 256);
	if (off == 0x20)
		value &= ~(BAR_BYTES - 1);
	else if (off >= 0x10 && off < 0x28)
		value = 0;
	else if (off == PCI_COMMAND)
		value = (config_read(where, off) & 0xffff0000) | (value & 0xffff);
	memcpy(config + off, &value, 4);
}
static const struct pci_access fake_access = { config_read, config_write };

static void put(unsigned off, uint32_t value) { memcpy(config + off, &value, 4); }

static void capability(unsigned off, unsigned next, unsigned kind, uint32_t at, uint32_t bytes)
{
	put(off, PCI_CAP_VENDOR | next << 8 | 20 << 16 | kind << 24);
	put(off + 4, 4);
	put(off + 8, at);
	put(off + 12, bytes);
	put(off + 16, 4);
}

static struct virtio_common *common(void) { return (struct virtio_common *)bar; }
static uint16_t *device_u16(unsigned off) { return (uint16_t *)(bar + CONFIG + off); }

/* A sound function: common at 0, notify at 0x1000, config at 0x2000, MSI-X table at 0x3000. */
static void function_make(void)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0, 1, 2, 3 };

	memset(config, 0, sizeof(config));
	memset(bar, 0, sizeof(bar));
	put(PCI_ID, 0x10411af4);
	put(PCI_COMMAND, 2 | PCI_STATUS_CAPABILITIES);
	put(PCI_CLASS, 0x02000000);
	put(0x20, (uint32_t)BAR_PA);
	put(PCI_CAPABILITIES, 0x40);
	capability(0x40, 0x54, 1, 0, 56);
	capability(0x54, 0x80, 2, 0x1000, 0x1000);
	capability(0x80, 0x98, 4, CONFIG, 0x1000);
	put(0x98, PCI_CAP_MSIX | 2 << 16);
	put(0x9c, 0x3000 | 4);
	common()->device_feature = FEATURES;
	common()->queue_size = 256;
	memcpy(bar + CONFIG, mac, 6);
	*device_u16(6) = 1;
	*device_u16(8) = 1;
	*device_u16(10) = 1500;
	ram_used = notices = vectors = changes = 0;
	started = false;
	pci_access = &fake_access;
}

static bool start(void)
{
	const struct exo_pci_info i = { .vendor = 0x1af4, .device = 0x1041, .where = WHERE };

	EXPECT(virtio_net_is(&i));
	return virtio_net_start(&i);
}

static struct vnet_pair *pair(void) { return ((struct vnet *)nic.driver)->pair[0]; }

/* The device has written `bytes` into buffer or chain `id`, or says so. */
static void use(struct virtq *q, uint32_t id, uint32_t bytes)
{
	q->used->ring[q->used->idx % q->size].id = id;
	q->used->ring[q->used->idx % q->size].bytes = bytes;
	q->used->idx++;
}

static bool receive(struct nic_packet *p)
{
	return nic.ops->receive(&nic, 0, EXO_PACKET_BUFFERS, p) == NIC_GOT_PACKET;
}

/* --- the control queue: the device answers where the driver waits, if it does --- */

#define JOINS (1u << NET_F_GUEST_OFFLOADS | 1u << NET_F_GUEST_TSO4 | 1u << NET_F_MERGED | \
               1u << NET_F_CTRL_VQ)

static bool answers, refuses;
static unsigned commands;
static uint8_t command[16];             /* the last */
static uint32_t command_bytes;

/* The driver's own is the first frame that it asked for. */
static void control_answer(void)
{
	struct vnet *d = (struct vnet *)fake_ram;
	struct virtq *q = &d->control;
	const struct virtq_desc *to;

	if (!q->avail || q->avail->idx == q->used->idx)
		return;
	EXPECT(q->avail->ring[q->used->idx % q->size] == 0 && q->desc[0].flags == VIRTQ_NEXT);
	EXPECT(q->desc[0].bytes <= sizeof(command) && q->desc[0].next == 1);
	command_bytes = q->desc[0].bytes;
	memcpy(command, phys_to_virt(q->desc[0].pa), command_bytes);
	to = &q->desc[1];
	EXPECT(to->flags == VIRTQ_WRITE && to->bytes == 1);
	*(uint8_t *)phys_to_virt(to->pa) = refuses;
	commands++;
	use(q, 0, 1);
}

void fake_pause(void)
{
	if (answers)
		control_answer();
}

static bool offloads_are(uint64_t wanted)
{
	uint64_t value;

	memcpy(&value, command + 2, sizeof(value));
	return command_bytes == 10 && command[0] == 5 && command[1] == 0 && value == wanted;
}

static void verdict(const char *name)
{
	static unsigned before;

	printf(failures == before ? "ok %s\n" : "FAIL %s: see the lines above\n", name);
	before = failures;
}

static void test_sound(void)
{
	bool broken;

	function_make();
	EXPECT(start() && started && !notices && changes == 1);
	EXPECT(info.mac[0] == 0x52 && info.mac[5] == 3 && info.bytes_max == 1514 &&
	       info.queues == 1);
	EXPECT(info.flags == (EXO_NIC_CHECKSUM | EXO_NIC_SEGMENT4) && info.pci == WHERE);
	EXPECT(common()->device_status == 15 && vectors == 2);
	EXPECT(common()->config_msix_vector == 1 && common()->queue_msix_vector == 0);
	EXPECT(*(uint32_t *)(bar + 0x3008) == 48 && *(uint32_t *)(bar + 0x3018) == 49);
	EXPECT(pair()->rx.avail->idx == 256 && pair()->rx.avail->flags == 0);
	EXPECT(pair()->tx.avail->flags == VIRTQ_NO_INTERRUPT);
	for (unsigned i = 0; i < 256; i++)
		EXPECT(pair()->rx.desc[i].flags == VIRTQ_WRITE && pair()->rx.desc[i].bytes == 2044);
	EXPECT(nic.ops->link(&nic, &broken) && !broken);
	*device_u16(6) = 0;
	common()->device_status |= VIRTIO_NEEDS_RESET;
	EXPECT(!nic.ops->link(&nic, &broken) && broken);
	handler_of[1](context_of[1]);
	EXPECT(changes == 2);
	verdict("virtio_net_sound_device");
}

/* What it lacks is not used; what it lacks and must have, or cannot be, is refused. */
static void test_features(void)
{
	function_make(); common()->device_feature &= ~(1u << NET_F_MTU);
	EXPECT(start() && info.bytes_max == 1514);
	function_make(); *device_u16(10) = 9000;
	EXPECT(start() && info.bytes_max == 1514 &&
	       !(((struct vnet *)nic.driver)->features >> NET_F_MTU & 1));
	function_make(); *device_u16(10) = 576;
	EXPECT(start() && info.bytes_max == 590);
	function_make(); put(0x98, PCI_CAP_MSIX);       /* one entry for everything */
	EXPECT(start() && vectors == 1 && common()->config_msix_vector == 0);
	changes = 0;
	handler_of[0](context_of[0]);
	EXPECT(changes == 1);
	function_make(); common()->device_feature &= ~(1u << NET_F_MAC);
	EXPECT(!start() && notices == 1 && !started && common()->device_status == VIRTIO_FAILED);
	function_make(); common()->queue_size = 16;
	EXPECT(!start() && notices == 1);
	function_make(); common()->queue_size = 0;
	EXPECT(!start() && notices == 1);
	function_make(); common()->queue_notify_off = 0xffff;
	EXPECT(!start() && notices == 1);
	function_make(); put(0x80 + 12, 11);            /* configuration too short */
	EXPECT(!start() && notices == 1);
	function_make(); put(0x98, 0);                  /* no MSI-X */
	EXPECT(!start() && notices == 1);
	/* Two CPUs and two pairs, but nobody answers the command that turns them on. */
	function_make(); cpus_here = 2; *device_u16(8) = 2; put(0x98, PCI_CAP_MSIX | 4 << 16);
	common()->device_feature |= 1u << NET_F_MQ | 1u << NET_F_CTRL_VQ;
	EXPECT(!start() && notices == 1);
	*device_u16(8) = 0;
	function_make(); *device_u16(8) = 0;
	common()->device_feature |= 1u << NET_F_MQ | 1u << NET_F_CTRL_VQ;
	EXPECT(start() && info.queues == 1);
	function_make(); common()->device_feature |= 1u << NET_F_MQ;    /* no control queue */
	EXPECT(start() && info.queues == 1);
	cpus_here = 1;
	verdict("virtio_net_features");
}

static void test_receive(void)
{
	static const uint32_t bad[] = { 0, 11, 12, 2045, 4096, ~0u };
	struct nic_packet p;

	function_make();
	EXPECT(start());
	for (unsigned n = 0; n < ARRAY_LEN(bad); n++)
		use(&pair()->rx, n, bad[n]);
	EXPECT(!receive(&p) && info.dropped == ARRAY_LEN(bad));
	use(&pair()->rx, 256, 100);             /* no buffer, one that it does not have */
	use(&pair()->rx, ~0u, 100);
	pair()->in[9].header.flags = VNET_DATA_VALID;
	use(&pair()->rx, 9, 2044);
	use(&pair()->rx, 9, 2044);
	EXPECT(receive(&p) && p.length == 2032 && p.checked && p.id == 9);
	EXPECT(p.data == pair()->in[9].data && (uintptr_t)p.data % 16 == 0);
	EXPECT(!receive(&p));
	nic.ops->recycle(&nic, 0, &(struct nic_packet){ .id = 9 });
	nic.ops->refill(&nic, 0);
	EXPECT(pair()->rx.avail->idx == 256 + 7 && pair()->rx.avail->ring[(256 + 6) % 256] == 9);
	pair()->in[10].header = (struct vnet_header){ .gso_type = 1 };  /* was never agreed on */
	use(&pair()->rx, 10, 100);
	EXPECT(!receive(&p));
	verdict("virtio_net_receive");
}

static void test_send(void)
{
	struct nic_send s = { .cookie = 5, .length = 300, .copied = 128, .rests = 2,
		.rest = { { 0x40000, 100 }, { 0x50000, 72 } },
		.flags = EXO_TX_CHECKSUM | EXO_TX_SEGMENT4, .segment = 100, .header = 54,
		.checksum_start = 34, .checksum_offset = 16 };
	const struct vnet_header *h;
	const struct virtq_desc *d;
	unsigned head, sent = 0;
	uint64_t cookie;
	uint8_t *at;

	function_make();
	EXPECT(start());
	at = nic.ops->header(&nic, 0);
	EXPECT(at != NULL);
	memset(at, 0x42, 128);
	nic.ops->send(&nic, 0, &s);
	EXPECT(pair()->tx.avail->idx == 0);
	nic.ops->kick(&nic, 0);
	EXPECT(pair()->tx.avail->idx == 1);
	head = pair()->tx.avail->ring[0];
	d = &pair()->tx.desc[head];
	h = phys_to_virt(d->pa);
	EXPECT(d->bytes == 140 && d->flags == VIRTQ_NEXT && h->flags == 1 && h->gso_type == 1);
	EXPECT(h->gso_bytes == 100 && h->header_bytes == 54 && h->checksum_start == 34);
	EXPECT(h->checksum_offset == 16 && !h->buffers && ((const uint8_t *)(h + 1))[127] == 0x42);
	d = &pair()->tx.desc[d->next];
	EXPECT(d->pa == 0x40000 && d->bytes == 100 && d->flags == VIRTQ_NEXT);
	use(&pair()->tx, d->next, 0);           /* not the first of its chain */
	d = &pair()->tx.desc[d->next];
	EXPECT(d->pa == 0x50000 && d->bytes == 72 && d->flags == 0);
	EXPECT(!nic.ops->sent(&nic, 0, &cookie));
	use(&pair()->tx, head, 0);
	use(&pair()->tx, head, 0);
	EXPECT(nic.ops->sent(&nic, 0, &cookie) && cookie == 5 && !nic.ops->sent(&nic, 0, &cookie));
	s = (struct nic_send){ .length = 60, .copied = 60 };
	while (nic.ops->header(&nic, 0)) {
		s.cookie = sent++;
		nic.ops->send(&nic, 0, &s);
	}
	EXPECT(sent == 256 - 20);
	verdict("virtio_net_send");
}

/* Random ids: every packet comes back once, descriptors are never shared. */
static void test_hostile_used(void)
{
	static unsigned flying[100000];
	unsigned next = 0, count = 0;
	uint64_t cookie;

	srand(3);
	function_make();
	EXPECT(start());
	for (unsigned step = 0; step < 200000; step++) {
		struct nic_send s = {.copied = 128, .cookie = next, .rests = (uint32_t)rand() % 21};

		for (unsigned i = 0; i < s.rests; i++)
			s.rest[i] = (struct nic_rest){ 0x40000, 1 };
		if (rand() % 3 == 0 && next < ARRAY_LEN(flying) && nic.ops->header(&nic, 0)) {
			nic.ops->send(&nic, 0, &s);
			flying[next++] = 1;
			count++;
		}
		if (rand() % 2)
			use(&pair()->tx, (uint32_t)rand() % 260, (uint32_t)rand());
		nic.ops->kick(&nic, 0);
		while (rand() % 4 && nic.ops->sent(&nic, 0, &cookie)) {
			EXPECT(cookie < next && flying[cookie]);
			flying[cookie % ARRAY_LEN(flying)] = 0;
			count--;
		}
		EXPECT(pair()->free <= 256 && (count || pair()->free == 256));
	}
	verdict("virtio_net_hostile_used_ring");
}

static void test_reset(void)
{
	struct nic_send s = { .length = 60, .copied = 60 };
	unsigned lost = 0;
	uint64_t cookie;

	function_make();
	EXPECT(start());
	for (unsigned i = 0; i < 50; i++) {
		s.cookie = i;
		EXPECT(nic.ops->header(&nic, 0) != NULL);
		nic.ops->send(&nic, 0, &s);
	}
	nic.ops->kick(&nic, 0);
	common()->device_status = 0;
	EXPECT(nic.ops->reset(&nic) && common()->device_status == 15 && !nic.ops->header(&nic, 0));
	EXPECT(pair()->rx.avail->idx == 256);
	while (nic.ops->sent(&nic, 0, &cookie))
		EXPECT(cookie < 50 && ++lost);
	EXPECT(lost == 50 && pair()->free == 256 && nic.ops->header(&nic, 0));
	nic.ops->send(&nic, 0, &s);
	nic.ops->kick(&nic, 0);
	use(&pair()->tx, pair()->tx.avail->ring[0], 0);
	EXPECT(nic.ops->sent(&nic, 0, &cookie) && cookie == 49);
	common()->device_feature = 0;           /* it does not come back */
	EXPECT(config_read(WHERE, PCI_COMMAND) & PCI_COMMAND_MASTER);
	EXPECT(!nic.ops->reset(&nic) && common()->device_status == VIRTIO_FAILED);
	EXPECT(!(config_read(WHERE, PCI_COMMAND) & PCI_COMMAND_MASTER));
	verdict("virtio_net_reset");
}

/* A TCP packet over IPv4 or IPv6, and a claim that names what such a claim does. */
static uint8_t packet[EXO_NIC_HEADER];
static struct nic_send tcp_make(bool v6)
{
	unsigned t = v6 ? 54 : 34;

	memset(packet, 0, sizeof(packet));
	packet[12] = v6 ? 0x86 : 8;
	packet[13] = v6 ? 0xdd : 0;
	packet[14] = v6 ? 0x60 : 0x45;
	packet[v6 ? 20 : 23] = 6;
	packet[t + 12] = 0x50;
	return (struct nic_send){ .length = 9000, .copied = 128, .segment = 1400,
		.header = (uint16_t)(t + 20), .checksum_start = (uint16_t)t, .checksum_offset = 16,
		.flags = EXO_TX_CHECKSUM | (v6 ? EXO_TX_SEGMENT6 : EXO_TX_SEGMENT4) };
}

/* The verdict on the packet when the claim names just this byte. */
static int named(const struct nic_send *s, unsigned at)
{
	struct filter *root = filter_at(RAM_FRAMES - 2), *f = filter_at(RAM_FRAMES - 1);
	struct exo_nic_spec spec = { 0 }, whole;
	int err;

	memset(root, 0, 2 * EXO_PAGE_SIZE);
	filter_root(root, 0);
	((uint8_t *)spec.send.mask)[at] = 1;
	EXPECT(filter_check(root, &spec, EXO_R_WRITE, false, &whole) == 0);
	filter_attach(root, f, &whole, EXO_R_WRITE, false);
	err = vnet_segments(&nic, f, s, packet);
	filter_detach(f);
	return err;
}

static void test_segments(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		unsigned t = v6 ? 54 : 34;
		struct nic_send s = tcp_make(v6), b;

		for (unsigned at = 0; at < EXO_NIC_HEADER; at++) {
			bool ip = v6 ? at == 18 || at == 19
				     : (at >= 16 && at < 20) || at == 24 || at == 25;
			bool seq = at >= t + 4 && at < t + 8, flags = at == t + 12 || at == t + 13;
			bool changes_it =
				ip || seq || flags || at == t + 16 || at == t + 17 || at >= t + 20;

			EXPECT(named(&s, at) == (changes_it ? -EXO_E_RIGHTS : 0));
		}
		b = s, b.checksum_start++;
		EXPECT(named(&b, 0) == -EXO_E_ARG);
		b = s, b.checksum_offset = 6;
		EXPECT(named(&b, 0) == -EXO_E_ARG);
		b = s, b.header++;
		EXPECT(named(&b, 0) == -EXO_E_ARG);
		b = s, b.segment = 1;
		EXPECT(named(&b, 0) == -EXO_E_RANGE);
		b = s, b.segment = (uint16_t)(1514 - b.header + 1);
		EXPECT(named(&b, 0) == -EXO_E_RANGE);
		b = s, b.length = b.header;
		EXPECT(named(&b, 0) == -EXO_E_RANGE);
		packet[t + 12] = 0x40;
		EXPECT(named(&s, 0) == -EXO_E_ARG);
		tcp_make(v6);
		packet[12] ^= 1;
		EXPECT(named(&s, 0) == -EXO_E_ARG);
		tcp_make(v6);
		packet[14] += v6 ? 0x10 : 1;
		EXPECT(named(&s, 0) == -EXO_E_ARG);
		tcp_make(v6);
		packet[v6 ? 20 : 23] = 17;
		EXPECT(named(&s, 0) == -EXO_E_ARG);
	}
	verdict("virtio_net_segments_rewrite_nothing_named");
}

static bool joins_start(uint32_t without)
{
	function_make();
	common()->device_feature = (FEATURES | JOINS) & ~without;
	commands = command_bytes = 0;
	return start();
}

#define SUMMED (1ul << NET_F_GUEST_CSUM)
#define JOINED (SUMMED | 1ul << NET_F_GUEST_TSO4)

/* Packets are joined only where that can be switched off, and where the longest fits. */
static void test_join_features(void)
{
	answers = true;
	for (unsigned bit = 0; bit < 18; bit++) {
		uint32_t without = JOINS & 1u << bit;

		if (!without && bit != NET_F_GUEST_CSUM)
			continue;
		EXPECT(joins_start(1u << bit) && !(info.flags & EXO_NIC_JOIN) && !commands);
		EXPECT(!(((struct vnet *)nic.driver)->features & JOINS));
	}
	function_make();
	common()->device_feature |= JOINS;
	common()->queue_size = 32;
	EXPECT(start() && !(info.flags & EXO_NIC_JOIN));
	EXPECT(joins_start(0) && (info.flags & EXO_NIC_JOIN) && !(info.flags & EXO_NIC_JOINS));
	EXPECT(commands == 1 && offloads_are(SUMMED));
	refuses = true;
	EXPECT(!joins_start(0) && notices == 1);
	refuses = answers = false;
	EXPECT(!joins_start(0) && notices == 1);
	verdict("virtio_net_join_features");
}

/* One command at a time; of wishes that come before its answer the last counts. */
static void test_join_commands(void)
{
	answers = true;
	EXPECT(joins_start(0) && commands == 1);
	answers = false;
	nic.ops->join(&nic, true);
	nic.ops->join(&nic, false);
	nic.ops->join(&nic, true);
	nic.ops->join(&nic, false);
	nic.ops->refill(&nic, 0);
	EXPECT(((struct vnet *)nic.driver)->control.avail->idx == 2 && commands == 1);
	control_answer();
	EXPECT(commands == 2 && offloads_are(JOINED));
	control_answer();
	EXPECT(commands == 2);
	nic.ops->refill(&nic, 0);
	control_answer();
	EXPECT(commands == 3 && offloads_are(SUMMED));
	nic.ops->refill(&nic, 0);
	refuses = true;
	nic.ops->join(&nic, true);
	control_answer();
	nic.ops->refill(&nic, 0);
	refuses = false;
	EXPECT(commands == 4 && !((struct vnet *)nic.driver)->asked);
	answers = true;
	EXPECT(nic.ops->reset(&nic) && commands == 5 && offloads_are(JOINED));
	answers = false;
	verdict("virtio_net_join_commands");
}

/* The device has put a packet of `count` buffers into `first` and those behind it. */
static void use_joined(uint32_t first, uint16_t count, uint32_t last)
{
	pair()->in[first].header = (struct vnet_header){ .gso_type = VNET_GSO_TCPV4,
		.gso_bytes = 1448, .flags = VNET_NEEDS_CHECKSUM, .buffers = count };
	for (unsigned i = 0; i < count; i++)
		use(&pair()->rx, first + i, i + 1u < count ? 2044 : last);
}

static unsigned in_device(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < 256; i++)
		count += pair()->in_device[i];
	return count;
}

static void test_joined(void)
{
	struct nic_packet p;

	answers = true;
	EXPECT(joins_start(0));
	for (uint16_t count = 1; count <= EXO_PACKET_BUFFERS; count++) {
		use_joined(count, count, 500);
		if (count > 1)
			EXPECT(nic.ops->receive(&nic, 0, count - 1u, &p) == NIC_GOT_LARGE);
		EXPECT(in_device() == 256);
		EXPECT(nic.ops->receive(&nic, 0, count, &p) == NIC_GOT_PACKET);
		EXPECT(p.segment == 1448 && p.checked && p.rests == count - 1u);
		EXPECT(p.bytes == (count == 1 ? 488 : 2032));
		EXPECT(p.length == (count == 1 ? 488 : 2032 + (count - 2u) * 2044 + 500));
		for (unsigned i = 0; i < p.rests; i++)
			EXPECT(p.rest[i].pa == virt_to_phys(&pair()->in[count + 1 + i].header) &&
			       p.rest[i].bytes == (i + 2 < count ? 2044u : 500u));
		EXPECT(in_device() == 256u - count);
		nic.ops->recycle(&nic, 0, &p);
		EXPECT(in_device() == 256);
	}
	EXPECT(!info.dropped);
	verdict("virtio_net_joined");
}

/* What a joined packet cannot be: dropped, and each buffer is given back. */
static void test_joined_hostile(void)
{
	static const uint16_t counts[] = { 0, 34, 256, 65535 };
	struct nic_packet p;
	unsigned dropped = 0;

	answers = true;
	EXPECT(joins_start(0));
	for (unsigned i = 0; i < ARRAY_LEN(counts); i++) {
		use_joined(7, 1, 2044);
		pair()->in[7].header.buffers = counts[i];
		EXPECT(!receive(&p) && info.dropped == ++dropped && in_device() == 256);
	}
	for (unsigned wrong = 0; wrong < 9; wrong++) {
		struct virtq_used *u = pair()->rx.used;
		uint16_t at = u->idx;

		use_joined(20, 5, wrong == 0 ? 0 : wrong == 1 ? 2045 : 100);
		if (wrong == 2)
			u->idx--;                               /* one is missing */
		if (wrong == 3)
			u->ring[(at + 2) % 256].bytes = 2043;   /* not full */
		if (wrong == 4)
			u->ring[at % 256].bytes = 1000;
		if (wrong == 5)
			u->ring[(at + 4) % 256].id = 256;
		if (wrong == 6)
			u->ring[(at + 4) % 256].id = 20;        /* twice */
		if (wrong == 7)
			pair()->in[20].header.gso_bytes = 0;
		if (wrong == 8)
			pair()->in[20].header.gso_type = 3;     /* UDP */
		for (unsigned i = 21; i < 25; i++)      /* packets on their own: none either */
			pair()->in[i].header.buffers = 0;
		EXPECT(!receive(&p) && info.dropped > dropped);
		EXPECT(in_device() == 256);
		dropped = (unsigned)info.dropped;
		u->idx = pair()->rx.used_idx;
	}
	answers = false;
	verdict("virtio_net_joined_hostile");
}

/* Random headers and used rings: buffers are never lost, nor in two packets. */
static void test_joined_random(void)
{
	srand(5);
	answers = true;
	EXPECT(joins_start(0));
	for (unsigned step = 0; step < 100000; step++) {
		uint16_t count = (uint16_t)(rand() % 36);
		uint32_t first = (uint32_t)rand() % 250;
		struct nic_packet p;

		pair()->in[first].header.buffers = count;
		pair()->in[first].header.gso_type = (uint8_t)(rand() % 2 ? 1 : rand() % 6);
		pair()->in[first].header.gso_bytes = (uint16_t)(rand() % 4);
		for (unsigned i = 0; i < count + (rand() % 9 ? 0u : 1u); i++)
			use(&pair()->rx, rand() % 50 ? first + i : (uint32_t)rand() % 260,
			    rand() % 50 ? 2044 : (uint32_t)rand() % 2050);
		while (nic.ops->receive(&nic, 0, 1u + rand() % 33u, &p) == NIC_GOT_PACKET) {
			uint32_t length = p.bytes;

			EXPECT(p.rests < EXO_PACKET_BUFFERS && in_device() == 255 - p.rests);
			EXPECT(p.data == pair()->in[p.id].data && p.bytes <= 2032 && p.bytes);
			for (unsigned i = 0; i < p.rests; i++)
				length += p.rest[i].bytes;
			EXPECT(length == p.length);
			nic.ops->recycle(&nic, 0, &p);
			EXPECT(in_device() == 256);
		}
		EXPECT(in_device() == 256);
	}
	answers = false;
	verdict("virtio_net_joined_random");
}

/* Random bytes in configuration space and registers; boot_map_device checks what is mapped. */
static void test_fuzz(void)
{
	srand(4);
	for (unsigned run = 0; run < 6000; run++) {
		struct nic_packet p;
		uint64_t cookie;

		function_make();
		for (unsigned i = 0; i < 1 + run % 6; i++) {
			unsigned off = (unsigned)rand() % 256;

			if (off < 0x10 || off >= 0x28)
				config[off] = (uint8_t)rand();
		}
		for (unsigned i = 0; i < run % 4; i++)
			bar[rand() % 2 ? (unsigned)rand() % 64 : CONFIG + (unsigned)rand() % 12] =
				(uint8_t)rand();
		if (!start())
			continue;
		EXPECT(info.queues == 1 && info.bytes_max <= 2032 && info.bytes_max >= 82);
		for (unsigned i = 0; i < 20; i++)
			use(&pair()->rx, (uint32_t)rand() % 300, (uint32_t)rand() % 3000);
		while (receive(&p)) {
			EXPECT(p.length && p.length <= 2032);
			nic.ops->recycle(&nic, 0, &p);
		}
		EXPECT(!nic.ops->sent(&nic, 0, &cookie));
	}
	verdict("virtio_net_fuzz");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	fake_ram = aligned_alloc(4096, RAM_FRAMES * 4096ul);
	test_sound();
	test_features();
	test_receive();
	test_send();
	test_hostile_used();
	test_reset();
	test_segments();
	test_join_features();
	test_join_commands();
	test_joined();
	test_joined_hostile();
	test_joined_random();
	test_fuzz();
	free(fake_ram);
	return failures != 0;
}
