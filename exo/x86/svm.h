/* SPDX-License-Identifier: MIT */
/*
 * svm.h - AMD SVM: switching it on, entering a guest, ending what guests have cached.
 */
#ifndef EXO_X86_SVM_H
#define EXO_X86_SVM_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct vcpu;
struct exo_vcpu_page;

/* Find out whether there is SVM with nested paging, and take frames for it; once (boot only). */
void svm_probe(void);
/* Switch it on, on the calling CPU, if there is. */
void svm_start(struct cpu *c);
/* May there be VCPUs on this machine? */
bool svm_present(void);

/* What a VCPU that was just made has in its control block. */
void svm_make(struct vcpu *v);

/*
 * Enter the guest by what its page says, in the nested tables of `space`, and come back at its next
 * exit: the exit code.  Interrupts of the machine end it and stay pending until the caller's way
 * back to user mode.
 */
uint32_t svm_run(struct cpu *c, struct vcpu *v, uint64_t space);

/* svm_enter.S: with interrupts off; physical addresses of control blocks. */
void svm_enter(uint64_t guest_pa, uint64_t host_pa, struct exo_vcpu_page *page);

#endif
