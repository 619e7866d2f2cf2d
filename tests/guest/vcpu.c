/* SPDX-License-Identifier: MIT */
/*
 * vcpu.c - virtual processors: entering a guest, its exits as the hardware reports them.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/cap.h>
#include <exos/slot.h>
#include "vm.h"

EXO_TEST(a_guest_of_three_instructions_exits, SHORT)
{
	struct vm vm;

	must(vm_make(&vm));
	/* mov $0x12345678, %eax; add %rcx, %rax; vmmcall */
	VM_LOAD(&vm, 0xb8, 0x78, 0x56, 0x34, 0x12, 0x48, 0x01, 0xc8, 0x0f, 0x01, 0xd9);
	vm.page->rcx = 0x100000000ull;
	vm.page->r15 = 0x5555555555555555ull;
	vm.page->rbx = 7;
	expect_eq(vm_run(&vm), EXO_EXIT_VMMCALL);
	expect_eq(vm.page->exit_code, EXO_EXIT_VMMCALL);
	expect_eq(vm.page->state.rax, 0x112345678ull);
	expect_eq(vm.page->state.rip, VM_CODE + 8);
	expect_eq(vm.page->state.rsp, VM_STACK);
	expect_eq(vm.page->rcx, 0x100000000ull);
	expect_eq(vm.page->r15, 0x5555555555555555ull);
	expect_eq(vm.page->rbx, 7);
	expect_eq(vm.page->changed, 0);
	expect_eq(vm.page->state.efer, 0x500);
	vm_end(&vm);
}

EXO_TEST(a_guest_without_paging_stays_in_its_memory, SHORT)
{
	struct vm vm;

	must(vm_make(&vm));
	vm_flat(&vm);
	/* mov 0x5000, %eax; movl $0x77, 0x5004; vmmcall */
	VM_LOAD(&vm, 0xa1, 0x00, 0x50, 0x00, 0x00, 0xc7, 0x05, 0x04, 0x50, 0x00, 0x00, 0x77, 0x00,
		0x00, 0x00, 0x0f, 0x01, 0xd9);
	*(uint32_t *)(vm.ram + VM_DATA) = 0xabcd1234;
	expect_eq(vm_run(&vm), EXO_EXIT_VMMCALL);
	expect_eq(vm.page->state.rax, 0xabcd1234);
	expect_eq(*(uint32_t *)(vm.ram + VM_DATA + 4), 0x77);
	vm_end(&vm);
}
