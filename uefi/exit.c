/* SPDX-License-Identifier: MIT */
/*
 * exit.c - leaving the firmware: the order of calls.
 *
 * Invariant: each `leave` uses the map taken right before it, and nothing is allocated after the
 * first one.  Knows no firmware: a test drives it with a fake.
 */
#include "exit.h"

/* The first map may find the buffer too small, and may still enlarge it. */
static enum exit_status first_map(const struct exit_ops *ops, void *context)
{
	enum exit_status s = ops->get_map(context);

	for (int i = 0; s == EXIT_ROOM && i < EXIT_TRIES; i++) {
		s = ops->grow(context);
		if (s == EXIT_DONE)
			s = ops->get_map(context);
	}
	return s;
}

enum exit_status exit_firmware(const struct exit_ops *ops, void *context, int *tries)
{
	enum exit_status s = first_map(ops, context);

	*tries = 0;
	while (s == EXIT_DONE) {
		++*tries;
		s = ops->leave(context);
		if (s != EXIT_CHANGED || *tries == EXIT_TRIES)
			return s;
		s = ops->get_map(context);
	}
	return s;
}
