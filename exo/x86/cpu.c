/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - setting up a CPU: descriptor tables, stacks, model-specific registers, protection.
 */
#include "cpu.h"

#include "kernel.h"
#include "vector.h"
#include "x86/bases.h"
#include "x86/enter.h"
#include "x86/lapic.h"
#include "x86/setup.h"
#include "x86/svm.h"
#include "x86/trap.h"

#define MSR_EFER   0xc0000080
#define MSR_STAR   0xc0000081
#define MSR_LSTAR  0xc0000082
#define MSR_FMASK  0xc0000084
#define MSR_GSBASE 0xc0000101

#define EFER_SCE 1ul
#define EFER_NXE (1ul << 11)
#define CR0_WP   (1ul << 16)
#define CR4_PGE  (1ul << 7)
#define CR4_UMIP (1ul << 11)
#define CR4_FSGSBASE (1ul << 16)
#define CR4_SMEP (1ul << 20)
#define CR4_SMAP (1ul << 21)

#define TREE_PATIENCE 256       /* turns: some 10 microseconds */
#define STACK_FRAMES 8          /* the deepest call ends a table in a table ... */
#define ALONE_FRAMES 2          /* stacks of NMI, double fault, machine check, debug */

struct cpu *cpus[CPUS_MAX];
unsigned cpu_count;

struct task_state {
	uint32_t spare;
	uint64_t rsp[3];
	uint64_t spare2;
	uint64_t ist[7];
	uint64_t spare3;
	uint16_t spare4, io_map;
} __attribute__((packed));

struct gate_descriptor {
	uint16_t offset_lo, selector;
	uint8_t  ist, type;
	uint16_t offset_mid;
	uint32_t offset_hi, spare;
};

struct pseudo {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* What the processor reads; one page a CPU. */
struct tables {
	uint64_t gdt[7];
	struct task_state task;
};

static struct gate_descriptor idt[256];
bool has_fsgsbase;

static bool cpuid_bit(uint32_t leaf, unsigned reg, unsigned bit)
{
	uint32_t r[4];

	cpuid(0, 0, r);
	if (leaf > r[0])
		return false;
	cpuid(leaf, 0, r);
	return r[reg] >> bit & 1;
}

uint64_t cpu_entropy(void)
{
	uint64_t random = 0;

	for (unsigned i = 0; cpuid_bit(1, 2, 30) && i < 10 && !read_random(&random); i++)
		cpu_pause();
	return random ^ read_tsc() ^ boot_info->boot_tsc << 32;
}

void idt_start(void)
{
	static const uint8_t ist[256] = { [2] = 1, [8] = 2, [18] = 3, [1] = 4 };

	for (unsigned v = 0; v < 256; v++) {
		uint64_t stub = (uint64_t)interrupt_stubs + 16 * v;
		bool user = v == 3 || v == 4 || v == EXO_TRAP_INT80;

		idt[v] = (struct gate_descriptor){
			.offset_lo = stub,
			.selector = KERNEL_CS,
			.ist = ist[v],
			.type = 0x8e | (user ? 0x60 : 0),
			.offset_mid = stub >> 16,
			.offset_hi = stub >> 32,
		};
	}
}

static void tables_load(struct tables *t)
{
	uint64_t task = (uint64_t)&t->task;
	struct pseudo gdt = { sizeof(t->gdt) - 1, (uint64_t)t->gdt };
	struct pseudo interrupts = { sizeof(idt) - 1, (uint64_t)idt };

	t->gdt[KERNEL_CS / 8] = 0x00af9b000000ffff;
	t->gdt[KERNEL_SS / 8] = 0x00cf93000000ffff;
	t->gdt[USER_SS / 8] = 0x00cff3000000ffff;
	t->gdt[USER_CS / 8] = 0x00affb000000ffff;
	t->gdt[TASK_SELECTOR / 8] =
		0x0000890000000067 | (task & 0xffffff) << 16 | (task >> 24 & 0xff) << 56;
	t->gdt[TASK_SELECTOR / 8 + 1] = task >> 32;
	t->task.io_map = sizeof(t->task);
	load_gdt(&gdt);
	load_segments();
	load_idt(&interrupts);
	load_task(TASK_SELECTOR);
}

static void protection_start(void)
{
	uint64_t cr4 = read_cr4() | CR4_PGE;

	if (cpuid_bit(7, 1, 7))
		cr4 |= CR4_SMEP;
	if (cpuid_bit(7, 1, 20))
		cr4 |= CR4_SMAP;
	if (cpuid_bit(7, 2, 2))
		cr4 |= CR4_UMIP;
	has_fsgsbase = cpuid_bit(7, 1, 0);
	if (has_fsgsbase)
		cr4 |= CR4_FSGSBASE;
	write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SCE | EFER_NXE);
	write_cr0(read_cr0() | CR0_WP);
	write_cr4(cr4);
}

static void syscall_start(void)
{
	write_msr(MSR_STAR, (uint64_t)KERNEL_SS << 48 | (uint64_t)KERNEL_CS << 32);
	write_msr(MSR_LSTAR, (uint64_t)syscall_entry);
	/* Nothing of the caller's flags reaches the kernel. */
	write_msr(MSR_FMASK, 0x257fd5);
}

struct cpu *cpu_make(unsigned number, uint32_t apic_id)
{
	struct cpu *c = boot_frames(round_up(sizeof(struct cpu), EXO_PAGE_SIZE) / EXO_PAGE_SIZE);
	char *stack = boot_frames(STACK_FRAMES);

	c->self = c;
	c->number = number;
	c->apic_id = apic_id;
	c->tree.patience = TREE_PATIENCE;
	c->kernel_rsp = (uint64_t)stack + STACK_FRAMES * EXO_PAGE_SIZE;
	c->tables = boot_frames(1);
	for (unsigned i = 0; i < 4; i++) {
		char *alone = boot_frames(ALONE_FRAMES);

		((struct tables *)c->tables)->task.ist[i] =
			(uint64_t)alone + ALONE_FRAMES * EXO_PAGE_SIZE;
	}
	((struct tables *)c->tables)->task.rsp[0] = c->kernel_rsp;
	cpus[number] = c;
	return c;
}

void cpu_start(struct cpu *c)
{
	tables_load(c->tables);
	write_msr(MSR_GSBASE, (uint64_t)c);
	write_msr(MSR_KERNEL_GSBASE, 0);
	protection_start();
	syscall_start();
	vectors_start();
	svm_start(c);
	lapic_start();
}
