"""Kernels that are forks of one process which has imported what they need: each starts in a moment.

``python kernels.py serve SOCKET`` is that process, ``python -S kernels.py start SOCKET CONNECTION_FILE`` what
Jupyter starts instead of a kernel, and watches. A fork knows nothing of what other kernels have done.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import sys

NEEDED = (
    *("ipykernel.kernelapp", "ipykernel.debugger", "matplotlib.pyplot", "pyarrow.pandas_compat", "tqdm.auto"),
    *("skimage.draw", "skimage.measure", "skimage.segmentation"),
    *("sklearn.cluster", "sklearn.ensemble", "sklearn.manifold"),
)


def start(path: str, connection_file: str) -> None:
    """Have a kernel forked, hand it the signals, and end when it ends."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        content = {"file": connection_file, "folder": os.getcwd(), "environment": dict(os.environ)}
        server.sendall(json.dumps(content).encode() + b"\n")
        kernel = int(server.makefile().readline())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: os.kill(kernel, number))
        server.recv(1)


def serve(path: str) -> None:
    """Fork a kernel for each that asks."""
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # as a kernel has it
    load()
    gc.freeze()  # or each fork would copy all of it when it looks for garbage
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        while True:
            connection, _ = server.accept()
            with connection:
                content = asked(connection)
                if not content:
                    continue
                if not (kernel := os.fork()):
                    server.close()
                    become_kernel(connection, content)
                with contextlib.suppress(OSError):  # given up meanwhile, which the kernel notices too
                    connection.sendall(f"{kernel}\n".encode())


def asked(connection: socket.socket) -> dict:
    """Return what is asked for; nothing where Jupyter has given it up already."""
    with contextlib.suppress(OSError, ValueError):
        return json.loads(connection.makefile().readline())
    return {}


def load() -> None:
    """Import what kernels will need."""
    for name in NEEDED:
        importlib.import_module(name)
    import numba

    import objclass

    numba.njit("int64(int64)")(lambda number: number)  # only then is all of numba imported

    for name in objclass.__all__:
        getattr(objclass, name)

    from objclass.widgets import saved_picture

    saved_picture.QUIET = 3600.0  # no test would wait for the pictures, but for those that say how long


def become_kernel(connection: socket.socket, content: dict) -> None:
    """Be a kernel until Jupyter ends it, or the process that Jupyter watches."""
    import threading

    import ipywidgets
    from ipykernel.kernelapp import IPKernelApp

    def end_too() -> None:
        with contextlib.suppress(OSError):
            connection.recv(1)
        os._exit(1)

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    threading.Thread(target=end_too, daemon=True).start()
    os.setsid()
    os.chdir(content["folder"])
    os.environ.clear()
    os.environ.update(content["environment"])
    sys.path[0] = ""
    app = IPKernelApp.instance()
    app.initialize(["-f", content["file"]])
    ipywidgets.register_comm_target()  # done by the import where there is a kernel
    app.start()
    os._exit(0)  # at once: Jupyter waits for it, and it keeps nothing


if __name__ == "__main__":
    {"serve": serve, "start": start}[sys.argv[1]](*sys.argv[2:])
