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

/* svm_run for a VCPU whose page has changed, or that did not run last here, or of another epoch. */
int64_t svm_run_changed(struct cpu *c, struct vcpu *v);

/*
 * svm_enter.S: with interrupts off; physical addresses of control blocks.  It calls vcpu_left(v)
 * when the guest has exited, and returns what that does.
 */
int64_t svm_enter(uint64_t guest_pa, uint64_t host_pa, struct vcpu *v, struct exo_vcpu_page *page);

/* The guest's run ended by a machine check: one that is in progress is the machine's. */
void svm_machine_check(void);

extern uint64_t svm_epoch;      /* [a] moves when a guest's space lost rights */

#endif
