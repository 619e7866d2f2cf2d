/* SPDX-License-Identifier: MIT */
/*
 * interpret.h - the reference: what a program that passed prog_check does, step by step.
 *
 * For tests and tools on the host.  The kernel runs compiled code only.
 */
#ifndef EXO_PROG_INTERPRET_H
#define EXO_PROG_INTERPRET_H

#include <exo/prog.h>
#include <stdbool.h>

/*
 * Run the program on `bytes` bytes of input, at most EXO_PROG_INPUT_MAX; `stack`: it names r10.
 * writable: it may write its input too.  Its result.
 */
uint64_t prog_interpret(const struct exo_insn *insn, bool stack, void *input, uint64_t bytes,
                        bool writable);

#endif
