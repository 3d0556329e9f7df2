"""Read from nginx itself which directives it has: the `ngx_command_t` tables in its binaries.

    python linter/data/read_nginx_commands.py BINARY... > linter/data/nginx_commands.tsv

A module is an `ngx_module_t` that points to an array of `ngx_command_t` (src/core/ngx_module.h,
ngx_conf_file.h): name, a mask of contexts and argument counts, the function that reads the
arguments, and for some of these functions the words or bounds they accept. Binaries and dynamic
modules (.so) for x86-64 Linux can be read. A static binary has no names for its functions: they
take the name that nine of ten directives with the same function have in the other binaries given.
(Not all do, as a directive may change its function from one version to the next.)
"""

from __future__ import annotations

import re
import struct
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

# ngx_module_t.type, four characters as a little-endian number.
MODULE_KINDS = {
    0x45524F43: "core",
    0x464E4F43: "conf",
    0x544E5645: "event",
    0x50545448: "http",
    0x4C49414D: "mail",
    0x4D525453: "stream",
}

MAIN_CONF = 0x01000000
CONTEXT_BITS = {
    "core": {MAIN_CONF: "main"},
    "event": {0x02000000: "events"},
    "http": {
        0x02000000: "http",
        0x04000000: "http server",
        0x08000000: "location",
        0x10000000: "http upstream",
        0x20000000: "http server if",
        0x40000000: "location if",
        0x80000000: "limit_except",
    },
    "stream": {0x02000000: "stream", 0x04000000: "stream server", 0x08000000: "stream upstream"},
    "mail": {0x02000000: "mail", 0x04000000: "mail server"},
}

BLOCK = 0x0100
FLAG = 0x0200
ANY_COUNT = 0x0400
ONE_OR_MORE = 0x0800
TWO_OR_MORE = 0x1000

MODULE_SIZE = 200
COMMAND_SIZE = 56
WORD_SIZE = 24

# The functions of ngx_conf_file.c whose reading of a value is known without the module's source.
VALUE_FORMS = {
    "ngx_conf_set_flag_slot": "flag",
    "ngx_conf_set_num_slot": "number",
    "ngx_conf_set_size_slot": "size",
    "ngx_conf_set_off_slot": "offset",
    "ngx_conf_set_msec_slot": "milliseconds",
    "ngx_conf_set_sec_slot": "seconds",
    "ngx_conf_set_bufs_slot": "buffers",
    "ngx_conf_set_enum_slot": "word",
    "ngx_conf_set_bitmask_slot": "words",
}


@dataclass(frozen=True)
class Command:
    """One entry of a table.

    `counts` is "0,1" or, when there is no upper limit, "2+". `detail` holds the words, joined by
    blanks, of word and words; the bounds "low..high" of a number; and is empty otherwise.
    """

    binary: str
    module: str
    name: str
    contexts: tuple[str, ...]
    counts: str
    block: bool
    function: str
    detail: str = ""

    @property
    def form(self) -> str:
        """How the value is read, as in VALUE_FORMS; empty when the module reads it itself."""
        return VALUE_FORMS.get(self.function, "")


def counts_of(mask: int) -> str:
    """The argument counts of a type mask, in the order `ngx_conf_handler` looks at them."""
    if mask & ANY_COUNT:
        return "0+"
    if mask & FLAG:
        return "1"
    if mask & ONE_OR_MORE:
        return "1+"
    if mask & TWO_OR_MORE:
        return "2+"
    return ",".join(str(count) for count in range(8) if mask & (1 << count))


def contexts_of(kind: str, mask: int) -> tuple[str, ...]:
    if kind == "conf":
        return ("any",)
    return tuple(name for bit, name in CONTEXT_BITS[kind].items() if mask & bit)


class Binary:
    """An ELF file for x86-64: addresses, pointers after relocation, and symbols."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.data = path.read_bytes()
        if self.data[:5] != b"\x7fELF\x02":
            raise ValueError(f"{path}: not a 64-bit ELF file")
        program_headers, section_headers = struct.unpack_from("<QQ", self.data, 32)
        sizes = struct.unpack_from("<HHHH", self.data, 54)
        self.loads: list[tuple[int, int, int]] = []
        for index in range(sizes[1]):
            at = program_headers + index * sizes[0]
            kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", self.data, at)
            if kind == 1:  # PT_LOAD
                self.loads.append((address, offset, size))
        self.sections = [
            struct.unpack_from("<IIQQQQIIQQ", self.data, section_headers + index * sizes[2])
            for index in range(sizes[3])
        ]
        self.symbols: dict[int, str] = {}
        self.pointers: dict[int, int] = {}
        self.imports: dict[int, str] = {}
        self._read_sections()

    def _read_sections(self) -> None:
        for section in self.sections:
            start, size = section[4], section[5]
            if section[1] in (2, 11):  # SHT_SYMTAB, SHT_DYNSYM
                for at in range(start, start + size, 24):
                    name, defined, value = self._symbol(section, at)
                    if defined and value:
                        self.symbols[value] = name
            elif section[1] == 4:  # SHT_RELA
                table = self.sections[section[6]]
                for at in range(start, start + size, 24):
                    place, info, addend = struct.unpack_from("<QQq", self.data, at)
                    if info & 0xFFFFFFFF == 8:  # R_X86_64_RELATIVE
                        self.pointers[place] = addend
                    elif info & 0xFFFFFFFF in (1, 6):  # R_X86_64_64, R_X86_64_GLOB_DAT
                        name, defined, value = self._symbol(table, table[4] + (info >> 32) * 24)
                        if defined:
                            self.pointers[place] = value + addend
                        else:
                            self.imports[place] = name

    def _symbol(self, table: tuple[int, ...], at: int) -> tuple[str, bool, int]:
        name, _, _, section, value = struct.unpack_from("<IBBHQ", self.data, at)
        start = self.sections[table[6]][4] + name
        return self.data[start : self.data.index(b"\0", start)].decode(), section != 0, value

    def offset(self, address: int) -> int | None:
        """Where an address lies in the file; None when it lies in no loaded part."""
        for start, offset, size in self.loads:
            if start <= address < start + size:
                return address - start + offset
        return None

    def number(self, address: int) -> int:
        offset = self.offset(address)
        if offset is None:
            raise ValueError(f"{self.name}: address {address:#x} is not in the file")
        number: int = struct.unpack_from("<Q", self.data, offset)[0]
        return number

    def pointer(self, address: int) -> int:
        return self.pointers.get(address) or self.number(address)

    def string(self, address: int) -> str:
        """The text of an `ngx_str_t`; empty for one without text."""
        length = self.number(address)
        offset = self.offset(self.pointer(address + 8))
        if offset is None or not 0 < length < 200:
            return ""
        return self.data[offset : offset + length].decode("latin-1")

    def function(self, address: int) -> str:
        """The name of the function that the pointer at `address` leads to."""
        if address in self.imports:
            return self.imports[address]
        target = self.pointer(address)
        return self.symbols.get(target, f"{self.name}:{target:#x}")

    def modules(self) -> Iterator[tuple[str, str, int]]:
        """Each module: its name, its kind, the address of its first command."""
        for start, offset, size in self.loads:
            for at in range(0, size - MODULE_SIZE, 8):
                # ctx_index and index are NGX_MODULE_UNSET_INDEX until nginx has started.
                if self.data[offset + at : offset + at + 16] != b"\xff" * 16:
                    continue
                kind = MODULE_KINDS.get(self.number(start + at + 72))
                commands = self.pointer(start + at + 64)
                if kind is not None and self.offset(commands) is not None:
                    yield self.symbols.get(start + at, self.name), kind, commands

    def commands(self) -> Iterator[Command]:
        for module, kind, first in self.modules():
            address = first
            while name := self.string(address):
                mask = self.number(address + 16)
                function = self.function(address + 24)
                yield Command(
                    binary=self.name,
                    module=module,
                    name=name,
                    contexts=contexts_of(kind, mask),
                    counts=counts_of(mask),
                    block=bool(mask & BLOCK),
                    function=function,
                    detail=self._detail(self.pointer(address + 48)),
                )
                address += COMMAND_SIZE

    def _detail(self, post: int) -> str:
        """The words of an ngx_conf_enum_t or ngx_conf_bitmask_t array, or a number's bounds."""
        if self.offset(post) is None:
            return ""
        words: list[str] = []
        while word := self.string(post + len(words) * WORD_SIZE):
            if not re.fullmatch(r"[\w.-]+", word):
                return ""
            words.append(word)
        if words:
            return " ".join(words)
        if self.function(post) == "ngx_conf_check_num_bounds":
            low, high = struct.unpack_from("<qq", self.data, self.offset(post + 8) or 0)
            return f"{low}..{high}"
        return ""


def name_functions(commands: list[Command]) -> list[Command]:
    """The commands, with the functions of static binaries named as far as that is certain."""
    named: defaultdict[str, set[str]] = defaultdict(set)
    for command in commands:
        if ":" not in command.function:
            named[command.name].add(command.function)
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for command in commands:
        if ":" in command.function:
            votes[command.function].update(named[command.name])
    names: dict[str, str] = {}
    for function, counter in votes.items():
        if counter:
            name, count = counter.most_common(1)[0]
            if count * 10 >= counter.total() * 9 and count > 2:
                names[function] = name
    return [replace(each, function=names.get(each.function, each.function)) for each in commands]


def read_commands(paths: Iterable[Path]) -> list[Command]:
    """The commands of all binaries. Raises OSError or ValueError for what is no such binary."""
    return name_functions([command for path in paths for command in Binary(path).commands()])


def main(arguments: list[str]) -> None:
    rows: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for each in read_commands(Path(argument) for argument in arguments):
        module = each.module if each.module.startswith("ngx_") else each.binary
        detail = each.detail if each.form in ("word", "words", "number") else ""
        block = "block" if each.block else ""
        row = (each.name, ",".join(each.contexts), each.counts, block, each.form, detail)
        rows[row].add(module)
    print("name", "contexts", "counts", "block", "form", "detail", "modules", sep="\t")
    for facts, modules in sorted(rows.items()):
        print(*facts, ",".join(sorted(modules)), sep="\t")


if __name__ == "__main__":
    main(sys.argv[1:])
