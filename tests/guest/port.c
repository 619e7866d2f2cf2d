/* SPDX-License-Identifier: MIT */
/*
 * port.c - I/O ports and interrupts by claims.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/slot.h>
#include <exos/start.h>
#include <exos/time.h>
#include "guest.h"
#include "peer.h"

#define SECOND 1000000000ull

/* The claim on the real-time clock's ports 0x70 and 0x71, or NULL. */
static const struct exos_grant *clock_ports(void)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant("port", n)); n++)
		if (g->lo <= 0x70 && g->hi >= 0x72)
			return g;
	return NULL;
}

static struct exo_port_op out(uint16_t port, uint32_t value)
{
	return (struct exo_port_op){ .port = port, .size = 1, .op = EXO_PORT_OUT, .value = value };
}

static struct exo_port_op in(uint16_t port)
{
	return (struct exo_port_op){ .port = port, .size = 1, .op = EXO_PORT_IN };
}

EXO_TEST(ports_are_used_by_their_holder, PORT)
{
	const struct exos_grant *g = clock_ports();
	struct exo_port_op op[4];
	uint32_t day;

	must(g != NULL);
	/* Register 7 of the clock: the day of the month, in BCD or binary. */
	op[0] = out(0x70, 7);
	op[1] = in(0x71);
	op[1].value = 0xeeeeeeee;
	must_eq(exo_port_io(g->slot, (uint64_t)op, 2), 2);
	day = op[1].value;
	expect(day >= 1 && day <= 0x31);
	op[0] = out(0x70, 7);
	op[1] = in(0x71);
	op[1].op = EXO_PORT_UNTIL;
	op[1].mask = 0xff;
	op[1].want = (uint16_t)day;
	op[1].tries = 100;
	expect_eq(exo_port_io(g->slot, (uint64_t)op, 2), 2);
	/* One that never comes: the batch stops there and says so. */
	op[1].want = 0xff;
	op[2] = in(0x71);
	expect_eq(exo_port_io(g->slot, (uint64_t)op, 3), 1);
}

EXO_TEST(ports_of_others_are_refused, PORT)
{
	static const uint16_t bad[] = { 0x3f8, 0xcf8, 0xcfc, 0x510, 0x514, 0x72, 0x6f, 0x64, 0xf4,
				       0, 0xffff };
	const struct exos_grant *g = clock_ports();
	struct exo_port_op op[2];
	exo_slot part;

	must(g != NULL);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		if (bad[i] >= g->lo && bad[i] < g->hi)
			continue;
		op[0] = in(bad[i]);
		expect_error(exo_port_io(g->slot, (uint64_t)op, 1), RANGE);
		op[0] = in(0x71);
		op[1] = out(bad[i], 0);
		expect_eq(exo_port_io(g->slot, (uint64_t)op, 2), 1);
	}
	/* An access that is wider than the claim. */
	must((part = guest_narrow(g->slot, 0x71, 0x72, EXO_R_CONTROL)) != 0);
	op[0] = in(0x71);
	op[0].size = 2;
	expect_error(exo_port_io(part, (uint64_t)op, 1), RANGE);
	op[0].size = 1;
	expect_error(exo_port_io(g->slot, (uint64_t)op, 1), SPLIT);
	expect_eq(exo_port_io(part, (uint64_t)op, 1), 1);
	expect_eq(exos_cap_drop(part), 0);
	expect_eq(exo_port_io(g->slot, (uint64_t)op, 1), 1);
}

EXO_TEST(port_batches_are_checked, PORT)
{
	static struct exo_port_op op[256];
	const struct exos_grant *g = clock_ports();

	must(g != NULL);
	for (unsigned size = 0; size < 256; size++) {
		op[0] = in(0x71);
		op[0].size = (uint8_t)size;
		if (size != 1 && size != 2 && size != 4)
			expect_error(exo_port_io(g->slot, (uint64_t)op, 1), ARG);
	}
	op[0] = in(0x71);
	op[0].op = 3;
	expect_error(exo_port_io(g->slot, (uint64_t)op, 1), ARG);
	op[0].op = EXO_PORT_UNTIL;
	op[0].tries = EXO_PORT_TRIES + 1;
	expect_error(exo_port_io(g->slot, (uint64_t)op, 1), ARG);
	for (unsigned i = 0; i < ARRAY_LEN(op); i++)
		op[i] = in(0x71);
	expect_refused(exo_port_io(g->slot, (uint64_t)op, ~0ull));
	expect_error(exo_port_io(g->slot, 0, 1), FAULT);
	expect_error(exo_port_io(g->slot, 0xffffffff80000000, 1), FAULT);
	expect_error(exo_port_io(g->slot, ~0ull, 1), FAULT);
	/* What stands in memory that we may only read is no list of accesses. */
	expect_refused(exo_port_io(g->slot, (uint64_t)&exos_machine()->magic, 1));
	expect_eq(exo_port_io(g->slot, (uint64_t)op, 1), 1);
}

/* The claim on the real-time clock's interrupt, or NULL. */
static const struct exos_grant *clock_irq(void)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant("irq", n)); n++)
		if (g->lo == 8)
			return g;
	return NULL;
}

EXO_TEST(interrupts_are_bound_once, IRQ)
{
	const struct exos_grant *g = clock_irq();
	uint32_t entry = exos_event_alloc(), second = exos_event_alloc();
	exo_slot bell = 0;

	must(g != NULL);
	expect_error(exo_irq_ack(g->slot), ARG);
	expect_error(exo_irq_bind(g->slot, EXO_EVENTS), RANGE);
	must_eq(exo_irq_bind(g->slot, entry), 0);
	expect_error(exo_irq_bind(g->slot, second), BUSY);
	expect_error(exo_doorbell(guest_claim("env"), guest_sid(), entry, EXO_R_NOTIFY), ROOM);
	expect_eq(exo_irq_ack(g->slot), 0);
	expect_eq(exo_irq_bind(g->slot, 0), 0);
	must_eq(exos_cap_doorbell(second, &bell), 0);
	expect_error(exo_irq_bind(g->slot, second), ROOM);
	expect_eq(exo_irq_bind(g->slot, entry), 0);
	expect_eq(exo_irq_bind(g->slot, 0), 0);
}

/* Registers of the real-time clock (Motorola MC146818A): write one, read one. */
static void clock_write(const struct exos_grant *g, uint8_t reg, uint8_t value)
{
	struct exo_port_op op[2] = { out(0x70, reg), out(0x71, value) };

	expect_eq(exo_port_io(g->slot, (uint64_t)op, 2), 2);
}

static uint8_t clock_read(const struct exos_grant *g, uint8_t reg)
{
	struct exo_port_op op[2] = { out(0x70, reg), in(0x71) };

	expect_eq(exo_port_io(g->slot, (uint64_t)op, 2), 2);
	return (uint8_t)op[1].value;
}

static uint64_t irq_count(uint32_t gsi)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_irq_info *irq = exos_machine_at(m->irqs_off);

	for (uint32_t i = 0; i < m->irqs; i++)
		if (irq[i].gsi == gsi)
			return irq[i].count;
	return 0;
}

EXO_TEST(interrupts_come_as_events_until_unbound, RTC)
{
	const struct exos_grant *ports = clock_ports(), *irq = clock_irq();
	uint32_t entry = exos_event_alloc();
	uint64_t count = irq_count(8), periods = 0;
	uint8_t was;

	must(ports && irq);
	must_eq(exo_irq_bind(irq->slot, entry), 0);
	/* The periodic interrupt, 1,024 times a second by default. */
	was = clock_read(ports, 0x0b);
	clock_write(ports, 0x0b, was | 0x40);
	clock_read(ports, 0x0c);
	for (unsigned i = 0; i < 10; i++) {
		must(exos_event_wait(entry, exos_deadline(10 * SECOND)) > 0);
		/*
		 * An edge that came before the acknowledgement is told again: then nothing is
		 * new.
		 */
		periods += (clock_read(ports, 0x0c) & 0x40) != 0;
		expect_eq(exo_irq_ack(irq->slot), 0);
	}
	expect(periods >= 5);
	expect(irq_count(8) >= count + 5);
	/* Unbound it is masked: nothing more is posted. */
	expect_eq(exo_irq_bind(irq->slot, 0), 0);
	guest_pause_ms(5);
	exos_event_take(entry);
	clock_read(ports, 0x0c);
	count = irq_count(8);
	guest_pause_ms(30);
	expect_eq(exos_event_take(entry), 0);
	expect_eq(irq_count(8), count);
	clock_write(ports, 0x0b, was);
	clock_read(ports, 0x0c);
}
