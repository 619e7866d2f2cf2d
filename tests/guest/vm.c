/* SPDX-License-Identifier: MIT */
/*
 * vm.c - a small virtual machine of one's own (vm.h).
 */
#include "vm.h"

#include <base/string.h>
#include <exos/cap.h>
#include <exos/start.h>
#include <exos/time.h>

#define PTE_LINK  0x07ull               /* present, writable, user */
#define PTE_LARGE 0x87ull
#define CR0_PE    0x00000001ull
#define CR0_ET_NE 0x00000030ull
#define CR0_PG    0x80000000ull
#define CR4_PAE   0x20ull
#define EFER_LONG 0x500ull              /* LME LMA */

/* Attributes as in the VMCB: type, S, DPL, P in the low byte, AVL L DB G above it. */
#define ATTR_CODE64 0xa9bu
#define ATTR_CODE32 0xc9bu
#define ATTR_DATA   0xc93u
#define ATTR_TSS    0x08bu

static void state_common(struct exo_vcpu_state *s, uint16_t code)
{
	const struct exo_vcpu_segment data = { 0x10, ATTR_DATA, 0xffffffff, 0 };

	memset(s, 0, sizeof(*s));
	s->es = s->ss = s->ds = s->fs = s->gs = data;
	s->cs = (struct exo_vcpu_segment){ 0x08, code, 0xffffffff, 0 };
	s->tr = (struct exo_vcpu_segment){ 0x18, ATTR_TSS, 0x67, 0 };
	s->rflags = 2;
	s->rip = VM_CODE;
	s->rsp = VM_STACK;
	s->dr6 = 0xffff0ff0;
	s->dr7 = 0x400;
	s->pat = 0x0007040600070406ull;
}

void vm_long(struct vm *vm)
{
	struct exo_vcpu_state *s = &vm->page->state;

	*(uint64_t *)(vm->ram + 0x1000) = 0x2000 | PTE_LINK;
	*(uint64_t *)(vm->ram + 0x2000) = PTE_LARGE;
	state_common(s, ATTR_CODE64);
	s->cr0 = CR0_PE | CR0_ET_NE | CR0_PG;
	s->cr3 = 0x1000;
	s->cr4 = CR4_PAE;
	s->efer = EFER_LONG;
	vm->page->changed = EXO_VCPU_STATE | EXO_VCPU_CONTROLS | EXO_VCPU_FLUSH;
}

void vm_flat(struct vm *vm)
{
	struct exo_vcpu_state *s = &vm->page->state;

	state_common(s, ATTR_CODE32);
	s->cr0 = CR0_PE | CR0_ET_NE;
	vm->page->changed = EXO_VCPU_STATE | EXO_VCPU_CONTROLS | EXO_VCPU_FLUSH;
}

void vm_load(struct vm *vm, const void *code, unsigned bytes)
{
	memcpy(vm->ram + VM_CODE, code, bytes);
	vm->page->state.rip = VM_CODE;
}

bool vm_present(void)
{
	struct guest_frames f;
	exo_slot vcpu;
	int err;

	if (guest_frames_make(&f, EXO_FRAMES_VCPU) < 0)
		return false;
	err = exos_cap_retype(f.slot, f.lo, EXO_KIND_VCPU, 0, &vcpu);
	expect(err == 0 || err == -EXO_E_ABSENT);
	guest_frames_end(&f);
	return err == 0;
}

static bool objects_make(struct vm *vm)
{
	uint64_t pfn;

	if (!expect_eq(guest_frames_make(&vm->objects, VM_OBJECTS), 0) ||
	    !expect_eq(guest_frames_make(&vm->memory, VM_FRAMES), 0))
		return false;
	pfn = vm->objects.lo;
	vm->space.slot = guest_retype(vm->objects.slot, pfn, EXO_KIND_SPACE, EXO_SPACE_GUEST);
	pfn += EXO_FRAMES_PT;
	vm->vcpu = guest_retype(vm->objects.slot, pfn, EXO_KIND_VCPU, 0);
	if (!vm->vcpu)
		return false;
	vm->page = exos_space_window(vm->vcpu, pfn + 1, 1, GUEST_RW, NULL);
	return expect(vm->space.slot != 0) && expect(vm->page != NULL);
}

bool vm_make(struct vm *vm)
{
	memset(vm, 0, sizeof(*vm));
	if (!vm_present())
		guest_skip("this processor has no SVM with nested paging");
	if (!objects_make(vm))
		return false;
	vm->ram = exos_space_window(vm->memory.slot, vm->memory.lo, VM_FRAMES, GUEST_RW, NULL);
	if (!expect(vm->ram != NULL) ||
	    !expect_eq(exos_space_map(&vm->space, 0, vm->memory.slot, vm->memory.lo, VM_FRAMES,
				      GUEST_RW | EXO_R_EXEC), 0) ||
	    !expect_eq(exo_vcpu_bind(vm->vcpu, vm->space.slot), 0))
		return false;
	memset(vm->ram, 0, VM_FRAMES * EXO_PAGE_SIZE);
	vm->page->intercept[0] = 1u << 24;      /* HLT */
	vm->page->intercept[1] = 1u << 1;       /* VMMCALL */
	vm_long(vm);
	return true;
}

void vm_end(struct vm *vm)
{
	if (vm->page)
		exos_space_window_end(vm->page, 1);
	exos_space_window_end(vm->ram, VM_FRAMES);
	guest_frames_end(&vm->objects);
	guest_frames_end(&vm->memory);
}

int64_t vm_run(struct vm *vm)
{
	uint64_t end = insn_tsc() + 5 * exos_machine()->tsc_hz;
	int64_t code;

	do
		code = exo_vcpu_run(vm->vcpu, exos_page()->event_head);
	while ((code == EXO_EXIT_INTR || code == EXO_EXIT_NMI) && insn_tsc() < end);
	return code;
}
