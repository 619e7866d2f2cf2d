/* SPDX-License-Identifier: MIT */
/*
 * lapic.c - the local interrupt controller of each CPU: timer, interrupts to other CPUs.
 *
 * xAPIC registers (Intel SDM volume 3, chapter 11), mapped uncached.  The timer is one-shot at its
 * input clock; its length is scaled from time stamps.
 */
#include "x86/lapic.h"

#include "cpu.h"
#include "kernel.h"
#include "x86/offsets.h"

enum {
	REG_ID = 0x20,
	REG_EOI = 0xb0,
	REG_SPURIOUS = 0xf0,
	REG_SERVICE = 0x100,    /* 32 vectors each, 16 bytes apart */
	REG_ICR_LO = 0x300,
	REG_ICR_HI = 0x310,
	REG_TIMER = 0x320,
	REG_LINT0 = 0x350,
	REG_LINT1 = 0x360,
	REG_ERROR = 0x370,
	REG_COUNT = 0x380,
	REG_NOW = 0x390,
	REG_DIVIDE = 0x3e0,
};

#define LVT_MASKED 0x10000u
#define ICR_PENDING 0x1000u
#define PM_HZ  3579545u         /* ACPI 6.4 section 4.8.2.1 */
#define PIT_HZ 1193182u
#define CALIBRATE_PART 200u     /* of a second: how long a measurement takes */

static volatile uint32_t *lapic;
static bool halt_wanted;        /* [a] */
static uint64_t timer_scale;    /* timer ticks per time stamp, 32.32 */
uint64_t tsc_hz;

static uint32_t reg_read(unsigned reg)
{
	return lapic[reg / 4];
}

static void reg_write(unsigned reg, uint32_t v)
{
	lapic[reg / 4] = v;
}

void lapic_map(uint64_t pa)
{
	lapic = boot_map_device(pa, EXO_PAGE_SIZE);
}

void lapic_start(void)
{
	reg_write(REG_SPURIOUS, 0x100 | VECTOR_SPURIOUS);
	reg_write(REG_LINT0, LVT_MASKED);
	reg_write(REG_LINT1, LVT_MASKED);
	reg_write(REG_ERROR, LVT_MASKED);
	reg_write(REG_DIVIDE, 0xb);
	reg_write(REG_TIMER, VECTOR_TIMER);
}

uint32_t lapic_id(void)
{
	return reg_read(REG_ID) >> 24;
}

void lapic_eoi(void)
{
	reg_write(REG_EOI, 0);
}

bool lapic_in_service(unsigned vector)
{
	return reg_read(REG_SERVICE + vector / 32 * 16) >> vector % 32 & 1;
}

/* One look at all three clocks, and how long it took: the host may do other things meanwhile. */
struct look {
	uint64_t tsc, took;
	uint32_t pm, timer;
};

static struct look clocks_look(uint16_t pm_port)
{
	struct look l = { .tsc = read_tsc() };

	l.pm = pm_port ? in32(pm_port) : 0;
	l.timer = reg_read(REG_NOW);
	l.took = read_tsc() - l.tsc;
	return l;
}

/* Channel 2 counts down once, its output in port 0x61. */
static void wait_pit(uint16_t ticks)
{
	uint8_t gate = (in8(0x61) & ~2) | 1;

	out8(0x61, gate & ~1);
	out8(0x43, 0xb0);
	out8(0x42, ticks & 0xff);
	out8(0x42, ticks >> 8);
	out8(0x61, gate);
	while (!(in8(0x61) & 0x20))
		cpu_pause();
}

/* Measure once; how far off it may be, in time stamps. */
static uint64_t calibrate_once(uint16_t pm_port, uint64_t *hz, uint64_t *scale)
{
	struct look a = clocks_look(pm_port), b = a;
	uint64_t ticks = PIT_HZ / CALIBRATE_PART, rate = PIT_HZ;

	if (pm_port) {
		rate = PM_HZ;
		do {
			b = clocks_look(pm_port);
			ticks = (b.pm - a.pm) & 0xffffff;
		} while (ticks < PM_HZ / CALIBRATE_PART);
	} else {
		wait_pit(ticks);
		b = clocks_look(0);
	}
	*hz = (b.tsc - a.tsc) * rate / ticks;
	*scale = ((uint64_t)(a.timer - b.timer) << 32) / (b.tsc - a.tsc);
	return a.took + b.took;
}

void clock_calibrate(uint16_t pm_port)
{
	uint64_t hz, scale, best = UINT64_MAX;

	for (unsigned i = 0; i < 3; i++) {
		uint64_t off;

		reg_write(REG_COUNT, 0xffffffff);
		off = calibrate_once(pm_port, &hz, &scale);
		if (off >= best)
			continue;
		best = off;
		tsc_hz = hz;
		timer_scale = scale;
	}
	reg_write(REG_COUNT, 0);
}

void lapic_arm(uint64_t tsc)
{
	uint64_t now = read_tsc();
	uint64_t delta = tsc > now ? tsc - now : 0;
	uint64_t ticks = (uint64_t)((unsigned __int128)delta * timer_scale >> 32);
	struct cpu *c = this_cpu();

	if (tsc == c->armed)
		return;
	c->armed = tsc;
	reg_write(REG_COUNT, ticks > 0xffffffff ? 0xffffffff : ticks ? ticks : 1);
}

static void icr_send(uint32_t apic_id, uint32_t command)
{
	while (reg_read(REG_ICR_LO) & ICR_PENDING)
		cpu_pause();
	reg_write(REG_ICR_HI, apic_id << 24);
	reg_write(REG_ICR_LO, command);
}

void lapic_send(uint32_t apic_id, unsigned vector)
{
	this_cpu()->stats->ipis++;
	icr_send(apic_id, 0x4000 | vector);
}

void lapic_kick(struct cpu *c)
{
	if (c == this_cpu())
		c->resched = true;
	else
		lapic_send(c->apic_id, VECTOR_KICK);
}

void lapic_send_init(uint32_t apic_id)
{
	icr_send(apic_id, 0x4500);
}

void lapic_send_startup(uint32_t apic_id, uint64_t page)
{
	icr_send(apic_id, 0x4600 | page >> EXO_PAGE_SHIFT);
}

void lapic_halt_others(void)
{
	__atomic_store_n(&halt_wanted, true, __ATOMIC_SEQ_CST);
	if (lapic)
		icr_send(0, 0xc4000 | VECTOR_HALT);
}

bool lapic_halt_wanted(void)
{
	return __atomic_load_n(&halt_wanted, __ATOMIC_SEQ_CST);
}

void delay_us(uint64_t us)
{
	uint64_t end = read_tsc() + us * (tsc_hz / 1000000);

	while (read_tsc() < end)
		cpu_pause();
}
