/* SPDX-License-Identifier: MIT */
/*
 * port.c - the batched call to use I/O ports.
 *
 * Invariant: a port is touched only with tree_lock held and after the claim, as it is then, was
 * found to cover it; the lock is given up after PORT_BURST accesses, so nobody waits long, and once
 * a revocation is done no access is under way.  Which ports can be claimed: port_list.c.
 */
#include "x86/port.h"

#include <exo/port.h>

#include "claim.h"
#include "hold.h"
#include "kernel.h"
#include "lock.h"
#include "x86/insn.h"

enum {
	CHUNK = 16,             /* entries copied at a time */
	PORT_BURST = 32,        /* accesses with the lock held */
};

struct batch {
	struct exo_port_op op[CHUNK];
	uint32_t count;         /* entries in it */
	uint32_t at;            /* entry that is next */
	uint32_t tries;         /* made of that entry, if it is an UNTIL */
	uint32_t left;          /* accesses the call may still make */
	bool stop;              /* an UNTIL ran out of tries, or the call out of accesses */
};

static uint32_t port_in(uint16_t port, unsigned size)
{
	if (size == 1)
		return in8(port);
	return size == 2 ? in16(port) : in32(port);
}

static void port_out(uint16_t port, unsigned size, uint32_t value)
{
	if (size == 1)
		out8(port, (uint8_t)value);
	else if (size == 2)
		out16(port, (uint16_t)value);
	else
		out32(port, value);
}

static int op_check(const struct exo_cap *claim, const struct exo_port_op *op)
{
	if (op->size != 1 && op->size != 2 && op->size != 4)
		return -EXO_E_ARG;
	if (op->op > EXO_PORT_UNTIL)
		return -EXO_E_ARG;
	if (op->op == EXO_PORT_UNTIL && (!op->tries || op->tries > EXO_PORT_TRIES))
		return -EXO_E_ARG;
	if (op->port < claim->lo || !range_fits(op->port - claim->lo, op->size,
	                                        claim->hi - claim->lo))
		return -EXO_E_RANGE;
	return ports_held(op->port, op->port + op->size, slot_sid(claim)) ? 0 : -EXO_E_SPLIT;
}

/* One access of an entry; true: the entry is done. */
static bool op_step(struct batch *b, struct exo_port_op *op)
{
	b->left--;
	if (op->op == EXO_PORT_OUT) {
		port_out(op->port, op->size, op->value);
		return true;
	}
	op->value = port_in(op->port, op->size);
	if (op->op == EXO_PORT_IN || (op->value & op->mask) == op->want)
		return true;
	b->tries++;
	b->stop = b->tries >= op->tries;
	return false;
}

/* A few accesses under one claim; tree_lock held. */
static int batch_burst(struct batch *b, const struct exo_cap *claim)
{
	int err = claim->flags & EXO_CAP_FROZEN ? -EXO_E_FROZEN : 0;
	uint32_t checked = ~0u;

	for (unsigned i = 0; i < PORT_BURST && !err && !b->stop && b->at < b->count; i++) {
		struct exo_port_op *op = &b->op[b->at];

		if (!b->left) {
			b->stop = true;
			break;
		}
		if (checked != b->at)
			err = op_check(claim, op);
		checked = b->at;
		if (!err && op_step(b, op)) {
			b->at++;
			b->tries = 0;
		}
	}
	return err;
}

/* All entries of a chunk, the lock given up between bursts. */
static int batch_run(struct batch *b, struct env *e, uint64_t slot)
{
	struct exo_cap *claim;
	int err = 0;

	b->at = b->tries = 0;
	while (!err && !b->stop && b->at < b->count) {
		tree_share();
		err = claim_find(e, slot, EXO_KIND_PORT, EXO_R_CONTROL, &claim);
		if (!err)
			err = batch_burst(b, claim);
		tree_unshare();
		interrupts_window();
	}
	return err;
}

/* Does the owner get something back from the entries that were run? */
static bool batch_reads(const struct batch *b)
{
	for (uint32_t i = 0; i < b->count && i <= b->at; i++) {
		if (b->op[i].op != EXO_PORT_OUT)
			return true;
	}
	return false;
}

int64_t sys_port_io(struct env *e, uint64_t slot, uint64_t ops, uint64_t count)
{
	struct batch b = { .left = PORT_TRIES_MAX };
	uint64_t done = 0;
	int err = 0;

	if (!count || count > PORT_OPS_MAX)
		return -EXO_E_ARG;
	while (done < count && !err && !b.stop) {
		uint64_t at = ops + done * sizeof(b.op[0]);

		b.count = (uint32_t)min_u64(count - done, CHUNK);
		err = copy_in(b.op, at, b.count * sizeof(b.op[0]));
		if (err < 0)
			break;
		err = batch_run(&b, e, slot);
		if (batch_reads(&b) && copy_out(at, b.op, b.count * sizeof(b.op[0])) < 0)
			return -EXO_E_FAULT;
		done += b.at;
	}
	return done ? (int64_t)done : err;
}
