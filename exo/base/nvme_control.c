/* SPDX-License-Identifier: MIT */
/*
 * nvme_control.c - bringing an NVMe controller up: registers, admin commands, one I/O queue pair.
 *
 * Invariant: every wait ends after the controller's own limit or the user's, whichever is less;
 * registers beyond what the user mapped are not touched.  The requests themselves: nvme.c.
 */
#include <base/nvme.h>
#include <base/string.h>
#include <base/util.h>

enum {                          /* 3.1: registers */
	CAP = 0x00, CC = 0x14, CSTS = 0x1c, AQA = 0x24, ASQ = 0x28, ACQ = 0x30, BELLS = 0x1000,
	CC_ENABLE = 1 << 0, CC_SQ_SIZE = 6 << 16, CC_CQ_SIZE = 4 << 20,
	CSTS_READY = 1 << 0, CSTS_FATAL = 1 << 1,
	BELLS_USED = 4,         /* two of each queue pair */
};

enum {                          /* 5: opcodes and values of the admin command set */
	OP_CREATE_SQ = 1, OP_CREATE_CQ = 5, OP_IDENTIFY = 6, OP_SET_FEATURES = 9,
	FEATURE_QUEUES = 7,
	WHAT_NAMESPACE = 0, WHAT_CONTROLLER = 1, WHAT_LIST = 2,
	CONTIGUOUS = 1 << 0, INTERRUPTS = 1 << 1,
	IO_QUEUE = 1,
};

#define ADMIN_NS  2000000000ul  /* for one admin command: none of ours is slow */
#define NO_STATUS 0xffffffffu

static uint32_t reg_read(const struct nvme *n, unsigned off)
{
	return *(volatile uint32_t *)(n->registers + off);
}

static void reg_write(const struct nvme *n, unsigned off, uint32_t value)
{
	*(volatile uint32_t *)(n->registers + off) = value;
}

static void reg_write64(const struct nvme *n, unsigned off, uint64_t value)
{
	reg_write(n, off, (uint32_t)value);
	reg_write(n, off + 4, (uint32_t)(value >> 32));
}

static void *page_of(const struct nvme *n, unsigned page)
{
	return n->memory + page * NVME_PAGE;
}

static uint64_t page_dma(const struct nvme *n, unsigned page)
{
	return n->dma + page * NVME_PAGE;
}

static uint64_t wait_limit(const struct nvme *n, uint64_t wanted_ns)
{
	return n->wait_ns ? min_u64(n->wait_ns, wanted_ns) : wanted_ns;
}

/* Wait for CSTS.RDY to be this.  false: it did not come, or the controller has given up. */
static bool ready_wait(const struct nvme *n, uint32_t ready)
{
	uint64_t start = n->clock_ns(n->context), limit = wait_limit(n, n->timeout_ns);

	do {
		uint32_t status = reg_read(n, CSTS);

		if (status == ~0u)
			return false;
		if ((status & CSTS_READY) == ready)
			return true;
		if (ready && status & CSTS_FATAL)
			return false;
	} while (n->clock_ns(n->context) - start < limit);
	return false;
}

/* Requests that were with it come back as lost. */
bool nvme_stop(struct nvme *n)
{
	uint32_t config = reg_read(n, CC);

	n->io.lost |= n->io.flying;
	n->io.flying = 0;
	if (config & CC_ENABLE)
		reg_write(n, CC, config & ~(uint32_t)CC_ENABLE);
	return ready_wait(n, 0);
}

static void bells_set(const struct nvme *n, struct nvme_queue *q, unsigned index)
{
	volatile uint8_t *bell = n->registers + BELLS + 2 * index * n->stride;

	q->sq_bell = (volatile uint32_t *)bell;
	q->cq_bell = (volatile uint32_t *)(bell + n->stride);
}

/* 7.6.1, from a stopped controller on: NULL, or why not. */
static const char *controller_enable(struct nvme *n)
{
	nvme_queue_init(&n->admin, page_of(n, NVME_ADMIN_SQ), page_of(n, NVME_ADMIN_CQ),
	                NVME_ADMIN);
	bells_set(n, &n->admin, 0);
	reg_write(n, AQA, (NVME_ADMIN - 1) << 16 | (NVME_ADMIN - 1));
	reg_write64(n, ASQ, page_dma(n, NVME_ADMIN_SQ));
	reg_write64(n, ACQ, page_dma(n, NVME_ADMIN_CQ));
	reg_write(n, CC, CC_ENABLE | CC_SQ_SIZE | CC_CQ_SIZE);
	return ready_wait(n, CSTS_READY) ? NULL : "it does not get ready";
}

/* One admin command at a time: its status field, or NO_STATUS if none came. */
static uint32_t admin_run(struct nvme *n, const struct nvme_command *command)
{
	uint64_t start = n->clock_ns(n->context), limit = wait_limit(n, ADMIN_NS);
	struct nvme_completion c;

	nvme_queue_put(&n->admin, command);
	nvme_queue_kick(&n->admin);
	do {
		if (nvme_queue_take(&n->admin, &c) && c.id == command->id)
			return c.status >> 1;
	} while (n->clock_ns(n->context) - start < limit);
	return NO_STATUS;
}

static bool identify(struct nvme *n, uint32_t what, uint32_t nsid)
{
	struct nvme_command command = {
		.opcode = OP_IDENTIFY, .id = (uint16_t)(what + 1), .nsid = nsid,
		.prp1 = page_dma(n, NVME_IDENTIFY), .word10 = what };

	memset(page_of(n, NVME_IDENTIFY), 0, NVME_PAGE);
	return admin_run(n, &command) == 0;
}

static const char *identify_all(struct nvme *n)
{
	struct nvme_identity *id = &n->identity;
	const uint8_t *page = page_of(n, NVME_IDENTIFY);
	const char *wrong;

	if (!identify(n, WHAT_CONTROLLER, 0))
		return "it does not say what it is";
	wrong = nvme_identity_controller(id, page);
	if (wrong)
		return wrong;
	if (!identify(n, WHAT_LIST, 0))
		return "it does not list its namespaces";
	wrong = nvme_identity_list(id, page);
	if (wrong)
		return wrong;
	if (!identify(n, WHAT_NAMESPACE, id->nsid))
		return "it does not say what its namespace is";
	return nvme_identity_namespace(id, page);
}

/* 5.21.1.7, 5.3, 5.4: one pair of queues, as large as there are slots. */
static const char *queues_create(struct nvme *n)
{
	uint32_t completions = n->interrupts ? (uint32_t)n->vector << 16 | INTERRUPTS : 0;
	uint32_t size = (uint32_t)(n->io.queue.entries - 1) << 16 | IO_QUEUE;
	const struct nvme_command command[] = {
		{ .opcode = OP_SET_FEATURES, .id = 11, .word10 = FEATURE_QUEUES },
		{ .opcode = OP_CREATE_CQ, .id = 12, .prp1 = page_dma(n, NVME_IO_CQ), .word10 = size,
		  .word11 = CONTIGUOUS | completions },
		{ .opcode = OP_CREATE_SQ, .id = 13, .prp1 = page_dma(n, NVME_IO_SQ), .word10 = size,
		  .word11 = (uint32_t)IO_QUEUE << 16 | CONTIGUOUS },
	};

	nvme_queue_init(&n->io.queue, page_of(n, NVME_IO_SQ), page_of(n, NVME_IO_CQ),
	                n->io.queue.entries);
	bells_set(n, &n->io.queue, IO_QUEUE);
	for (unsigned i = 0; i < ARRAY_LEN(command); i++) {
		if (admin_run(n, &command[i]) != 0)
			return "it makes no queues";
	}
	return NULL;
}

/* How requests become commands, by what the namespace is. */
static void io_shape(struct nvme *n)
{
	struct nvme_io *io = &n->io;

	io->lists = page_of(n, NVME_LISTS);
	io->lists_dma = page_dma(n, NVME_LISTS);
	io->nsid = n->identity.nsid;
	io->block_shift = (uint32_t)__builtin_ctz(n->identity.block_bytes);
	io->part_bytes = (uint32_t)min_u64(n->identity.transfer_max, NVME_PART_MAX);
	io->slots = n->io.queue.entries - 1u;
}

/* What the capability register says (3.1.1), once. */
static const char *capabilities_take(struct nvme *n)
{
	uint32_t low, high;

	if (n->registers_bytes < BELLS)
		return "its registers are too few";
	low = reg_read(n, CAP);
	high = reg_read(n, CAP + 4);
	if (low == ~0u && high == ~0u)
		return "it does not answer";
	n->stride = 4u << (high & 15);
	if (n->registers_bytes - BELLS < (uint64_t)BELLS_USED * n->stride)
		return "its doorbells lie outside its registers";
	if (!(high >> 5 & 1))
		return "it does not take the NVM command set";
	if (high >> 16 & 15)
		return "it takes no memory pages of 4096 bytes";
	n->timeout_ns = ((low >> 24) + 1ul) * 500000000ul;
	n->io.queue.entries = (uint16_t)min_u64((low & 0xffff) + 1ul, NVME_ENTRIES);
	return n->io.queue.entries < 2 ? "its queues are too short" : NULL;
}

const char *nvme_start(struct nvme *n)
{
	const char *wrong = capabilities_take(n);

	if (wrong)
		return wrong;
	if (!nvme_stop(n))
		return "it does not stop";
	wrong = controller_enable(n);
	if (!wrong)
		wrong = identify_all(n);
	if (!wrong)
		wrong = queues_create(n);
	if (!wrong)
		io_shape(n);
	return wrong;
}

const char *nvme_restart(struct nvme *n)
{
	const char *wrong;

	if (!nvme_stop(n))
		return "it does not stop";
	wrong = controller_enable(n);
	return wrong ? wrong : queues_create(n);
}
