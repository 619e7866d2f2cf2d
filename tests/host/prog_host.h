/* SPDX-License-Identifier: MIT */
/*
 * prog_host.h - downloaded programs on the host, checked, interpreted, compiled as by the kernel.
 *
 * Compiled code lies in memory that is mapped twice: once to write, once to execute.  Needs
 * -D_GNU_SOURCE.
 */
#ifndef PROG_HOST_H
#define PROG_HOST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "prog/check.h"
#include "prog/interpret.h"
#include "prog/isa.h"
#include "x86/prog_compile.h"

#define HOST_CODE_BYTES (EXO_PROG_MAX * EXO_PROG_CODE_BYTES + EXO_PROG_FRAME_BYTES)

struct host_prog {
	struct exo_insn insn[EXO_PROG_MAX];
	uint32_t mark[EXO_PROG_MAX];
	uint32_t count;
	struct prog_check checked;
	struct prog_compile made;
	uint8_t *code;          /* to write */
	const uint8_t *run;     /* the same, to execute */
};

static inline void host_prog_start(struct host_prog *p)
{
	int fd = memfd_create("code", 0);

	if (fd < 0 || ftruncate(fd, HOST_CODE_BYTES)) {
		perror("memory for compiled code");
		exit(2);
	}
	p->code = mmap(NULL, HOST_CODE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p->run = mmap(NULL, HOST_CODE_BYTES, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	close(fd);
	if (p->code == MAP_FAILED || p->run == MAP_FAILED) {
		perror("mapping memory for compiled code");
		exit(2);
	}
}

/* Check p->insn[0 .. count), `piece` instructions at a time: is it a program? */
static inline bool host_prog_check(struct host_prog *p, uint32_t piece)
{
	p->checked = (struct prog_check){ .insn = p->insn, .mark = p->mark, .count = p->count };
	memset(p->mark, 0, sizeof(p->mark));
	do {
		if (!prog_check(&p->checked, piece))
			return false;
	} while (p->checked.next < p->count);
	return true;
}

/* Compile what was checked; its code is exactly as long as the kernel provides for. */
static inline void host_prog_compile(struct host_prog *p, uint32_t piece, bool writable)
{
	p->made = (struct prog_compile){
		.insn = p->insn, .place = p->mark, .code = p->code,
		.code_bytes = p->count * EXO_PROG_CODE_BYTES + EXO_PROG_FRAME_BYTES,
	};
	prog_compile_start(&p->made, &p->checked, writable);
	while (!prog_compile(&p->made, piece))
		;
}

static inline uint64_t host_prog_run(const struct host_prog *p, const void *input, uint64_t bytes)
{
	prog_entry *entry;
	const void *where = p->run + p->made.at;

	memcpy(&entry, &where, sizeof(entry));
	return entry(input, bytes);
}

static inline uint64_t host_prog_interpret(const struct host_prog *p, void *input, uint64_t bytes,
                                           bool writable)
{
	return prog_interpret(p->insn, p->checked.stack, input, bytes, writable);
}

#endif
