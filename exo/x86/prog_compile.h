/* SPDX-License-Identifier: MIT */
/*
 * prog_compile.h - from a checked program to x86-64 instructions.
 */
#ifndef EXO_X86_PROG_COMPILE_H
#define EXO_X86_PROG_COMPILE_H

#include <exo/prog.h>
#include <stdbool.h>

struct prog_check;

/* A compilation in progress.  Code is made from the last instruction to the first. */
struct prog_compile {
	const struct exo_insn *insn;    /* the whole program, which prog_check let pass */
	uint32_t *place;                /* [count]: where the code of an instruction begins in */
	                                /* `code`; on entry prog_check's marks */
	uint8_t *code;
	uint32_t code_bytes;            /* at least count * EXO_PROG_CODE_BYTES + */
	                                /* EXO_PROG_FRAME_BYTES, below 2^30 */
	uint32_t next;                  /* instructions from here on are done */
	uint32_t at;                    /* their code begins here; in the end: where to enter */
	uint32_t leave, fail;           /* places of the code that ends the program */
	uint16_t uses;
	uint8_t  sizes;
	bool     stack;
	bool     writable;              /* the input may be written */
};

/* Begin, with what prog_check found out; the caller has set insn, place, code, code_bytes. */
void prog_compile_start(struct prog_compile *p, const struct prog_check *checked, bool writable);

/* Compile up to `limit` further instructions; true when all of it is done. */
bool prog_compile(struct prog_compile *p, uint32_t limit);

/* What was made: the program's result.  Its input is read where it lies. */
typedef uint64_t prog_entry(const void *input, uint64_t bytes);

#endif
