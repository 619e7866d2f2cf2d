/* SPDX-License-Identifier: MIT */
/*
 * store.h - the packets captured last, as records of a pcap file, in memory of a fixed size.
 *
 * A new packet pushes the oldest ones out, but none that a reader still has to fetch: then the new
 * packet is left out and counted.  Positions are bytes of records ever stored and only grow.
 */
#ifndef CAPTURE_STORE_H
#define CAPTURE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* pcap 2.4, microseconds, Ethernet (draft-ietf-opsawg-pcap), in this machine's byte order. */
struct pcap_file {
	uint32_t magic;         /* PCAP_MAGIC */
	uint16_t major, minor;
	uint32_t spare[2];
	uint32_t snap;          /* bytes kept of a packet, at most */
	uint32_t link;          /* PCAP_ETHERNET */
};
_Static_assert(sizeof(struct pcap_file) == 24, "pcap file header");
struct pcap_record {
	uint32_t seconds, microseconds;
	uint32_t bytes;         /* that follow */
	uint32_t length;        /* of the packet on the wire */
};
_Static_assert(sizeof(struct pcap_record) == 16, "pcap record header");
#define PCAP_MAGIC    0xa1b2c3d4u
#define PCAP_ETHERNET 1u

/* A reader of what was stored when it began: [at, end). */
struct store_reader {
	struct store_reader *next;
	uint64_t at, end;
};

struct store {
	uint8_t *memory;
	uint64_t bytes;         /* of memory */
	uint64_t head, tail;    /* positions of the oldest record and behind the last */
	uint64_t packets;       /* stored now */
	uint64_t left_out;      /* packets that had no room because of a reader, or ever */
	struct store_reader *readers;
};

void store_init(struct store *s, void *memory, uint64_t bytes);

/* Keep `bytes` of a packet of `length` that came `ns` nanoseconds after some fixed time. */
bool store_add(struct store *s, uint64_t ns, const void *packet, uint32_t bytes, uint32_t length);

/* The header that a file of these records begins with. */
void store_file_header(struct pcap_file *out, uint32_t snap);

/* Begin and end reading all that is there now. */
void store_read_begin(struct store *s, struct store_reader *r);
void store_read_end(struct store *s, struct store_reader *r);

/*
 * The next bytes in one piece: how many, at most `room`; 0: all was read.  They stay where they
 * are until store_read_done says that so many are not needed any more.
 */
uint64_t store_read(const struct store *s, uint64_t at, uint64_t end, uint64_t room,
		    const uint8_t **piece);
void store_read_done(struct store_reader *r, uint64_t bytes);

#endif
