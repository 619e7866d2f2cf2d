/* SPDX-License-Identifier: MIT */
/*
 * virtio_net_queue.c - packets through the queues of a virtio NIC.
 *
 * Invariant: see virtio_net.h.  A packet's header is written by the kernel alone, before the
 * packet, and asks the device for nothing but what was checked.  The NIC's lock is held.
 */
#include "dev/virtio_net.h"

#include "kernel.h"

static void *frames_for(uint64_t bytes)
{
	return boot_frames((bytes + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE);
}

void vnet_pair_memory(struct vnet_pair *p)
{
	virtq_memory(&p->rx);
	virtq_memory(&p->tx);
	p->in = frames_for(VIRTQ_MAX * sizeof(*p->in));
	p->out = frames_for(VIRTQ_MAX * sizeof(*p->out));
	p->lost = VIRTQ_MAX;
}

static void buffer_give(struct vnet_pair *p, uint32_t n)
{
	p->in_device[n] = true;
	virtq_add(&p->rx, (uint16_t)n);
}

void vnet_pair_fill(struct vnet_pair *p)
{
	for (uint32_t i = 0; i < p->rx.size; i++) {
		virtq_desc_set(&p->rx, i, virt_to_phys(&p->in[i].header),
		               VNET_BUFFER - VNET_PAD, VIRTQ_WRITE, 0);
		buffer_give(p, i);
	}
	if (p->lost < VIRTQ_MAX)        /* its chains come back one by one */
		return;
	p->free = p->tx.size;
	for (uint32_t i = 0; i < p->tx.size; i++) {
		p->free_desc[i] = (uint16_t)(p->tx.size - 1 - i);
		p->chain[i] = 0;
	}
}

void vnet_pair_lose(struct vnet_pair *p)
{
	p->lost = 0;
}

/* Is this id that of a buffer that the device has?  Then it is the driver's again. */
static bool buffer_take(struct vnet_pair *p, uint32_t id)
{
	if (id >= p->rx.size || !p->in_device[id])
		return false;
	p->in_device[id] = false;
	return true;
}

/* Not joined: 0.  Joined as was agreed on: the payload bytes of a segment.  Else -1. */
static int packet_segment(const struct vnet_pair *p, const struct vnet_header *h)
{
	if (h->gso_type == VNET_GSO_NONE)
		return 0;
	if (h->gso_type != VNET_GSO_TCPV4 && h->gso_type != VNET_GSO_TCPV6)
		return -1;
	return p->merged && h->gso_bytes ? h->gso_bytes : -1;
}

/*
 * The packet's other buffers, which the device has given back with the first: false if they are not
 * there, or if one but the last is not full (5.1.6.4).  p->rest are those that were taken.
 */
static bool rests_take(struct vnet_pair *pair, unsigned count, struct nic_packet *p)
{
	uint32_t id, bytes;

	if (count > VNET_RESTS || p->bytes != VNET_PACKET)
		return false;
	for (unsigned i = 1; i <= count; i++) {
		if (!virtq_take_bytes(&pair->rx, &id, &bytes) || !buffer_take(pair, id))
			return false;
		pair->rest[p->rests++] = (struct nic_rest){
			virt_to_phys(&pair->in[id].header), bytes };
		p->length += bytes;
		if (!bytes || bytes > VNET_MORE || (i < count && bytes != VNET_MORE))
			return false;
	}
	return true;
}

/* What the device says of the packet in buffer p->id, if it can be: false: it cannot. */
static bool packet_take(struct vnet_pair *pair, unsigned count, uint32_t bytes,
                        struct nic_packet *p)
{
	const struct vnet_header *h = &pair->in[p->id].header;
	int segment = packet_segment(pair, h);

	if (bytes <= VNET_HEADER || bytes > VNET_HEADER + VNET_PACKET || segment < 0 || !count)
		return false;
	p->data = pair->in[p->id].data;
	p->bytes = p->length = bytes - VNET_HEADER;
	p->segment = (uint16_t)segment;
	p->checked = h->flags & (VNET_NEEDS_CHECKSUM | VNET_DATA_VALID);
	p->rest = pair->rest;
	return count == 1 || rests_take(pair, count - 1, p);
}

enum nic_got vnet_receive(struct nic *n, unsigned queue, unsigned room, struct nic_packet *p)
{
	struct vnet_pair *pair = vnet_pair(n, queue);
	uint32_t id, bytes;

	for (unsigned turns = 0; turns < VIRTQ_MAX; turns++) {
		unsigned count = 1;

		if (!virtq_take_bytes(&pair->rx, &id, &bytes))
			return NIC_GOT_NOTHING;
		if (!buffer_take(pair, id))
			continue;
		if (pair->merged)
			count = __atomic_load_n(&pair->in[id].header.buffers, __ATOMIC_RELAXED);
		if (count > room && count <= EXO_PACKET_BUFFERS) {
			pair->in_device[id] = true;
			virtq_untake(&pair->rx);
			return NIC_GOT_LARGE;
		}
		p->id = id;
		p->rests = 0;
		if (packet_take(pair, count, bytes, p))
			return NIC_GOT_PACKET;
		n->info->dropped++;
		vnet_recycle(n, queue, p);
	}
	return NIC_GOT_NOTHING;
}

void vnet_recycle(struct nic *n, unsigned queue, const struct nic_packet *p)
{
	struct vnet_pair *pair = vnet_pair(n, queue);
	uint64_t first = virt_to_phys(pair->in);

	buffer_give(pair, p->id);
	for (uint32_t i = 0; i < p->rests; i++)
		buffer_give(pair, (uint32_t)((pair->rest[i].pa - first) / VNET_BUFFER));
}

void vnet_refill(struct nic *n, unsigned queue)
{
	struct vnet *d = n->driver;

	virtq_publish(&d->pair[queue]->rx);
	if (d->asked)
		vnet_control_go_on(d);
}

/* The descriptor that vnet_send takes first is the packet's name. */
uint8_t *vnet_header(struct nic *n, unsigned queue)
{
	struct vnet_pair *p = vnet_pair(n, queue);

	if (p->free < VNET_CHAIN || p->lost < VIRTQ_MAX)
		return NULL;
	return p->out[p->free_desc[p->free - 1]].data;
}

static void header_fill(struct vnet_header *h, const struct nic_send *s)
{
	*h = (struct vnet_header){ .gso_type = VNET_GSO_NONE };
	if (!(s->flags & EXO_TX_CHECKSUM))
		return;
	h->flags = VNET_NEEDS_CHECKSUM;
	h->checksum_start = s->checksum_start;
	h->checksum_offset = s->checksum_offset;
	if (!(s->flags & (EXO_TX_SEGMENT4 | EXO_TX_SEGMENT6)))
		return;
	h->gso_type = s->flags & EXO_TX_SEGMENT4 ? VNET_GSO_TCPV4 : VNET_GSO_TCPV6;
	h->gso_bytes = s->segment;
	h->header_bytes = s->header;
}

/* The next free descriptor, behind `last` of the same chain. */
static uint16_t chain_extend(struct vnet_pair *p, uint16_t last, uint64_t pa, uint32_t bytes)
{
	uint16_t n = p->free_desc[--p->free];

	p->next[last] = n;
	p->tx.desc[last].next = n;
	p->tx.desc[last].flags = VIRTQ_NEXT;
	virtq_desc_set(&p->tx, n, pa, bytes, 0, 0);
	return n;
}

void vnet_send(struct nic *n, unsigned queue, const struct nic_send *s)
{
	struct vnet_pair *p = vnet_pair(n, queue);
	uint16_t head = p->free_desc[--p->free], last = head;
	struct vnet_send *out = &p->out[head];

	header_fill(&out->header, s);
	virtq_desc_set(&p->tx, head, virt_to_phys(&out->header), VNET_HEADER + s->copied, 0, 0);
	for (uint32_t i = 0; i < s->rests; i++)
		last = chain_extend(p, last, s->rest[i].pa, s->rest[i].bytes);
	p->chain[head] = (uint8_t)(1 + s->rests);
	p->cookie[head] = s->cookie;
	virtq_add(&p->tx, head);
}

void vnet_kick(struct nic *n, unsigned queue)
{
	virtq_publish(&vnet_pair(n, queue)->tx);
}

static void chain_free(struct vnet_pair *p, uint32_t head)
{
	uint16_t n = (uint16_t)head;

	for (unsigned left = p->chain[head]; left; left--) {
		p->free_desc[p->free++] = n;
		n = p->next[n];
	}
	p->chain[head] = 0;
}

/* What a reset took from the device, one at a time. */
static bool sent_lost(struct vnet_pair *p, uint64_t *cookie)
{
	while (p->lost < VIRTQ_MAX) {
		uint32_t n = p->lost++;

		if (!p->chain[n])
			continue;
		*cookie = p->cookie[n];
		chain_free(p, n);
		return true;
	}
	return false;
}

bool vnet_sent(struct nic *n, unsigned queue, uint64_t *cookie)
{
	struct vnet_pair *p = vnet_pair(n, queue);
	uint32_t id;

	if (p->lost < VIRTQ_MAX)
		return sent_lost(p, cookie);
	for (unsigned turns = 0; turns < VIRTQ_MAX; turns++) {
		if (!virtq_take(&p->tx, &id))
			return false;
		if (id >= p->tx.size || !p->chain[id])
			continue;
		*cookie = p->cookie[id];
		chain_free(p, id);
		return true;
	}
	return false;
}

void vnet_receive_interrupts(struct nic *n, unsigned queue, bool on)
{
	virtq_interrupts(&vnet_pair(n, queue)->rx, on);
}

void vnet_send_interrupts(struct nic *n, unsigned queue, bool on)
{
	virtq_interrupts(&vnet_pair(n, queue)->tx, on);
}
