/* SPDX-License-Identifier: MIT */
/*
 * why.h - how the loader's parts say what is wrong: in words, into the caller's buffer.
 *
 * Every check returns true, or false with `why` filled in: it names the piece, the reason and,
 * where there is one, the way out.
 */
#ifndef UEFI_WHY_H
#define UEFI_WHY_H

#include <base/format.h>

#include <stdbool.h>
#include <stdint.h>

struct why {
	char text[200];
};

/* Fill in the reason and be false: `return refuse(why, "...", ...)`. */
#define refuse(why, ...) (format_buffer((why)->text, sizeof((why)->text), __VA_ARGS__), false)

#endif
