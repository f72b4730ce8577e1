"""The process that forks the kernels of all browser tests outlives what Jupyter gives up."""

import json
import os
import socket

import pytest


def ask(kernels, request: bytes) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(kernels.socket))
    connection.sendall(request)
    return connection


@pytest.mark.parametrize("part", [0, 0.5, 1])
def test_a_request_that_is_given_up(servers, tmp_path, part: float) -> None:
    content = {"file": f"{tmp_path}/kernel.json", "folder": str(tmp_path), "environment": dict(os.environ)}
    request = json.dumps(content).encode() + b"\n"
    kernels = servers("lab").kernels
    ask(kernels, request[: int(part * len(request))]).close()
    with ask(kernels, request) as connection, connection.makefile() as answer:
        assert answer.readline().strip().isdigit()
