/* SPDX-License-Identifier: MIT */
/*
 * slices.c - each CPU's vector of time slots: who is named where, and who runs now.
 */
#include <base/string.h>
#include <exos/console.h>
#include <exos/start.h>
#include <exos/time.h>

#include "machine.h"
#include "shell.h"

#define LETTERS 26u

/* Whom the letters a, b, c... of the picture stand for. */
struct legend {
	struct env_list envs;
	uint64_t env[LETTERS];
	unsigned count;
};

static char letter_of(struct legend *l, uint64_t env)
{
	unsigned i = 0;

	if (env == 0)
		return '.';
	while (i < l->count && l->env[i] != env)
		i++;
	if (i == LETTERS)
		return '*';
	if (i == l->count)
		l->env[l->count++] = env;
	return (char)('a' + i);
}

static void name_print(struct legend *l, const char *what, uint64_t env)
{
	char name[ENV_NAME];

	printf("%s%s", what, env ? env_list_name(&l->envs, env, name) : "nobody");
}

static void cpu_print(struct legend *l, uint32_t cpu)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_vector *v = exos_machine_at(m->vectors_off + cpu * EXO_PAGE_SIZE);
	const struct exo_cpu_stats *s = exos_machine_at(m->stats_off + cpu * EXO_PAGE_SIZE);
	char picture[EXO_VECTOR_SLOTS + 1];

	for (unsigned i = 0; i < EXO_VECTOR_SLOTS; i++)
		picture[i] = letter_of(l, v->slot[i].env);
	picture[EXO_VECTOR_SLOTS] = '\0';
	printf("CPU %-3u %s\n        in slot %lu", cpu, picture, (unsigned long)v->current);
	name_print(l, ", runs ", v->running);
	name_print(l, ", charged to ", v->charged);
	printf("; %lu switches, %lu slots lent, idle %lu ms\n", (unsigned long)s->switches,
	       (unsigned long)s->lends,
	       (unsigned long)(exos_tsc_to_ns(s->idle_tsc) / 1000000));
}

static void legend_print(struct legend *l)
{
	char name[ENV_NAME];

	for (unsigned i = 0; i < l->count; i++)
		printf("%c  0x%lx %s\n", 'a' + i, (unsigned long)l->env[i],
		       env_list_name(&l->envs, l->env[i], name));
	printf(".  nobody\n");
}

int slices_run(int argc, char **argv)
{
	const struct exo_machine *m = exos_machine();
	struct legend legend = { .count = 0 };

	if (argc > 1)
		return commands_usage(argv[0]);
	env_list_take(&legend.envs);
	printf("a slot is %lu us long, a CPU's vector has %u\n",
	       (unsigned long)(exos_tsc_to_ns(m->slice_tsc) / 1000), EXO_VECTOR_SLOTS);
	for (uint32_t cpu = 0; cpu < m->cpus && !term_interrupted(); cpu++)
		cpu_print(&legend, cpu);
	legend_print(&legend);
	env_list_free(&legend.envs);
	return 0;
}
