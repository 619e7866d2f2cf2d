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
struct vmcb;
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
 * For svm_run.h.  Copy what the library says has changed in its page since the last run: what that
 * is, EXO_VCPU_*.
 */
uint32_t svm_take_changed(struct vmcb *b, struct exo_vcpu_page *p);
/* What is cached on this CPU is not the VCPU's, or of another epoch: how to forget it. */
uint32_t svm_cache_miss(struct cpu *c, struct vcpu *v, uint64_t now);
/* The guest's run ended by a machine check. */
void svm_machine_check(void);

extern uint64_t svm_epoch;      /* [a] moves when a guest's space lost rights */

#endif
