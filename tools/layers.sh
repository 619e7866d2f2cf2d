#!/bin/sh
# SPDX-License-Identifier: MIT
# layers.sh BUILD - who may use whom: nothing includes or links upwards.
#
# 1. No file includes by "../".  2. No object of a folder needs a symbol that only a higher folder
# defines.  3. Inline assembly stands in */x86/insn.h only.  Prints what is wrong; 1 if anything is.
set -u
build=${1:-build}
bad=0
dirs='exo uefi libexos libfs libnet libvm services tests bench docs'

found=$(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"\.\./' $dirs --include='*.[chS]' 2>/dev/null |
	grep -v '^tests/host/')
if [ -n "$found" ]; then
	echo "$found"
	echo 'layers: include another folder by its include/ only, not by "../"'
	bad=1
fi

found=$(grep -rnE '\b(asm|__asm__|__asm)\b[[:space:]]*(volatile|__volatile__|goto)?[[:space:]]*\(' \
	$dirs --include='*.[ch]' 2>/dev/null | grep -vE '/x86/insn\.h:' | grep -v '^tests/host/')
if [ -n "$found" ]; then
	echo "$found"
	echo 'layers: inline assembly stands in */x86/insn.h only'
	bad=1
fi

# What a folder may need: its own symbols and those of the folders it sees.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
symbols() {     # symbols FOLDER T|U: defined or needed symbols of its objects
	for kind in kernel user; do
		[ -d "$build/$kind/$1" ] && find "$build/$kind/$1" -name '*.o'
	done | grep -v "^$build/[a-z]*/exo/base/.*" > "$work/objects"
	[ "$1" = exo/base ] && find "$build"/kernel/exo/base "$build"/user/exo/base -name '*.o' \
		2>/dev/null > "$work/objects"
	[ -s "$work/objects" ] || return 0
	if [ "$2" = T ]; then
		xargs nm -g --defined-only < "$work/objects" 2>/dev/null | awk 'NF == 3 { print $3 }'
	else
		# main is each program's own: the library's start calls it
		xargs nm -u < "$work/objects" 2>/dev/null | awk '$1 == "U" && $2 != "main" { print $2 }'
	fi | sort -u
}
sees() {
	case $1 in
	exo/base) echo ;;
	exo)      echo exo/base ;;
	libexos)  echo exo/base ;;
	libfs|libnet|libvm) echo exo/base libexos ;;
	services) echo exo/base libexos libfs libnet libvm ;;
	esac
}
for folder in exo/base exo libexos libfs libnet libvm services; do
	symbols $folder U > "$work/need"
	{
		symbols $folder T
		for below in $(sees $folder); do symbols "$below" T; done
	} | sort -u > "$work/have"
	for above in exo libexos libfs libnet libvm services; do
		case " $folder $(sees $folder) " in *" $above "*) continue ;; esac
		symbols $above T | comm -12 - "$work/need" | comm -23 - "$work/have" > "$work/wrong"
		if [ -s "$work/wrong" ]; then
			sed "s|^|layers: $folder needs, from $above: |" "$work/wrong"
			bad=1
		fi
	done
done
exit $bad
