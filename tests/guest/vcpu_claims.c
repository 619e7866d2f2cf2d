/* SPDX-License-Identifier: MIT */
/*
 * vcpu_claims.c - VCPUs as objects: who may bind and run them, and what ends while they run, here
 * and on other CPUs.
 */
#include <base/util.h>
#include <exos/cap.h>
#include <exos/slot.h>
#include <exos/start.h>
#include "peer.h"
#include "vm.h"
#include "x86/insn.h"

#define ROUNDS 25u

EXO_TEST(only_claims_on_vcpus_and_guest_spaces_bind, SHORT)
{
	exo_slot memory = guest_claim("memory"), own = guest_claim("space"), run, control;
	struct vm vm;

	must(vm_make(&vm));
	VM_LOAD(&vm, 0x0f, 0x01, 0xd9);
	expect_error(exo_vcpu_bind(vm.vcpu, own), KIND);
	expect_error(exo_vcpu_bind(vm.vcpu, memory), KIND);
	expect_error(exo_vcpu_bind(memory, vm.space.slot), KIND);
	expect_error(exo_vcpu_bind(vm.vcpu, 0), STALE);
	expect_error(exo_vcpu_run(memory, 0), KIND);
	expect_error(exo_vcpu_run(0, 0), STALE);
	expect_error(exo_vcpu_run(vm.vcpu + (1ull << 32), 0), STALE);
	run = (exo_slot)exo_cap_narrow(vm.vcpu, guest_sid(), 0, 0, EXO_R_RUN);
	control = (exo_slot)exo_cap_narrow(vm.vcpu, guest_sid(), 0, 0, EXO_R_CONTROL);
	must((int64_t)run > 0 && (int64_t)control > 0);
	expect_error(exo_vcpu_bind(run, vm.space.slot), RIGHTS);
	expect_error(exo_vcpu_run(control, 0), RIGHTS);
	expect_eq(exo_vcpu_bind(control, vm.space.slot), 0);
	expect_eq(exo_vcpu_run(run, exos_page()->event_head) >= 0, 1);
	expect_error(exo_env_control(guest_claim("env"), EXO_ENV_SPACE, vm.space.slot, 0), KIND);
	expect_eq(exos_cap_revoke(vm.vcpu), 0);
	expect_error(exo_vcpu_run(run, 0), STALE);
	expect_eq(vm_run(&vm), EXO_EXIT_VMMCALL);
	vm_end(&vm);
}

EXO_TEST(a_vcpu_outlives_its_space_but_does_not_run, SHORT)
{
	struct guest_frames f;
	exo_slot vcpu, space;
	struct vm vm;

	must(vm_make(&vm));
	VM_LOAD(&vm, 0x0f, 0x01, 0xd9);
	must_eq(guest_frames_make(&f, EXO_FRAMES_VCPU + EXO_FRAMES_PT), 0);
	must((vcpu = guest_retype(f.slot, f.lo, EXO_KIND_VCPU, 0)) != 0);
	expect_error(exo_vcpu_run(vcpu, 0), NOTABLE);
	space = guest_retype(f.slot, f.lo + EXO_FRAMES_VCPU, EXO_KIND_SPACE, EXO_SPACE_GUEST);
	must(space != 0);
	/* Three on one list: the middle goes first, then the space with the two that are left. */
	must_eq(exo_vcpu_bind(vcpu, vm.space.slot), 0);
	must_eq(exo_vcpu_bind(vcpu, space), 0);
	must_eq(exo_vcpu_bind(vcpu, vm.space.slot), 0);
	must_eq(exo_vcpu_bind(vm.vcpu, vm.space.slot), 0);
	expect_eq(vm_run(&vm), EXO_EXIT_VMMCALL);
	expect_eq(exos_cap_drop(vm.space.slot), 0);
	expect_error(exo_vcpu_run(vm.vcpu, 0), NOTABLE);
	expect_error(exo_vcpu_run(vcpu, 0), NOTABLE);
	expect_eq(exo_vcpu_bind(vm.vcpu, space), 0);
	expect_eq(vm_run(&vm), EXO_EXIT_NPF);
	guest_frames_end(&f);
	expect_error(exo_vcpu_run(vm.vcpu, 0), NOTABLE);
	vm_end(&vm);
}

/* What is a guest's may be written and executed; what is an environment's may not. */
EXO_TEST(only_guests_write_what_they_execute, SHORT)
{
	uint64_t va = 0x200000000000ull;
	struct vm vm;

	must(vm_make(&vm));
	must_eq(exos_space_prepare(&exos_space_own, va, 1), 0);
	expect_eq(exos_space_map(&exos_space_own, va, vm.memory.slot, vm.memory.lo, 1,
				 GUEST_RW | EXO_R_EXEC), -EXO_E_ARG);
	expect_eq(exos_space_map(&exos_space_own, va, vm.memory.slot, vm.memory.lo, 1, GUEST_RW),
		  0);
	expect_eq(exos_space_protect(&exos_space_own, va, 1, GUEST_RW | EXO_R_EXEC), -EXO_E_ARG);
	expect_eq(exos_space_unmap(&exos_space_own, va, 1), 0);
	expect_eq(exos_space_protect(&vm.space, 0, 1, EXO_R_READ), 0);
	expect_eq(exos_space_protect(&vm.space, 0, 1, GUEST_RW | EXO_R_EXEC), 0);
	vm_end(&vm);
}

/* word[0]: an address; word[1]: how many instructions were stepped over. */
static void use_svm(struct peer *peer)
{
	static const uint8_t third[] = { 0xd8, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf };

	for (unsigned i = 0; i < ARRAY_LEN(third); i++) {
		uint64_t before = peer->upcalls;

		insn_svm(third[i], peer->word[0]);
		peer->word[1] += peer->upcalls == before + 1 && (peer->seen.vector == 13 ||
								 peer->seen.vector == 6);
	}
}

/* That the kernel uses SVM gives programs none of it. */
EXO_TEST(programs_do_not_execute_svm, SHORT)
{
	struct guest_frames f;
	struct peer peer;

	must_eq(guest_frames_make(&f, 1), 0);
	must_eq(peer_make(&peer), 0);
	peer_upcalls(&peer, peer_note);
	peer.word[15] = INSN_SVM_BYTES;
	peer.word[0] = f.lo * EXO_PAGE_SIZE;
	must_eq(peer_slots(&peer, exos_page()->cpu, 0, 4), 0);
	must_eq(peer_start(&peer, use_svm, 0), 0);
	expect(peer_wait(&peer, 10000));
	expect_eq(peer.page->stop_reason, EXO_STOP_EXIT);
	expect_eq(peer.word[1], 7);
	peer_end(&peer);
	guest_frames_end(&f);
}

/* word[0]: the VCPU by its name in the peer's table, word[1]: last result, word[2]: runs. */
static void run_until_refused(struct peer *peer)
{
	int64_t code;

	do {
		code = exo_vcpu_run(peer->word[0], peer->page->event_head);
		__atomic_fetch_add(&peer->word[2], 1, __ATOMIC_RELEASE);
	} while (code == EXO_EXIT_INTR || code == -EXO_E_FROZEN);
	__atomic_store_n(&peer->word[1], (uint64_t)code, __ATOMIC_RELEASE);
}

/* Run the machine's guest, which counts at VM_DATA, on another CPU; wait until it does. */
static bool start_elsewhere(struct vm *vm, struct peer *peer, unsigned round)
{
	uint32_t cpus = exos_machine()->cpus;
	volatile uint64_t *counter = (uint64_t *)(vm->ram + VM_DATA);
	int64_t name;

	/* incq VM_DATA; jmp back */
	VM_LOAD(vm, 0x48, 0xff, 0x04, 0x25, 0x00, 0x50, 0x00, 0x00, 0xeb, 0xf6);
	*counter = 0;
	if (!expect_eq(peer_make(peer), 0))
		return false;
	name = peer_give(peer, 0, vm->vcpu, EXO_R_RUN);
	peer->word[0] = (uint64_t)name;
	if (!expect(name > 0) ||
	    !expect_eq(peer_slots(peer, (exos_page()->cpu + 1 + round % (cpus - 1)) % cpus, 0, 4),
		       0) ||
	    !expect_eq(peer_start(peer, run_until_refused, 0), 0))
		return false;
	for (unsigned i = 0; i < 100000 && *counter < 100; i++)
		exo_env_yield(0);
	return expect(*counter >= 100);
}

EXO_TEST(no_store_of_a_guest_lands_after_a_revoke, SMP)
{
	for (unsigned round = 0; round < ROUNDS && !guest_failures(); round++) {
		volatile uint64_t *counter;
		struct guest_frames f;
		struct peer peer;
		struct vm vm;
		exo_slot claim;
		uint64_t value;

		must(vm_make(&vm));
		must_eq(guest_frames_make(&f, 1), 0);
		must((claim = guest_narrow(f.slot, f.lo, f.hi, GUEST_R_SHARE)) != 0);
		must_eq(exos_space_unmap(&vm.space, VM_DATA, 1), 0);
		must_eq(exos_space_map(&vm.space, VM_DATA, claim, f.lo, 1, GUEST_RW), 0);
		counter = exos_space_window(claim, f.lo, 1, GUEST_RW, NULL);
		must(counter != NULL);
		*counter = 0;
		VM_LOAD(&vm, 0x48, 0xff, 0x04, 0x25, 0x00, 0x50, 0x00, 0x00, 0xeb, 0xf6);
		must_eq(peer_make(&peer), 0);
		peer.word[0] = (uint64_t)peer_give(&peer, 0, vm.vcpu, EXO_R_RUN);
		must_eq(peer_slots(&peer, (exos_page()->cpu + 1) % exos_machine()->cpus, 0, 4), 0);
		must_eq(peer_start(&peer, run_until_refused, 0), 0);
		for (unsigned i = 0; i < 100000 && *counter < 100; i++)
			exo_env_yield(0);
		expect(*counter >= 100);
		if (round % 2)
			expect_eq(exos_space_unmap(&vm.space, VM_DATA, 1), 0);
		else
			expect_eq(exos_cap_revoke(f.slot), 0);
		if (!(round % 2))
			counter = exos_space_window(f.slot, f.lo, 1, EXO_R_READ, NULL);
		must(counter != NULL);
		value = *counter;
		expect(peer_wait(&peer, 10000));
		expect_eq(peer.word[1], EXO_EXIT_NPF);
		expect_eq(vm.page->exit_info2, VM_DATA);
		expect_eq(*counter, value);
		expect(value >= 100);
		exos_space_window_end((void *)counter, 1);
		peer_end(&peer);
		guest_frames_end(&f);
		vm_end(&vm);
		exos_slot_sweep();
	}
}

EXO_TEST(a_vcpu_runs_on_one_cpu_at_a_time, SMP)
{
	struct peer peer;
	struct vm vm;
	uint64_t busy = 0, runs;

	must(vm_make(&vm));
	must(start_elsewhere(&vm, &peer, 0));
	runs = peer.word[2];
	for (unsigned i = 0; i < 1000 && !busy; i++)
		busy += exo_vcpu_run(vm.vcpu, exos_page()->event_head) == -EXO_E_BUSY;
	expect_eq(busy, 1);
	expect(peer.word[2] >= runs);
	for (busy = 0; busy < 1000 && exo_vcpu_bind(vm.vcpu, vm.space.slot) != -EXO_E_BUSY;)
		busy++;
	expect(busy < 1000);
	peer_end(&peer);
	VM_LOAD(&vm, 0x0f, 0x01, 0xd9);
	expect_eq(vm_run(&vm), EXO_EXIT_VMMCALL);
	vm_end(&vm);
}

EXO_TEST(vcpus_end_while_they_run_elsewhere, SMP)
{
	for (unsigned round = 0; round < ROUNDS && !guest_failures(); round++) {
		volatile uint64_t *counter;
		struct peer peer;
		struct vm vm;
		uint64_t value;

		must(vm_make(&vm));
		must(start_elsewhere(&vm, &peer, round));
		counter = (uint64_t *)(vm.ram + VM_DATA);
		if (round % 3 == 0)
			expect_eq(exos_cap_drop(vm.space.slot), 0);
		else if (round % 3 == 1)
			expect_eq(exos_cap_revoke(vm.vcpu), 0);
		else
			expect_eq(exos_cap_revoke(vm.objects.slot), 0);
		value = *counter;
		expect(peer_wait(&peer, 10000));
		if (round % 3 == 0)
			expect_eq((int64_t)peer.word[1], -EXO_E_NOTABLE);
		else
			expect_eq((int64_t)peer.word[1], -EXO_E_STALE);
		expect_eq(*counter, value);
		peer_end(&peer);
		if (round % 3 == 2)
			vm.page = NULL;
		vm_end(&vm);
		exos_slot_sweep();
	}
}
