/* SPDX-License-Identifier: MIT */
/*
 * bases.h - the FS and GS bases of user mode, which belong to the environment.
 *
 * With FSGSBASE user mode changes them as it likes, so they are read back when it leaves the CPU.
 */
#ifndef EXO_X86_BASES_H
#define EXO_X86_BASES_H

#include "env.h"
#include "x86/insn.h"

#define MSR_FSBASE 0xc0000100
#define MSR_KERNEL_GSBASE 0xc0000102

extern bool has_fsgsbase;

static inline void bases_save(struct env *e)
{
	e->fs_base = has_fsgsbase ? read_fsbase() : read_msr(MSR_FSBASE);
	e->gs_base = has_fsgsbase ? swap_user_gsbase(0) : read_msr(MSR_KERNEL_GSBASE);
}

static inline void bases_load(const struct env *e)
{
	if (has_fsgsbase) {
		write_fsbase(e->fs_base);
		swap_user_gsbase(e->gs_base);
	} else {
		write_msr(MSR_FSBASE, e->fs_base);
		write_msr(MSR_KERNEL_GSBASE, e->gs_base);
	}
}

/* The same where there is FSGSBASE. */
static inline void bases_save_plain(struct env *e)
{
	e->fs_base = read_fsbase();
	e->gs_base = read_user_gsbase();
}

static inline void bases_load_plain(const struct env *e)
{
	write_fsbase(e->fs_base);
	write_user_gsbase(e->gs_base);
}

static inline void bases_swap(struct env *from, const struct env *to)
{
	if (!has_fsgsbase) {
		bases_save(from);
		bases_load(to);
		return;
	}
	from->fs_base = read_fsbase();
	write_fsbase(to->fs_base);
	from->gs_base = swap_user_gsbase(to->gs_base);
}

#endif
