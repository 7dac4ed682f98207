#!/usr/bin/env python3
"""Plays the `tailscale` program: keeps what is served in a file beside it, as the daemon does.

`serve` and `funnel` know the arguments that the real program has, and only those of them that we use. What it prints is
what the real one prints, shortened. The file `trouble` makes commands fail: a line with their names, one with an exit
status, and what they say.
"""

import json
import os
import sys

HOST = "box.tail1234.ts.net"
FOLDER = os.path.dirname(os.path.abspath(__file__))


def read(name, default=""):
    try:
        with open(os.path.join(FOLDER, name)) as file:
            return file.read()
    except FileNotFoundError:
        return default


def write(name, text, mode="w"):
    with open(os.path.join(FOLDER, name), mode) as file:
        file.write(text)


def fail_if_told_to(command):
    commands, status, said = (read("trouble", "\n0\n") + "\n\n").split("\n", 2)
    if command in commands.split():
        print(said.strip(), file=sys.stderr if int(status) else sys.stdout)
        sys.exit(int(status))


def change(way, *arguments):
    options = dict(argument[2:].split("=", 1) for argument in arguments[:-1] if "=" in argument)
    flags = {argument for argument in arguments[:-1] if "=" not in argument}
    assert set(options) == {"https", "set-path"} and flags <= {"--bg", "--yes"}, arguments
    served = json.loads(read("served", "null")) or {}
    port, path, target = options["https"], options["set-path"], arguments[-1]
    site = f"{HOST}:{port}"
    sites, tcp, funnel = (served.setdefault(part, {}) for part in ("Web", "TCP", "AllowFunnel"))
    handlers = sites.setdefault(site, {"Handlers": {}})["Handlers"]
    if target != "off":
        assert "--bg" in flags
        handlers[path] = {"Proxy": target}
        tcp[port] = {"HTTPS": True}
        funnel.pop(site, None)
        if way == "funnel":
            funnel[site] = True
        print(f"Available on the internet:\n\nhttps://{HOST}{path}")
    elif path in handlers:
        del handlers[path]
        if not handlers:
            del sites[site]
            tcp.pop(port, None)
            funnel.pop(site, None)
    else:
        sys.exit("error: failed to remove web serve: handler does not exist")
    write("served", json.dumps({part: value for part, value in served.items() if value}))


def main(arguments):
    write("calls", " ".join(arguments) + "\n", "a")
    fail_if_told_to(arguments[0])
    if arguments == ["version"]:
        print(read("version", "1.88.1\n  tailscale commit: 0123\n  go version: go1.24\n"))
    elif arguments == ["status", "--json", "--peers=false"]:
        state = read("state", "Running").strip()
        print(json.dumps({"Version": "1.88.1", "BackendState": state, "AuthURL": "", "Self": {"DNSName": f"{HOST}."}}))
    elif arguments == ["serve", "status", "--json"]:
        print(read("served", "null"))
    else:
        assert arguments[0] in ("serve", "funnel"), arguments
        change(*arguments)


main(sys.argv[1:])
