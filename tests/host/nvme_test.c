/* SPDX-License-Identifier: MIT */
/*
 * nvme_test.c - the NVMe code that kernel and library share against a controller in memory, honest
 * and hostile.
 *
 * Invariant: each accepted request comes back once; with an honest controller the data are those of
 * a model, whatever the pieces; a hostile one makes nothing come back that is not with it.  The
 * fake controller reads address lists by its own code, and checks each address it is given.
 */
// sources: exo/base/nvme.c exo/base/nvme_control.c exo/base/nvme_identity.c
#include <stdlib.h>

#include <base/nvme.h>

#include "test.h"

#define DMA        0x7000000000ul       /* what the controller calls the first byte of ram */
#define BUFFERS    256u                 /* pages that requests use */
#define RAM_BYTES  ((NVME_PAGES + BUFFERS) * NVME_PAGE)
#define MEDIUM     (1u << 20)
#define COOKIES    1000u

static _Alignas(4096) uint8_t ram[RAM_BYTES];
static uint8_t medium[MEDIUM], model[MEDIUM];
static _Alignas(8) uint8_t registers[0x2000];
static struct nvme n;
static uint64_t now_ns;

/* How the fake behaves. */
static struct {
	unsigned block_shift;
	uint8_t mdts;
	uint16_t queue_max;
	bool dead;              /* does nothing any more */
	bool never_ready;
	unsigned fail_opcode;   /* admin command that gets an error; 0: none */
	uint8_t id[3][NVME_PAGE];
} fake;

/* The controller's own state. */
static struct {
	bool ready;
	uint16_t sq_head[2], cq_tail[2], entries[2];
	unsigned phase[2];
	uint64_t sq[2], cq[2];
	struct nvme_command held[NVME_ENTRIES];
	unsigned holds;
	unsigned commands, bad;
	bool fua_seen, discard_seen, flush_seen;
} ctl;

static uint32_t *reg(unsigned off) { return (uint32_t *)(registers + off); }
static uint64_t reg64(unsigned off) { return *reg(off) | (uint64_t)*reg(off + 4) << 32; }

static void *at(uint64_t dma, uint64_t bytes)
{
	if (dma < DMA || dma - DMA > RAM_BYTES || bytes > RAM_BYTES - (dma - DMA)) {
		ctl.bad++;
		return ram;
	}
	return ram + (dma - DMA);
}

static void complete(unsigned q, uint16_t id, unsigned status)
{
	struct nvme_completion *c = at(ctl.cq[q], 16ul * ctl.entries[q]);

	c += ctl.cq_tail[q];
	c->id = id;
	c->sq_id = (uint16_t)q;
	c->sq_head = ctl.sq_head[q];
	__atomic_store_n(&c->status, (uint16_t)(status << 1 | ctl.phase[q]), __ATOMIC_RELEASE);
	if (++ctl.cq_tail[q] == ctl.entries[q]) {
		ctl.cq_tail[q] = 0;
		ctl.phase[q] ^= 1;
	}
}

/* Figure 3 of 4.3, by its own words: page by page. */
static void transfer(const struct nvme_command *c, uint8_t *disk, uint64_t bytes, bool to_memory)
{
	uint64_t done = 0, page = c->prp1;
	uint64_t first = bytes < 4096 - page % 4096 ? bytes : 4096 - page % 4096;
	unsigned rest = (unsigned)((bytes - first + 4095) / 4096);

	for (unsigned i = 0; i <= rest; i++) {
		uint64_t here = i == 0 ? first : bytes - done < 4096 ? bytes - done : 4096;

		if (i && rest == 1)
			page = c->prp2;
		else if (i)
			page = *(uint64_t *)at(c->prp2 + 8 * (i - 1), 8);
		if (i && page % 4096)
			ctl.bad++;
		if (rest > 1 && c->prp2 / 4096 != (c->prp2 + 8 * rest - 1) / 4096)
			ctl.bad++;
		if (to_memory)
			memcpy(at(page, here), disk + done, here);
		else
			memcpy(disk + done, at(page, here), here);
		done += here;
	}
}

static unsigned io_run(const struct nvme_command *c)
{
	uint64_t block = c->word10 | (uint64_t)c->word11 << 32;
	uint64_t bytes = ((c->word12 & 0xffff) + 1ul) << fake.block_shift;

	ctl.commands++;
	if (c->nsid != 7)
		ctl.bad++;
	if (c->opcode == 0) {
		ctl.flush_seen = true;
		return 0;
	}
	if (c->opcode == 9) {
		const uint64_t *range = at(c->prp1, 16);

		ctl.discard_seen = c->word10 == 0 && c->word11 == 4;
		memset(medium + (range[1] << fake.block_shift), 0,
		       range[0] >> 32 << fake.block_shift);
		return 0;
	}
	if (c->opcode != 1 && c->opcode != 2)
		return 1;
	if (fake.mdts && bytes > 4096ul << fake.mdts)
		return 2;
	block <<= fake.block_shift;
	if (block > MEDIUM || bytes > MEDIUM - block)
		return 0x80;
	if (c->word12 >> 30 & 1)
		ctl.fua_seen = c->opcode == 1;
	transfer(c, medium + block, bytes, c->opcode == 2);
	return 0;
}

static unsigned admin_run_fake(const struct nvme_command *c)
{
	unsigned size = (c->word10 >> 16) + 1;

	if (c->opcode == fake.fail_opcode)
		return 2;
	switch (c->opcode) {
	case 6:
		if (c->word10 > 2 || (c->word10 == 0 && c->nsid != 7))
			return 0xb;
		memcpy(at(c->prp1, 4096), fake.id[c->word10], 4096);
		return 0;
	case 9:
		return c->word10 == 7 ? 0 : 2;
	case 5:
		ctl.cq[1] = c->prp1;
		ctl.entries[1] = (uint16_t)size;
		ctl.cq_tail[1] = 0;
		ctl.phase[1] = 1;
		return (c->word10 & 0xffff) == 1 && c->word11 & 1 ? 0 : 1;
	case 1:
		ctl.sq[1] = c->prp1;
		ctl.sq_head[1] = 0;
		return (c->word10 & 0xffff) == 1 && c->word11 == (1 << 16 | 1) &&
		       size == ctl.entries[1] ? 0 : 1;
	default:
		return 1;
	}
}

static void fake_enable(void)
{
	ctl.sq[0] = reg64(0x28);
	ctl.cq[0] = reg64(0x30);
	ctl.entries[0] = (uint16_t)((*reg(0x24) & 0xfff) + 1);
	ctl.sq_head[0] = ctl.cq_tail[0] = 0;
	ctl.phase[0] = 1;
	ctl.sq[1] = ctl.cq[1] = 0;
	ctl.holds = 0;
	memset(registers + 0x1000, 0, 32);
	if (*reg(0x14) != (1 | 6 << 16 | 4 << 20))
		ctl.bad++;
	ctl.ready = !fake.never_ready;
	*reg(0x1c) = ctl.ready;
}

/* Take new commands: admin ones are done at once, the others are held. */
static void fake_fetch(unsigned q)
{
	uint16_t tail = (uint16_t)*reg(0x1000 + 8 * q);

	while (ctl.sq[q] && ctl.sq_head[q] != tail) {
		struct nvme_command *c = at(ctl.sq[q] + 64ul * ctl.sq_head[q], 64);

		ctl.sq_head[q] = (uint16_t)((ctl.sq_head[q] + 1) % ctl.entries[q]);
		if (q == 0)
			complete(0, c->id, admin_run_fake(c));
		else if (ctl.holds < NVME_ENTRIES)
			ctl.held[ctl.holds++] = *c;
		else
			ctl.bad++;
	}
}

static void fake_turn(void)
{
	if (fake.dead)
		return;
	if (!(*reg(0x14) & 1)) {
		ctl.ready = false;
		*reg(0x1c) = 0;
		return;
	}
	if (!ctl.ready) {
		fake_enable();
		return;
	}
	fake_fetch(0);
	fake_fetch(1);
}

/* Do one of the held commands, any. */
static void fake_work(void)
{
	unsigned i;

	fake_turn();
	if (!ctl.holds)
		return;
	i = (unsigned)rand() % ctl.holds;
	complete(1, ctl.held[i].id, io_run(&ctl.held[i]));
	ctl.held[i] = ctl.held[--ctl.holds];
}

static uint64_t fake_clock(void *context)
{
	(void)context;
	fake_turn();
	return now_ns += 1000000;
}

static void put32(uint8_t *page, unsigned off, uint32_t v) { memcpy(page + off, &v, 4); }

static void fake_make(unsigned block_shift, uint8_t mdts, uint16_t queue_max)
{
	memset(&fake, 0, sizeof fake);
	memset(&ctl, 0, sizeof ctl);
	memset(registers, 0, sizeof registers);
	memset(ram, 0, RAM_BYTES);
	fake.block_shift = block_shift;
	fake.mdts = mdts;
	*reg(0) = (queue_max - 1u) | 4u << 24;
	*reg(4) = 1 << 5;
	memcpy(fake.id[1] + 4, "serial 42           ", 20);
	memcpy(fake.id[1] + 24, "fake\x01", 5);
	fake.id[1][77] = mdts;
	fake.id[1][512] = 0x66;
	fake.id[1][513] = 0x44;
	put32(fake.id[1], 516, 9);
	put32(fake.id[1], 520, 4);
	fake.id[1][525] = 1;
	put32(fake.id[2], 0, 7);
	put32(fake.id[2], 4, 8);
	put32(fake.id[0], 0, MEDIUM >> block_shift);
	fake.id[0][25] = 1;
	fake.id[0][26] = 1;
	put32(fake.id[0], 132, block_shift << 16);
}

static const char *start(void)
{
	memset(&n, 0, sizeof n);
	n.registers = registers;
	n.registers_bytes = sizeof registers;
	n.memory = ram;
	n.dma = DMA;
	n.clock_ns = fake_clock;
	return nvme_start(&n);
}

/* --- honest: data against the model --- */

static struct { bool busy; enum nvme_op op; uint64_t block; uint32_t bytes; uint64_t offset[8];
	        uint32_t length[8]; unsigned pieces; } asked[COOKIES];
static unsigned page_next;

/* Pieces that do not overlap those of requests in flight: pages are taken in turn. */
static uint32_t pieces_make(unsigned cookie, struct nvme_piece *piece)
{
	uint32_t block = 1u << fake.block_shift, total = 0;
	unsigned count = 1 + (unsigned)rand() % 4;

	for (unsigned i = 0; i < count; i++) {
		bool join = rand() % 2;
		uint32_t pages = 1 + (uint32_t)rand() % 4;
		uint32_t off = join ? 0 : block * ((uint32_t)rand() % (4096 / block));
		uint32_t bytes = join ? pages * 4096 :
			block + block * ((uint32_t)rand() % ((pages * 4096 - off) / block));

		if (off + bytes > pages * 4096)
			bytes = pages * 4096 - off;
		if (page_next + pages > BUFFERS)
			page_next = 0;
		asked[cookie].offset[i] = (NVME_PAGES + page_next) * 4096ul + off;
		asked[cookie].length[i] = bytes;
		piece[i] = (struct nvme_piece){ DMA + asked[cookie].offset[i], bytes };
		page_next += pages;
		total += bytes;
	}
	asked[cookie].pieces = count;
	return total;
}

static int ask(unsigned cookie, enum nvme_op op)
{
	struct nvme_piece piece[8];
	uint32_t bytes = pieces_make(cookie, piece);
	uint64_t blocks = MEDIUM >> fake.block_shift, at_byte;
	struct nvme_request r = { .op = op, .cookie = cookie, .piece = piece,
	                          .pieces = asked[cookie].pieces, .fua = rand() % 4 == 0 };
	int err;

	r.block = (uint64_t)rand() % (blocks - (bytes >> fake.block_shift) + 1);
	asked[cookie].op = op;
	asked[cookie].block = r.block;
	asked[cookie].bytes = bytes;
	if (op == NVME_WRITE) {
		for (unsigned i = 0; i < r.pieces; i++)
			for (uint32_t b = 0; b < piece[i].bytes; b++)
				ram[asked[cookie].offset[i] + b] = (uint8_t)rand();
	}
	err = nvme_io_submit(&n.io, &r);
	if (err)
		return err;
	asked[cookie].busy = true;
	at_byte = r.block << fake.block_shift;
	for (unsigned i = 0; op == NVME_WRITE && i < r.pieces; i++) {
		memcpy(model + at_byte, ram + asked[cookie].offset[i], piece[i].bytes);
		at_byte += piece[i].bytes;
	}
	return 0;
}

static bool same(unsigned cookie)
{
	uint64_t at_byte = asked[cookie].block << fake.block_shift;

	for (unsigned i = 0; i < asked[cookie].pieces; i++) {
		if (memcmp(ram + asked[cookie].offset[i], model + at_byte, asked[cookie].length[i]))
			return false;
		at_byte += asked[cookie].length[i];
	}
	return true;
}

/* A few at a time, so that their buffers and blocks do not meet: then the model is exact. */
static void honest(unsigned block_shift, uint8_t mdts, uint16_t queue_max)
{
	struct nvme_done done;

	fake_make(block_shift, mdts, queue_max);
	CHECK(!start());
	memset(medium, 1, MEDIUM);
	memset(model, 1, MEDIUM);
	for (unsigned round = 0; round < 3000; round++) {
		enum nvme_op op = rand() % 2 ? NVME_READ : NVME_WRITE;
		unsigned together = op == NVME_READ ? 1 + (unsigned)rand() % 8 : 1;
		unsigned back = 0, out = 0;

		for (unsigned i = 0; i < together; i++) {
			int err = ask(i, op);

			CHECK(err == 0 || err == NVME_FULL);
			CHECK(err == 0 || out > 0);
			out += err == 0;
			asked[i].busy = err == 0;
		}
		nvme_io_kick(&n.io);
		for (unsigned turns = 0; back < out && turns < 10000; turns++) {
			fake_work();
			while (nvme_io_reap(&n.io, &done)) {
				CHECK(done.cookie < together && asked[done.cookie].busy);
				CHECK_EQ(done.status, 0);
				CHECK(same((unsigned)done.cookie));
				asked[done.cookie].busy = false;
				back++;
			}
		}
		CHECK_EQ(back, out);
		CHECK(!n.io.used && !n.io.flying);
	}
	CHECK(memcmp(medium, model, MEDIUM) == 0);
	CHECK_EQ(ctl.bad, 0);
	CHECK(ctl.fua_seen);
}

TEST(honest_data_of_any_shape)
{
	honest(9, 0, 1024);
	honest(12, 0, 64);
	honest(9, 1, 33);
	honest(12, 2, 17);
	honest(10, 1, 9);
}

TEST(what_it_says_of_itself)
{
	fake_make(9, 3, 1024);
	CHECK(!start());
	CHECK(!strcmp(n.identity.serial, "serial 42") && !strcmp(n.identity.model, "fake?"));
	CHECK(n.identity.nsid == 7 && n.identity.others == 1 && n.identity.namespaces == 9);
	CHECK(n.identity.blocks == MEDIUM / 512 && n.identity.block_bytes == 512);
	CHECK(n.identity.transfer_max == 32768 && n.identity.cache && n.identity.discard);
	CHECK(n.io.slots == 63 && n.io.part_bytes == 32768 && !n.identity.read_only);
	fake.id[0][99] = 1;
	CHECK(!start() && n.identity.read_only);
}

TEST(flush_and_discard)
{
	struct nvme_request r = { .op = NVME_FLUSH, .cookie = 3 };
	struct nvme_done done;

	fake_make(12, 0, 64);
	CHECK(!start());
	memset(medium, 1, MEDIUM);
	CHECK_EQ(nvme_io_submit(&n.io, &r), 0);
	r = (struct nvme_request){ .op = NVME_DISCARD, .block = 5, .count = 2, .cookie = 4 };
	CHECK_EQ(nvme_io_submit(&n.io, &r), 0);
	nvme_io_kick(&n.io);
	fake_work();
	fake_work();
	CHECK(nvme_io_reap(&n.io, &done) && nvme_io_reap(&n.io, &done) &&
	      !nvme_io_reap(&n.io, &done));
	CHECK(ctl.flush_seen && ctl.discard_seen && !ctl.bad);
	CHECK(medium[5 * 4096 - 1] == 1 && !medium[5 * 4096] && !medium[7 * 4096 - 1] &&
	      medium[7 * 4096] == 1);
}

TEST(shapes_are_refused)
{
	struct nvme_piece piece[64] = { { DMA, 0 } };
	struct nvme_request r = { .op = NVME_READ, .piece = piece, .pieces = 1 };

	fake_make(12, 1, 17);
	CHECK(!start());
	CHECK_EQ(nvme_io_submit(&n.io, &r), NVME_SHAPE);
	piece[0].bytes = 512;
	CHECK_EQ(nvme_io_submit(&n.io, &r), NVME_SHAPE);
	piece[0] = (struct nvme_piece){ DMA + 2, 4096 };
	CHECK_EQ(nvme_io_submit(&n.io, &r), NVME_SHAPE);
	r.pieces = 0;
	CHECK_EQ(nvme_io_submit(&n.io, &r), NVME_SHAPE);
	piece[0] = (struct nvme_piece){ DMA, 0xfffff000 };
	r.pieces = 1;
	CHECK_EQ(nvme_io_submit(&n.io, &r), NVME_SHAPE);
	for (unsigned i = 0; i < 64; i++)       /* none joins the next */
		piece[i] = (struct nvme_piece){ DMA + 512, 4096 };
	r.pieces = 17;
	CHECK_EQ(nvme_io_submit(&n.io, &r), NVME_SHAPE);
	r.pieces = 16;
	CHECK_EQ(nvme_io_submit(&n.io, &r), 0);
	CHECK_EQ(nvme_io_submit(&n.io, &r), NVME_FULL);
}

/* --- hostile --- */

/* Commands with the controller belong to requests that wait for just as many. */
static bool sound(void)
{
	unsigned with[NVME_SLOTS] = { 0 };

	if (n.io.flying & (~n.io.used | n.io.lost))
		return false;
	for (unsigned i = 0; i < n.io.slots; i++)
		with[n.io.request[i]] += n.io.flying >> i & 1;
	for (unsigned i = 0; i < n.io.slots; i++)
		if (with[i] && with[i] != n.io.left[i])
			return false;
	return true;
}

TEST(hostile_completions)
{
	unsigned flying = 0, total = 0, wrong_back = 0, unsound = 0, came = 0;
	static bool out[COOKIES];
	struct nvme_done done;

	fake_make(9, 1, 64);
	CHECK(!start());
	for (unsigned step = 0; step < 300000; step++) {
		unsigned cookie = total % COOKIES;

		if (rand() % 3 == 0 && !out[cookie] && ask(cookie, NVME_READ) == 0) {
			out[cookie] = true;
			total++;
			flying++;
			nvme_io_kick(&n.io);
		}
		switch (rand() % 6) {
		case 0:         /* anything at all, also twice */
			complete(1, (uint16_t)(rand() % 70), (unsigned)rand() % 3);
			break;
		case 1:
			complete(1, (uint16_t)rand(), 0);
			break;
		case 2: {       /* a random phase and place */
			struct nvme_completion *c = at(ctl.cq[1], 1024);

			c[rand() % 64].status ^= 1;
			break;
		}
		case 3:
			fake_work();
			break;
		default:
			for (unsigned i = 0; i < 200 && nvme_io_reap(&n.io, &done); i++) {
				wrong_back += done.cookie >= COOKIES || !out[done.cookie];
				out[done.cookie % COOKIES] = false;
				flying--;
				came++;
			}
		}
		unsound += !sound();
	}
	CHECK_EQ(wrong_back, 0);
	CHECK_EQ(unsound, 0);
	CHECK(came > 1000 && flying <= 63);
	/* A restart brings the rest back, and it works again. */
	CHECK(!nvme_restart(&n));
	while (nvme_io_reap(&n.io, &done)) {
		CHECK(done.cookie < COOKIES && out[done.cookie] && done.status);
		out[done.cookie] = false;
		flying--;
	}
	CHECK_EQ(flying, 0);
	CHECK(ask(1, NVME_READ) == 0);
	nvme_io_kick(&n.io);
	for (unsigned i = 0; i < 64; i++)
		fake_work();
	CHECK(nvme_io_reap(&n.io, &done) && done.cookie == 1 && done.status == 0);
}

TEST(stuck_controller)
{
	struct nvme_done done;
	unsigned back = 0;

	fake_make(9, 0, 64);
	CHECK(!start());
	for (unsigned i = 0; i < 10; i++)
		CHECK_EQ(ask(i, NVME_WRITE), 0);
	nvme_io_kick(&n.io);
	fake.dead = true;
	now_ns = 0;
	n.wait_ns = 50000000;
	CHECK(nvme_restart(&n));
	CHECK(now_ns < 60000000);               /* the wait has its bound */
	CHECK_EQ(ask(20, NVME_READ), NVME_FULL);
	while (nvme_io_reap(&n.io, &done))
		back += done.status == NVME_LOST;
	CHECK_EQ(back, 10);
	fake.dead = false;
	CHECK(!nvme_restart(&n));
	CHECK_EQ(ask(20, NVME_READ), 0);
}

#define REFUSED(...) do { fake_make(9, 0, 64); __VA_ARGS__; CHECK(start() != NULL); } while (0)

TEST(bad_controllers_are_refused)
{
	REFUSED(*reg(0) = *reg(4) = ~0u);
	REFUSED(*reg(4) = 0);                           /* no NVM command set */
	REFUSED(*reg(4) = 1 << 5 | 1 << 16);            /* pages of 8 KiB at least */
	REFUSED(*reg(4) = 1 << 5 | 15);                 /* doorbells outside */
	REFUSED(*reg(0) = 4u << 24);                    /* one entry */
	REFUSED(fake.never_ready = true);
	REFUSED(fake.dead = true; *reg(0x1c) = 1);
	REFUSED(fake.fail_opcode = 6);
	REFUSED(fake.fail_opcode = 5);
	REFUSED(fake.fail_opcode = 1);
	REFUSED(fake.id[1][512] = 0x77);
	REFUSED(fake.id[1][111] = 3);
	REFUSED(put32(fake.id[2], 0, 0));
	REFUSED(put32(fake.id[2], 0, ~0u));
	REFUSED(put32(fake.id[0], 0, 0));
	REFUSED(put32(fake.id[0], 4, ~0u));
	REFUSED(put32(fake.id[0], 132, 8 << 16));
	REFUSED(put32(fake.id[0], 132, 13 << 16));
	REFUSED(put32(fake.id[0], 132, 9 << 16 | 8));
	REFUSED(fake.id[0][26] = 2);
	REFUSED(fake.id[0][29] = 1);
}

/* Random pages of Identify: refused or sound. */
TEST(identities_at_random)
{
	static uint8_t page[NVME_PAGE];
	unsigned sound = 0;

	for (unsigned run = 0; run < 20000; run++) {
		struct nvme_identity id = { 0 };

		for (unsigned i = 0; i < NVME_PAGE; i += 4)
			put32(page, i, rand() % 2 ? (uint32_t)rand() : 0);
		if (rand() % 2) {
			page[29] = 0;
			page[26] = page[25] = 3;
			put32(page, 140, ((uint32_t)rand() % 16) << 16);
		}
		nvme_identity_controller(&id, page);
		CHECK(strnlen(id.serial, 21) < 21 && strnlen(id.model, 41) < 41);
		if (nvme_identity_namespace(&id, page))
			continue;
		sound++;
		CHECK(id.block_bytes >= 512 && id.block_bytes <= 4096 && id.blocks);
		CHECK(id.blocks <= UINT64_MAX / id.block_bytes);
	}
	CHECK(sound > 500);
}

TEST_MAIN
