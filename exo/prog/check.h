/* SPDX-License-Identifier: MIT */
/*
 * check.h - is it a program?  Asked once, when it is loaded.
 */
#ifndef EXO_PROG_CHECK_H
#define EXO_PROG_CHECK_H

#include <exo/prog.h>
#include <stdbool.h>

/* A check in progress, and what it has found out. */
struct prog_check {
	const struct exo_insn *insn;    /* the whole program */
	uint32_t *mark;                 /* [count], zero at first: 1 where a jump leads */
	uint32_t count;
	uint32_t next;                  /* instructions before it are good */
	uint32_t cost;                  /* of these: EXO_PROG_COST_* */
	uint32_t accesses;              /* among them that cost EXO_PROG_COST_STACK if it has one */
	uint16_t uses;                  /* bit n: register n is named */
	uint8_t  sizes;                 /* bit n: the input may be read or written 1 << n bytes */
	                                /* at a time */
	bool     stack;                 /* r10 is named: it has a stack */
	uint32_t reason;                /* enum exo_prog_reason; of the instruction `next` */
};

/*
 * Check up to `limit` further instructions.  true: go on, or, when next == count, it is a program;
 * false: it is refused for c->reason.
 */
bool prog_check(struct prog_check *c, uint32_t limit);

/* A reason in words. */
const char *prog_reason(uint32_t reason);

#endif
