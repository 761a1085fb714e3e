"""Finds the constants, enumerators, structs and members that a header declares.

It understands just enough of C and C++ for two kinds of header: the kernel's after the preprocessor, and ours under
common/uring as it stands. Ours keeps its comments here, because they say which kernel version brought a name.
"""

from __future__ import annotations

import dataclasses
import re

TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"[^"\n]*"|[A-Za-z_]\w*|\.?\d[\w.]*|::|\S', re.DOTALL)
VERSION_AT_START = re.compile(r'(\d+\.\d+)\b')
VERSION_OF_STRUCT = re.compile(r'Linux\s+(\d+\.\d+)\b')


def version(text):
    """'6.18' as (6, 18), which compares as versions do."""
    return tuple(int(part) for part in text.split('.'))


@dataclasses.dataclass
class Token:
    text: str
    line: int


@dataclasses.dataclass
class Member:
    """path is 'addr', or 'sockopt.level' for a member of a member; a flexible array has no size of its own."""
    path: str
    flexible: bool
    since: tuple | None


@dataclasses.dataclass
class Struct:
    since: tuple | None
    members: list


@dataclasses.dataclass
class Declarations:
    """constants maps a name to its version, if its comment gives one; structs maps a name to a Struct."""
    constants: dict
    structs: dict


class Parser:
    def __init__(self, text):
        self.tokens = []
        self.comments = {}  # line -> text of the comment that starts or goes on there
        line, position = 1, 0
        for match in TOKEN.finditer(text):
            line += text.count('\n', position, match.start())
            position = match.start()
            if match[0].startswith('//'):
                self.comments[line] = match[0][2:].strip()
            elif not match[0].startswith('/*'):
                self.tokens.append(Token(match[0], line))
        self.index = 0
        self.found = Declarations({}, {})

    def peek(self, ahead=0):
        at = self.index + ahead
        return self.tokens[at].text if at < len(self.tokens) else ''

    def take(self):
        token = self.tokens[self.index]
        self.index += 1
        return token

    def version_beside(self, line):
        """The version in the comment that ends the line."""
        found = VERSION_AT_START.match(self.comments.get(line, ''))
        return version(found[1]) if found else None

    def comment_above(self, line):
        lines = []
        while line - 1 in self.comments:
            line -= 1
            lines.insert(0, self.comments[line])
        return lines

    def parse(self):
        while self.index < len(self.tokens):
            if self.peek() == 'enum' and self.skip_to_body():
                self.enumerators()
            elif self.peek() == 'struct' and self.peek(2) == '{':
                self.struct()
            elif self.peek() == 'constexpr':
                self.constant()
            else:
                self.take()
        return self.found

    def skip_to_body(self):
        """From 'enum' to behind its '{'; False for an enum that is only mentioned."""
        ahead = 1
        while self.peek(ahead) not in ('{', ';', ''):
            ahead += 1
        if self.peek(ahead) != '{':
            return False
        self.index += ahead + 1
        return True

    def enumerators(self):
        while self.peek() != '}':
            name = last = self.take()
            depth = 0
            while depth or self.peek() not in (',', '}'):
                depth += {'(': 1, ')': -1}.get(self.take().text, 0)
            if self.peek() == ',':
                last = self.take()
            self.found.constants[name.text] = self.version_beside(last.line)
        self.take()

    def constant(self):
        while self.peek(1) != '=':
            self.take()
        name = self.take()
        above = self.comment_above(self.first_line_of_statement())
        versions = [found for found in map(VERSION_AT_START.match, above) if found]
        self.found.constants[name.text] = version(versions[-1][1]) if versions else self.version_beside(name.line)

    def first_line_of_statement(self):
        start = self.index - 1
        while start > 0 and self.tokens[start - 1].text not in (';', '{', '}'):
            start -= 1
        return self.tokens[start].line

    def struct(self):
        keyword = self.take()
        name = self.take().text
        self.take()
        found = VERSION_OF_STRUCT.search(' '.join(self.comment_above(keyword.line)))
        since = version(found[1]) if found else None
        members = self.members({})
        for member in members:
            member.since = member.since or since
        self.found.structs[name] = Struct(since, members)

    def members(self, outer_types):
        """The members of a struct or union, from behind its '{' to behind its '}'."""
        types = dict(outer_types)
        members = []
        while self.peek() != '}':
            if self.peek() in ('struct', 'union') and '{' in (self.peek(1), self.peek(2)):
                self.take()
                tag = self.take().text if self.peek() != '{' else ''
                self.take()
                inner = self.members(types)
                declarator = self.declarator()
                if declarator:
                    members += self.nested(declarator, inner)
                elif tag:
                    types[tag] = inner
                else:
                    members += inner
            else:
                declarator = self.declarator()
                members += self.nested(declarator, types.get(declarator.type, []))
        self.take()
        return members

    @dataclasses.dataclass
    class Declarator:
        name: str
        type: str
        flexible: bool
        since: tuple | None

    def declarator(self):
        """Reads up to behind ';'. None if there is no name, as behind the '}' of an anonymous struct."""
        words, depth, brackets = [], 0, []
        while True:
            token = self.take()
            if token.text == ';':
                break
            if token.text == '__attribute__':
                while True:
                    depth += {'(': 1, ')': -1}.get(self.take().text, 0)
                    if depth == 0:
                        break
            elif token.text == '[':
                while self.peek() != ']':
                    brackets.append(self.take().text)
                brackets = brackets or ['0']
            elif re.match(r'[A-Za-z_]', token.text):
                words.append(token.text)
        if not words:
            return None
        return self.Declarator(words[-1], words[-2] if len(words) > 1 else '', brackets == ['0'],
                               self.version_beside(token.line))

    @staticmethod
    def nested(declarator, inner):
        result = [Member(declarator.name, declarator.flexible, declarator.since)]
        for member in inner:
            result.append(Member(f'{declarator.name}.{member.path}', member.flexible, member.since or declarator.since))
        return result


def parse(text):
    return Parser(text).parse()
