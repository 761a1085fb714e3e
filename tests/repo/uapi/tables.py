"""Asks a compiler what the declared names are worth: values, sizes, offsets."""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import declarations

REPO = pathlib.Path(__file__).resolve().parents[3]

# Part of a kernel module for testing io_uring; common/uring leaves it out.
LEFT_OUT = ['linux/io_uring/mock_file.h']

# What is ours has a name of our own; the kernel has it in <asm/unistd.h>.
SYSTEM_CALLS = {
    'kSyscallIoUringSetup': '__NR_io_uring_setup',
    'kSyscallIoUringEnter': '__NR_io_uring_enter',
    'kSyscallIoUringRegister': '__NR_io_uring_register',
}


# The kernel has these two in a struct without a name, so they are members of io_uring_sqe itself there.
NAMED_BY_US = 'io_uring_sqe.sockopt'


@dataclasses.dataclass
class Table:
    """names: name -> (value, version or None); structs: name -> (size, version);
    members: 'struct.path' -> ((offset, size), version)."""
    names: dict
    structs: dict
    members: dict


def compiler(variable, names):
    found = os.environ.get(variable) or next((name for name in names if shutil.which(name)), None)
    if not found:
        raise SystemExit(f'no compiler: none of {", ".join(names)} is installed')
    return found.split()


def run(command, **options):
    result = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if result.returncode != 0:
        raise SystemExit(f'{" ".join(map(str, command))}\n{result.stderr}')
    return result.stdout


def include_flags(include_dir):
    return ['-isystem', str(include_dir)] if include_dir else []


def kernel_headers(include_dir):
    base = pathlib.Path(include_dir or '/usr/include')
    parts = sorted(str(path.relative_to(base)) for path in (base / 'linux/io_uring').glob('*.h'))
    return ['linux/io_uring.h'] + [part for part in parts if part not in LEFT_OUT]


def kernel_version(include_dir):
    text = run(compiler('CC', ['cc', 'gcc', 'clang']) + include_flags(include_dir) + ['-E', '-dM', '-'],
               input='#include <linux/version.h>\n')
    code = int(re.search(r'LINUX_VERSION_CODE (\d+)', text)[1])
    return (code >> 16, code >> 8 & 0xff)


def kernel_declarations(include_dir):
    """What the io_uring headers themselves declare, without what they include."""
    includes = ''.join(f'#include <{header}>\n' for header in kernel_headers(include_dir))
    text = run(compiler('CC', ['cc', 'gcc', 'clang']) + include_flags(include_dir) + ['-E', '-dD', '-'], input=includes)
    wanted, kept, macros = False, [], []
    for line in text.splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            wanted = re.search(r'linux/io_uring(/\w+)?\.h$', marker[1]) is not None
        elif wanted and line.startswith('#'):
            macro = re.match(r'#define (\w+) \S', line)
            if macro:
                macros.append(macro[1])
        elif wanted:
            kept.append(line)
    found = declarations.parse('\n'.join(kept))
    found.constants.update(dict.fromkeys(macros))
    return found


def our_declarations(header):
    header = pathlib.Path(header)
    files = [header] + sorted((header.parent / header.stem).glob('*.hpp'))
    # What the preprocessor would take away is no declaration.
    return declarations.parse('\n'.join(re.sub(r'^#.*$', '', path.read_text(), flags=re.M) for path in files))


def evaluate(found, prologue, scope, command, suffix):
    """Compiles and runs a program that prints the value of every name found."""
    rows = []
    for name in found.constants:
        rows.append(f'printf("%lld\\n", (long long)({scope}{name}));')
    for name, struct in found.structs.items():
        rows.append(f'printf("%zu\\n", sizeof(struct {scope}{name}));')
        for member in struct.members:
            size = '(size_t)0' if member.flexible else f'sizeof(((struct {scope}{name}*)0)->{member.path})'
            rows.append(f'printf("%zu %zu\\n", offsetof(struct {scope}{name}, {member.path}), {size});')
    source = '\n'.join([prologue, '#include <stddef.h>', '#include <stdio.h>', 'int main(void) {', *rows, '}', ''])
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory, 'table' + suffix)
        program = pathlib.Path(directory, 'table')
        file.write_text(source)
        run(command + [str(file), '-o', str(program)])
        values = iter(run([str(program)]).splitlines())
    table = Table({}, {}, {})
    for name, since in found.constants.items():
        table.names[name] = (int(next(values)), since)
    for name, struct in found.structs.items():
        table.structs[name] = (int(next(values)), struct.since)
        for member in struct.members:
            place = tuple(map(int, next(values).split()))
            if not member.flexible:
                table.members[f'{name}.{member.path}'] = (place, member.since)
    return table


def kernel_table(include_dir):
    found = kernel_declarations(include_dir)
    prologue = ''.join(f'#include <{header}>\n' for header in kernel_headers(include_dir) + ['asm/unistd.h'])
    found.constants.update(dict.fromkeys(SYSTEM_CALLS.values()))
    # As C: a flexible array in the middle of a union has another offset when the kernel's header is read as C++.
    table = evaluate(found, prologue, '',
                     compiler('CC', ['cc', 'gcc', 'clang']) + ['-std=gnu11', '-w'] + include_flags(include_dir), '.c')
    for ours, kernels in SYSTEM_CALLS.items():
        table.names[ours] = table.names.pop(kernels)
    return table


def our_table(header):
    table = evaluate(our_declarations(header), f'#include "{pathlib.Path(header).resolve()}"', 'uring::',
                    compiler('CXX', ['c++', 'g++', 'clang++']) + ['-std=c++23', '-w', f'-I{REPO}'], '.cpp')
    table.members.pop(NAMED_BY_US, None)
    for name in [name for name in table.members if name.startswith(NAMED_BY_US + '.')]:
        table.members[name.replace('.sockopt', '')] = table.members.pop(name)
    return table
