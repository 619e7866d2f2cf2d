/* SPDX-License-Identifier: MIT */
/*
 * insn.h - single processor instructions as C functions; the kernel's only inline assembly.
 */
#ifndef EXO_X86_INSN_H
#define EXO_X86_INSN_H

#include <stdint.h>

static inline uint64_t read_cr2(void)
{
	uint64_t v;
	asm volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}
static inline uint64_t read_cr3(void)
{
	uint64_t v;
	asm volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}
static inline void write_cr3(uint64_t v)
{
	asm volatile("mov %0, %%cr3" : : "r"(v) : "memory");
}
static inline uint64_t read_cr0(void)
{
	uint64_t v;
	asm volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}
static inline void write_cr0(uint64_t v)
{
	asm volatile("mov %0, %%cr0" : : "r"(v) : "memory");
}
static inline uint64_t read_cr4(void)
{
	uint64_t v;
	asm volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}
static inline void write_cr4(uint64_t v)
{
	asm volatile("mov %0, %%cr4" : : "r"(v) : "memory");
}
static inline void clear_ts(void)
{
	asm volatile("clts");
}

static inline void invlpg(uint64_t va)
{
	asm volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* Write back what this CPU's caches hold, for readers that do not look there (SDM 2D, WBINVD). */
static inline void write_caches(void)
{
	asm volatile("wbinvd" : : : "memory");
}

static inline uint64_t read_msr(uint32_t msr)
{
	uint32_t lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}
static inline void write_msr(uint32_t msr, uint64_t v)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

static inline uint64_t read_tsc(void)
{
	uint32_t lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
	asm volatile("cpuid"
		     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
		     : "a"(leaf), "c"(sub));
}

/* A random number of the processor's; false: it has none ready (SDM 2B, RDRAND). */
static inline bool read_random(uint64_t *out)
{
	bool ready;

	asm volatile("rdrand %0" : "=r"(*out), "=@ccc"(ready));
	return ready;
}

static inline void out8(uint16_t port, uint8_t v)
{
	asm volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}
static inline void out16(uint16_t port, uint16_t v)
{
	asm volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}
static inline void out32(uint16_t port, uint32_t v)
{
	asm volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}
static inline uint8_t in8(uint16_t port)
{
	uint8_t v;
	asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline uint16_t in16(uint16_t port)
{
	uint16_t v;
	asm volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline uint32_t in32(uint16_t port)
{
	uint32_t v;
	asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

/* Copy `words` of 8 bytes upwards. */
static inline void copy_words(void *dst, const void *src, uint64_t words)
{
	asm volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(words) : : "memory");
}

static inline void cpu_pause(void)
{
	asm volatile("pause" : : : "memory");
}
_Noreturn static inline void halt_forever(void)
{
	for (;;)
		asm volatile("cli; hlt");
}
/* Let one interrupt in, or sleep until one comes; returns with interrupts off. */
static inline void idle_once(void)
{
	asm volatile("sti; hlt; cli" : : : "memory");
}
/* Let those in that wait. */
static inline void let_interrupts(void)
{
	asm volatile("sti; nop; cli" : : : "memory");
}
static inline void load_gdt(const void *pseudo)
{
	asm volatile("lgdt (%0)" : : "r"(pseudo) : "memory");
}
static inline void load_idt(const void *pseudo)
{
	asm volatile("lidt (%0)" : : "r"(pseudo) : "memory");
}
static inline void load_task(uint16_t selector)
{
	asm volatile("ltr %0" : : "r"(selector));
}

static inline uint64_t read_fsbase(void)
{
	uint64_t v;
	asm volatile("rdfsbase %0" : "=r"(v));
	return v;
}
static inline void write_fsbase(uint64_t v)
{
	asm volatile("wrfsbase %0" : : "r"(v));
}
/* The GS base of user mode, while the kernel's is in use. */
static inline uint64_t swap_user_gsbase(uint64_t next)
{
	uint64_t old;

	asm volatile("swapgs; rdgsbase %0; wrgsbase %1; swapgs"
		     : "=&r"(old)
		     : "r"(next)
		     : "memory");
	return old;
}

static inline uint64_t read_user_gsbase(void)
{
	uint64_t v;

	asm volatile("swapgs; rdgsbase %0; swapgs" : "=r"(v) : : "memory");
	return v;
}
static inline void write_user_gsbase(uint64_t v)
{
	asm volatile("swapgs; wrgsbase %0; swapgs" : : "r"(v) : "memory");
}

static inline void xsetbv(uint32_t index, uint64_t v)
{
	asm volatile("xsetbv" : : "c"(index), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}
static inline uint64_t xgetbv(uint32_t index)
{
	uint32_t lo, hi;

	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(index));
	return (uint64_t)hi << 32 | lo;
}
static inline void xsave(void *area, uint64_t mask)
{
	asm volatile("xsave64 (%0)"
		     :
		     : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
		     : "memory");
}
static inline void xrstor(const void *area, uint64_t mask)
{
	asm volatile("xrstor64 (%0)"
		     :
		     : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
		     : "memory");
}
static inline void fxsave(void *area)
{
	asm volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}
static inline void fxrstor(const void *area)
{
	asm volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

/* The calling CPU's own structure: its first word points to itself. */
static inline void *percpu_self(void)
{
	void *v;
	asm("mov %%gs:0, %0" : "=r"(v));
	return v;
}

/* A word of that structure, whose offset is a constant of offsets.h. */
#define percpu_word(offset)                                         \
	({                                                          \
		void *word;                                         \
		asm("mov %%gs:%c1, %0" : "=r"(word) : "i"(offset)); \
		word;                                               \
	})

static inline uint64_t read_frame_pointer(void)
{
	uint64_t v;
	asm volatile("mov %%rbp, %0" : "=r"(v));
	return v;
}

#endif
