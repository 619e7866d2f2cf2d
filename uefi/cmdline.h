/* SPDX-License-Identifier: MIT */
/*
 * cmdline.h - the boot line: from the load options or a text file to a line of ASCII.
 */
#ifndef UEFI_CMDLINE_H
#define UEFI_CMDLINE_H

#include <exo/boot.h>

#include "why.h"

/* What load options turned out to be. */
enum cmdline_found { CMDLINE_NONE, CMDLINE_TEXT, CMDLINE_BINARY, CMDLINE_LONG };

/*
 * Read load options (UCS-2, `bytes` bytes, with or without NUL) into line[EXO_CMDLINE_MAX].
 * The name of a program at their start (a word that ends in ".efi", as the firmware's shell passes
 * it) is left out.  BINARY: not text, to be ignored.  LONG: does not fit, why says so.
 */
enum cmdline_found cmdline_options(char *line, const void *options, uint64_t bytes,
				   struct why *why);

/*
 * Read the text of \exo\boot.txt: its first line that is not empty and does not begin with '#'.
 * CMDLINE_NONE if there is none.
 */
enum cmdline_found cmdline_file(char *line, const char *text, uint64_t bytes, struct why *why);

#endif
