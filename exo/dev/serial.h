/* SPDX-License-Identifier: MIT */
/*
 * serial.h - the first serial port, for the kernel's first and last words (serial_print, kernel.h).
 *
 * Not a console: programs drive the port through a PORT claim.
 */
#ifndef EXO_DEV_SERIAL_H
#define EXO_DEV_SERIAL_H

/* Set the port to 115200 bits a second, 8N1, no interrupts.  Harmless when there is none. */
void serial_start(void);

#endif
