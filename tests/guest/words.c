/* SPDX-License-Identifier: MIT */
/*
 * words.c - words of the boot line, which tell the suite what to run and where it runs.
 */
#include <base/string.h>
#include <exo/machine.h>
#include <exos/start.h>
#include "suite.h"

const char *suite_word(const char *key)
{
	const struct exo_machine *m = exos_machine();
	const char *at = m ? exos_machine_at(m->cmdline_off) : "";
	size_t length = strlen(key);

	while (*at) {
		size_t word = 0;

		while (at[word] && at[word] != ' ')
			word++;
		if (word >= length && !memcmp(at, key, length)) {
			if (word == length)
				return "";
			if (at[length] == '=')
				return at + length + 1;
		}
		at += word;
		while (*at == ' ')
			at++;
	}
	return NULL;
}

static bool starts(const char *item, size_t bytes, const char *name, size_t length)
{
	return bytes <= length && !memcmp(item, name, bytes);
}

bool suite_listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	while (*list && *list != ' ') {
		size_t item = 0;

		while (list[item] && list[item] != ',' && list[item] != ' ')
			item++;
		if (item && list[item - 1] == '*' ? starts(list, item - 1, name, length)
						  : item == length && !memcmp(list, name, length))
			return true;
		list += item;
		if (*list == ',')
			list++;
	}
	return false;
}
