/* SPDX-License-Identifier: MIT */
/*
 * insn.h - the instructions by which tests provoke the processor; inline assembly of the tests.
 *
 * Invariant: lengths named here are those of the instruction that faults, so that a handler can
 * step over it.
 */
#ifndef GUEST_X86_INSN_H
#define GUEST_X86_INSN_H

#include <stdint.h>

/* int $0x80: two bytes, the saved rip stands behind it. */
static inline uint64_t insn_int80(uint64_t rax)
{
	__asm__ volatile("int $0x80" : "+a"(rax) : : "rcx", "r11", "memory");
	return rax;
}

/* syscall with any number: for numbers that are not exo's the saved rip stands behind it. */
static inline uint64_t insn_foreign(uint64_t number, uint64_t rdi)
{
	__asm__ volatile("syscall" : "+a"(number) : "D"(rdi) : "rcx", "r11", "memory");
	return number;
}

/* ud2: two bytes, faults with vector 6. */
#define INSN_UD2_BYTES 2
static inline void insn_ud2(void) { __asm__ volatile("ud2" : : : "memory"); }

/* A store of rax to (rdi): three bytes. */
#define INSN_STORE_BYTES 3
static inline void insn_store(void *to, uint64_t value)
{
	__asm__ volatile(".byte 0x48, 0x89, 0x07" : : "a"(value), "D"(to) : "memory");
}

/* A load from (rdi) to rax: three bytes. */
#define INSN_LOAD_BYTES 3
static inline uint64_t insn_load(const void *from)
{
	uint64_t value = 0;

	__asm__ volatile(".byte 0x48, 0x8b, 0x07" : "+a"(value) : "D"(from) : "memory");
	return value;
}

/* Privileged instructions of one and two bytes: fault with vector 13. */
#define INSN_CLI_BYTES 1
static inline void insn_cli(void) { __asm__ volatile("cli" : : : "memory"); }
#define INSN_HLT_BYTES 1
static inline void insn_hlt(void) { __asm__ volatile("hlt" : : : "memory"); }
#define INSN_OUT_BYTES 1
static inline void insn_out(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %%al, %%dx" : : "d"(port), "a"(value));
}
#define INSN_RDMSR_BYTES 2
static inline void insn_rdmsr(uint32_t msr)
{
	__asm__ volatile("rdmsr" : : "c"(msr) : "rax", "rdx");
}

/* Divide by zero: two bytes (div %ecx), vector 0. */
#define INSN_DIV_BYTES 2
static inline void insn_div0(void)
{
	uint32_t zero = 0, a = 1, d = 0;

	__asm__ volatile("divl %%ecx" : "+a"(a), "+d"(d) : "c"(zero));
}

/* int3: one byte, vector 3, the saved rip stands behind it. */
static inline void insn_int3(void) { __asm__ volatile("int3" : : : "memory"); }

/*
 * Set the trap flag, below the red zone: the instruction behind popfq runs, then vector 1 comes;
 * a handler that resumes clears the flag in the saved rflags.
 */
static inline void insn_trap_flag(void)
{
	__asm__ volatile("leaq -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq; nop; nop; "
			 "leaq 128(%%rsp), %%rsp" : : : "cc", "memory");
}

/* Turn without end, without calls and without memory. */
static inline void insn_spin(void)
{
	for (;;)
		__asm__ volatile("pause");
}

/* The low halves of two vector registers; the tests' C code itself uses none. */
static inline void insn_xmm_set(uint64_t value)
{
	__asm__ volatile("movq %0, %%xmm0; movq %0, %%xmm15" : : "r"(value));
}
static inline uint64_t insn_xmm0(void)
{
	uint64_t value;

	__asm__ volatile("movq %%xmm0, %0" : "=r"(value));
	return value;
}
static inline uint64_t insn_xmm15(void)
{
	uint64_t value;

	__asm__ volatile("movq %%xmm15, %0" : "=r"(value));
	return value;
}

/* The instructions of SVM but VMMCALL, by their third byte (d8 to df): three bytes each. */
#define INSN_SVM_BYTES 3
static inline void insn_svm(uint8_t third, uint64_t rax)
{
	switch (third) {
	case 0xd8: __asm__ volatile(".byte 0x0f, 0x01, 0xd8" : : "a"(rax) : "memory"); break;
	case 0xda: __asm__ volatile(".byte 0x0f, 0x01, 0xda" : : "a"(rax) : "memory"); break;
	case 0xdb: __asm__ volatile(".byte 0x0f, 0x01, 0xdb" : : "a"(rax) : "memory"); break;
	case 0xdc: __asm__ volatile(".byte 0x0f, 0x01, 0xdc" : : "a"(rax) : "memory"); break;
	case 0xdd: __asm__ volatile(".byte 0x0f, 0x01, 0xdd" : : "a"(rax) : "memory"); break;
	case 0xde: __asm__ volatile(".byte 0x0f, 0x01, 0xde" : : "a"(rax) : "memory"); break;
	default: __asm__ volatile(".byte 0x0f, 0x01, 0xdf" : : "a"(rax), "c"(0) : "memory");
	}
}

static inline uint64_t insn_fsbase(void)
{
	uint64_t value;

	__asm__ volatile("rdfsbase %0" : "=r"(value));
	return value;
}

/* Which vector states are on (XCR0). */
static inline uint64_t insn_xcr0(void)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t)hi << 32 | lo;
}

static inline void insn_relax(void) { __asm__ volatile("pause" : : : "memory"); }

#endif
