/* SPDX-License-Identifier: MIT */
/*
 * exit.h - leaving the firmware: the order of calls, apart from the calls themselves.
 */
#ifndef UEFI_EXIT_H
#define UEFI_EXIT_H

#define EXIT_TRIES 8            /* maps taken before giving up */

enum exit_status {
	EXIT_DONE = 0,
	EXIT_CHANGED,           /* of leave: the memory map changed since get_map */
	EXIT_ROOM,              /* of get_map: the map has outgrown its buffer */
	EXIT_FAILED,            /* the firmware refused for another reason */
};

struct exit_ops {
	/* Read the memory map and its key into the buffer made beforehand; allocates nothing. */
	enum exit_status (*get_map)(void *context);
	/* ExitBootServices with the key last read. */
	enum exit_status (*leave)(void *context);
	/* Make the buffer larger.  Called only before the first `leave`. */
	enum exit_status (*grow)(void *context);
};

/*
 * Leave the firmware: map, exit; again with a new map as long as the map changed in between (UEFI
 * 2.10 section 7.4.6).  After the first `leave`, nothing is called but get_map and leave: the
 * firmware may be partly shut down.  *tries: how often `leave` was called.
 */
enum exit_status exit_firmware(const struct exit_ops *ops, void *context, int *tries);

#endif
