/* SPDX-License-Identifier: MIT */
/*
 * nvme_identity.c - what the pages of Identify say (NVMe 1.4, 5.15.2), checked.
 *
 * Invariant: whatever the bytes are, what is accepted has a block size from 512 to 4096, a size in
 * bytes below 2^64 and a namespace number that is not reserved.
 */
#include <base/nvme.h>
#include <base/string.h>
#include <base/util.h>

enum {
	/* controller, figure 247 */
	SERIAL = 4, SERIAL_BYTES = 20, MODEL = 24, MODEL_BYTES = 40, TRANSFER = 77, TYPE = 111,
	SQ_SIZES = 512, CQ_SIZES = 513, NAMESPACES = 516, OPTIONS = 520, CACHE = 525,
	TYPE_IO = 1,
	OPTION_DATASET = 1 << 2,
	SQ_SHIFT = 6, CQ_SHIFT = 4,             /* entries of 64 and 16 bytes */
	/* namespace, figure 245 */
	SIZE = 0, FORMATS = 25, FORMAT = 26, PROTECTION = 29, ATTRIBUTES = 99, FORMAT_TABLE = 128,
	WRITE_PROTECTED = 1 << 0,
	LIST_MAX = NVME_PAGE / 4,
};

static uint64_t get(const uint8_t *page, unsigned off, unsigned bytes)
{
	uint64_t v = 0;

	memcpy(&v, page + off, bytes);
	return v;
}

/* Text of a field: printable, without the blanks at its end. */
static void text_take(char *out, const uint8_t *field, unsigned bytes)
{
	unsigned length = 0;

	for (unsigned i = 0; i < bytes; i++) {
		out[i] = field[i] >= ' ' && field[i] < 127 ? (char)field[i] : '?';
		if (field[i] != ' ' && field[i] != 0)
			length = i + 1;
	}
	out[length] = 0;
}

/* Minimum in bits 0 to 3, maximum in bits 4 to 7. */
static bool size_allowed(uint8_t sizes, unsigned shift)
{
	return (sizes & 15u) <= shift && shift <= (unsigned)sizes >> 4;
}

const char *nvme_identity_controller(struct nvme_identity *id, const uint8_t page[NVME_PAGE])
{
	unsigned shift = page[TRANSFER];

	text_take(id->serial, page + SERIAL, SERIAL_BYTES);
	text_take(id->model, page + MODEL, MODEL_BYTES);
	if (page[TYPE] > TYPE_IO)
		return "it is a controller without namespaces of its own";
	if (!size_allowed(page[SQ_SIZES], SQ_SHIFT) || !size_allowed(page[CQ_SIZES], CQ_SHIFT))
		return "its queue entries have other sizes";
	/* In units of the smallest page size, which is ours. */
	id->transfer_max = shift && shift < 52 ? (uint64_t)NVME_PAGE << shift : UINT64_MAX;
	id->namespaces = (uint32_t)get(page, NAMESPACES, 4);
	id->cache = page[CACHE] & 1;
	id->discard = get(page, OPTIONS, 2) & OPTION_DATASET;
	return NULL;
}

const char *nvme_identity_list(struct nvme_identity *id, const uint8_t page[NVME_PAGE])
{
	id->nsid = (uint32_t)get(page, 0, 4);
	id->others = 0;
	if (!id->nsid)
		return "it has no active namespace";
	if (id->nsid >= 0xfffffffe)
		return "its namespaces have no numbers";
	for (unsigned i = 1; i < LIST_MAX && get(page, 4 * i, 4); i++)
		id->others++;
	return NULL;
}

const char *nvme_identity_namespace(struct nvme_identity *id, const uint8_t page[NVME_PAGE])
{
	unsigned format = page[FORMAT] & 15u;
	uint32_t entry;
	unsigned shift;

	if (format > page[FORMATS])
		return "its format is none of its formats";
	entry = (uint32_t)get(page, FORMAT_TABLE + 4 * format, 4);
	shift = entry >> 16 & 0xff;
	if (entry & 0xffff)
		return "its blocks carry metadata";
	if (page[PROTECTION] & 7)
		return "its blocks carry protection information";
	if (shift < 9 || shift > 12)
		return "its block size is not 512, 1024, 2048 or 4096 bytes";
	id->block_bytes = 1u << shift;
	id->blocks = get(page, SIZE, 8);
	id->read_only = page[ATTRIBUTES] & WRITE_PROTECTED;
	if (!id->blocks)
		return "it is empty";
	return id->blocks > UINT64_MAX >> shift ? "its size is nonsense" : NULL;
}
