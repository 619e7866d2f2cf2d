/* SPDX-License-Identifier: MIT */
/*
 * store.c - a ring of bytes that holds whole records.
 *
 * Invariant: tail - head <= bytes; a record begins at head and at each record's end up to tail;
 * head is not above the position of any reader.
 */
#include "store.h"

#include <base/string.h>
#include <base/util.h>

#define US_A_SECOND 1000000u

void store_init(struct store *s, void *memory, uint64_t bytes)
{
	*s = (struct store){ .memory = memory, .bytes = bytes };
}

void store_file_header(struct pcap_file *out, uint32_t snap)
{
	*out = (struct pcap_file){
		.magic = PCAP_MAGIC, .major = 2, .minor = 4, .snap = snap, .link = PCAP_ETHERNET,
	};
}

static void bytes_put(struct store *s, uint64_t at, const void *from, uint64_t count)
{
	uint64_t start = at % s->bytes, first = min_u64(count, s->bytes - start);

	memcpy(s->memory + start, from, first);
	memcpy(s->memory, (const uint8_t *)from + first, count - first);
}

static void bytes_get(const struct store *s, uint64_t at, void *to, uint64_t count)
{
	uint64_t start = at % s->bytes, first = min_u64(count, s->bytes - start);

	memcpy(to, s->memory + start, first);
	memcpy((uint8_t *)to + first, s->memory, count - first);
}

/* The lowest position that has to stay. */
static uint64_t store_kept(const struct store *s)
{
	uint64_t kept = s->tail;

	for (const struct store_reader *r = s->readers; r != NULL; r = r->next)
		if (r->at < r->end)
			kept = min_u64(kept, r->at);
	return kept;
}

/* Make room for `need` bytes by letting the oldest records go. */
static bool store_room(struct store *s, uint64_t need)
{
	uint64_t kept = store_kept(s);

	while (s->bytes - (s->tail - s->head) < need) {
		struct pcap_record r;

		if (s->head == s->tail)
			return false;
		bytes_get(s, s->head, &r, sizeof(r));
		if (s->head + sizeof(r) + r.bytes > kept)
			return false;
		s->head += sizeof(r) + r.bytes;
		s->packets--;
	}
	return true;
}

bool store_add(struct store *s, uint64_t ns, const void *packet, uint32_t bytes, uint32_t length)
{
	uint64_t us = ns / 1000;
	struct pcap_record r = {
		(uint32_t)(us / US_A_SECOND), (uint32_t)(us % US_A_SECOND), bytes, length,
	};

	if (!store_room(s, sizeof(r) + (uint64_t)bytes)) {
		s->left_out++;
		return false;
	}
	bytes_put(s, s->tail, &r, sizeof(r));
	bytes_put(s, s->tail + sizeof(r), packet, bytes);
	s->tail += sizeof(r) + bytes;
	s->packets++;
	return true;
}

void store_read_begin(struct store *s, struct store_reader *r)
{
	*r = (struct store_reader){ s->readers, s->head, s->tail };
	s->readers = r;
}

void store_read_end(struct store *s, struct store_reader *r)
{
	for (struct store_reader **link = &s->readers; *link != NULL; link = &(*link)->next) {
		if (*link == r) {
			*link = r->next;
			return;
		}
	}
}

uint64_t store_read(const struct store *s, uint64_t at, uint64_t end, uint64_t room,
		    const uint8_t **piece)
{
	uint64_t start = at % s->bytes;

	*piece = s->memory + start;
	return min_u64(min_u64(end - at, room), s->bytes - start);
}

void store_read_done(struct store_reader *r, uint64_t bytes)
{
	r->at += min_u64(bytes, r->end - r->at);
}
