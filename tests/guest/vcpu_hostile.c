/* SPDX-License-Identifier: MIT */
/*
 * vcpu_hostile.c - pages with anything in them, guests made of anything: the kernel goes on, memory
 * that is not the guest's stays as it was, and a good guest still runs.
 *
 * `test=vcpu-runs=N` and `test=vcpu-seed=N` on the boot line ask for more runs, and for others.
 */
#include <base/util.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/start.h>
#include <exos/time.h>
#include "suite.h"
#include "vm.h"
#include "x86/insn.h"

#define RUNS_USUAL 4000u
#define VICTIM     4u                   /* frames that no guest may reach */

static uint64_t number_asked(const char *key, uint64_t usual)
{
	const char *word = suite_word(key);
	uint64_t n = 0;

	for (; word && *word >= '0' && *word <= '9'; word++)
		n = n * 10 + (uint64_t)(*word - '0');
	return n ? n : usual;
}

/* Everything in the page that the kernel reads, at random. */
static void page_scramble(struct exo_vcpu_page *page)
{
	uint64_t *words = (uint64_t *)page;

	for (unsigned i = 0; i < offsetof(struct exo_vcpu_page, user) / 8; i++)
		words[i] = guest_random();
}

/* One bit, or a whole word, of a state that would run. */
static void page_bend(struct vm *vm)
{
	uint64_t *words = (uint64_t *)vm->page;
	unsigned count = 1 + guest_below(6);

	vm_long(vm);
	if (guest_below(3) == 0)
		vm_flat(vm);
	for (; count; count--) {
		unsigned at = guest_below(3) ? 128 + guest_below(78) : guest_below(32);

		words[at] = guest_below(2) ? guest_random() : words[at] ^ 1ull << guest_below(64);
	}
}

/* Its code, its page tables, or nothing of its memory at random. */
static void memory_scramble(struct vm *vm)
{
	uint64_t *words = (uint64_t *)vm->ram;
	unsigned from = guest_below(2) ? VM_CODE / 8 : 0;

	for (unsigned i = 0; i < 64 && guest_below(4); i++)
		words[from + i] = guest_random();
	if (guest_below(2))
		for (unsigned i = 0; i < 32; i++)
			vm->ram[VM_CODE + i] = (uint8_t)guest_random();
}

/* In 50 microseconds something else is wanted, so that no guest turns until its slice ends. */
static int64_t run_shortly(struct vm *vm)
{
	uint32_t seen = exos_page()->event_head;

	exos_page()->event_count[0] = 0;
	exos_page()->alarm_tsc = insn_tsc() + exos_machine()->tsc_hz / 20000;
	exo_env_alarm();
	return exo_vcpu_run(vm->vcpu, seen);
}

static uint64_t victim_word(uint64_t i)
{
	return 0x1234567 ^ i * 0x9e3779b97f4a7c15ull;
}

static void victim_check(const uint64_t *victim)
{
	unsigned wrong = 0;

	for (uint64_t i = 0; i < VICTIM * 512; i++)
		wrong += victim[i] != victim_word(i);
	expect_eq(wrong, 0);
}

/* What the runs came to. */
struct counts {
	uint64_t entered, refused, interrupted, absent, other;
};

/* One run of whatever the turn brings. */
static void run_once(struct vm *vm, uint64_t turn, struct counts *counts)
{
	uint64_t before;
	int64_t code;

	if (turn % 8 == 0)
		page_scramble(vm->page);
	else
		page_bend(vm);
	if (turn % 3)
		memory_scramble(vm);
	before = vm->page->runs;
	code = run_shortly(vm);
	expect(code >= 0);
	expect_eq(vm->page->exit_code, code);
	counts->entered += vm->page->runs != before;
	counts->refused += code == EXO_EXIT_INVALID;
	counts->interrupted += code == EXO_EXIT_INTR;
	counts->absent += code == EXO_EXIT_NPF;
	counts->other += code != EXO_EXIT_INVALID && code != EXO_EXIT_INTR &&
			 code != EXO_EXIT_NPF;
}

/* A good guest runs as if nothing had been. */
static void run_good(struct vm *vm)
{
	vm_long(vm);
	VM_LOAD(vm, 0x0f, 0x01, 0xd9);
	vm->page->event_inject = vm->page->interrupt = vm->page->shadow = 0;
	vm->page->intercept[0] = vm->page->intercept_cr = vm->page->intercept_exc = 0;
	vm->page->intercept[1] = 2;
	expect_eq(vm_run(vm), EXO_EXIT_VMMCALL);
}

EXO_TEST(nothing_in_a_vcpu_page_hurts, LONG)
{
	uint64_t runs = number_asked("test=vcpu-runs", RUNS_USUAL), xcr0 = insn_xcr0(), *victim;
	uint64_t seed = number_asked("test=vcpu-seed", 1);
	struct counts counts = { 0 };
	struct guest_frames f;
	struct vm vm;

	must(vm_make(&vm));
	for (uint64_t i = 1; i < seed; i++)
		guest_random();
	must_eq(guest_frames_make(&f, VICTIM), 0);
	victim = exos_space_window(f.slot, f.lo, VICTIM, GUEST_RW, NULL);
	must(victim != NULL);
	for (uint64_t i = 0; i < VICTIM * 512; i++)
		victim[i] = victim_word(i);
	for (uint64_t i = 0; i < runs && !guest_failures(); i++) {
		run_once(&vm, i, &counts);
		expect_eq(insn_xcr0(), xcr0);
		if (i % 256 == 0)
			victim_check(victim);
	}
	printf("vcpu: seed %lu: %lu runs: %lu refused, %lu interrupted, %lu without memory, "
	       "%lu others\n", seed, runs, counts.refused, counts.interrupted, counts.absent,
	       counts.other);
	expect(counts.entered > runs / 2);
	expect(counts.refused && counts.interrupted && counts.absent && counts.other);
	run_good(&vm);
	victim_check(victim);
	exos_space_window_end(victim, VICTIM);
	guest_frames_end(&f);
	vm_end(&vm);
}

/* The guest's vector registers are its monitor's; FS base and the way into the kernel are not. */
EXO_TEST(registers_of_guest_and_monitor, SHORT)
{
	uint64_t fs = insn_fsbase();
	struct vm vm;

	must(vm_make(&vm));
	vm.page->state.cr4 |= 0x600;
	vm.page->state.fs.base = 0x123456;
	vm.page->state.gs.base = 0x654321;
	vm.page->state.kernel_gs_base = 0x777777;
	vm.page->state.lstar = 0x888888;
	/* swapgs; movq %xmm0, %rax; movq %rcx, %xmm15; vmmcall */
	VM_LOAD(&vm, 0x0f, 0x01, 0xf8, 0x66, 0x48, 0x0f, 0x7e, 0xc0, 0x66, 0x4c, 0x0f, 0x6e, 0xf9,
		0x0f, 0x01, 0xd9);
	vm.page->rcx = 0xabcdefull;
	insn_xmm_set(0x1122334455667788ull);
	expect_eq(vm_run(&vm), EXO_EXIT_VMMCALL);
	expect_eq(vm.page->state.rax, 0x1122334455667788ull);
	expect_eq(insn_xmm15(), 0xabcdef);
	expect_eq(vm.page->state.fs.base, 0x123456);
	expect_eq(vm.page->state.gs.base, 0x777777);
	expect_eq(vm.page->state.kernel_gs_base, 0x654321);
	expect_eq(vm.page->state.lstar, 0x888888);
	expect_eq(insn_fsbase(), fs);
	expect_eq(exo_version(), EXO_ABI_MAJOR << 16 | EXO_ABI_MINOR);
	vm_end(&vm);
}
