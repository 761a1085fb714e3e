"""A request that two readers may read differently is refused with 400, and what stands behind it is never answered.

Two lengths, a length beside a coding, bare CR, folded lines, space before the colon, chunk sizes in odd spellings:
each with a second request behind it, which a reader in front of the server would have taken for a body.
"""

from epoll import servers, wire_http_hostile

judges = "wire"
hint = "RFC 9112, sections 5, 6.3, 7.1 and 11.2. When in doubt: 400, and close."


def check(c):
    wire_http_hostile.smuggling(c, servers.files(c))
