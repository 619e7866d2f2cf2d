/* SPDX-License-Identifier: MIT */
/*
 * virtio_net.h - NICs over virtio (virtio 1.2, 5.1): what the driver's files share.
 *
 * Invariant: receive descriptor n always names buffer n.  A send descriptor is free or in a chain
 * that the device has; chains are remembered in memory that the device is not told of.  An id that
 * the device returns counts only if it names a buffer, or a chain's head, that the device has.
 * A packet that the device joined lies in several receive buffers, which are taken, and come back,
 * together.
 */
#ifndef EXO_DEV_VIRTIO_NET_H
#define EXO_DEV_VIRTIO_NET_H

#include "dev/nic.h"
#include "dev/virtio.h"

enum {                          /* features, 5.1.3 */
	NET_F_CSUM = 0, NET_F_GUEST_CSUM = 1, NET_F_GUEST_OFFLOADS = 2, NET_F_MTU = 3,
	NET_F_MAC = 5, NET_F_GUEST_TSO4 = 7, NET_F_GUEST_TSO6 = 8, NET_F_HOST_TSO4 = 11,
	NET_F_HOST_TSO6 = 12, NET_F_MERGED = 15, NET_F_STATUS = 16, NET_F_CTRL_VQ = 17,
	NET_F_MQ = 22,
};

struct vnet_header {            /* 5.1.6, before each packet */
	uint8_t  flags, gso_type;
	uint16_t header_bytes, gso_bytes, checksum_start, checksum_offset, buffers;
};
#define VNET_HEADER 12u
_Static_assert(sizeof(struct vnet_header) == VNET_HEADER, "virtio 1.2, 5.1.6");
#define VNET_NEEDS_CHECKSUM 1u
#define VNET_DATA_VALID     2u
#define VNET_GSO_NONE  0u
#define VNET_GSO_TCPV4 1u
#define VNET_GSO_TCPV6 4u

/* The header is put where the packet behind it is aligned. */
#define VNET_PAD    (16u - VNET_HEADER)
#define VNET_BUFFER 2048u
#define VNET_PACKET (VNET_BUFFER - VNET_PAD - VNET_HEADER)      /* bytes of a received packet */

struct vnet_receive {
	uint8_t pad[VNET_PAD];
	struct vnet_header header;
	uint8_t data[VNET_PACKET];
};
_Static_assert(sizeof(struct vnet_receive) == VNET_BUFFER, "two a frame");
/* The header stands in the first buffer of a packet only: the others hold more of it. */
#define VNET_MORE (VNET_PACKET + VNET_HEADER)
#define VNET_RESTS (EXO_PACKET_BUFFERS - 1)
_Static_assert(VNET_PACKET + VNET_RESTS * VNET_MORE >= NIC_SEND_MAX, "the longest packet");
_Static_assert(VNET_MORE <= EXO_PACKET_BYTES, "each fits a ring's");

struct vnet_send {
	uint8_t pad[VNET_PAD];
	struct vnet_header header;
	uint8_t data[EXO_NIC_HEADER];
};
_Static_assert(sizeof(struct vnet_send) == 144, "header and data are contiguous");

/* Descriptors that a packet takes at most: the copied bytes and each part. */
#define VNET_CHAIN (1u + EXO_PACKET_PARTS)

struct vnet_pair {
	struct virtq rx, tx;
	struct nic *nic;                /* NULL: not in use */
	struct vnet_receive *in;        /* [rx.size] */
	struct vnet_send *out;          /* [tx.size] */
	uint32_t index;                 /* of the pair */
	uint32_t free;                  /* send descriptors */
	uint32_t lost;                  /* after a reset: chains below it are the driver's again */
	bool     merged;                /* packets may lie in several buffers */
	uint16_t free_desc[VIRTQ_MAX];
	uint16_t next[VIRTQ_MAX];       /* in its chain */
	uint8_t  chain[VIRTQ_MAX];      /* of a head that the device has: descriptors; else 0 */
	bool     in_device[VIRTQ_MAX];  /* receive buffers */
	uint64_t cookie[VIRTQ_MAX];     /* of a head */
	struct nic_rest rest[VNET_RESTS];       /* of the packet that was received last */
};
#define VNET_PAIR_FRAMES 2u
_Static_assert(sizeof(struct vnet_pair) <= VNET_PAIR_FRAMES * EXO_PAGE_SIZE, "its frames");

/* Memory of a pair's queues and buffers; boot only. */
void vnet_pair_memory(struct vnet_pair *p);
/* The queues were started anew: all buffers to the device, which is not told yet. */
void vnet_pair_fill(struct vnet_pair *p);
/* What the device had is lost. */
void vnet_pair_lose(struct vnet_pair *p);

/* virtio_net_queue.c: the part of nic_ops that deals in packets. */
enum nic_got vnet_receive(struct nic *n, unsigned queue, unsigned room, struct nic_packet *p);
void vnet_recycle(struct nic *n, unsigned queue, const struct nic_packet *p);
void vnet_refill(struct nic *n, unsigned queue);
uint8_t *vnet_header(struct nic *n, unsigned queue);
void vnet_send(struct nic *n, unsigned queue, const struct nic_send *s);
void vnet_kick(struct nic *n, unsigned queue);
bool vnet_sent(struct nic *n, unsigned queue, uint64_t *cookie);
void vnet_receive_interrupts(struct nic *n, unsigned queue, bool on);
void vnet_send_interrupts(struct nic *n, unsigned queue, bool on);

/* virtio_net_segment.c: may the device cut this packet into segments? */
int vnet_segments(const struct nic *n, const struct filter *f, const struct nic_send *s,
                  const uint8_t *header);

/* One NIC. */
struct vnet {
	struct virtio v;
	uint64_t features;              /* agreed on */
	uint32_t pairs;                 /* in use */
	uint32_t pairs_max;             /* that it has */
	bool     one_entry;             /* changes of configuration come with pair 0's interrupts */
	struct virtq control;           /* used if vnet_has_control */
	struct vnet_command *command;   /* what is asked, and the answer: one frame */
	bool     asked;                 /* the device has not answered yet */
	bool     join;                  /* it shall join received packets */
	bool     join_told;             /* what it was told of that last */
	struct nic *nic;
	struct vnet_pair *pair[NIC_QUEUES];
};
_Static_assert(sizeof(struct vnet) <= EXO_PAGE_SIZE, "one frame");

static inline bool vnet_has(const struct vnet *d, unsigned feature)
{
	return d->features >> feature & 1;
}
/* Can it join received packets, and be told not to? */
static inline bool vnet_can_join(const struct vnet *d) { return vnet_has(d, NET_F_GUEST_OFFLOADS); }
static inline bool vnet_has_control(const struct vnet *d) { return vnet_has(d, NET_F_CTRL_VQ); }

/*
 * virtio_net_control.c: what the device is asked for by its control queue.  Memory for that, boot
 * only; its queue, after the others; once it works, how many pairs are used and whether it joins
 * packets, a bounded time waited for.  false: it is no use.
 */
void vnet_control_memory(struct vnet *d);
bool vnet_control_start(struct vnet *d);
bool vnet_control_begin(struct vnet *d);
/* nic_ops.join.  vnet_control_go_on: when the device may have answered. */
void vnet_join(struct nic *n, bool on);
void vnet_control_go_on(struct vnet *d);

static inline struct vnet_pair *vnet_pair(struct nic *n, unsigned queue)
{
	return ((struct vnet *)n->driver)->pair[queue];
}

#endif
