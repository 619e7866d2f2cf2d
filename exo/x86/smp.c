/* SPDX-License-Identifier: MIT */
/*
 * smp.c - starting the other CPUs (Intel SDM volume 3, section 9.4.4).
 *
 * One after the other, through a page below 1 MiB that is mapped one to one meanwhile.
 */
#include "cpu.h"
#include "kernel.h"
#include "run.h"
#include "x86/lapic.h"
#include "x86/pte.h"
#include "x86/setup.h"
#include "x86/trap.h"

extern char ap_code[], ap_code_end[], ap_data[], ap_gdt[], ap_gdt_pointer[], ap_far32[], ap_far64[];
extern char ap_32[], ap_64[];

#define SILENT_MS 200           /* a CPU that has not come up by then is left out */

static uint32_t released;

static _Noreturn void ap_main(struct cpu *c)
{
	cpu_start(c);
	__atomic_store_n(&c->started, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE))
		cpu_pause();
	tlb_answer();
	write_cr3(read_cr3());
	cpu_start_scheduling();
}

/* Map the page one to one, by tables that are used for nothing else. */
static void low_map(uint64_t page)
{
	uint64_t *table = kernel_pml4;

	for (unsigned level = 4; level > 1; level--) {
		uint64_t *pte = &table[pte_index(page, level)];

		if (!(*pte & PTE_P))
			*pte = virt_to_phys(boot_frames(1)) | PTE_P | PTE_W;
		table = pfn_to_virt(pte_pfn(*pte));
	}
	table[pte_index(page, 1)] = page | PTE_P | PTE_W;
}

static void *in_page(char *low, const char *symbol)
{
	return low + (symbol - ap_code);
}

static void low_prepare(uint64_t page)
{
	char *low = phys_to_virt(page);

	low_map(page);
	memcpy(low, ap_code, ap_code_end - ap_code);
	*(uint32_t *)(in_page(low, ap_gdt_pointer) + 2) = page + (ap_gdt - ap_code);
	*(uint32_t *)in_page(low, ap_far32) = page + (ap_32 - ap_code);
	*(uint32_t *)in_page(low, ap_far64) = page + (ap_64 - ap_code);
}

static bool wait_started(const struct cpu *c, unsigned ms)
{
	for (unsigned i = 0; i < ms * 10; i++) {
		if (__atomic_load_n(&c->started, __ATOMIC_SEQ_CST))
			return true;
		delay_us(100);
	}
	return false;
}

static bool ap_start(struct cpu *c, uint64_t page)
{
	uint64_t *data = in_page(phys_to_virt(page), ap_data);

	data[0] = virt_to_phys(kernel_pml4);
	data[1] = c->kernel_rsp;
	data[2] = (uint64_t)c;
	data[3] = (uint64_t)ap_main;
	lapic_send_init(c->apic_id);
	delay_us(100);
	lapic_send_startup(c->apic_id, page);
	if (wait_started(c, 20))
		return true;
	lapic_send_startup(c->apic_id, page);
	if (wait_started(c, SILENT_MS))
		return true;
	/* One that came up later would run programs and be asked for nothing: it waits for ever. */
	lapic_send_init(c->apic_id);
	return false;
}

void cpus_start(void)
{
	unsigned up = 1, made = cpu_count;

	if (made > 1 && !boot_info->ap_page) {
		machine_notice("no free page below 1 MiB: only one CPU is used");
		cpu_count = 1;
		return;
	}
	if (made > 1)
		low_prepare(boot_info->ap_page);
	for (unsigned i = 1; i < made; i++) {
		struct cpu *c = cpus[i];

		if (!ap_start(c, boot_info->ap_page)) {
			machine_notice("CPU with APIC id %u does not start", c->apic_id);
			continue;
		}
		c->number = up;
		cpus[up++] = c;
	}
	cpu_count = up;
	kernel_pml4[0] = 0;
}

void cpus_release(void)
{
	__atomic_store_n(&released, 1, __ATOMIC_RELEASE);
}
