/* SPDX-License-Identifier: MIT */
/*
 * vcpu_exits.c - what ends a guest's run: instructions that the monitor or the kernel intercepts,
 * absent memory, states that the processor refuses, events, interrupts.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/cap.h>
#include <exos/slot.h>
#include <exos/start.h>
#include <exos/time.h>
#include "peer.h"
#include "vm.h"
#include "x86/insn.h"

#define CR4_USUAL 0x40220ull            /* PAE OSFXSR OSXSAVE */
#define NPF_WRITE 2u
#define NPF_USER  4u
#define NPF_FETCH 16u

struct exit_case {
	const char *what;
	uint8_t code[12];
	uint32_t exit;
	uint64_t info1;
};

/* With no intercept asked for but HLT and VMMCALL: the others are the kernel's. */
static const struct exit_case cases[] = {
	{ "hlt", { 0xf4 }, 0x78, 0 },
	{ "vmmcall", { 0x0f, 0x01, 0xd9 }, 0x81, 0 },
	{ "out 3f8", { 0xba, 0xf8, 0x03, 0x00, 0x00, 0xee }, 0x7b, 0x03f80010 },
	{ "in 3f8", { 0xba, 0xf8, 0x03, 0x00, 0x00, 0xec }, 0x7b, 0x03f80011 },
	{ "out 604, 16 bits", { 0xba, 0x04, 0x06, 0x00, 0x00, 0x66, 0xef }, 0x7b, 0x06040020 },
	{ "out cf8, 32 bits", { 0xba, 0xf8, 0x0c, 0x00, 0x00, 0xef }, 0x7b, 0x0cf80040 },
	{ "rdmsr", { 0xb9, 0x80, 0x00, 0x00, 0xc0, 0x0f, 0x32 }, 0x7c, 0 },
	{ "wrmsr lstar", { 0xb9, 0x82, 0x00, 0x00, 0xc0, 0x0f, 0x30 }, 0x7c, 1 },
	{ "wrmsr hsave", { 0xb9, 0x17, 0x01, 0x01, 0xc0, 0x0f, 0x30 }, 0x7c, 1 },
	{ "wrmsr apic base", { 0xb9, 0x1b, 0x00, 0x00, 0x00, 0x0f, 0x30 }, 0x7c, 1 },
	{ "mov cr4", { 0x0f, 0x20, 0xe0, 0x0f, 0x22, 0xe0 }, 0x14, ~0ull },
	{ "mov to dr0", { 0x0f, 0x23, 0xc0 }, 0x30, ~0ull },
	{ "mov from dr3", { 0x0f, 0x21, 0xd8 }, 0x23, ~0ull },
	{ "mov to dr7", { 0x0f, 0x23, 0xf8 }, 0x37, ~0ull },
	{ "vmrun", { 0x0f, 0x01, 0xd8 }, 0x80, 0 },
	{ "vmload", { 0x0f, 0x01, 0xda }, 0x82, 0 },
	{ "vmsave", { 0x0f, 0x01, 0xdb }, 0x83, 0 },
	{ "stgi", { 0x0f, 0x01, 0xdc }, 0x84, 0 },
	{ "clgi", { 0x0f, 0x01, 0xdd }, 0x85, 0 },
	{ "invlpga", { 0x0f, 0x01, 0xdf }, 0x7a, 0 },
	{ "wbinvd", { 0x0f, 0x09 }, 0x89, 0 },
	{ "rdpmc", { 0x31, 0xc9, 0x0f, 0x33 }, 0x6f, 0 },
	{ "a triple fault", { 0x0f, 0x0b }, 0x7f, 0 },
};

EXO_TEST(what_could_reach_the_machine_exits, SHORT)
{
	struct vm vm;

	must(vm_make(&vm));
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		const struct exit_case *c = &cases[i];
		unsigned before = guest_failures();

		vm_long(&vm);
		vm.page->state.cr4 = CR4_USUAL;
		memset(vm.ram + VM_CODE, 0xf4, EXO_PAGE_SIZE);
		vm_load(&vm, c->code, sizeof(c->code));
		expect_eq(vm_run(&vm), c->exit);
		if (c->info1 != ~0ull)
			expect_eq(vm.page->exit_info1, c->info1);
		if (guest_failures() != before)
			guest_fail("the case was: %s", c->what);
	}
	vm_end(&vm);
}

/* QEMU 7.2 does not intercept the one and takes the other for WBINVD: neither does any harm. */
EXO_TEST(guests_change_neither_caches_nor_vector_states, SHORT)
{
	uint64_t before = insn_xcr0();
	struct vm vm;
	int64_t code;

	must(vm_make(&vm));
	VM_LOAD(&vm, 0x0f, 0x08, 0xf4);
	code = vm_run(&vm);
	expect(code == 0x76 || code == 0x89);
	vm.page->state.cr4 = CR4_USUAL;
	vm.page->changed = EXO_VCPU_STATE;
	/* xor %ecx, %ecx; xor %edx, %edx; mov $1, %eax; xsetbv; hlt */
	VM_LOAD(&vm, 0x31, 0xc9, 0x31, 0xd2, 0xb8, 0x01, 0x00, 0x00, 0x00, 0x0f, 0x01, 0xd1, 0xf4);
	code = vm_run(&vm);
	expect(code == 0x8d || code == EXO_EXIT_HLT);
	expect_eq(insn_xcr0(), before);
	vm_end(&vm);
}

EXO_TEST(what_a_monitor_intercepts_exits, SHORT)
{
	struct vm vm;

	must(vm_make(&vm));
	/* cpuid; rdtsc; hlt: only what was asked for exits */
	VM_LOAD(&vm, 0x0f, 0xa2, 0x0f, 0x31, 0xf4);
	expect_eq(vm_run(&vm), EXO_EXIT_HLT);
	vm_long(&vm);
	vm.page->intercept[0] |= 1u << 18;
	expect_eq(vm_run(&vm), EXO_EXIT_CPUID);
	expect_eq(vm.page->state.rip, VM_CODE);
	vm.page->state.rip += 2;
	expect_eq(vm_run(&vm), EXO_EXIT_HLT);
	vm.page->state.rip = VM_CODE;
	vm.page->intercept[0] |= 1u << 14;
	vm.page->intercept[0] &= ~(1u << 18);
	expect_eq(vm_run(&vm), EXO_EXIT_CPUID);         /* `changed` does not say so yet */
	vm.page->changed = EXO_VCPU_CONTROLS;
	expect_eq(vm_run(&vm), 0x6e);
	expect_eq(vm.page->state.rip, VM_CODE + 2);
	/* ud2, as an exception */
	VM_LOAD(&vm, 0x0f, 0x0b);
	vm.page->intercept_exc = 1u << 6;
	vm.page->changed = EXO_VCPU_CONTROLS;
	expect_eq(vm_run(&vm), 0x46);
	vm_end(&vm);
}

EXO_TEST(absent_guest_memory_exits, SHORT)
{
	uint64_t gpa = VM_FRAMES * EXO_PAGE_SIZE;
	struct vm vm;

	must(vm_make(&vm));
	/* mov %rax, (%rbx); mov (%rbx), %rcx; jmp *%rbx */
	VM_LOAD(&vm, 0x48, 0x89, 0x03, 0x48, 0x8b, 0x0b, 0xff, 0xe3);
	vm.page->rbx = gpa + 8;
	vm.page->state.rax = 0x1122334455667788;
	expect_eq(vm_run(&vm), EXO_EXIT_NPF);
	expect_eq(vm.page->exit_info2, gpa + 8);
	expect_eq((uint32_t)vm.page->exit_info1, NPF_WRITE | NPF_USER);
	expect_eq(vm.page->state.rip, VM_CODE);
	/* The monitor maps something there, read-only: another error. */
	must_eq(exos_space_map(&vm.space, gpa, vm.memory.slot, vm.memory.lo + 6, 1, EXO_R_READ), 0);
	expect_eq(vm_run(&vm), EXO_EXIT_NPF);
	expect_eq((uint32_t)vm.page->exit_info1, 1 | NPF_WRITE | NPF_USER);
	must_eq(exos_space_protect(&vm.space, gpa, 1, GUEST_RW), 0);
	expect_eq(vm_run(&vm), EXO_EXIT_NPF);
	expect_eq(*(uint64_t *)(vm.ram + 6 * EXO_PAGE_SIZE + 8), 0x1122334455667788);
	expect_eq(vm.page->rcx, 0x1122334455667788);
	expect_eq((uint32_t)vm.page->exit_info1, 1 | NPF_USER | NPF_FETCH);
	expect_eq(vm.page->exit_info2, gpa + 8);
	/* Taken back: gone at once, though the guest had it cached. */
	must_eq(exos_space_unmap(&vm.space, gpa, 1), 0);
	vm.page->state.rip = VM_CODE + 3;
	expect_eq(vm_run(&vm), EXO_EXIT_NPF);
	expect_eq((uint32_t)vm.page->exit_info1, NPF_USER);
	vm_end(&vm);
}

EXO_TEST(large_pages_serve_guests, BIG)
{
	struct guest_frames big;
	uint64_t pfn, gpa = 2u << 20;
	struct vm vm;

	must(vm_make(&vm));
	must_eq(guest_frames_make(&big, 1024), 0);
	pfn = (big.lo + 511) & ~511ull;
	must_eq(exos_space_map(&vm.space, gpa, big.slot, pfn, 1,
			       GUEST_RW | EXO_R_EXEC | EXO_SIZE_2M), 0);
	/* mov %rax, (%rbx); vmmcall */
	VM_LOAD(&vm, 0x48, 0x89, 0x03, 0x0f, 0x01, 0xd9);
	vm.page->rbx = gpa + (1u << 20);
	vm.page->state.rax = 0xfeed;
	expect_eq(vm_run(&vm), EXO_EXIT_VMMCALL);
	uint64_t *word = exos_space_window(big.slot, pfn + 256, 1, EXO_R_READ, NULL);
	must(word != NULL);
	expect_eq(*word, 0xfeed);
	exos_space_window_end(word, 1);
	guest_frames_end(&big);
	vm.page->state.rip = VM_CODE;
	expect_eq(vm_run(&vm), EXO_EXIT_NPF);
	vm_end(&vm);
}

EXO_TEST(states_that_the_processor_refuses, SHORT)
{
	struct vm vm;

	must(vm_make(&vm));
	VM_LOAD(&vm, 0x0f, 0x01, 0xd9);
	vm.page->state.cr0 |= 1ull << 40;
	expect_eq(vm_run(&vm), EXO_EXIT_INVALID);
	vm_long(&vm);
	vm.page->state.cr0 |= 1u << 29;         /* NW without CD */
	expect_eq(vm_run(&vm), EXO_EXIT_INVALID);
	vm_long(&vm);
	vm.page->event_inject = 1u << 31 | 7u << 8;     /* a type that there is not */
	expect_eq(vm_run(&vm), EXO_EXIT_INVALID);
	vm_long(&vm);
	expect_eq(vm_run(&vm), EXO_EXIT_VMMCALL);
	vm_end(&vm);
}

/* A code descriptor at selector 8, and a gate for each vector that leads to VM_CODE + 256. */
static void descriptors_make(struct vm *vm)
{
	struct exo_vcpu_state *s = &vm->page->state;
	uint64_t *gdt = (uint64_t *)(vm->ram + 0x6000), *idt = (uint64_t *)(vm->ram + 0x4000);

	gdt[1] = 0x00af9b000000ffff;
	gdt[2] = 0x00cf93000000ffff;
	for (unsigned v = 0; v < 256; v++) {
		idt[2 * v] = (VM_CODE + 256) | 0x08ull << 16 | 0x8e00ull << 32;
		idt[2 * v + 1] = 0;
	}
	s->gdtr = (struct exo_vcpu_segment){ .limit = 0x17, .base = 0x6000 };
	s->idtr = (struct exo_vcpu_segment){ .limit = 0xfff, .base = 0x4000 };
	vm->page->changed = EXO_VCPU_STATE;
}

EXO_TEST(interrupt_window_and_injection, SHORT)
{
	struct vm vm;

	must(vm_make(&vm));
	descriptors_make(&vm);
	/* inc %ecx; sti; nop; jmp .; handler at 256: vmmcall */
	VM_LOAD(&vm, 0xff, 0xc1, 0xfb, 0x90, 0xeb, 0xfe);
	memcpy(vm.ram + VM_CODE + 256, "\x0f\x01\xd9", 3);
	vm.page->interrupt = 1u << 8 | 1u << 20 | 15u << 16 | 0x33ull << 32;
	vm.page->intercept[0] |= 1u << 4;
	vm.page->changed |= EXO_VCPU_CONTROLS;
	expect_eq(vm_run(&vm), EXO_EXIT_VINTR);
	expect_eq(vm.page->rcx, 1);
	expect(vm.page->state.rip >= VM_CODE + 3 && vm.page->state.rip <= VM_CODE + 4);
	expect_eq(vm.page->state.rflags & 0x200, 0x200);
	/* Now it can be interrupted: inject what was waiting. */
	vm.page->interrupt = 0;
	vm.page->event_inject = 1u << 31 | 0x44;
	expect_eq(vm_run(&vm), EXO_EXIT_VMMCALL);
	expect_eq(vm.page->state.rip, VM_CODE + 256);
	expect_eq(vm.page->event_inject, 0);
	expect_eq(vm.page->state.rflags & 0x200, 0);
	/* A virtual interrupt that nobody intercepts comes by itself. */
	vm.page->intercept[0] &= ~(1u << 4);
	vm.page->changed = EXO_VCPU_CONTROLS;
	vm.page->interrupt = 1u << 8 | 1u << 20 | 15u << 16 | 0x33ull << 32;
	vm.page->state.rip = VM_CODE;
	expect_eq(vm_run(&vm), EXO_EXIT_VMMCALL);
	expect_eq(vm.page->state.rip, VM_CODE + 256);
	vm_end(&vm);
}

/* Run with an alarm in 3 ms. */
static void run_to_alarm(struct vm *vm)
{
	uint64_t start = insn_tsc(), hz = exos_machine()->tsc_hz;
	uint32_t seen = exos_page()->event_head;
	int64_t code;

	exos_page()->alarm_tsc = start + hz / 1000 * 3;
	exo_env_alarm();
	do
		code = exo_vcpu_run(vm->vcpu, seen);
	while (code == EXO_EXIT_INTR && exos_page()->event_head == seen &&
	       insn_tsc() < start + 5 * hz);
	expect_eq(code, EXO_EXIT_INTR);
	expect(exos_page()->event_head != seen);
	expect(exos_page()->event_count[0] != 0);
	exos_page()->event_count[0] = 0;
	/* With what was seen then, the guest is not entered any more. */
	start = vm->page->runs;
	expect_eq(exo_vcpu_run(vm->vcpu, seen), EXO_EXIT_INTR);
	expect_eq(vm->page->runs, start);

}

/* word[0]: turns. */
static void turn(struct peer *peer)
{
	for (volatile uint64_t *turns = &peer->word[0];; (*turns)++)
		continue;
}

EXO_TEST(slices_end_a_guest_that_turns, LONG)
{
	uint64_t end, interrupted = 0, slices;
	struct peer peer;
	struct vm vm;

	must(vm_make(&vm));
	VM_LOAD(&vm, 0xfa, 0xff, 0xc0, 0xeb, 0xfc);     /* cli; inc %eax; jmp back */
	must_eq(peer_make(&peer), 0);
	must_eq(peer_slots(&peer, exos_page()->cpu, 0, 4), 0);
	must_eq(peer_start(&peer, turn, 0), 0);
	slices = exos_page()->slices;
	end = exos_deadline(3000000000ull);
	while ((exos_page()->slices - slices < 4 || peer.page->slices < 4) && exos_tsc() < end)
		interrupted += exo_vcpu_run(vm.vcpu, exos_page()->event_head) == EXO_EXIT_INTR;
	expect(exos_page()->slices - slices >= 4);
	expect(peer.page->slices >= 4);
	expect(peer.word[0] > 0);
	expect(interrupted >= 4);
	expect(vm.page->state.rax > 1000);
	peer_end(&peer);
	vm_end(&vm);
}

EXO_TEST(events_end_a_guest_that_turns_or_sleeps, SHORT)
{
	struct vm vm;

	must(vm_make(&vm));
	VM_LOAD(&vm, 0xeb, 0xfe);               /* jmp . */
	run_to_alarm(&vm);
	VM_LOAD(&vm, 0xfa, 0xeb, 0xfe);         /* cli; jmp . */
	run_to_alarm(&vm);
	vm.page->intercept[0] = 0;              /* hlt is not intercepted, and masked is masked */
	vm.page->changed = EXO_VCPU_CONTROLS;
	VM_LOAD(&vm, 0xfa, 0xf4, 0xeb, 0xfd);
	run_to_alarm(&vm);
	/* monitor; mwait; jmp back */
	VM_LOAD(&vm, 0xfa, 0x31, 0xc0, 0x31, 0xc9, 0x31, 0xd2, 0x0f, 0x01, 0xc8, 0x0f, 0x01, 0xc9,
		0xeb, 0xf2);
	run_to_alarm(&vm);
	vm_end(&vm);
}
