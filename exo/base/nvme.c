/* SPDX-License-Identifier: MIT */
/*
 * nvme.c - queue pairs of an NVMe controller, and requests cut into commands.
 *
 * Invariant: flying and lost are disjoint and within used; a request's slot is in used until its
 * last command is complete.  A completion is read once, then checked.  How a controller gets its
 * queues: nvme_control.c.
 */
#include <base/nvme.h>
#include <base/string.h>
#include <base/util.h>

enum {                          /* 6: opcodes of the NVM command set */
	OP_FLUSH = 0, OP_WRITE = 1, OP_READ = 2, OP_DATASET = 9,
	FUA = 1 << 30,          /* word 12 */
	DEALLOCATE = 1 << 2,    /* word 11 of dataset management */
};

void nvme_queue_init(struct nvme_queue *q, void *sq, void *cq, uint16_t entries)
{
	memset(sq, 0, entries * sizeof(struct nvme_command));
	memset(cq, 0, entries * sizeof(struct nvme_completion));
	q->sq = sq;
	q->cq = cq;
	q->entries = entries;
	q->sq_tail = q->sq_told = q->cq_head = q->cq_told = 0;
	q->phase = 1;
}

static uint16_t queue_next(const struct nvme_queue *q, uint16_t at)
{
	return (uint16_t)(at + 1 < q->entries ? at + 1 : 0);
}

void nvme_queue_put(struct nvme_queue *q, const struct nvme_command *command)
{
	q->sq[q->sq_tail] = *command;
	q->sq_tail = queue_next(q, q->sq_tail);
}

void nvme_queue_kick(struct nvme_queue *q)
{
	if (q->sq_told == q->sq_tail)
		return;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	*q->sq_bell = q->sq_told = q->sq_tail;
}

bool nvme_queue_take(struct nvme_queue *q, struct nvme_completion *out)
{
	volatile struct nvme_completion *c = &q->cq[q->cq_head];
	uint16_t status = c->status;

	if ((status & 1) != q->phase) {
		if (q->cq_told != q->cq_head)
			*q->cq_bell = q->cq_told = q->cq_head;
		return false;
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	*out = (struct nvme_completion){ .result = c->result, .sq_head = c->sq_head,
	                                 .sq_id = c->sq_id, .id = c->id, .status = status };
	q->cq_head = queue_next(q, q->cq_head);
	if (!q->cq_head)
		q->phase ^= 1;
	return true;
}

/* Where a request stands while it is cut: `off` bytes of `piece` are dealt with. */
struct cut {
	const struct nvme_piece *piece;
	uint32_t pieces, off;
	uint64_t block;
};

static bool pieces_fit(const struct nvme_io *io, const struct nvme_request *r)
{
	uint32_t block_bytes = 1u << io->block_shift;

	for (uint32_t i = 0; i < r->pieces; i++) {
		const struct nvme_piece *p = &r->piece[i];

		if (!p->bytes || p->bytes % block_bytes || p->dma % 4)
			return false;
	}
	return r->pieces != 0;
}

/* Does the next piece join the one that ends here within one command?  Only at a page boundary. */
static bool cut_joins(const struct cut *c)
{
	const struct nvme_piece *p = c->piece;

	return c->pieces > 1 && (p[0].dma + p[0].bytes) % NVME_PAGE == 0 &&
	       p[1].dma % NVME_PAGE == 0;
}

/* The address of entry n of a command's pages: the first two stand in it, or the list. */
static void prp_set(struct nvme_command *c, uint64_t *list, unsigned n, uint64_t dma)
{
	if (n == 0)
		c->prp1 = dma;
	else
		list[n - 1] = dma;
}

/*
 * Cut the next command's bytes off, at most part_bytes; into its addresses, if there is a command:
 * 4.3, each page one entry.  A part that begins within a page has one page more.
 */
static uint32_t cut_part(const struct nvme_io *io, struct cut *c, struct nvme_command *command,
                         uint64_t *list, unsigned *pages)
{
	uint32_t bytes = 0;
	unsigned n = 0;
	bool joins = true;

	while (joins && bytes < io->part_bytes) {
		const struct nvme_piece *p = c->piece;
		uint64_t at = p->dma + c->off;
		uint32_t here = (uint32_t)min_u64(NVME_PAGE - at % NVME_PAGE, p->bytes - c->off);

		here = (uint32_t)min_u64(here, io->part_bytes - bytes);
		if (command)
			prp_set(command, list, n, at);
		n++;
		bytes += here;
		c->off += here;
		if (c->off == p->bytes) {
			joins = cut_joins(c);
			c->piece++;
			c->pieces--;
			c->off = 0;
		}
	}
	c->block += bytes >> io->block_shift;
	*pages = n;
	return bytes;
}

static struct cut cut_begin(const struct nvme_request *r)
{
	return (struct cut){ .piece = r->piece, .pieces = r->pieces, .block = r->block };
}

/* Commands that a request takes; 0: it has no shape.  Stops above what fits. */
static unsigned parts_count(const struct nvme_io *io, const struct nvme_request *r)
{
	struct cut c = cut_begin(r);
	unsigned parts = 0, pages;

	if (r->op == NVME_FLUSH || r->op == NVME_DISCARD)
		return 1;
	if (!pieces_fit(io, r))
		return 0;
	if (r->pieces == 1)
		return (r->piece->bytes - 1) / io->part_bytes + 1;
	while (c.pieces && parts <= io->slots) {
		cut_part(io, &c, NULL, NULL, &pages);
		parts++;
	}
	return parts;
}

/* Addresses in the command, if one or two suffice; else of its list. */
static void prp_close(const struct nvme_io *io, struct nvme_command *command, unsigned slot,
                      unsigned pages)
{
	if (pages == 2)
		command->prp2 = io->lists[slot * NVME_PRPS];
	else if (pages > 2)
		command->prp2 = io->lists_dma + slot * NVME_PRPS * sizeof(uint64_t);
}

/* 6.9, 6.15: read or write the next part. */
static void command_data(struct nvme_io *io, struct nvme_command *command, unsigned slot,
                         const struct nvme_request *r, struct cut *c)
{
	uint64_t block = c->block;
	unsigned pages;
	uint32_t bytes = cut_part(io, c, command, io->lists + slot * NVME_PRPS, &pages);

	prp_close(io, command, slot, pages);
	command->opcode = r->op == NVME_READ ? OP_READ : OP_WRITE;
	command->word10 = (uint32_t)block;
	command->word11 = (uint32_t)(block >> 32);
	command->word12 = ((bytes >> io->block_shift) - 1) |
	                  (r->op == NVME_WRITE && r->fua ? FUA : 0);
}

/* 6.7: one range, in the slot's own memory. */
static void command_discard(struct nvme_io *io, struct nvme_command *command, unsigned slot,
                            const struct nvme_request *r)
{
	uint64_t *range = io->lists + slot * NVME_PRPS;

	range[0] = (uint64_t)r->count << 32;
	range[1] = r->block;
	command->opcode = OP_DATASET;
	command->prp1 = io->lists_dma + slot * NVME_PRPS * sizeof(uint64_t);
	command->word11 = DEALLOCATE;
}

static void part_submit(struct nvme_io *io, const struct nvme_request *r, unsigned first,
                        unsigned slot, struct cut *c)
{
	struct nvme_command command = { .id = (uint16_t)slot, .nsid = io->nsid };

	if (r->op == NVME_DISCARD)
		command_discard(io, &command, slot, r);
	else if (r->op != NVME_FLUSH)
		command_data(io, &command, slot, r, c);
	io->request[slot] = (uint8_t)first;
	io->used |= 1ul << slot;
	io->flying |= 1ul << slot;
	nvme_queue_put(&io->queue, &command);
}

static unsigned slot_free(const struct nvme_io *io)
{
	return (unsigned)__builtin_ctzl(~io->used);
}

static unsigned slots_free(const struct nvme_io *io)
{
	return (unsigned)__builtin_popcountl(~io->used & ((1ul << io->slots) - 1));
}

int nvme_io_submit(struct nvme_io *io, const struct nvme_request *request)
{
	unsigned parts = parts_count(io, request), first;
	struct cut c = cut_begin(request);

	if (!parts || parts > io->slots)
		return NVME_SHAPE;
	if (io->lost || parts > slots_free(io))
		return NVME_FULL;
	first = slot_free(io);
	io->cookie[first] = request->cookie;
	io->status[first] = 0;
	io->left[first] = (uint8_t)parts;
	for (unsigned i = 0; i < parts; i++)
		part_submit(io, request, first, slot_free(io), &c);
	return 0;
}

/* The command of a slot is complete: is its request?  Then it is done. */
static bool slot_finish(struct nvme_io *io, unsigned slot, uint32_t status, struct nvme_done *done)
{
	unsigned first = io->request[slot];

	if (!io->status[first])
		io->status[first] = status;
	if (slot != first)
		io->used &= ~(1ul << slot);
	if (--io->left[first])
		return false;
	io->used &= ~(1ul << first);
	*done = (struct nvme_done){ .cookie = io->cookie[first], .status = io->status[first] };
	return true;
}

static bool lost_reap(struct nvme_io *io, struct nvme_done *done)
{
	while (io->lost) {
		unsigned slot = (unsigned)__builtin_ctzl(io->lost);

		io->lost &= io->lost - 1;
		if (slot_finish(io, slot, NVME_LOST, done))
			return true;
	}
	return false;
}

bool nvme_io_reap(struct nvme_io *io, struct nvme_done *done)
{
	struct nvme_completion c;

	if (lost_reap(io, done))
		return true;
	for (unsigned turns = 0; turns < 2 * NVME_ENTRIES; turns++) {
		if (!nvme_queue_take(&io->queue, &c))
			return false;
		if (c.id >= io->slots || !(io->flying >> c.id & 1))
			continue;
		io->flying &= ~(1ul << c.id);
		if (slot_finish(io, c.id, c.status >> 1, done))
			return true;
	}
	return false;
}
