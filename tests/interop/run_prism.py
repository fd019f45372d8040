"""Runs the journeys of our own clients through Prism (https://www.npmjs.com/package/@stoplight/prism-cli).

Prism validates each request and each response against the document that the sandbox serves. The program `proxied` of the
package lastmile-tests starts the sandboxes and the proxies. Fails on a violation in either direction.
"""

import subprocess
import sys

import kit

PACKAGE = "@stoplight/prism-cli@5.14.2"

def main():
    folder = kit.WORK / "prism"
    prism = folder / "node_modules" / ".bin" / "prism"
    if not prism.exists():
        print(f"installs {PACKAGE} into target/interop/prism", flush=True)
        folder.mkdir(exist_ok=True)
        kit.run("npm", "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--silent", PACKAGE)
    version = kit.run(prism, "--version").split()[-1]
    cargo = ["cargo", "run", "--quiet", "--locked", "-p", "lastmile-tests", "--bin", "proxied", "--", prism]
    done = subprocess.run(cargo, stdout=subprocess.PIPE, text=True, cwd=kit.ROOT)
    for line in done.stdout.splitlines():
        name, result = line.split(": ", 1)
        kit.report(f"Prism {version}", name, result)
    sys.exit(done.returncode)


main()
