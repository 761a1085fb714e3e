"""What has not changed is not sent again, folders have their index, and a connection goes on or ends as it must.

If-Modified-Since, Content-Type, index.html, 301 for a folder without its slash; HTTP/1.1 and HTTP/1.0 with each kind of
Connection, and a FIN behind requests, which does not cut their answers.
"""

from epoll import wire_http
from m2 import server

judges = "wire"
tier = "quick"
hint = "A FIN says that nothing more is asked. What was asked is answered."


def check(c):
    wire_http.conditions_and_folders(c, server.argv(c))
    wire_http.keep_alive(c, server.argv(c))
