/* SPDX-License-Identifier: MIT */
/*
 * vcpu.c - virtual processors: bound to the nested tables of a space, run, ended.
 *
 * Invariant: a VCPU is RUNNING on one CPU at most, moved there by an atomic exchange.  Whoever
 * takes its space or its life away first says so in it and then looks whether it is RUNNING; who
 * runs it makes it RUNNING and then looks what was said.  What the hardware needs: x86/svm.c.
 */
#include "vcpu.h"

#include <base/string.h>
#include <exo/space.h>

#include "calls.h"
#include "claim.h"
#include "cpu.h"
#include "hold.h"
#include "lock.h"
#include "table.h"
#include "x86/lapic.h"
#include "x86/svm.h"
#include "x86/svm_run.h"

void vcpu_make(uint64_t pfn)
{
	struct vcpu *v = vcpu_at(pfn);

	memset(v, 0, EXO_FRAMES_VCPU * EXO_PAGE_SIZE);
	v->pfn = pfn;
	v->page = pfn_to_virt(pfn + 1);
	v->vmcb = pfn_to_virt(pfn + 2);
	v->vmcb_pa = (pfn + 2) << EXO_PAGE_SHIFT;
	v->page->changed = EXO_VCPU_STATE | EXO_VCPU_CONTROLS;
	svm_make(v);
}

/* Make it RUNNING, and ours: false if it is another's. */
static bool vcpu_take(struct vcpu *v)
{
	uint32_t state = VCPU_FREE;

	return __atomic_compare_exchange_n(&v->state, &state, VCPU_RUNNING, false, __ATOMIC_SEQ_CST,
	                                   __ATOMIC_SEQ_CST);
}

/* Is a CPU inside, or on its way?  Then it is told to come out. */
static bool vcpu_inside(struct vcpu *v)
{
	if (__atomic_load_n(&v->state, __ATOMIC_SEQ_CST) == VCPU_FREE)
		return false;
	lapic_kick(cpus[__atomic_load_n(&v->cpu, __ATOMIC_RELAXED)]);
	return true;
}

/* Take a VCPU that does not run off the list of its space, and put it on another's. */
static void vcpu_unlink(struct vcpu *v)
{
	if (!v->bound)
		return;
	if (v->prev)
		vcpu_at(v->prev)->next = v->next;
	else
		*table_link(v->bound, TABLE_ENVS) = v->next;
	if (v->next)
		vcpu_at(v->next)->prev = v->prev;
	v->bound = v->next = v->prev = 0;
}

static void vcpu_link(struct vcpu *v, uint64_t space)
{
	uint64_t *head = table_link(space, TABLE_ENVS);

	v->bound = space;
	v->next = *head;
	if (*head)
		vcpu_at(*head)->prev = v->pfn;
	*head = v->pfn;
}

/* Who runs it by this claim says so and then looks at the claim: vcpu_run. */
int vcpu_unbind(const struct exo_cap *c)
{
	struct vcpu *v = vcpu_at(c->lo);

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&v->by, __ATOMIC_SEQ_CST) != slot_name(c))
		return 0;
	return vcpu_inside(v) ? EXO_MORE : 0;
}

int vcpu_end(uint64_t pfn)
{
	struct vcpu *v = vcpu_at(pfn);

	__atomic_store_n(&v->ending, 1, __ATOMIC_SEQ_CST);
	if (vcpu_inside(v))
		return EXO_MORE;
	vcpu_unlink(v);
	return 0;
}

int vcpus_part(uint64_t space)
{
	uint64_t *head = table_link(space, TABLE_ENVS);

	while (*head) {
		struct vcpu *v = vcpu_at(*head);

		if (work_left <= 0)
			return EXO_MORE;
		__atomic_store_n(&v->space, 0, __ATOMIC_SEQ_CST);
		if (vcpu_inside(v))
			return EXO_MORE;
		vcpu_unlink(v);
		work_done(4);
	}
	return 0;
}

static int bind_check(struct env *e, uint64_t vcpu, uint64_t space, struct exo_cap **vc,
                      struct exo_cap **sc)
{
	int err = claim_ready(e, vcpu, EXO_KIND_VCPU, EXO_R_CONTROL, vc);

	if (err || (err = claim_ready(e, space, EXO_KIND_SPACE, EXO_R_RUN, sc)) < 0)
		return err;
	if ((*sc)->unit != EXO_SPACE_GUEST)
		return -EXO_E_KIND;
	return vcpu_at((*vc)->lo)->ending ? -EXO_E_ENDED : 0;
}

/* Nobody but tree_lock's holder changes the binding; who runs it must not see it change. */
static int vcpu_rebind(struct vcpu *v, uint64_t space)
{
	if (!vcpu_take(v))
		return -EXO_E_BUSY;
	vcpu_unlink(v);
	v->epoch = 0;
	vcpu_link(v, space);
	v->vmcb->nested_cr3 = space << EXO_PAGE_SHIFT;
	__atomic_store_n(&v->space, space, __ATOMIC_SEQ_CST);
	__atomic_store_n(&v->state, VCPU_FREE, __ATOMIC_SEQ_CST);
	return 0;
}

int64_t sys_vcpu_bind(struct env *e, uint64_t vcpu, uint64_t space)
{
	struct exo_cap *vc, *sc;
	int err;

	tree_take();
	err = bind_check(e, vcpu, space, &vc, &sc);
	if (!err)
		err = vcpu_rebind(vcpu_at(vc->lo), sc->lo);
	tree_release();
	return err;
}

/* It is not ours any more. */
static inline int64_t vcpu_give(struct vcpu *v, int64_t result)
{
	__atomic_store_n(&v->state, VCPU_FREE, __ATOMIC_SEQ_CST);
	return result;
}

/* Events came before the guest could be entered. */
static int64_t vcpu_kept_out(struct env *e, struct vcpu *v)
{
	v->page->exit_code = EXO_EXIT_INTR;
	__atomic_store_n(&e->in_guest, 0, __ATOMIC_RELEASE);
	return vcpu_give(v, EXO_EXIT_INTR);
}

static inline int64_t vcpu_leave(struct vcpu *v)
{
	struct cpu *c = this_cpu();
	uint32_t code = svm_left(c, v);

	__atomic_store_n(&c->env->in_guest, 0, __ATOMIC_RELEASE);
	return vcpu_give(v, code);
}

/* A state that is refused is refused before the processor forgets what it was told to forget. */
__attribute__((noinline))
static int64_t vcpu_left_checked(struct vcpu *v, uint32_t code)
{
	if (code == EXIT_MACHINE_CHECK)
		svm_machine_check();
	else
		v->epoch = 0;
	return vcpu_leave(v);
}

int64_t vcpu_left(struct vcpu *v)
{
	uint32_t code = (uint32_t)v->vmcb->exit_code;

	if (UNLIKELY(code == EXIT_MACHINE_CHECK || code == EXO_EXIT_INVALID))
		return vcpu_left_checked(v, code);
	return vcpu_leave(v);
}

/* It is RUNNING and ours.  Events that come from now on end the guest's run: env_wake. */
__attribute__((always_inline))
static inline int64_t vcpu_enter(struct cpu *c, struct env *e, struct vcpu *v, uint64_t seen)
{
	if (UNLIKELY(__atomic_load_n(&v->ending, __ATOMIC_SEQ_CST)))
		return vcpu_give(v, -EXO_E_ENDED);
	if (UNLIKELY(!__atomic_load_n(&v->space, __ATOMIC_SEQ_CST)))
		return vcpu_give(v, -EXO_E_NOTABLE);
	__atomic_store_n(&e->in_guest, 1, __ATOMIC_SEQ_CST);
	if (UNLIKELY(__atomic_load_n(&e->event_head, __ATOMIC_SEQ_CST) != (uint32_t)seen))
		return vcpu_kept_out(e, v);
	return svm_run(c, e, v);
}

/* Is the claim going, or frozen?  A slot's generation changes before its flags are cleared. */
__attribute__((always_inline))
static inline int64_t run_refused(const struct exo_cap *cap, uint64_t slot)
{
	unsigned flags = __atomic_load_n(&cap->flags, __ATOMIC_SEQ_CST);

	if (UNLIKELY(!claim_same(cap, slot)))
		return -EXO_E_STALE;
	return UNLIKELY(flags & (EXO_CAP_FROZEN | EXO_CAP_ENDING)) ? -EXO_E_FROZEN : 0;
}

/*
 * By a claim that was found to be one on a VCPU that may be run; twice in the code.  It is looked
 * at twice, too: before the VCPU is touched, as the end of an object does not wait for who comes by
 * its own claim after that began to end; and when we said by which claim we run.
 */
__attribute__((always_inline))
static inline int64_t vcpu_run_by(const struct exo_cap *cap, struct env *e, uint64_t slot,
				  uint64_t seen)
{
	struct cpu *c = this_cpu();
	struct vcpu *v = vcpu_at(cap->lo);
	int64_t err = run_refused(cap, slot);

	if (UNLIKELY(err))
		return err;
	if (UNLIKELY(!vcpu_take(v)))
		return -EXO_E_BUSY;
	__atomic_store_n(&v->cpu, c->number, __ATOMIC_RELAXED);
	__atomic_store_n(&v->by, slot, __ATOMIC_SEQ_CST);
	err = run_refused(cap, slot);
	return UNLIKELY(err) ? vcpu_give(v, err) : vcpu_enter(c, e, v, seen);
}

/* There is no such claim in the table frame used last. */
__attribute__((noinline))
static int64_t vcpu_run_slow(struct env *e, uint64_t slot, uint64_t seen)
{
	struct exo_cap *cap;
	int64_t err = claim_find(e, slot, EXO_KIND_VCPU, EXO_R_RUN, &cap);

	if (!err)
		return vcpu_run_by(cap, e, slot, seen);
	/* What was compared may have been half of a claim that was going. */
	return err == -EXO_E_STALE || claim_same(cap, slot) ? err : -EXO_E_STALE;
}

int64_t sys_vcpu_run(struct env *e, uint64_t slot, uint64_t seen)
{
	const struct exo_cap *cap = claim_quick(e, slot, EXO_KIND_VCPU, EXO_R_RUN);

	return UNLIKELY(!cap) ? vcpu_run_slow(e, slot, seen) : vcpu_run_by(cap, e, slot, seen);
}
