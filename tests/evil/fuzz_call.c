/* SPDX-License-Identifier: MIT */
/*
 * fuzz_call.c - making calls: counted, and put into the group's log.
 *
 * Invariant: a call of an ordered group is in its log before the turn goes to another.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/gate.h>
#include "fuzz.h"
#include "guest/x86/insn.h"

struct fuzz fuzz;

void fuzz_wrong(const char *why)
{
	if (!__atomic_fetch_add(&fuzz.wrong, 1, __ATOMIC_ACQ_REL))
		string_copy(fuzz.why, why, sizeof(fuzz.why));
}

static void add(uint64_t *counter, uint64_t n) { __atomic_fetch_add(counter, n, __ATOMIC_RELAXED); }

/* What a guest exits by depends on the machine's interrupts. */
static int64_t logged(uint32_t number, int64_t result)
{
	return number == EXO_CALL_vcpu_run && result > 0 ? 0 : result;
}

static int64_t count(struct actor *a, uint32_t number, int64_t result, const uint64_t arg[5])
{
	struct group *g = a->group;
	struct fuzz_record *r;

	if (g->ordered) {
		r = fuzz_record(g);
		*r = (struct fuzz_record){ .sequence = (uint32_t)g->log.head,
					   .what = (uint16_t)number, .actor = (uint16_t)a->number,
					   .result = logged(number, result) };
		memcpy(r->arg, arg, 5 * sizeof(arg[0]));
		g->log.head++;
	}
	add(&g->calls, 1);
	add(&g->succeeded, result >= 0);
	return result;
}

int64_t fuzz_call(struct actor *a, uint32_t number, uint64_t a0, uint64_t a1, uint64_t a2,
		  uint64_t a3, uint64_t a4)
{
	const uint64_t arg[5] = { a0, a1, a2, a3, a4 };

	return count(a, number, pair_count(number, insn_call5(number, a0, a1, a2, a3, a4)), arg);
}

int64_t fuzz_end(struct actor *a, uint32_t number, exo_slot slot)
{
	const uint64_t arg[5] = { slot };
	int64_t result;

	do
		result = insn_call1(number, slot);
	while (result == EXO_MORE);
	return count(a, number, pair_count(number, result), arg);
}

int64_t fuzz_map(struct actor *a, exo_slot space, const struct exo_map_op *op)
{
	const uint64_t words[6] = { op->slot, op->va, op->pfn, op->pages, op->op, op->prot };
	const uint64_t arg[5] = { space, 0, 1 };

	if (a->group->ordered)
		fuzz_note(a->group, FUZZ_OP, 0, words, 6);
	return count(a, EXO_CALL_space_update, exo_space_update(space, (uint64_t)op, 1), arg);
}

int64_t fuzz_gate(struct actor *a, exo_slot gate, exo_slot cap)
{
	const uint64_t arg[5] = { gate, cap };
	struct exos_gate_message m = { .cap = cap };

	return count(a, EXO_CALL_gate_call, exos_gate_call_once(gate, &m), arg);
}
