"""Compares two tables and says in one sentence each what differs."""

import dataclasses
import re

# The fields that must be zero. They have no meaning, and other names when one of them gets a meaning.
PADDING = re.compile(r'(pad|resv|rsvd)\d*$')

# Brought by the version that common/uring gives, and given to an older kernel too by its stable updates: the first
# five to 6.1, the last to 6.12.
BACKPORTED = {
    'IORING_ASYNC_CANCEL_USERDATA', 'IORING_ASYNC_CANCEL_OP', 'IORING_SEND_ZC_REPORT_USAGE',
    'IORING_NOTIF_USAGE_ZC_COPIED', 'IORING_OFF_MMAP_MASK', 'io_uring_buf_reg.min_left',
}

# In the headers of 6.0 and 6.1, left over from a form of zero-copy send that no release had.
REMOVED = {'io_uring_notification_slot', 'io_uring_notification_register'}


@dataclasses.dataclass
class Result:
    problems: list
    newer: list  # names of ours that came after the header compared with
    unstated: list  # names of a header that is newer than everything in ours


def is_reserved(name):
    """Names that start with two underscores are the compiler's in C++, so ours has none of them."""
    return any(part.startswith('__') for part in name.split('.'))


def is_padding(path):
    return is_reserved(path) or PADDING.match(path.rsplit('.')[-1]) is not None


def dotted(version):
    return '.'.join(map(str, version))


def newest_version(ours):
    """The last Linux version that brought something which ours states."""
    tables = (ours.names, ours.structs, ours.members)
    return max(since for table in tables for _, since in table.values() if since is not None)


def compare(kernel, ours, header_version, file, may_have_more=False):
    """Compares ours (from `file`) with the header of Linux `header_version`.

    A name of ours that the header lacks is in order only if ours says that a later kernel brought it. A name that the
    header has must not be said to be later, unless the header may have more than its version tells (`may_have_more`).
    So headers of several ages hold the versions in our comments from two sides.

    A header of a kernel that came out after ours was written may have more names, and structs that have grown: these
    are told (`unstated`), so that somebody adds them, but a clone does not break on the day of a kernel's release.
    """
    result = Result([], [], [])
    ours_is_older = header_version > newest_version(ours)
    header = f'the kernel header of Linux {dotted(header_version)}'

    def check(name, in_kernel, in_ours, show, has_version=True):
        if in_ours is None and ours_is_older:
            result.unstated.append(name)
            return
        if in_ours is None:
            result.problems.append(f'{name}: {show(in_kernel[0])} in {header}, missing in {file}')
            return
        value, since = in_ours
        if has_version and since is None:
            result.problems.append(f'{name}: {file} does not say which Linux version brought it')
            return
        if in_kernel is None:
            if has_version and since > header_version:
                result.newer.append(name)
            elif has_version:
                result.problems.append(f'{name}: {file} says that Linux {dotted(since)} brought it, '
                                       f'but {header} does not have it')
            else:
                result.problems.append(f'{name}: in {file}, but not in {header}')
            return
        if has_version and since > header_version and name not in BACKPORTED and not may_have_more:
            result.problems.append(f'{name}: {file} says that Linux {dotted(since)} brought it, but {header} has it')
        if ours_is_older and name in kernel.structs and in_kernel[0] > value:
            result.unstated.append(name)
        elif value != in_kernel[0]:
            result.problems.append(f'{name}: {show(in_kernel[0])} in {header}, {show(value)} in {file}')

    def check_all(kernels, our, show, skip):
        for name in [*kernels, *(name for name in our if name not in kernels)]:
            if not skip(name):
                check(name, kernels.get(name), our.get(name), show)

    def grows(name):
        return name.endswith('_LAST') or name == 'IORING_URING_CMD_MASK'

    check_all(kernel.names, ours.names, str, lambda name: is_reserved(name) or grows(name))
    check_all(kernel.structs, ours.structs, lambda size: f'{size} bytes', lambda name: name in REMOVED)
    both = kernel.structs.keys() & ours.structs.keys()
    check_all(kernel.members, ours.members, lambda place: f'offset {place[0]}, size {place[1]}',
              lambda name: name.split('.')[0] not in both or is_padding(name.split('.', 1)[1]))
    # These change with each new name, so they can be compared only if no name is newer than the header.
    if not result.newer and not result.unstated:
        for name in filter(grows, [*kernel.names, *(name for name in ours.names if name not in kernel.names)]):
            if not is_reserved(name):
                check(name, kernel.names.get(name), ours.names.get(name), str, has_version=False)
    return result
