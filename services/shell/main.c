/* SPDX-License-Identifier: MIT */
/*
 * main.c - the shell: prompt, line, command.
 */
#include <exos/console.h>

#include "disk.h"
#include "jobs.h"
#include "lineedit.h"
#include "parse.h"
#include "shell.h"

static bool leaving;
static int leave_code;

void shell_leave(int code)
{
	leaving = true;
	leave_code = code;
}

/* Only a program can be left behind. */
static void line_run(struct parse *p)
{
	if (p->background && !commands_starts(p->word[0])) {
		printf("& goes with what starts a program: run, ping, fetch, capture\n");
		return;
	}
	run_background(p->background);
	term_begin();
	commands_do(p->count, p->word);
}

static void line_do(char *line)
{
	struct parse p;
	const char *why = parse_line(line, &p);

	if (why != NULL)
		printf("cannot read this line: %s\n", why);
	else if (p.count > 0)
		line_run(&p);
}

/* Read one line and do what it says.  The end of input is an exit. */
static void shell_step(struct lineedit *e)
{
	enum line_result result = LINE_MORE;

	jobs_reap();
	line_begin(e);
	while (result == LINE_MORE) {
		int byte = term_byte();

		result = byte < 0 ? LINE_END : line_byte(e, (uint8_t)byte);
	}
	switch (result) {
	case LINE_READY:
		line_do(e->text);
		break;
	case LINE_TOO_LONG:
		printf("that line is longer than %u characters: nothing was done\n", LINE_MAX - 1);
		break;
	case LINE_END:
		printf("\n");
		shell_leave(0);
		break;
	default:
		break;
	}
}

int main(int argc, char **argv)
{
	static struct lineedit editor;

	(void)argc;
	(void)argv;
	slots_start();
	disk_mount_all();
	line_init(&editor, "exo> ", term_write, NULL);
	while (!leaving)
		shell_step(&editor);
	jobs_end_all();
	return leave_code;
}
