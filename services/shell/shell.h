/* SPDX-License-Identifier: MIT */
/*
 * shell.h - what the files of the shell share.
 */
#ifndef SHELL_SHELL_H
#define SHELL_SHELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A command: 0, or not 0 after it has said what went wrong. */
typedef int command_run(int argc, char **argv);
struct command {
	const char  *name;
	const char  *usage;     /* arguments, "" for none */
	const char  *what;      /* one line of help */
	command_run *run;
};

/* files.c, hexdump.c, hash.c */
command_run files_ls, files_cat, hexdump_run, hash_run;
/* ps.c, mem.c, caps.c, slices.c, devices.c */
command_run ps_run, mem_run, caps_run, slices_run, irq_run, dev_run;
/* net.c */
command_run net_run;
/* run.c: a program; a command that is a program of its name in the archive, with the network */
command_run run_run, run_net;
/* jobs.c */
command_run jobs_kill;

/* main.c: the end of the shell, with this exit code, once the present command returns. */
void shell_leave(int code);

/* commands.c: run a line's words; is there such a command at all is its affair. */
int commands_do(int argc, char **argv);
/* May this command's line end in &: does it start a program? */
bool commands_starts(const char *name);
/* Say how a command is used; returns 1. */
int commands_usage(const char *name);

/* term.c: bytes from the console, kept in order also while a command looks for Ctrl-C. */
int  term_byte(void);           /* waits; -1: there is no console */
bool term_interrupted(void);    /* was Ctrl-C or Ctrl-\ typed since the command began? */
void term_begin(void);          /* a command begins */
void term_write(void *context, const char *text, size_t bytes);
/* Print a string that came from outside: what is no printable character is shown as \xNN. */
void term_safe(const char *text, size_t bytes);

#endif
