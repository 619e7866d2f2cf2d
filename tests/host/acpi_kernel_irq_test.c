/* SPDX-License-Identifier: MIT */
/*
 * acpi_kernel_irq_test.c - interrupt sources over a fake I/O APIC that forgets edges while
 * it masks.
 *
 * Invariant: whatever the order of edges, deliveries and acknowledgements, a device that waits for
 * service has its owner told; a level source delivers once for each acknowledgement.
 */
// sources: exo/dev/irq.c exo/base/string.c exo/lock.c
// includes: exo
// flags: -include tests/host/virtio_fake.h -fno-builtin
#include <stdio.h>
#include <stdlib.h>

#include "claim.h"
#include "dev/acpi.h"
#include "charge.h"
#include "dev/irq.h"
#include "kernel.h"
#include "x86/ioapic.h"
#include "tree_fake.h"

#define INPUTS 24u

uint8_t *fake_ram;
static unsigned failures, posts, reserved, vectors_left = 100;
static bool masked[INPUTS], line[INPUTS];
static struct { interrupt_handler *handler; void *context; } handlers[256];
static unsigned vector_of[INPUTS], vector_next = 48;

#define EXPECT(cond) \
	do { \
		if (!(cond) && failures++ < 20) \
			printf("# line %d: %s\n", __LINE__, #cond); \
	} while (0)

uint64_t charge_begin(void) { return 0; }
bool charge_interrupt(struct env *owner, uint64_t began) { (void)owner, (void)began; return true; }
void spin_wait(void) { abort(); }
void machine_notice(const char *format, ...) { (void)format; }
void *boot_frames(uint64_t count) { return calloc(count, EXO_PAGE_SIZE); }
void *boot_export(uint64_t bytes) { return calloc(1, bytes); }
uint32_t ioapic_inputs(void) { return INPUTS; }
uint32_t ioapic_gsi(uint32_t n) { return n; }
struct ioapic_wire ioapic_wire(uint32_t gsi) { return (struct ioapic_wire){ .level = gsi >= 16 }; }
void ioapic_mask(uint32_t gsi) { masked[gsi] = true; }

void ioapic_route(uint32_t gsi, unsigned vector, uint32_t apic_id)
{
	EXPECT(apic_id == 3);
	vector_of[gsi] = vector;
	masked[gsi] = true;
}

static void deliver(uint32_t gsi)
{
	unsigned v = vector_of[gsi];

	handlers[v].handler(handlers[v].context);
}

/* A level input that is active delivers as soon as it may. */
void ioapic_unmask(uint32_t gsi) { masked[gsi] = false; }

unsigned vector_take(interrupt_handler *handler, void *context)
{
	if (!vectors_left--)
		return 0;
	handlers[vector_next].handler = handler;
	handlers[vector_next].context = context;
	return vector_next++;
}

bool table_serves(struct env *e, uint64_t pfn)
{
	return e == env_at(1) && pfn == 2;
}

void event_post(struct env *e, unsigned entry)
{
	EXPECT(e == env_at(1) && entry == 9 && reserved == 9);
	posts++;
}

int event_reserve(struct env *e, unsigned entry, enum source_kind kind, uint64_t id)
{
	EXPECT(e == env_at(1) && kind == SOURCE_IRQ && id < INPUTS);
	if (reserved)
		return -EXO_E_ROOM;
	reserved = entry;
	return 0;
}

void event_free(struct env *e, unsigned entry)
{
	EXPECT(e == env_at(1) && entry == reserved);
	reserved = 0;
}

static struct exo_cap *claim(uint32_t gsi)
{
	struct exo_cap *c = pfn_to_virt(2);

	c += gsi;
	c->kind = EXO_KIND_IRQ;
	c->rights = EXO_R_CONTROL;
	c->lo = gsi;
	c->hi = gsi + 1;
	return c;
}

static void verdict(const char *name)
{
	static unsigned before;

	printf(failures == before ? "ok %s\n" : "FAIL %s: see the lines above\n", name);
	before = failures;
}

static void test_bind(void)
{
	struct exo_cap *c = claim(4);
	struct env *e = env_at(1);

	EXPECT(irqs.count == INPUTS && irqs.info[4].gsi == 4);
	EXPECT(sys_irq_ack(e, slot_name(c)) == -EXO_E_ARG);
	EXPECT(sys_irq_bind(e, slot_name(c), 256) == -EXO_E_RANGE);
	c->child = 1;
	EXPECT(sys_irq_bind(e, slot_name(c), 9) == -EXO_E_SPLIT);
	c->child = 0;
	c->flags = EXO_CAP_FROZEN;
	EXPECT(sys_irq_bind(e, slot_name(c), 9) == -EXO_E_FROZEN);
	c->flags = 0;
	EXPECT(masked[4] && !c->bind);
	EXPECT(sys_irq_bind(e, slot_name(c), 9) == 0);
	EXPECT(!masked[4] && c->bind == 1 && irqs.info[4].bound_env == 1);
	EXPECT(sys_irq_bind(e, slot_name(c), 9) == -EXO_E_BUSY);
	EXPECT(sys_irq_bind(e, slot_name(claim(5)), 9) == -EXO_E_ROOM);
	EXPECT(sys_irq_bind(e, slot_name(c), 0) == 0);
	EXPECT(masked[4] && !c->bind && !reserved && !irqs.info[4].bound_env);
	EXPECT(sys_irq_bind(e, slot_name(c), 0) == 0);
	deliver(4);
	EXPECT(posts == 0 && irqs.info[4].count == 1 && !LOCKED(tree_lock));
	verdict("irq_bind_and_unbind");
}

static void test_level(void)
{
	struct exo_cap *c = claim(17);
	struct env *e = env_at(1);

	posts = 0;
	EXPECT(sys_irq_bind(e, slot_name(c), 9) == 0);
	deliver(17);
	EXPECT(posts == 1 && masked[17]);
	deliver(17);            /* it was on its way when the input was masked */
	EXPECT(posts == 1 && masked[17]);
	EXPECT(sys_irq_ack(e, slot_name(c)) == 0);
	EXPECT(posts == 1 && !masked[17]);
	EXPECT(sys_irq_ack(e, slot_name(c)) == 0);
	EXPECT(posts == 1 && !masked[17]);
	irq_unbind(17);
	EXPECT(masked[17]);
	verdict("irq_level");
}

/* The device: its line goes up with each byte that arrives, down when all are read. */
static void test_edge_is_never_lost(void)
{
	struct exo_cap *c = claim(4);
	struct env *e = env_at(1);
	unsigned bytes = 0, seen = 0, told = 0;

	srand(2);
	posts = 0;
	EXPECT(sys_irq_bind(e, slot_name(c), 9) == 0);
	for (unsigned step = 0; step < 100000; step++) {
		switch (rand() % 4) {
		case 0:
			bytes++;
			if (!line[4] && !masked[4])
				deliver(4);
			line[4] = true;
			break;
		case 1:         /* the owner serves the device, without having been told */
			bytes = 0;
			line[4] = false;
			break;
		case 2:
			sys_irq_ack(e, slot_name(c));
			break;
		default:        /* the owner does what it must when it was told */
			if (posts == seen)
				break;
			seen = posts;
			bytes = 0;
			line[4] = false;
			sys_irq_ack(e, slot_name(c));
			told++;
		}
		EXPECT(!bytes || posts != seen || !masked[4]);
	}
	/* Serve until nothing is told any more: then nothing may wait. */
	for (unsigned i = 0; i < 4 && posts != seen; i++) {
		seen = posts;
		bytes = 0;
		line[4] = false;
		sys_irq_ack(e, slot_name(c));
	}
	EXPECT(posts == seen && !masked[4] && told > 1000);
	irq_unbind(4);
	verdict("irq_edge_is_never_lost");
}

int main(void)
{
	fake_ram = aligned_alloc(4096, 16 * 4096);
	memset(fake_ram, 0, 16 * 4096);
	env_at(1)->pfn = 1;
	irqs_start(3);
	test_bind();
	test_level();
	test_edge_is_never_lost();
	free(irqs.info);
	return failures != 0;
}
