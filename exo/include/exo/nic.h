/* SPDX-License-Identifier: MIT */
/*
 * nic.h - claims on packets: patterns, filters, and packet rings in the application's frames.
 *
 * A NIC claim is a pattern over the first 128 bytes of a packet, one for what is received and one
 * for what is sent.  The kernel knows no protocol: it compares masked bits.  A FILTER object (one
 * frame) holds the patterns of one claim; a PACKETS object is a pair of rings with a data area.
 * What lies in the pages of a PACKETS object is hostile input to the kernel.
 */
#ifndef EXO_NIC_H
#define EXO_NIC_H

#include <exo/cap.h>
#include <exo/types.h>

#define EXO_NIC_HEADER 128u             /* bytes of a packet that patterns look at */
#define EXO_NIC_WORDS  16u              /* of 8 bytes */

/*
 * Byte n of a packet matches if it equals byte n of `value` wherever byte n of `mask` has a bit;
 * both in memory order, as on the wire.  Bits of value outside the mask are 0.  A packet that is
 * shorter than 128 bytes is compared as if zeros followed it.
 */
struct exo_pattern {
	uint64_t mask[EXO_NIC_WORDS];
	uint64_t value[EXO_NIC_WORDS];
};
_Static_assert(sizeof(struct exo_pattern) == 256, "ABI: exo_pattern");
_Static_assert(EXO_NIC_WORDS * 8 == EXO_NIC_HEADER, "ABI: exo_pattern");

/*
 * What exo_nic_narrow adds to the patterns of the claim it narrows.  The new claim has an unused
 * filter of its own; siblings that are not shares differ in a bit that both name, receiving if both
 * receive, sending if both send.  A share gets copies: with EXO_R_READ of what is received under
 * the claim it was derived from, with EXO_R_WRITE of what is sent under it; it sends nothing and is
 * not narrowed.  A claim that was given on whole (exo_cap_give, exo_cap_narrow) gets no packets and
 * derives nothing until that child is gone; it can still send.  When a filter's object ends, the
 * claims that name it end, with all below them.
 *
 * Errors (refusals.def), beside those of looking the claims up: RANGE (a value outside its mask, or
 * a bit against the claim's own patterns), SPLIT (a sibling has some of these packets, or the claim
 * was given on), SHARED (it is a share), BUSY (the filter is in use), ROOM (16 filters above it
 * already; 8 shares of one claim, or 64 different masks below it; more than 1,024 siblings to
 * compare with).
 */
struct exo_nic_spec {
	struct exo_pattern receive, send;
};
_Static_assert(sizeof(struct exo_nic_spec) == 512, "ABI: exo_nic_spec");

/* The first bytes of a FILTER frame, readable by TRACE.  [k] all. */
struct exo_filter {
	struct exo_nic_spec spec;       /* the whole patterns, those of the claims above included */
	exo_sid  holder;        /* the claim whose rings get its packets; 0: not in use */
	uint32_t nic;           /* index of the NIC */
	uint64_t parent;        /* pfn of the filter that it narrows; 0: of the whole NIC */
	uint32_t rights;        /* EXO_R_READ: receives; EXO_R_WRITE: sends (a share: sees sent) */
	uint32_t share;         /* 1: gets copies */
	uint64_t packets;       /* received for it, delivered or not */
	uint64_t bytes;         /* of these */
	uint64_t dropped;       /* of these packets: no ring was bound, or no buffer posted */
	uint64_t sent;          /* packets given to the device */
	uint64_t sent_bytes;
	uint64_t refused;       /* packets not sent, for whatever reason */
};
_Static_assert(sizeof(struct exo_filter) == 584, "ABI: exo_filter");

/*
 * Packet rings.  The receive ring is written by both sides: the owner posts buffer n by writing
 * rx[n % 256].offset and then rx_posted = n + 1; the kernel fills buffers in the order posted:
 * it writes the other fields of the entry, then rx_done.  Indices run freely.  The owner does not
 * write an entry anew before it has read what the kernel wrote there.
 *
 * A card can join received packets that follow each other in a stream, up to 64 KiB, which spares
 * most of the work for each (EXO_NIC_JOIN).  The kernel knows no protocol and cannot cut them
 * again, so it lets the card do that only while every ring bound on it takes such packets: those
 * whose rx_joined was not 0 when they were bound.  There a packet that is longer than a buffer
 * comes in several, one behind the other, all but the last with EXO_RX_MORE, each but the last
 * nearly full; rx_done counts them all at once.  It is dropped if fewer are posted.  Other rings,
 * and all that are bound by a share, get the first EXO_PACKET_BYTES of a longer packet.
 *
 * The send ring: the owner writes parts, then tx_tail, then kicks.  A packet is one part or
 * several, all but the last with EXO_TX_MORE.  tx_done counts the parts whose bytes the device
 * has read (or that were refused), in order: their buffers may be used again.  The parts of a
 * packet are kicked together if one of them is lent by a claim: what is pinned must not wait for an
 * end that may never come, so such a packet is refused (ARG) if its last part is not there.
 *
 * A packet that is not segmented has at most bytes_max bytes (struct exo_nic_info), another 65,550.
 * Segmented are TCP packets over Ethernet without tags and IPv4 without options, or IPv6 without
 * extensions, if the send pattern names no byte that differs from segment to segment: IP lengths,
 * IPv4's identification and checksum, TCP's sequence number, data offset, flags and checksum, the
 * payload.  `segment` is at least 64, checksum_start the TCP header, checksum_offset 16.
 */
#define EXO_PACKETS       256u          /* entries of each ring */
#define EXO_PACKET_BYTES  2048u         /* of a receive buffer */
#define EXO_PACKET_PARTS  20u           /* of one sent packet, at most */
#define EXO_PACKET_BUFFERS 33u          /* of one received packet, at most */
#define EXO_PACKET_DATA_MAX 256u        /* frames of the data area, at most (at least 1) */

/* How the device left the checksum of a received packet, and where the packet comes from. */
#define EXO_RX_CHECKED 0x0001   /* the device, or a sender on this machine, vouches for it */
#define EXO_RX_COPY    0x0002   /* a copy: this ring is bound by a share */
#define EXO_RX_SENT    0x0004   /* a copy of a packet that was sent by a claim on this NIC */
#define EXO_RX_MORE    0x0008   /* the packet goes on in the next buffer */

struct exo_rx {
	uint32_t offset;        /* [u] of the buffer in the data area, EXO_PACKET_BYTES long */
	uint16_t bytes;         /* [k] that were written, at most EXO_PACKET_BYTES */
	uint16_t flags;         /* [k] EXO_RX_* */
	uint32_t length;        /* [k] of the packet; more than all `bytes` if it was cut off */
	uint16_t segment;       /* [k] the card joined it: payload bytes of each of the segments, */
	                        /* as the card says; 0: it came as it is */
	uint16_t spare;
};
_Static_assert(sizeof(struct exo_rx) == 16, "ABI: exo_rx");

#define EXO_TX_MORE     0x0001  /* the next part belongs to the same packet */
/* These and the fields they speak of count in the first part of a packet only. */
#define EXO_TX_CHECKSUM 0x0002  /* the device stores the one's complement sum of what follows */
                                /* checksum_start, 16 bits, at checksum_start + checksum_offset */
#define EXO_TX_SEGMENT4 0x0004  /* cut into TCP segments over IPv4, `segment` payload bytes each */
#define EXO_TX_SEGMENT6 0x0008  /* the same over IPv6; both need EXO_TX_CHECKSUM */

struct exo_tx {
	exo_slot slot;          /* 0: in the ring's own data area; else a FRAME claim, or share, */
	                        /* with EXO_R_READ: its frames are pinned until it is done */
	uint64_t at;            /* offset in the data area, or physical address */
	uint32_t bytes;         /* at least 1; physically contiguous */
	uint16_t flags;         /* EXO_TX_* */
	uint16_t segment;       /* payload bytes of a segment */
	uint16_t header;        /* with `segment`: bytes before the payload, in each segment */
	uint16_t checksum_start;
	uint16_t checksum_offset;
	uint16_t spare;
};
_Static_assert(sizeof(struct exo_tx) == 32, "ABI: exo_tx");

struct exo_packets_page {
	uint32_t rx_posted;     /* [u] buffers ever posted, at most rx_done + 256 */
	uint32_t tx_tail;       /* [u] parts ever written, at most tx_done + 256 */
	uint32_t rx_quiet;      /* [u] not 0: post no event for packets (polling) */
	uint32_t tx_wake;       /* [u] not 0: post the event when parts are done */
	uint32_t rx_joined;     /* [u] when it is bound: not 0: takes packets in several buffers */
	uint32_t spare[11];
	uint32_t rx_done;       /* [k] buffers ever filled */
	uint32_t tx_taken;      /* [k] parts ever taken */
	uint32_t tx_done;       /* [k] parts ever done */
	int32_t  error;         /* [k] why the last refused packet was refused: -EXO_E_* */
	uint64_t refused;       /* [k] packets not sent */
	uint64_t sent;          /* [k] packets given to the device */
	uint64_t received;      /* [k] packets put into buffers */
	uint64_t dropped;       /* [k] packets that found no buffer, or one outside the data area */
	uint64_t rounds;        /* [k] times the device was told of this ring's packets */
	uint64_t copied;        /* [k] bytes copied by the kernel for this ring, both ways */
	uint64_t lent;          /* [k] bytes of parts taken that lie in lent frames */
	uint8_t  spare2[EXO_PAGE_SIZE - 136];
};
_Static_assert(sizeof(struct exo_packets_page) == EXO_PAGE_SIZE, "ABI: exo_packets_page");
_Static_assert(offsetof(struct exo_packets_page, rx_done) == 64, "a cache line for each side");

/* A PACKETS object of n data frames: what its frames are, from the first. */
#define EXO_PACKETS_PAGE 2u     /* struct exo_packets_page */
#define EXO_PACKETS_RX   3u     /* struct exo_rx[EXO_PACKETS], one frame */
#define EXO_PACKETS_TX   4u     /* struct exo_tx[EXO_PACKETS], two frames */
#define EXO_PACKETS_DATA 6u     /* the data area, n frames */

/* One NIC, as exported: [k] all. */
struct exo_nic_info {
	uint8_t  mac[6];        /* its station address */
	uint16_t bytes_max;     /* of a packet, link header included, that is not segmented */
	uint32_t flags;         /* EXO_NIC_* */
	uint32_t queues;        /* pairs of queues in use */
	uint32_t pci;           /* bus << 8 | device << 3 | function */
	exo_sid  root;          /* NIC claim of all packets */
	uint64_t received, received_bytes;
	uint64_t sent, sent_bytes;
	uint64_t dropped;       /* received, but not by a holder: none, no ring, or no buffer */
	uint64_t refused;       /* not sent */
	uint64_t interrupts;
	uint64_t rounds;        /* times the device was told of packets to send */
	uint64_t spare[4];
};
_Static_assert(sizeof(struct exo_nic_info) == 120, "ABI: exo_nic_info");

#define EXO_NIC_LINK     0x01   /* the cable is plugged in */
#define EXO_NIC_CHECKSUM 0x02   /* EXO_TX_CHECKSUM works */
#define EXO_NIC_SEGMENT4 0x04   /* EXO_TX_SEGMENT4 works */
#define EXO_NIC_SEGMENT6 0x08   /* EXO_TX_SEGMENT6 works */
#define EXO_NIC_JOIN     0x10   /* the card can join received packets, if all rings take them */
#define EXO_NIC_JOINS    0x20   /* it does so now */

#endif
