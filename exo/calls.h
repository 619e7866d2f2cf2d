/* SPDX-License-Identifier: MIT */
/*
 * calls.h - the functions behind the call table; syscalls.def says what each does.
 *
 * Called from x86/entry.S with the environment first.  The two gate calls are assembly there.
 */
#ifndef EXO_CALLS_H
#define EXO_CALLS_H

#include <stdint.h>

struct env;

#define CALL_ARGS_0
#define CALL_ARGS_1 , uint64_t a
#define CALL_ARGS_2 CALL_ARGS_1, uint64_t b
#define CALL_ARGS_3 CALL_ARGS_2, uint64_t c
#define CALL_ARGS_4 CALL_ARGS_3, uint64_t d
#define CALL_ARGS_5 CALL_ARGS_4, uint64_t f
#define CALL_ARGS_6 CALL_ARGS_5, uint64_t g
#define EXO_CALL(number, name, args, text) int64_t sys_##name(struct env *e CALL_ARGS_##args);
#define EXO_SWITCH(number, name, args, text) int64_t sys_##name(struct env *e CALL_ARGS_##args);
#include <exo/syscalls.def>

/* The same as entry.S calls those that do not switch: for the present environment. */
#define CALL_ONLY_0 void
#define CALL_ONLY_1 uint64_t a
#define CALL_ONLY_2 CALL_ONLY_1, uint64_t b
#define CALL_ONLY_3 CALL_ONLY_2, uint64_t c
#define CALL_ONLY_4 CALL_ONLY_3, uint64_t d
#define CALL_ONLY_5 CALL_ONLY_4, uint64_t f
#define CALL_PASS_0
#define CALL_PASS_1 , a
#define CALL_PASS_2 CALL_PASS_1, b
#define CALL_PASS_3 CALL_PASS_2, c
#define CALL_PASS_4 CALL_PASS_3, d
#define CALL_PASS_5 CALL_PASS_4, f
#define EXO_CALL(number, name, args, text) int64_t call_##name(CALL_ONLY_##args);
#include <exo/syscalls.def>

/*
 * Derive the whole of `from`'s claim into the slot that `to` keeps open: its name, or an error.
 * Takes tree_lock.
 */
int64_t cap_pass(struct env *from, uint64_t cap, struct env *to);

#endif
