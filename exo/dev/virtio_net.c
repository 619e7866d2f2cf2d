/* SPDX-License-Identifier: MIT */
/*
 * virtio_net.c - NICs over virtio (virtio 1.2, 5.1): finding them, starting them, their link.
 *
 * Invariant: see virtio_net.h.  What the device says of itself is checked before it is used; a NIC
 * that cannot be used is reset and may not reach memory.  Packets: virtio_net_queue.c; commands:
 * virtio_net_control.c.
 */
#include "dev/virtio_net.h"

#include "dev/nic_time.h"
#include "kernel.h"
#include "x86/insn.h"

enum {
	CONFIG_MAC = 0, CONFIG_STATUS = 6, CONFIG_PAIRS = 8, CONFIG_MTU = 10, CONFIG_BYTES = 12,
	STATUS_LINK = 1,
	LINK_HEADER = 14,       /* bytes before what the MTU counts */
	MTU_MIN = 68, MTU_USUAL = 1500, MTU_MAX = VNET_PACKET - LINK_HEADER,
	QUEUE_MIN = 32,         /* descriptors: a packet of all parts, and some more */
	QUEUE_MERGED = 64,      /* of a receive queue that takes joined packets: the longest fits */
	DEVICE_TRANSITIONAL = 0x1000, DEVICE_MODERN = 0x1041,
};

static uint16_t config_u16(const struct vnet *d, unsigned off)
{
	return *(volatile uint16_t *)(d->v.config + off);
}

static bool mtu_fits(const struct vnet *d)
{
	return config_u16(d, CONFIG_MTU) >= MTU_MIN && config_u16(d, CONFIG_MTU) <= MTU_MAX;
}

/* To join received packets, and not to where rings do not take them (5.1.3.1). */
#define JOIN_TSO  (1ul << NET_F_GUEST_TSO4 | 1ul << NET_F_GUEST_TSO6)
#define JOIN_NEED (1ul << NET_F_GUEST_CSUM | 1ul << NET_F_MERGED | 1ul << NET_F_CTRL_VQ | \
                   1ul << NET_F_GUEST_OFFLOADS)

static bool joins_fit(const struct vnet *d)
{
	d->v.common->queue_select = 0;
	return (d->features & JOIN_NEED) == JOIN_NEED && (d->features & JOIN_TSO) &&
	       d->v.common->queue_size >= QUEUE_MERGED;
}

/* Features agreed on that are no use without others, or with what the configuration says. */
static uint64_t features_unfit(const struct vnet *d)
{
	uint64_t unfit = 0;

	if (!vnet_has(d, NET_F_CSUM))
		unfit |= 1ul << NET_F_HOST_TSO4 | 1ul << NET_F_HOST_TSO6;
	if (!vnet_has_control(d) || !config_u16(d, CONFIG_PAIRS))
		unfit |= 1ul << NET_F_MQ;
	if (!joins_fit(d))
		unfit |= JOIN_TSO | 1ul << NET_F_MERGED | 1ul << NET_F_GUEST_OFFLOADS;
	if ((!vnet_has(d, NET_F_MQ) || (unfit & 1ul << NET_F_MQ)) && !joins_fit(d))
		unfit |= 1ul << NET_F_CTRL_VQ;
	if (!mtu_fits(d))
		unfit |= 1ul << NET_F_MTU;
	return unfit & d->features;
}

static bool vnet_agree(struct vnet *d)
{
	const uint64_t need = VIRTIO_F_VERSION_1 | 1ul << NET_F_MAC;
	uint64_t want = 1ul << NET_F_STATUS | 1ul << NET_F_MTU | 1ul << NET_F_CSUM |
	                1ul << NET_F_HOST_TSO4 | 1ul << NET_F_HOST_TSO6 | JOIN_TSO | JOIN_NEED;
	uint64_t unfit;

	if (nic_cpus() > 1 && d->v.msix.entries > 1)
		want |= 1ul << NET_F_MQ;
	do {
		d->features = virtio_negotiate(&d->v, need, want);
		unfit = d->features ? features_unfit(d) : 0;
		want &= ~unfit;
	} while (unfit);
	return d->features;
}

static bool pair_start(struct vnet *d, unsigned i)
{
	struct vnet_pair *p = d->pair[i];

	if (!virtq_start(&d->v, &p->rx, (uint16_t)(2 * i), (uint16_t)i) ||
	    !virtq_start(&d->v, &p->tx, (uint16_t)(2 * i + 1), (uint16_t)i))
		return false;
	p->merged = vnet_can_join(d);
	if (p->rx.size < (p->merged ? QUEUE_MERGED : QUEUE_MIN) || p->tx.size < QUEUE_MIN)
		return false;
	virtq_interrupts(&p->tx, false);
	vnet_pair_fill(p);
	return true;
}

/* How many pairs to use: one a CPU, as far as there are queues, and an entry for each. */
static void pairs_choose(struct vnet *d)
{
	d->pairs_max = vnet_has(d, NET_F_MQ) ? config_u16(d, CONFIG_PAIRS) : 1;
	d->pairs = (uint32_t)min_u64(min_u64(d->pairs_max, NIC_QUEUES),
	                             min_u64(nic_cpus(), d->v.msix.entries - 1));
	if (!d->pairs)
		d->pairs = 1;
	d->one_entry = d->v.msix.entries <= d->pairs;
}

/* Features, queues, interrupts: at boot and after a reset. */
static bool vnet_connect(struct vnet *d)
{
	for (unsigned i = 0; i < d->pairs; i++) {
		if (!pair_start(d, i))
			return false;
	}
	return vnet_control_start(d) &&
	       virtio_config_entry(&d->v, (uint16_t)(d->one_entry ? 0 : d->pairs));
}

/* The device begins to work. */
static bool vnet_begin(struct vnet *d)
{
	virtio_ready(&d->v);
	for (unsigned i = 0; i < d->pairs; i++)
		virtq_publish(&d->pair[i]->rx);
	return vnet_control_begin(d);
}

/* The device is stopped first, so that no frame is read after its pin is gone. */
static bool vnet_reset(struct nic *n)
{
	struct vnet *d = n->driver;
	uint64_t features = d->features;

	for (unsigned i = 0; i < d->pairs; i++)
		vnet_pair_lose(d->pair[i]);
	if (vnet_agree(d) && d->features == features && vnet_connect(d) && vnet_begin(d))
		return true;
	virtio_fail(&d->v);
	return false;
}

static bool vnet_link(struct nic *n, bool *broken)
{
	struct vnet *d = n->driver;

	*broken = virtio_is_broken(&d->v);
	return !vnet_has(d, NET_F_STATUS) || (config_u16(d, CONFIG_STATUS) & STATUS_LINK);
}

static const struct nic_ops vnet_ops = {
	.receive = vnet_receive, .recycle = vnet_recycle, .refill = vnet_refill,
	.header = vnet_header, .segments = vnet_segments, .send = vnet_send, .kick = vnet_kick,
	.sent = vnet_sent, .receive_interrupts = vnet_receive_interrupts,
	.send_interrupts = vnet_send_interrupts, .join = vnet_join, .link = vnet_link,
	.reset = vnet_reset,
};

static void pair_interrupt(void *context)
{
	struct vnet_pair *p = context;

	if (!p->nic)
		return;
	nic_interrupt(p->nic, p->index);
	if (((struct vnet *)p->nic->driver)->one_entry)
		nic_changed(p->nic);
}

static void config_interrupt(void *context)
{
	struct vnet *d = context;

	if (d->nic)
		nic_changed(d->nic);
}

static bool vectors_set(struct vnet *d)
{
	unsigned vector;

	for (unsigned i = 0; i < d->pairs; i++) {
		vector = vector_take(pair_interrupt, d->pair[i]);
		if (!vector)
			return false;
		msix_set(&d->v.msix, i, msi_address(i), vector);
	}
	if (d->one_entry)
		return true;
	vector = vector_take(config_interrupt, d);
	if (vector)
		msix_set(&d->v.msix, d->pairs, msi_address(0), vector);
	return vector;
}

static void vnet_memory(struct vnet *d)
{
	for (unsigned i = 0; i < d->pairs; i++) {
		d->pair[i] = boot_frames(VNET_PAIR_FRAMES);
		d->pair[i]->index = i;
		vnet_pair_memory(d->pair[i]);
	}
	vnet_control_memory(d);
}

static struct exo_nic_info vnet_describe(const struct vnet *d)
{
	struct exo_nic_info info = { .queues = d->pairs, .pci = d->v.where & 0xffff };

	for (unsigned i = 0; i < sizeof(info.mac); i++)
		info.mac[i] = d->v.config[CONFIG_MAC + i];
	info.bytes_max = (vnet_has(d, NET_F_MTU) ? config_u16(d, CONFIG_MTU) : MTU_USUAL) +
	                 LINK_HEADER;
	info.flags = (vnet_has(d, NET_F_CSUM) ? EXO_NIC_CHECKSUM : 0) |
	             (vnet_has(d, NET_F_HOST_TSO4) ? EXO_NIC_SEGMENT4 : 0) |
	             (vnet_has(d, NET_F_HOST_TSO6) ? EXO_NIC_SEGMENT6 : 0) |
	             (vnet_can_join(d) ? EXO_NIC_JOIN : 0);
	return info;
}

/* From here on it is one of the NICs. */
static void vnet_add(struct vnet *d)
{
	struct exo_nic_info info = vnet_describe(d);

	d->nic = nic_add(&vnet_ops, d, &info);
	for (unsigned i = 0; i < d->pairs; i++)
		d->pair[i]->nic = d->nic;
	nic_changed(d->nic);
}

/* Why the NIC cannot be used, or NULL: then it runs. */
static const char *vnet_start(struct vnet *d, uint32_t where)
{
	if (!virtio_find(where, &d->v) || d->v.config_bytes < CONFIG_BYTES)
		return "it is no modern virtio device with MSI-X";
	if (!vnet_agree(d))
		return "it refuses what is asked of it";
	pairs_choose(d);
	vnet_memory(d);
	if (!vnet_connect(d))
		return "its queues are unusable";
	if (!vectors_set(d))
		return "no interrupt vector is left";
	if (!vnet_begin(d))
		return "it does not answer";
	vnet_add(d);
	return NULL;
}

bool virtio_net_is(const struct exo_pci_info *info)
{
	return info->vendor == VIRTIO_VENDOR &&
	       (info->device == DEVICE_MODERN || info->device == DEVICE_TRANSITIONAL);
}

bool virtio_net_start(const struct exo_pci_info *info)
{
	struct vnet *d = boot_frames(1);
	const char *wrong = vnet_start(d, info->where);

	if (!wrong)
		return true;
	if (d->v.common)
		virtio_fail(&d->v);
	pci_command(info->where, 0, PCI_COMMAND_MASTER);
	machine_notice("NIC at %02x:%02x.%x is not used: %s", info->where >> 8 & 0xff,
	               info->where >> 3 & 31, info->where & 7, wrong);
	return false;
}
