/* SPDX-License-Identifier: MIT */
/*
 * vm.h - a small virtual machine of one's own: a VCPU, nested tables, a few pages, code by bytes.
 *
 * Guest physical memory is [0, VM_FRAMES pages); in 64-bit mode the guest's own tables, in its
 * pages 1 and 2, map the first GiB one to one.  Code begins at VM_CODE.
 */
#ifndef GUEST_VM_H
#define GUEST_VM_H

#include <exo/vcpu.h>
#include <exos/call.h>
#include <exos/space.h>

#include "guest.h"

#define VM_FRAMES  8u
#define VM_CODE    0x3000u              /* guest addresses */
#define VM_DATA    0x5000u
#define VM_STACK   0x7000u
#define VM_OBJECTS (EXO_FRAMES_PT + EXO_FRAMES_VCPU)

struct vm {
	struct guest_frames objects, memory;
	struct exos_space space;                /* nested tables */
	exo_slot vcpu;
	struct exo_vcpu_page *page;
	uint8_t *ram;                           /* the guest's memory, as the test maps it */
};

/* Does the processor have SVM with nested paging? */
bool vm_present(void);

/* Make one that is ready to run in 64-bit mode at VM_CODE; skips the test where there is no SVM. */
bool vm_make(struct vm *vm);
void vm_end(struct vm *vm);

/* Start anew in 64-bit mode, or in 32-bit protected mode without paging. */
void vm_long(struct vm *vm);
void vm_flat(struct vm *vm);

/* Put code at VM_CODE and the guest's rip there. */
void vm_load(struct vm *vm, const void *code, unsigned bytes);
#define VM_LOAD(vm, ...) \
	do { \
		static const uint8_t bytes_[] = { __VA_ARGS__ }; \
		vm_load(vm, bytes_, sizeof(bytes_)); \
	} while (0)

/* Run until an exit that is not the machine's own, at most 5 s: the exit code or -EXO_E_*. */
int64_t vm_run(struct vm *vm);

#endif
