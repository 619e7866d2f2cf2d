# SPDX-License-Identifier: MIT
"""gdb commands for exo: environments, frames, claims, trace, read from the machine's memory.

    exo-machine         CPUs, memory, devices as the kernel exports them
    exo-envs            environments: state, space, counters
    exo-frames          frames by use and holder
    exo-caps [SID]      claims as a tree, all or below one
    exo-trace [N]       the last N records (default 30) of all CPUs, in order of time

Everything is read from the tables that exo/include/exo/machine.h describes; the layouts are the
ABI's, the names are taken from its headers.
"""
import os
import re
import struct

import gdb

DIRECT = 0xffff800000000000
PAGE = 4096
HEADERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'exo', 'include', 'exo')

FRAME = struct.Struct('<IBBHQ')                 # struct exo_frame
CHUNK = struct.Struct('<IBBHIIQQ')               # struct exo_chunk
CAP = struct.Struct('<IBBHIIIIQQQIIQ')          # struct exo_cap
RECORD = struct.Struct('<QIIQQ')                # struct exo_trace_record
FIELDS = ('gen kind flags rights parent child next prev lo hi bind unit badge spare').split()
assert FRAME.size == 16 and CHUNK.size == 32 and CAP.size == 64 and RECORD.size == 32


def header(name):
    with open(os.path.join(HEADERS, name)) as f:
        return f.read()


def table_names(text, macro):
    """{number: name} of an X-macro list."""
    body = re.search(rf'#define {macro}\(X\)((?:.*\\\n)*.*)', text).group(1)
    return {int(n): name for name, n in re.findall(r'X\((\w+),\s*(\d+)', body)}


def enum_names(text, prefix):
    """{number: name} of an enum that starts at 1 or says its numbers."""
    body = re.search(rf'enum \w+ \{{([^}}]*{prefix}[^}}]*)\}}', text).group(1)
    names, number = {}, 0
    for name, value in re.findall(rf'{prefix}(\w+)(?:\s*=\s*(\d+))?', body):
        number = int(value) if value else number + 1
        names[number] = name
    return names


CAP_H, ENV_H, MACHINE_H = header('cap.h'), header('env.h'), header('machine.h')
KINDS, USES = table_names(CAP_H, 'EXO_KINDS'), table_names(CAP_H, 'EXO_USES')
USE = {name: number for number, name in USES.items()}
TRACES = enum_names(MACHINE_H, 'EXO_TRACE_')
STOPS = {int(n): name for name, n in re.findall(r'#define EXO_STOP_(\w+)\s+(\d+)', ENV_H)}
RIGHTS = [(int(bit, 16), name) for name, bit in
          re.findall(r'#define EXO_R_(\w+)\s+(0x[0-9a-f]{4})\b', CAP_H) if name != 'ALL']
FLAGS = [(int(bit, 16), name) for name, bit in
         re.findall(r'#define EXO_CAP_(\w+)\s+(0x[0-9a-f]{2})\b', CAP_H)]


def bits(value, names):
    return '|'.join(name.lower() for bit, name in names if value & bit) or '-'


def memory(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


class Machine:
    """The exported tables."""

    def __init__(self):
        pointer = gdb.parse_and_eval('machine')
        if int(pointer) == 0:
            raise gdb.GdbError('the kernel has not set up its tables yet')
        self.base, self.at = int(pointer), pointer.dereference()

    def __getattr__(self, name):
        return int(self.at[name])

    def part(self, offset, size):
        return memory(self.base + offset, size)

    def frames(self):
        """(pfn, holder, use, object or counts, frames) of every frame, whole chunks at once."""
        chunks = (self.top_pfn + 511) // 512
        table = self.part(self.chunks_off, chunks * CHUNK.size)
        for i, (holder, use, mixed, _, fine, _, _, _) in enumerate(CHUNK.iter_unpack(table)):
            if fine == 0:
                continue
            rows = self.part(self.fine_off + fine * 512 * FRAME.size, 512 * FRAME.size)
            for n, row in enumerate(FRAME.iter_unpack(rows)):
                yield (i * 512 + n, row[0] if mixed else holder, row[1] if mixed else use, row[4])

    def claims(self):
        """{sid: fields} of every slot that holds a claim."""
        found = {}
        for pfn, _, use, _ in self.frames():
            if use != USE['TABLE']:
                continue
            data = memory(DIRECT + pfn * PAGE, PAGE)
            for n, row in enumerate(CAP.iter_unpack(data)):
                cap = dict(zip(FIELDS, row))
                if cap['kind']:
                    found[pfn * 64 + n] = cap
        return found


def cap_line(sid, c):
    unit = f' unit {c["unit"]}' if c['unit'] else ''
    flags = f' [{bits(c["flags"], FLAGS)}]' if c['flags'] else ''
    return (f'0x{sid:x} gen {c["gen"]} {KINDS.get(c["kind"], c["kind"])} '
            f'0x{c["lo"]:x}-0x{c["hi"]:x}{unit} {bits(c["rights"], RIGHTS)}{flags}')


class Command(gdb.Command):
    """A command of exo's: the class's `name`, its docstring as help, its run()."""

    def __init__(self):
        super().__init__(self.name, gdb.COMMAND_DATA)

    def invoke(self, argument, _from_tty):
        self.run(gdb.string_to_argv(argument))


class ExoMachine(Command):
    """CPUs, memory and devices, as the kernel exports them."""
    name = 'exo-machine'

    def run(self, _args):
        m = Machine()
        print(f'exo {m.at["version"].string()}, ABI {m.abi_major}.{m.abi_minor}, {m.cpus} CPUs, '
              f'{m.disks} disks, {m.pcis} PCI functions, {m.irqs} interrupts, {m.ports} port ranges')
        for what in ('ram', 'kept', 'free'):
            frames = getattr(m, f'{what}_frames')
            print(f'{what:>5}: {frames:9} frames, {frames * 4 / 1024:.1f} MiB')
        print(f'time stamp {m.tsc_hz} Hz, slot {m.slice_tsc} ticks; export area at frame '
              f'0x{m.export_pfn:x}, {m.export_frames} frames')


class ExoEnvs(Command):
    """Environments: name (frame), state, CPU and slot, space, counters."""
    name = 'exo-envs'

    def run(self, _args):
        kind = gdb.lookup_type('struct exo_env_page').pointer()
        print('frame      state   cpu slot space      calls     faults    slices    preempted')
        for pfn, _, use, _ in Machine().frames():
            if use != USE['ENVPAGE']:
                continue
            e = gdb.Value(DIRECT + pfn * PAGE).cast(kind).dereference()
            stop = STOPS.get(int(e['stop_reason']), int(e['stop_reason']))
            print(f'0x{int(e["env_pfn"]):<8x} {stop!s:7} {int(e["cpu"]):3} {int(e["slot"]):4} '
                  f'0x{int(e["space_pfn"]):<8x} {int(e["calls"]):<9} {int(e["faults"]):<9} '
                  f'{int(e["slices"]):<9} {int(e["preempted"])}')


class ExoFrames(Command):
    """Frames by use and holder; the holder is a slot (sid)."""
    name = 'exo-frames'

    def run(self, _args):
        count = {}
        for _, holder, use, _ in Machine().frames():
            count[use, holder] = count.get((use, holder), 0) + 1
        for (use, holder), n in sorted(count.items()):
            print(f'{USES.get(use, use)!s:10} holder 0x{holder:<8x} {n:8} frames {n * 4:9} KiB')


class ExoCaps(Command):
    """Claims as a tree: exo-caps [SID]"""
    name = 'exo-caps'

    def run(self, args):
        claims = Machine().claims()
        seen = set()

        def show(sid, depth):
            while sid and sid in claims and sid not in seen:
                seen.add(sid)
                print('  ' * depth + cap_line(sid, claims[sid]))
                show(claims[sid]['child'], depth + 1)
                sid = claims[sid]['next'] if depth else 0

        if args:
            show(int(args[0], 0), 0)
            return
        for sid in sorted(claims):
            if claims[sid]['parent'] == 0:
                show(sid, 0)
        for sid in sorted(set(claims) - seen):
            print('not in the tree: ' + cap_line(sid, claims[sid]))


class ExoTrace(Command):
    """The last N trace records of all CPUs, in order of time: exo-trace [N]"""
    name = 'exo-trace'

    def run(self, args):
        m = Machine()
        limit = int(args[0], 0) if args else 30
        room = int(re.search(r'EXO_TRACE_RECORDS (\d+)u', MACHINE_H).group(1))
        records = []
        for cpu in range(m.cpus):
            data = m.part(m.trace_off + cpu * 8 * PAGE, 8 * PAGE)
            count = struct.unpack_from('<Q', data)[0]
            for n in range(max(0, count - room), count):
                records.append(RECORD.unpack_from(data, 32 + n % room * 32)[:4] + (cpu,))
        for tsc, kind, b, a, cpu in sorted(records)[-limit:]:
            us = (tsc - m.boot_tsc) * 1000000 // max(m.tsc_hz, 1)
            print(f'{us:10} us cpu {cpu} {TRACES.get(kind, kind)!s:6} a 0x{a:x} b 0x{b:x}')


for command in (ExoMachine, ExoEnvs, ExoFrames, ExoCaps, ExoTrace):
    command()
print('exo commands: exo-machine exo-envs exo-frames exo-caps exo-trace')
