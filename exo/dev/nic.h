/* SPDX-License-Identifier: MIT */
/*
 * nic.h - network cards that several environments use at a time, each through rings on a pattern.
 *
 * Invariant: each part of a packet that the kernel took off a send ring is done exactly once: by
 * the device, or refused.  Lent frames are pinned from the taking to that.  A ring stands in its
 * filter's turns exactly while it may have a whole packet waiting.  The device writes to the
 * kernel's buffers only; what it received is copied once, to a buffer that a ring's owner posted.
 *
 * Locks: tree_lock, then the NIC's lock, then a CPU's slot_lock.  [t] fields are written with
 * tree_lock, [d] with the NIC's lock, [td] with both (so either is enough to read).  The filters of
 * a NIC, their holders, and the `bind` of claims on it are [td].
 */
#ifndef EXO_DEV_NIC_H
#define EXO_DEV_NIC_H

#include <exo/cap.h>
#include <exo/machine.h>
#include <exo/nic.h>
#include <stdbool.h>
#include <stdint.h>

#include "env.h"
#include "filter.h"
#include "lock.h"
#include "x86/direct.h"

struct nic;

#define NIC_QUEUES 4u           /* pairs of queues that are used, at most */
#define NIC_SEND_MAX 65550u     /* bytes of a packet that the device segments */

/* Bytes that follow others. */
struct nic_rest {
	uint64_t pa;            /* physically contiguous */
	uint32_t bytes;         /* at least 1; received: EXO_PACKET_BYTES at most */
};

/* A packet that the device received: its first EXO_NIC_HEADER bytes can be read and written. */
struct nic_packet {
	uint8_t *data;
	uint32_t bytes;         /* of these: EXO_NIC_HEADER at least or all of the packet, */
	                        /* EXO_PACKET_BYTES at most */
	uint32_t length;        /* of the packet */
	uint32_t id;            /* the driver's */
	uint32_t rests;         /* less than EXO_PACKET_BUFFERS */
	const struct nic_rest *rest;    /* what follows data, the driver's too */
	uint16_t segment;       /* see struct exo_rx */
	bool     checked;       /* the device, or a sender on this machine, vouches for checksums */
};
/* What there is to receive. */
enum nic_got {
	NIC_GOT_NOTHING,
	NIC_GOT_PACKET,
	NIC_GOT_LARGE,          /* one of more buffers than asked for, which is left */
};

/* A packet to send, whose first bytes are in the buffer that the driver's `header` returned. */
struct nic_send {
	uint64_t cookie;        /* returned by `sent` */
	uint32_t length;        /* of the whole packet */
	uint32_t copied;        /* bytes in the buffer: min(length, EXO_NIC_HEADER) */
	uint32_t rests;
	struct nic_rest rest[EXO_PACKET_PARTS]; /* what follows these */
	uint16_t flags;         /* EXO_TX_* of the first part */
	uint16_t segment, header, checksum_start, checksum_offset;
};

/* A driver.  All run with the NIC's lock held; queue is below info->queues. */
struct nic_ops {
	/*
	 * Take one received packet of at most `room` buffers.  It is the driver's again after
	 * recycle, before the next is taken.
	 */
	enum nic_got (*receive)(struct nic *n, unsigned queue, unsigned room, struct nic_packet *p);
	void (*recycle)(struct nic *n, unsigned queue, const struct nic_packet *p);
	/* Show the device what was recycled. */
	void (*refill)(struct nic *n, unsigned queue);
	/* Where the first EXO_NIC_HEADER bytes of the next packet go; NULL: no room now. */
	uint8_t *(*header)(struct nic *n, unsigned queue);
	/*
	 * Can the device cut this packet into segments, and does it then rewrite no byte that the
	 * send pattern of f names?  0 or an error.
	 */
	int (*segments)(const struct nic *n, const struct filter *f, const struct nic_send *s,
	                const uint8_t *header);
	/* Put a packet into the queue; header() has just returned its buffer. */
	void (*send)(struct nic *n, unsigned queue, const struct nic_send *s);
	/* Tell the device of what was sent since the last kick. */
	void (*kick)(struct nic *n, unsigned queue);
	/* Take one packet that the device is through with. */
	bool (*sent)(struct nic *n, unsigned queue, uint64_t *cookie);
	/* Interrupt when packets were received, were sent?  On is in force when this returns. */
	void (*receive_interrupts)(struct nic *n, unsigned queue, bool on);
	void (*send_interrupts)(struct nic *n, unsigned queue, bool on);
	/*
	 * May the device join received packets from now on?  At first it may not.  Soon, not at
	 * once; after a reset it is as it was.  NULL: it never does.
	 */
	void (*join)(struct nic *n, bool on);
	/* Is the cable plugged in?  *broken: the device asks for a reset. */
	bool (*link)(struct nic *n, bool *broken);
	/*
	 * Stop the device and start anew; what was in flight is then returned by `sent`.  false: it
	 * does not come back; `header` is asked no more.
	 */
	bool (*reset)(struct nic *n);
};

/* One pair of queues. */
struct nic_queue {
	struct timer timer;             /* the rest of the work, when programs had their time */
	struct nic *nic;                /* [I] */
	uint32_t flight;                /* [d] packets in the device */
	bool     eager;                 /* [d] somebody waits for some of these */
	bool     polled;                /* [d] the timer goes on with what was received */
	bool     large;                 /* [d] a packet waits that is work enough for one time */
	uint64_t life_tsc;              /* [d] when one was sent, or the first was put in */
};

struct nic {
	struct lock lock;
	const struct nic_ops *ops;      /* [I] */
	void *driver;                   /* [I] the driver's own */
	struct exo_nic_info *info;      /* [d] exported; root: by who makes the root claims */
	uint64_t filter;                /* [I] pfn of the filter of all packets */
	bool dead;                      /* [d] does not come back from a reset */
	uint64_t wide;                  /* [td] pfn of the first of the rings on that filter */
	uint64_t tell;                  /* [d] pfn of the first of the rings to be told */
	uint32_t rings;                 /* [td] bound */
	uint32_t rings_joined;          /* [td] of these: take packets in several buffers */
	uint32_t turn_packets;          /* [d] that may still be sent in the present turn */
	uint32_t turn_bytes;            /* [d] likewise */
	uint32_t unpinned;              /* [d] frames, ever: how much work giving them back was */
	struct nic_queue queue[NIC_QUEUES];
};

/* What may be sent in one turn. */
#define NIC_TURN_PACKETS 16u
#define NIC_TURN_BYTES   (64u * 1024u)
/*
 * What is done at a time, with interrupts off.  A packet takes up to 500 instructions to send or to
 * receive, 100 to finish: an interrupt's work stays below 20,000.
 */
#define NIC_SEND_BATCH   32u            /* packets of a call, or rings that had none */
#define NIC_LATER_BATCH  12u            /* the same of an interrupt */
#define NIC_REAP_BATCH   24u            /* packets that the device has sent */
#define NIC_RECEIVE_BATCH 16u           /* packets of a queue taken at a time, copies and deep */
                                        /* filters counted, each buffer of a large one as a */
                                        /* packet; copies of what is sent at a time */
#define NIC_PACKET_INSNS 500u           /* that count as a packet */
#define NIC_PACKET_REAPS 5u             /* finished packets that count as one received */
#define NIC_TAKE_WORK    128u           /* frames pinned at a time, a part counted as 2 */
#define NIC_UNPIN_BATCH  256u           /* frames unpinned at a time where rings end */
#define NIC_SEND_FRAMES  8u             /* frames unpinned that count as a packet to send, */
#define NIC_REAP_FRAMES  5u             /* or as one that is finished */
#define NIC_RINGS_MAX    16u            /* rings bound by one claim */
#define NIC_WIDE_MAX     64u            /* rings that are told of the link of one NIC */
#define NIC_RESET_SECONDS 10u   /* of no progress, before somebody who waits resets the device */

/* The NICs, and their exported list (roots are filled in by who makes the root claims). */
struct nic_list {
	struct nic *nic;                /* [count] */
	struct exo_nic_info *info;      /* [count] */
	uint32_t count;
};
extern struct nic_list nics;

/* Find and start all NICs.  Boot only; after pci_start and cpus_start. */
void nics_start(void);

/*
 * Drivers call this for each NIC that works, in nics_start; then interrupts may come.  info->flags
 * says which offloads work.
 */
struct nic *nic_add(const struct nic_ops *ops, void *driver, const struct exo_nic_info *info);
/* Drivers call these from interrupt handlers: a queue pair's; a change of configuration. */
void nic_interrupt(struct nic *n, unsigned queue);
void nic_changed(struct nic *n);

/* virtio_net.c: is this function one of its kind?  Start it: false and a notice if it is no use. */
bool virtio_net_is(const struct exo_pci_info *info);
bool virtio_net_start(const struct exo_pci_info *info);

/* A part that was taken off a send ring. */
struct packets_part {
	uint64_t pa : 52;       /* physically contiguous; refused: the error, positive */
	uint64_t flags : 8;     /* EXO_TX_* */
	uint64_t refused : 1;
	uint64_t done : 1;
	uint32_t bytes;
	exo_sid  claim;         /* that authorised the pins; 0: in the data area, or refused */
	uint16_t segment, header, checksum_start, checksum_offset;
};
_Static_assert(sizeof(struct packets_part) == 24, "parts of a ring: one frame and a half");

/* The kernel's part of a PACKETS object: its first two frames. */
struct packets {
	uint32_t nic;           /* [td] index + 1 of its NIC; 0: not bound */
	uint32_t entry;         /* [td] event entry */
	uint64_t env;           /* [td] pfn of the environment whose event it is, 0: it is gone */
	exo_sid  claim;         /* [td] the claim it is bound by */
	uint32_t claim_gen;     /* [td] */
	uint64_t filter;        /* [td] pfn: the claim's */
	uint32_t rights;        /* [td] copy of the claim's */
	bool     share;         /* [td] it is a share: copies only */
	bool     joined;        /* [td] rx_joined as it was bound */
	bool     ending;        /* [td] takes nothing new */
	bool     told;          /* [d] on the list of those to be told */
	bool     skipping;      /* [d] the packet at tx_next is refused up to its last part */
	uint8_t  queue;         /* [d] that it sends by, while it has anything to send */
	uint32_t data_frames;   /* [I] */
	uint64_t bind_next, bind_prev;  /* [td] other rings of the claim, pfn, 0: none */
	uint64_t wide_next, wide_prev;  /* [td] other rings on the NIC's own filter */
	struct turn turn;               /* [d] stands in its filter's `own` */
	uint64_t tell_next;             /* [d] */
	uint32_t rx_done;       /* [d] the page's copies of these are never read back */
	uint32_t tx_taken;      /* [d] parts taken: [done, next) are in the device or done, */
	uint32_t tx_next;       /* [d] [next, taken) wait */
	uint32_t tx_done;       /* [d] */
	uint32_t flight;        /* [d] packets in the device */
	uint64_t refused, sent, received, dropped, rounds, copied, lent; /* [d] see the page's */
	uint64_t round;         /* [d] the last of the NIC's rounds in which it sent, from 1 on */
	struct packets_part part[EXO_PACKETS];  /* [d] n stands at n % EXO_PACKETS */
};
_Static_assert(sizeof(struct packets) <= EXO_PACKETS_PAGE * EXO_PAGE_SIZE, "the kernel's frames");

static inline struct packets *packets_at(uint64_t pfn) { return pfn_to_virt(pfn); }
static inline uint64_t packets_pfn(const struct packets *r)
{
	return virt_to_phys(r) >> EXO_PAGE_SHIFT;
}
static inline struct exo_packets_page *packets_page(const struct packets *r)
{
	return pfn_to_virt(packets_pfn(r) + EXO_PACKETS_PAGE);
}
static inline struct exo_rx *packets_rx(const struct packets *r)
{
	return pfn_to_virt(packets_pfn(r) + EXO_PACKETS_RX);
}
static inline struct exo_tx *packets_tx(const struct packets *r)
{
	return pfn_to_virt(packets_pfn(r) + EXO_PACKETS_TX);
}
static inline uint64_t packets_data(const struct packets *r)    /* physical */
{
	return (packets_pfn(r) + EXO_PACKETS_DATA) << EXO_PAGE_SHIFT;
}
/* Who is told of them, NULL: nobody.  tree_lock or the NIC's lock held. */
static inline struct env *packets_env(const struct packets *r)
{
	return r->env ? env_at(r->env) : NULL;
}
/* Frames that [pa, pa + bytes) touches. */
static inline uint64_t part_frames(uint64_t pa, uint64_t bytes)
{
	return (pa % EXO_PAGE_SIZE + bytes + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE;
}
static inline struct nic_queue *packets_queue(struct nic *n, const struct packets *r)
{
	return &n->queue[r->queue];
}

/*
 * Make frames a PACKETS object with this many data frames: control page and rings are zeroed, the
 * data area is left as it is.
 */
void packets_make(uint64_t pfn, uint64_t data_frames);

/*
 * exo_nic_bind: let `packets` receive and send by the claim `nic`, told by event `entry` of `e`.
 * Takes tree_lock.  Errors: claim_find's (packets needs CONTROL), FROZEN, BUSY (bound already),
 * ABSENT (no such NIC), RANGE, ROOM (the entry, or too many rings on the claim).
 */
int64_t sys_nic_bind(struct env *e, uint64_t packets, uint64_t nic, uint64_t entry);

/*
 * exo_nic_kick: take new parts off the send ring; how many were taken, those of packets that are
 * refused included.  Takes the NIC's lock; tree_lock only if parts are lent by claims of `e`.
 * Errors: claim_find's, ARG (not bound), STALE or FROZEN (its NIC claim is gone or going), RANGE
 * (tx_tail more than 256 ahead of tx_done): nothing is taken then.
 *
 * Looks at tx_wake: who sets it while parts are in the device kicks, with nothing new if need be.
 */
int64_t sys_nic_kick(struct env *e, uint64_t packets);

/*
 * A piece of detaching rings from their NIC; tree_lock held.  EXO_MORE while the device still has
 * packets of them; 0: nothing of them is left in the device, their event entry is free, their
 * frames may be used again.
 */
int packets_end(uint64_t pfn);

/* The environment that is told ends; the rings stay bound.  tree_lock held. */
void packets_forget(uint64_t pfn);

/* The same as packets_end for all rings bound by a NIC claim that ends: they stay objects. */
int nic_unbind(struct exo_cap *nic);

/* Somebody waits for pins to go: see to it that they do.  tree_lock held; cheap. */
void nics_expire(void);

/* The timer of a queue is due (timer.c). */
void nic_timer(struct timer *t);

/* Between the files of nic*.c; the NIC's lock held. */

/*
 * Take what was received until *work is NIC_RECEIVE_BATCH: true if there may be more.  A packet of
 * more buffers than are left of that is taken alone, if *work is 0.
 */
bool nic_receive(struct nic *n, unsigned queue, unsigned *work);
/*
 * Copies of a packet that a claim of filter f sends, for the shares that see it, to whom their time
 * since *since is charged; how many.
 */
unsigned nic_copy_sent(struct nic *n, struct filter *f, const struct nic_send *s,
                       const uint8_t *header, uint64_t *since);
/*
 * Give the device what waits, in turns, at most `batch` packets, fewer if they are copied for many
 * shares, and tell it once: true if more waits and no interrupt will go on with it.  Who calls pays
 * for the rings `own`, or NULL: for others, who is told of them.
 */
bool nic_submit(struct nic *n, unsigned batch, const struct packets *own);
/* Does anybody wait to send? */
static inline bool nic_waits(const struct nic *n) { return filter_at(n->filter)->all.first; }
/* Finish what the device has sent, at most NIC_REAP_BATCH packets: true if there may be more. */
bool nic_reap(struct nic *n, unsigned queue);
/* Look at a queue, after an interrupt or when its timer is due; takes the lock. */
void nic_work(struct nic *n, unsigned queue, bool timer);
/* Reset a device that has sent nothing for NIC_RESET_SECONDS. */
void nic_expire(struct nic *n, unsigned queue);
/* filter_rehang, with those that wait to send by f. */
void nic_turn_rehang(struct filter *f, struct filter *heir);
/* Rings have new parts: they wait for their turn. */
void packets_queue_up(struct nic *n, struct packets *r);
/* Rings end: what waits is refused, -EXO_E_STALE, a piece of it: true if there is more. */
bool packets_cancel(struct nic *n, struct packets *r);
/* Rings will be told, once, by nic_tell_all. */
void packets_tell(struct nic *n, struct packets *r);
void nic_tell_all(struct nic *n);
/* One more packet of a ring, in its environment's own counters. */
static inline void packets_count(const struct packets *r, uint64_t bytes)
{
	if (!r->env)
		return;
	env_at(r->env)->page->packets++;
	env_at(r->env)->page->copied += bytes;
}
/* How the kernel's counters get into the owner's page. */
#define packets_show(r, field) \
	__atomic_store_n(&packets_page(r)->field, (r)->field, __ATOMIC_RELEASE)

#endif
