/* SPDX-License-Identifier: MIT */
/*
 * console.h - the three ways text goes, behind exos/console.h.
 */
#ifndef EXOS_CONSOLE_PRIVATE_H
#define EXOS_CONSOLE_PRIVATE_H

#include <exo/types.h>
#include <exos/console.h>

/* By the console service; the gate is set before the first use. */
extern const struct exos_console_ops console_gate_ops;
void console_gate_use(exo_slot gate);
void console_gate_detach(void);
uint64_t console_gate_lost(void);

/* By the serial port's registers; the claim is set before the first use. */
extern const struct exos_console_ops console_uart_ops;
void console_uart_use(exo_slot ports);

#endif
