"""What has not changed is not sent again, and folders have their index.

If-Modified-Since at and before the time of the file; Content-Type by suffix; index.html; 301 for a folder
without its slash; targets with a query, escapes, and the absolute form.
"""

from epoll import servers, wire_http

judges = "wire"
tier = "quick"
hint = "304 has no body and no Content-Type. Dates have seconds, files have nanoseconds."


def check(c):
    wire_http.conditions_and_folders(c, servers.files(c))
