/* SPDX-License-Identifier: MIT */
/*
 * check.c - expectations of a running test, and its small helpers.
 *
 * Invariant: the first failure is printed in full as a line `note: ...`, which the runner on the
 * host takes as the reason; after twenty, failures are only counted.  Nothing of the suite's side
 * here (suite.c).
 */
#include <base/format.h>
#include <base/string.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/error.h>
#include <exos/frame.h>
#include <exos/slot.h>
#include <exos/start.h>
#include <exos/time.h>
#include "guest.h"
#include "suite.h"

#define NOTES_MAX 20u

static unsigned failures;
static uint64_t random_state = 0x1234567890abcdefull;

unsigned guest_failures(void) { return failures; }

void guest_fail(const char *format, ...)
{
	char text[256];
	va_list args;

	if (failures++ >= NOTES_MAX)
		return;
	va_start(args, format);
	format_buffer_v(text, sizeof(text), format, args);
	va_end(args);
	printf("note: %s\n", text);
}

/* The name of an error, or nothing for what is none. */
static const char *name_of(int64_t value)
{
	return value < 0 && value > -100 ? exo_error_name(value) : "";
}

bool guest_eq(const char *file, int line, const char *what, int64_t value, int64_t expected)
{
	if (value == expected)
		return true;
	guest_fail("%s:%d: %s is %lld (%#llx) %s, expected %lld (%#llx) %s", file, line, what,
		   (long long)value, (unsigned long long)value, name_of(value),
		   (long long)expected, (unsigned long long)expected, name_of(expected));
	return false;
}

bool guest_true(const char *file, int line, const char *what, bool value)
{
	if (!value)
		guest_fail("%s:%d: not true: %s", file, line, what);
	return value;
}

bool guest_refused(const char *file, int line, const char *what, int64_t value)
{
	if (value < 0 && value > -100)
		return true;
	guest_fail("%s:%d: %s was not refused: %lld (%#llx)", file, line, what,
		   (long long)value, (unsigned long long)value);
	return false;
}

void guest_skip(const char *reason)
{
	printf("note: %s\n", reason);
	exos_exit(failures ? SUITE_EXIT_FAIL : SUITE_EXIT_SKIP);
}

bool guest_icount(void) { return suite_word("icount") != NULL; }

uint64_t guest_device_deadline(uint64_t seconds)
{
	return exos_deadline(seconds * (guest_icount() ? 100 : 1) * 1000000000ull);
}

exo_slot guest_claim(const char *name)
{
	const struct exos_grant *grant = exos_grant(name, 0);

	if (grant)
		return grant->slot;
	guest_fail("the test was not granted a claim named %s", name);
	return 0;
}

static const struct exo_chunk *chunk_of(uint64_t pfn)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_chunk *chunks = exos_machine_at(m->chunks_off);

	return pfn < m->top_pfn ? &chunks[pfn / EXO_CHUNK_FRAMES] : NULL;
}

const struct exo_frame *guest_frame(uint64_t pfn)
{
	const struct exo_chunk *chunk = chunk_of(pfn);
	const struct exo_frame *fine = exos_machine_at(exos_machine()->fine_off);

	if (!chunk || !chunk->fine)
		return NULL;
	return &fine[(uint64_t)chunk->fine * EXO_CHUNK_FRAMES + pfn % EXO_CHUNK_FRAMES];
}

exo_sid guest_holder(uint64_t pfn)
{
	const struct exo_chunk *chunk = chunk_of(pfn);

	if (!chunk || !chunk->fine)
		return 0;
	return chunk->mixed ? guest_frame(pfn)->holder : chunk->holder;
}

enum exo_use guest_use(uint64_t pfn)
{
	const struct exo_chunk *chunk = chunk_of(pfn);

	if (!chunk || !chunk->fine)
		return EXO_USE_NONE;
	return chunk->mixed ? guest_frame(pfn)->use : chunk->use;
}

uint64_t guest_maps(uint64_t pfn)
{
	const struct exo_frame *frame = guest_frame(pfn);

	return frame ? (uint64_t)frame->maps + chunk_of(pfn)->large : 0;
}

uint64_t guest_held(uint64_t lo, uint64_t hi, exo_sid holder)
{
	uint64_t count = 0;

	for (uint64_t pfn = lo; pfn < hi; pfn++)
		count += guest_holder(pfn) == holder;
	return count;
}

int guest_frames_make(struct guest_frames *frames, uint64_t count)
{
	exo_slot from;
	int err = exos_frame_alloc(count, &frames->lo, &from);

	if (err < 0)
		return err;
	frames->hi = frames->lo + count;
	err = exos_cap_narrow(from, frames->lo, frames->hi, GUEST_R_FRAMES, &frames->slot);
	if (err < 0)
		exos_frame_free(frames->lo, count);
	return err;
}

void guest_frames_end(struct guest_frames *frames)
{
	expect_eq(exos_cap_end(frames->slot), 0);
	exos_frame_free(frames->lo, frames->hi - frames->lo);
	frames->slot = 0;
}

exo_slot guest_narrow(exo_slot from, uint64_t lo, uint64_t hi, uint32_t rights)
{
	exo_slot made = 0;
	int err = exos_cap_narrow(from, lo, hi, rights, &made);

	if (err < 0)
		guest_fail("narrowing to [%#lx, %#lx) with rights %#x: %s", lo, hi, rights,
			   name_of(err));
	return err < 0 ? 0 : made;
}

exo_slot guest_retype(exo_slot from, uint64_t pfn, uint32_t kind, uint64_t arg)
{
	exo_slot made = 0;
	int err = exos_cap_retype(from, pfn, kind, arg, &made);

	if (err < 0)
		guest_fail("an object of kind %u at frame %#lx: %s", kind, pfn, name_of(err));
	return err < 0 ? 0 : made;
}

exo_sid guest_sid(void)
{
	exo_sid sid = exos_slot_alloc();

	if (!sid) {
		guest_fail("no free slot in the test's own table");
		exos_exit(SUITE_EXIT_FAIL);
	}
	return sid;
}

uint64_t guest_random(void)
{
	uint64_t x = random_state;

	/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators" */
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	random_state = x;
	return x * 0x2545f4914f6cdd1dull;
}

uint64_t guest_below(uint64_t bound) { return guest_random() % bound; }

void guest_pause_ms(uint64_t ms) { exos_sleep(ms * 1000000ull); }

bool guest_await(const volatile uint64_t *word, uint64_t value, uint64_t ms)
{
	uint64_t end = exos_deadline(ms * 1000000ull);

	while (*word != value) {
		if (exos_tsc() > end)
			return false;
		exo_env_yield(0);
	}
	return true;
}
