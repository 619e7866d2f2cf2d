/* SPDX-License-Identifier: MIT */
/*
 * acpi_kernel_ports_test.c - the list of ports that can be claimed, and the batched call on
 * fake ports.
 *
 * Invariant: whatever the FADT says, no port that reaches memory or configuration space is listed,
 * and no access leaves the claim.
 */
// sources: exo/x86/port.c exo/x86/port_list.c exo/x86/port_holder.c exo/base/string.c
// sources: exo/lock.c
// includes: exo
// flags: -include tests/host/virtio_fake.h -fno-builtin
#include <stdio.h>
#include <stdlib.h>

#include "claim.h"
#include "dev/acpi.h"
#include "kernel.h"
#include "x86/port.h"
#include "tree_fake.h"
#include <exo/port.h>

uint8_t *fake_ram;
void *percpu_self(void) { return &the_cpu; }

struct acpi_info acpi;
static unsigned failures, accesses, longest, held_for;
static uint64_t seen_port, seen_value, seen_size;
static uint32_t answer = 0x5a;
static unsigned answer_after;   /* accesses until a status port says yes */

#define EXPECT(cond) \
	do { \
		if (!(cond) && failures++ < 20) \
			printf("# line %d: %s\n", __LINE__, #cond); \
	} while (0)

void interrupts_window(void) { }
void spin_wait(void) { abort(); }
void *boot_export(uint64_t bytes) { return calloc(1, bytes); }
static exo_sid port_words[PORTS];
void *boot_frames(uint64_t count)
{
	EXPECT(count * EXO_PAGE_SIZE == sizeof(port_words));
	return memset(port_words, 0, sizeof(port_words));
}

static void note(uint16_t port, unsigned size, uint32_t value)
{
	EXPECT(LOCKED(tree_lock) && port >= 0x3f8 && port + size <= 0x400);
	seen_port = port;
	seen_size = size;
	seen_value = value;
	accesses++;
	held_for++;
	if (held_for > longest)
		longest = held_for;
}
static uint32_t say(uint16_t port, unsigned size)
{
	note(port, size, 0);
	return answer_after && --answer_after ? 0 : answer;
}
void out8(uint16_t port, uint8_t v) { note(port, 1, v); }
void out16(uint16_t port, uint16_t v) { note(port, 2, v); }
void out32(uint16_t port, uint32_t v) { note(port, 4, v); }
uint8_t in8(uint16_t port) { return (uint8_t)say(port, 1); }
uint16_t in16(uint16_t port) { return (uint16_t)say(port, 2); }
uint32_t in32(uint16_t port) { return say(port, 4); }

bool table_serves(struct env *e, uint64_t pfn)
{
	EXPECT(LOCKED(tree_lock) && e == env_at(2));
	held_for = 0;
	return pfn == 1;
}

/* User memory is fake memory; above 1 MiB nothing is mapped, from 512 KiB on nothing writable. */
int copy_in(void *dst, uint64_t user, uint64_t bytes)
{
	EXPECT(!LOCKED(tree_lock));
	if (!range_fits(user, bytes, 1u << 20))
		return -EXO_E_FAULT;
	memcpy(dst, fake_ram + user, bytes);
	return 0;
}
int copy_out(uint64_t user, const void *src, uint64_t bytes)
{
	EXPECT(!LOCKED(tree_lock));
	if (!range_fits(user, bytes, 1u << 19))
		return -EXO_E_FAULT;
	memcpy(fake_ram + user, src, bytes);
	return 0;
}

static void verdict(const char *name)
{
	static unsigned before;

	printf(failures == before ? "ok %s\n" : "FAIL %s: see the lines above\n", name);
	before = failures;
}

static bool listed(uint32_t port)
{
	for (uint32_t i = 0; i < ports.count; i++)
		if (port >= ports.info[i].lo && port - ports.info[i].lo < ports.info[i].count)
			return true;
	return false;
}

static void expect_kept(void)
{
	static const uint16_t kept[] = {
		0, 8, 0x1f, 0x20, 0x21, 0x40, 0x43, 0x80, 0x92, 0xa0, 0xb2, 0xc0, 0xdf,
		0x4d0, 0x510, 0x511, 0x514, 0x51b, 0xcf8, 0xcfa, 0xcfb, 0xcfc, 0xcff };

	for (unsigned i = 0; i < ARRAY_LEN(kept); i++)
		EXPECT(!listed(kept[i]));
	for (uint32_t i = 0; i < ports.count; i++)
		EXPECT(ports.info[i].count && ports.info[i].name[0] && !ports.info[i].name[23]);
}

static void list(bool debug_exit)
{
	free(ports.info);
	ports_start(debug_exit);
	expect_kept();
}

static void test_list(void)
{
	list(false);
	EXPECT(listed(0x3f8) && listed(0x3ff) && listed(0x70) && listed(0x64) && !listed(0xf4));
	EXPECT(ports.count == 5 && !listed(0xcf9));
	acpi = (struct acpi_info){
		.pm1a_control = 0x604, .reset_port = 0xcf9, .smi_command = 0xb2 };
	list(true);
	EXPECT(listed(0x604) && listed(0x605) && listed(0xcf9) && listed(0xf4) && listed(0xf7));
	EXPECT(ports.count == 8);
	acpi = (struct acpi_info){ .reset_port = 0x64, .smi_command = 0x3fa };
	list(false);
	EXPECT(ports.count == 4 && !listed(0x3f8));     /* the first serial port would cover SMI */
	for (uint32_t port = 1; port < 0x10000; port++) {
		acpi = (struct acpi_info){ .pm1a_control = (uint16_t)port,
			.pm1b_control = (uint16_t)(port + 2), .reset_port = (uint16_t)(port + 3) };
		list(true);
	}
	verdict("ports_listed_are_harmless");
}

static void test_words(void)
{
	EXPECT(string_has_word("a debug-exit b", 14, "debug-exit"));
	EXPECT(string_has_word("debug-exit", 10, "debug-exit"));
	EXPECT(!string_has_word("debug-exit", 9, "debug-exit"));
	EXPECT(!string_has_word("xdebug-exit debug-exity debug", 29, "debug-exit"));
	EXPECT(!string_has_word("a\0debug-exit", 12, "debug-exit"));
	EXPECT(string_has_word("\t debug-exit\n", 13, "debug-exit"));
	EXPECT(!string_has_word("", 0, "debug-exit"));
	verdict("ports_boot_line_words");
}

static struct exo_cap *claim(void)
{
	struct exo_cap *c = pfn_to_virt(1);

	c->kind = EXO_KIND_PORT;
	c->rights = EXO_R_CONTROL;
	c->gen = 3;
	c->lo = 0x3f8;
	c->hi = 0x400;
	ports_move(c->lo, c->hi, 0, slot_sid(c));
	return c;
}

static int64_t run(const struct exo_port_op *op, uint64_t count)
{
	memcpy(fake_ram + 0x10000, op, count * sizeof(*op));
	accesses = 0;
	return sys_port_io(env_at(2), slot_name(claim()), 0x10000, count);
}

static uint32_t value_back(unsigned n)
{
	return ((struct exo_port_op *)(fake_ram + 0x10000))[n].value;
}

static void test_batch(void)
{
	struct exo_port_op op[64] = { 0 };

	for (unsigned i = 0; i < 64; i++)
		op[i] = (struct exo_port_op){
			.port = 0x3f8, .size = 1, .op = EXO_PORT_OUT, .value = i };
	EXPECT(run(op, 64) == 64 && accesses == 64 && seen_value == 63 && seen_port == 0x3f8);
	op[40] = (struct exo_port_op){ .port = 0x3fc, .size = 4, .op = EXO_PORT_IN };
	answer = 0x12345678;
	EXPECT(run(op, 64) == 64 && value_back(40) == 0x12345678 && value_back(41) == 41);
	answer = 0x20;
	answer_after = 100;
	op[20] = (struct exo_port_op){ .port = 0x3fd, .size = 1, .op = EXO_PORT_UNTIL, .mask = 0x20,
		.want = 0x20, .tries = 500 };
	op[40].op = EXO_PORT_OUT;
	EXPECT(run(op, 64) == 64 && accesses == 63 + 100 && value_back(20) == 0x20);
	op[20].tries = 99;
	answer_after = 100;
	EXPECT(run(op, 64) == 20 && accesses == 20 + 99 && value_back(20) == 0);
	answer_after = 100;
	EXPECT(run(op + 20, 1) == 0);
	for (unsigned i = 0; i < 64; i++) {
		op[i] = op[20];
		op[i].tries = EXO_PORT_TRIES;
	}
	answer_after = 0;
	answer = 0x20;
	EXPECT(run(op, 64) == 64 && accesses == 64);
	answer = 0;
	EXPECT(run(op, 64) == 0 && accesses == EXO_PORT_TRIES);
	EXPECT(longest <= 64);
	verdict("ports_batch");
}

static void test_refusals(void)
{
	struct exo_port_op good = { .port = 0x3f8, .size = 1, .op = EXO_PORT_OUT };
	struct exo_port_op bad[2] = { good, good };
	struct exo_cap *c = claim(), *child = c + 1;

	EXPECT(run(&good, 1) == 1);
	EXPECT(sys_port_io(env_at(2), slot_name(c), 0x10000, 0) == -EXO_E_ARG);
	EXPECT(sys_port_io(env_at(2), slot_name(c), 0x10000, 65) == -EXO_E_ARG);
	EXPECT(sys_port_io(env_at(2), slot_name(c), 1u << 20, 1) == -EXO_E_FAULT);
	EXPECT(sys_port_io(env_at(2), slot_name(c), ~0ul - 8, 1) == -EXO_E_FAULT);
	EXPECT(sys_port_io(env_at(2), slot_name(c) + (1ul << 32), 0x10000, 1) == -EXO_E_STALE);
	bad[1].size = 3;
	EXPECT(run(bad, 2) == 1 && run(bad + 1, 1) == -EXO_E_ARG && !accesses);
	bad[1] = (struct exo_port_op){ .port = 0x3f8, .size = 1, .op = 3 };
	EXPECT(run(bad, 2) == 1 && run(bad + 1, 1) == -EXO_E_ARG && !accesses);
	bad[1] = (struct exo_port_op){ .port = 0x3f8, .size = 1, .op = EXO_PORT_UNTIL };
	EXPECT(run(bad + 1, 1) == -EXO_E_ARG);
	bad[1].tries = EXO_PORT_TRIES + 1;
	EXPECT(run(bad + 1, 1) == -EXO_E_ARG);
	bad[1] = (struct exo_port_op){ .port = 0x3f7, .size = 1 };
	EXPECT(run(bad + 1, 1) == -EXO_E_RANGE);
	bad[1] = (struct exo_port_op){ .port = 0x3fd, .size = 4 };
	EXPECT(run(bad + 1, 1) == -EXO_E_RANGE);
	bad[1] = (struct exo_port_op){ .port = 0xffff, .size = 4 };
	EXPECT(run(bad + 1, 1) == -EXO_E_RANGE);
	*child = (struct exo_cap){ .kind = EXO_KIND_PORT, .lo = 0x3fa, .hi = 0x3fb };
	ports_move(0x3fa, 0x3fb, slot_sid(c), slot_sid(child));
	bad[1] = (struct exo_port_op){ .port = 0x3f8, .size = 4 };
	EXPECT(run(bad + 1, 1) == -EXO_E_SPLIT && !accesses);
	EXPECT(run(&good, 1) == 1);
	ports_move(0x3fa, 0x3fb, slot_sid(child), slot_sid(c));
	EXPECT(run(bad + 1, 1) == 1);
	c->flags = EXO_CAP_FROZEN;
	EXPECT(run(&good, 1) == -EXO_E_FROZEN && !accesses);
	c->flags = 0;
	verdict("ports_refusals");
}

/* Something is read into memory that cannot be written. */
static void test_read_only_entries(void)
{
	struct exo_port_op op = { .port = 0x3f8, .size = 1, .op = EXO_PORT_IN };

	memcpy(fake_ram + (1u << 19), &op, sizeof(op));
	EXPECT(sys_port_io(env_at(2), slot_name(claim()), 1u << 19, 1) == -EXO_E_FAULT);
	op.op = EXO_PORT_OUT;
	memcpy(fake_ram + (1u << 19), &op, sizeof(op));
	EXPECT(sys_port_io(env_at(2), slot_name(claim()), 1u << 19, 1) == 1);
	EXPECT(!LOCKED(tree_lock));
	verdict("ports_read_only_entries");
}

int main(void)
{
	fake_ram = aligned_alloc(4096, 2u << 20);
	memset(fake_ram, 0, 2u << 20);
	test_list();
	test_words();
	test_batch();
	test_refusals();
	test_read_only_entries();
	free(ports.info);
	free(fake_ram);
	return failures != 0;
}
