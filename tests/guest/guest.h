/* SPDX-License-Identifier: MIT */
/*
 * guest.h - what a test inside exo uses: registering itself, expectations, frames, looking.
 *
 * Each test runs in an environment of its own, a fresh start of the suite program with memory,
 * time slots on every CPU and a few more claims (see suite.c).  Invariant: a test gives back
 * nothing by itself: the suite ends its memory and then compares the whole machine with before.
 */
#ifndef GUEST_H
#define GUEST_H

#include <exo/cap.h>
#include <exo/env.h>
#include <exo/errors.h>
#include <exo/machine.h>
#include <exo/types.h>
#include <stdbool.h>

/* Needs of a test, or'ed: what it is skipped without, what it is given beyond the usual. */
#define GUEST_LONG  0x01        /* 120 s instead of 30 s */
#define GUEST_SMP   0x02        /* two CPUs or more */
#define GUEST_DISK  0x04        /* the blocks of the first disk */
#define GUEST_BIG   0x08        /* 80 MiB of memory instead of 8 */
#define GUEST_PORT  0x10        /* the ports of the first program that it gave away to us */
#define GUEST_IRQ   0x20        /* the interrupts likewise */
#define GUEST_NIC   0x40        /* the packets of the first NIC */
#define GUEST_HUGE  0x80        /* as much memory as there is, at most 440 MiB */
#define GUEST_PCI   0x100        /* the device functions that the kernel does not drive */
#define GUEST_ALL   0x200       /* of all these what there is on this machine */
#define GUEST_NAMED 0x400       /* runs only if the boot line names it */

/* Classes, as written in EXO_TEST. */
enum guest_class {
	SHORT = 0,
	LONG = GUEST_LONG,
	SMP = GUEST_SMP | GUEST_LONG,
	DISK = GUEST_DISK | GUEST_LONG,
	BIG = GUEST_BIG | GUEST_LONG,
	HUGE = GUEST_HUGE | GUEST_LONG,
	PORT = GUEST_PORT,
	IRQ = GUEST_IRQ,
	NIC = GUEST_NIC | GUEST_LONG,
	PCI = GUEST_PCI | GUEST_LONG,
	NIC_SMP = GUEST_NIC | GUEST_SMP | GUEST_LONG,
	PCI_SMP = GUEST_PCI | GUEST_SMP | GUEST_LONG,
	RTC = GUEST_PORT | GUEST_IRQ,
	STORM = GUEST_PORT | GUEST_IRQ | GUEST_SMP | GUEST_LONG,
	ALL = GUEST_ALL | GUEST_LONG,
	FUZZ = GUEST_ALL | GUEST_LONG | GUEST_NAMED | GUEST_BIG,
};

struct guest_test {
	const char *name;
	void (*run)(void);
	uint32_t needs;         /* enum guest_class */
};

/* Define a test; it stands in the suite by being linked. */
#define EXO_TEST(test_name, test_class) \
	static void test_name(void); \
	static const struct guest_test test_name##_test = { #test_name, test_name, test_class }; \
	static const struct guest_test *const test_name##_entry \
		__attribute__((section("exo_tests"), used)) = &test_name##_test; \
	static void test_name(void)

/*
 * Expectations.  A failed one prints where and what, and the test goes on; must_* leave the
 * function.  Values are compared as signed 64-bit integers.
 */
bool guest_eq(const char *file, int line, const char *what, int64_t value, int64_t expected);
bool guest_true(const char *file, int line, const char *what, bool value);
void guest_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define expect_eq(a, b) guest_eq(__FILE__, __LINE__, #a, (int64_t)(a), (int64_t)(b))
#define expect(a)       guest_true(__FILE__, __LINE__, #a, (a))
#define must_eq(a, b)   do { if (!expect_eq(a, b)) return; } while (0)
#define must(a)         do { if (!expect(a)) return; } while (0)
/* The call is refused: any error; and with this error. */
#define expect_refused(a) guest_refused(__FILE__, __LINE__, #a, (int64_t)(a))
#define expect_error(a, error) expect_eq(a, -EXO_E_##error)
bool guest_refused(const char *file, int line, const char *what, int64_t value);

/* End the test as skipped, with the reason in words. */
_Noreturn void guest_skip(const char *reason);
/* Failures noted so far. */
unsigned guest_failures(void);
/* The test runs under the deterministic clock, on which a millisecond is 7,812 instructions. */
bool guest_icount(void);
/* So many seconds from now, for a device; 100 times as many on that clock, which does not wait. */
uint64_t guest_device_deadline(uint64_t seconds);

/* The test's claims by name; a test that needs a missing one fails. */
exo_slot guest_claim(const char *name);

/*
 * The owner map: who holds a frame, what it is used for, its own entry (NULL: the chunk is
 * whole).
 */
exo_sid guest_holder(uint64_t pfn);
enum exo_use guest_use(uint64_t pfn);
const struct exo_frame *guest_frame(uint64_t pfn);
/* Page-table entries that map a frame, large ones included. */
uint64_t guest_maps(uint64_t pfn);
/* Frames of [lo, hi) with this holder. */
uint64_t guest_held(uint64_t lo, uint64_t hi, exo_sid holder);

/* All rights that a claim on memory can carry, and those that a share of it can. */
#define GUEST_R_SHARE  (EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC)
#define GUEST_R_FRAMES (GUEST_R_SHARE | EXO_R_RETYPE)
#define GUEST_RW       (EXO_R_READ | EXO_R_WRITE)

/* Fresh frames in a claim of their own, derived with all rights from the test's memory. */
struct guest_frames {
	exo_slot slot;
	uint64_t lo, hi;        /* pfn */
};
/* 0 or -EXO_E_*. */
int guest_frames_make(struct guest_frames *frames, uint64_t count);
/* End the claim and all derived from it; the frames are the allocator's again. */
void guest_frames_end(struct guest_frames *frames);

/*
 * Derive [lo, hi) of a claim into a fresh slot and return its name; 0, a noted failure, on an
 * error.
 */
exo_slot guest_narrow(exo_slot from, uint64_t lo, uint64_t hi, uint32_t rights);
/* Make an object likewise. */
exo_slot guest_retype(exo_slot from, uint64_t pfn, uint32_t kind, uint64_t arg);

/* An empty slot of the own table; fails the test hard when there is none. */
exo_sid guest_sid(void);

/* Pseudo-random numbers, the same in each run: the next, and one below a bound > 0. */
uint64_t guest_random(void);
uint64_t guest_below(uint64_t bound);

/* Wait this long in real time, others may run. */
void guest_pause_ms(uint64_t ms);
/* Wait until *word == value, at most ms milliseconds; true if it came. */
bool guest_await(const volatile uint64_t *word, uint64_t value, uint64_t ms);

#endif
