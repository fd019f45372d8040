"""What the parts share: the sandbox as a process, its control API, and what a part installs and reports.

Needs Python 3.10 or later with `venv`, and nothing else.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.request
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
WORK = TARGET / "interop"
SUPPLIERS = ("onapi", "covage", "cocon")
DIALECTS = ("vendor26", "standard26", "standard25", "standard24")


class Sandbox:
    """A running `lastmile-sandbox` whose time stands still until `advance` is called."""

    def __init__(self, *options):
        program = TARGET / "debug" / "lastmile-sandbox"
        # `check` reads all requests, and a run of schemathesis sends more than the sandbox keeps by default.
        command = [program, "--clock", "manual", "--keep-requests", "1000000", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.output = []
        for line in self.process.stdout:
            self.output.append(line.rstrip("\n"))
            if line.startswith("Control API"):
                self.url = line.split()[-1]
            if line.startswith("Ctrl-C"):
                break
        if self.process.poll() is not None:
            sys.exit(f"the sandbox ends at once: {' '.join(options)}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def control(self, method, path, body=None):
        """Calls the control API. Returns the response body."""
        data = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request) as response:
            text = response.read()
        return json.loads(text) if text else None

    def supplier(self, key):
        """Returns address, credentials and operations of a supplier."""
        return self.control("GET", f"/suppliers/{key}")

    def credentials(self, key):
        return [credential["value"] for credential in self.supplier(key)["credentials"]]

    def origin(self, key):
        """Returns the base URL without the path below which the API is."""
        return "/".join(self.supplier(key)["baseUrl"].split("/")[:3])

    def document(self, key):
        with urllib.request.urlopen(f"{self.origin(key)}/openapi.json") as response:
            return json.load(response)

    def prefix(self, key):
        """Returns the path below which the API is."""
        return self.supplier(key)["baseUrl"].removeprefix(self.origin(key))

    def advance(self, key, days=1):
        self.control("POST", f"/suppliers/{key}/advance", {"days": days})

    def objects(self, key, kind):
        return self.control("GET", f"/suppliers/{key}/objects?kind={kind}")

    def play(self, key):
        """Sends the requests of a supplier's example, which place an order. Returns the headers that authenticate them."""
        variables, headers = {}, {}
        for step in self.supplier(key)["example"]:

            def filled(text):
                return re.sub(r"\$([A-Z]+)", lambda name: variables[name[1]], text)

            headers = {name: filled(value) for name, value in step["headers"].items()}
            answer = self.send(key, step["method"], filled(step["path"]), headers, filled(step.get("body", "")))
            if "sets" in step:
                variables[step["sets"]["variable"]] = answer[step["sets"]["field"]]
        return {name: value for name, value in headers.items() if name != "Content-Type"}

    def send(self, key, method, path, headers, body=None):
        """Sends a request to a supplier. Returns the response body."""
        data = body.encode() if body else None
        request = urllib.request.Request(self.origin(key) + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request) as response:
            return json.load(response)

    def example(self, key, title):
        """Returns the body of an example request."""
        steps = self.supplier(key)["example"]
        return next(json.loads(step["body"]) for step in steps if step["title"] == title)

    def check(self, key):
        """Fails if the supplier received an invalid request, or made a mistake of its own."""
        effects = self.control("GET", f"/suppliers/{key}/effects")
        assert not effects["violations"], effects["violations"]
        for request in self.control("GET", f"/suppliers/{key}/requests"):
            problems = request["problems"]
            assert not problems, f"{request['method']} {request['path']}: {problems}"
        return effects["operations"]


def environment(name, *packages):
    """Installs packages of PyPI into a virtual environment of its own. Returns the folder of its commands."""
    folder = WORK / name
    commands = folder / ("Scripts" if os.name == "nt" else "bin")
    installed = folder / "installed.txt"
    if not installed.exists() or installed.read_text() != "\n".join(packages):
        print(f"installs {', '.join(packages)} into target/interop/{name}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        run(commands / "pip", "install", "--quiet", "--disable-pip-version-check", *packages)
        installed.write_text("\n".join(packages))
    return commands


def run(*command, **options):
    """Runs a command and fails with it. Its output is shown only then."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def run_journeys(onapi, covage, cocon):
    """Runs the journeys of a tool, and prints what each took."""

    def show(sandbox, key, name):
        counts = [one["received"] for one in sandbox.check(key).values() if one["received"]]
        print(f"{name}: 1 journey, {sum(counts)} requests, {len(counts)} operations")

    for dialect in DIALECTS:
        with Sandbox("--dialect", dialect) as sandbox:
            onapi(sandbox, dialect)
            show(sandbox, "onapi", f"ON-API {dialect}")
    with Sandbox() as sandbox:
        covage(sandbox)
        show(sandbox, "covage", "Covage")
        cocon(sandbox)
        show(sandbox, "cocon", "Cocon")


def report(tool, against, result):
    """Prints a result, and keeps it as a row of the table in docs/interop.md."""
    print(f"{tool}, {against}: {result}", flush=True)
    with open(WORK / "results.md", "a") as results:
        results.write(f"| {tool} | {against} | {result} |\n")
