"""Python loads this at its start when the folder is on PYTHONPATH.

Every address that is asked for goes into $IWR_EAVESDROP.
"""

import os
import sys

EVENTS = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.getaddrinfo": 0,
}  # event -> which argument holds the address


def hear(event: str, arguments: tuple) -> None:
    if event in EVENTS:
        address = arguments[EVENTS[event]]
        host = address[0] if isinstance(address, tuple) else address
        line = f"{event} {host!r} {' '.join(sys.argv[:3])}\n"
        handle = os.open(os.environ["IWR_EAVESDROP"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, line.encode())
        os.close(handle)


if "IWR_EAVESDROP" in os.environ:
    sys.addaudithook(hear)
