/* SPDX-License-Identifier: MIT */
/*
 * small.c - the program that row spawn_wait starts, on both systems: it ends at once.
 */
int main(void)
{
	return 7;
}
