#!/bin/sh
# SPDX-License-Identifier: MIT
# format.sh - the layout that every source file keeps: licence line first, tabs to indent, at most
# 100 columns, no space at line ends, a newline at the end.  1 if a file does not.
set -u
bad=0
dirs=$(ls -d exo uefi libexos libfs libnet libvm services tests bench tools docs .ci 2>/dev/null)
files=$(find $dirs GNUmakefile -type f \( -name '*.[chS]' -o -name '*.def' -o -name '*.ld' \
	-o -name '*.mk' -o -name '*.sh' -o -name '*.py' -o -name GNUmakefile \))

for f in $files; do
	head -n 2 "$f" | grep -q 'SPDX-License-Identifier: MIT' || {
		echo "$f:1: the first line is the licence: SPDX-License-Identifier: MIT"
		bad=1
	}
	[ -z "$(tail -c 1 "$f")" ] || { echo "$f: no newline at the end"; bad=1; }
done
wrong=$(grep -nE '[[:space:]]+$' $files)
[ -z "$wrong" ] || { echo "$wrong" | sed 's/$/  <- space at the end of the line/'; bad=1; }

sources=$(echo "$files" | grep -E '\.[chS]$')
# Spaces may align what continues a line, but do not indent a statement.
awk 'FNR == 1 { last = ";" }
	/^ {4}/ && last ~ /[;{}:]$/ {
		printf "%s:%d: indent with tabs\n", FILENAME, FNR
		bad = 1
	}
	{ if ($0 !~ /^[[:space:]]*(\*|\/\*|$)/) last = $0 }
END { exit bad }' $sources || bad=1
awk '{ line = $0; while ((at = index(line, "\t"))) {
		pad = 8 - (at - 1) % 8
		line = substr(line, 1, at - 1) sprintf("%*s", pad, "") substr(line, at + 1)
	}
	if (length(line) > 100) { printf "%s:%d: %d columns, the limit is 100\n", FILENAME, FNR, length(line); bad = 1 }
} END { exit bad }' $sources || bad=1
exit $bad
