"""Runs schemathesis against each supplier of the sandbox, ON-API in each dialect, and against the control API.

Schemathesis (https://pypi.org/project/schemathesis) reads the document that is served, and generates requests, valid and
invalid, and sequences of them. Fails if a response violates the document.

    tests/interop/run_schemathesis.py [EXAMPLES] [NAME...]

EXAMPLES is the largest number of generated cases for each operation and phase, 50 by default. NAME is a dialect of ON-API,
`covage`, `cocon` or `control`.
"""

import json
import re
import subprocess
import sys

import kit

# Values of existing objects in parameters and bodies need 4.32.
PACKAGE = "schemathesis>=4.32,<5"
NAMES = (*kit.DIALECTS, "covage", "cocon", "control")

# All checks are made but these. docs/interop.md says why.
WITHOUT = """
[checks]
positive_data_acceptance.enabled = false
[[operations]]
include-operation-id = "migrateServiceToFtth"
checks.not_a_server_error.enabled = false
"""
WITHOUT_AT_CONTROL = """
[checks]
positive_data_acceptance.enabled = false
use_after_free.enabled = false
"""

# What of the requests can be taken from the sandbox: by name of a dictionary, the parameters and fields that use it.
USES = {
    "accesses": ["path.accessId", "query.accessId", "body.accessId"],
    "options82": ["path.option82"],
    "services": ["body.service"],
    "subscriptions": ["body.subscriptionId"],
    "orders": ["path.orderId"],
    "tickets": ["path.coTicketReference"],
    "periods": ["path.invoicePeriodId"],
    "uuids": ["path.uuid"],
    "bounds": ["path.bound_uuid"],
    "endpoints": ["path.endpoint_uuid"],
    "contacts": ["path.contact_uuid", "body.operator_info.contact_uuid"],
    "families": ["path.product_family_uuid"],
    "lines": ["path.product_line_uuid"],
    "numbers": ["path.endpoint_ref", "query.endpoint_ref", "body.reference"],
    "buildings": ["path.building_ref", "query.building_ref"],
    "zipcodes": ["query.zipcode"],
    "cities": ["query.kosc_insee_code"],
    "streets": ["query.kosc_street_code"],
    "houses": ["query.street_number"],
    "checks": ["body.eligibility_ref"],
    "products": ["body.product.code", "query.product_code"],
    "emails": ["body.email"],
    "passwords": ["body.password"],
    "refreshes": ["body.refresh"],
    "tokens": ["body.token"],
    "ids": ["path.id", "body.customerId"],
    "people": ["path.contactId"],
    "names": ["body.buildingName", "body.delayedConnections[*].buildingName"],
    "objects": ["path.id"],
    "operations": ["body.operation", "query.operation"],
    "faults": ["body.fault"],
}


def values_of_onapi(sandbox, headers):
    def read(path):
        return sandbox.send("onapi", "GET", prefix + path, headers)

    prefix = sandbox.prefix("onapi")
    subscriptions = read("/subscriptions/")
    subscriptions = [one for row in subscriptions for one in row.get("subscriptions", [row])]
    return {
        "accesses": [access["accessId"] for access in read("/accesses/")],
        "options82": [one["option82"] for one in subscriptions if "option82" in one],
        "services": sorted({one["service"] for one in subscriptions}),
        "subscriptions": [one["subscriptionId"] for one in subscriptions],
        "orders": [one["id"] for one in sandbox.objects("onapi", "order")],
        "tickets": [one["id"] for one in sandbox.objects("onapi", "ticket")],
        "periods": [period["id"] for period in read("/invoicespecification/")],
    }


def values_of_covage(sandbox, headers):
    def read(path):
        return sandbox.send("covage", "GET", path, headers)

    def write(path, body):
        written = headers | {"Content-Type": "application/json"}
        return sandbox.send("covage", "POST", path, written, json.dumps(body))

    orders, services = read("/api/v2/orders/"), read("/api/v2/services/")
    check = write("/api/v2/eligibility/offers/", sandbox.example("covage", "Ask what a copper line can have"))
    draft = {"type": "activate", "eligibility_ref": check["eligibility_ref"], "product": orders[0]["product"]}
    draft["product"] = {"code": draft["product"]["code"]}
    draft = write("/api/v2/orders/", draft)
    email, password = sandbox.credentials("covage")
    login = {"email": email, "password": password}
    address = re.search(r"^  (\d+) .+, (\d{5}) .*: line (\d+), building (\S+)$", "\n".join(sandbox.output), re.M)
    house, zipcode, number, building = address.groups()
    city = read(f"/api/v2/eligibility/cities/?zipcode={zipcode}")[0]["kosc_insee_code"]
    streets = read(f"/api/v2/eligibility/streets/?kosc_insee_code={city}")
    families = read("/api/product-families/")
    return {
        "uuids": [one["uuid"] for one in [draft, *orders, *services]],
        "bounds": [bound["uuid"] for bound in draft["bounds"]],
        "endpoints": [endpoint["uuid"] for bound in draft["bounds"] for endpoint in bound["endpoints"]],
        "contacts": [contact["contact_uuid"] for contact in read("/api/contacts/")],
        "families": [family["product_family_uuid"] for family in families],
        "lines": [order["product"]["line"]["uuid"] for order in orders],
        "numbers": [number, building],
        "buildings": [building],
        "zipcodes": [zipcode],
        "cities": [city],
        "streets": [street["kosc_street_code"] for street in streets],
        "houses": [house],
        "checks": [check["eligibility_ref"]],
        "products": sorted({one["product"]["code"] for one in orders + services}),
        "emails": [email],
        "passwords": [password],
        "refreshes": [write("/api/v2/account/token/", login)["refresh"]],
        "tokens": [write("/api/account/token/", login)["token"]],
    }


def values_of_cocon(sandbox, headers):
    def write(path, body):
        written = headers | {"Content-Type": "application/json"}
        return sandbox.send("cocon", "POST", f"/api/v1/{path}", written, json.dumps(body))["id"]

    customer = write("customers", {"name": "Ankeborg Wonen"})
    contact = write("contacts", {"customerId": customer, "name": "Katrien"})
    contract = write("customer-contracts", {"customerId": customer, "endDate": "2027-01-01"})
    batch = sandbox.objects("cocon", "batch")[0]["id"]
    buildings = re.findall(r"(\S+) \(id (\d+)\)", "\n".join(sandbox.output))
    return {
        "ids": [customer, contact, contract, batch, *(number for _, number in buildings)],
        "people": [contact],
        "names": [name for name, _ in buildings],
    }


def values_of_control(sandbox, _):
    return {
        "objects": [one["id"] for one in sandbox.objects("onapi", "order")],
        "operations": ["createOrder", "getOrder", "listEvents", "createCustomer"],
        "faults": ["reset-after", "latency:20", "unavailable:503", "wrong-body"],
    }


def configuration(values):
    """Returns the configuration in which most requests use values that exist."""
    values = {name: found for name, found in values.items() if found}
    lines = [f"[dictionaries.{name}]\nvalues = {json.dumps(found)}" for name, found in values.items()]
    lines.append("[parameters]")
    for name in values:
        for use in USES[name]:
            lines.append(f'"{use}" = {{ dictionary = "{name}", probability = 0.7 }}')
    return "\n".join(lines) + "\n"


def succeeded(sandbox, key):
    """Returns how many operations had a successful request, and checks that the sandbox found no mistake of its own."""
    assert not sandbox.control("GET", f"/suppliers/{key}/effects")["violations"]
    found, after = set(), 0
    while requests := sandbox.control("GET", f"/suppliers/{key}/requests?after={after}"):
        after = requests[-1]["number"]
        found |= {one["operation"] for one in requests if one["operation"] and one["status"] in range(200, 400)}
    return found


def main():
    arguments = sys.argv[1:]
    examples = arguments.pop(0) if arguments and arguments[0].isdigit() else "50"
    commands = kit.environment("schemathesis", PACKAGE)
    version = kit.run(commands / "schemathesis", "--version").split()[-1]
    failed = []
    for name in arguments or NAMES:
        options = ["--dialect", name] if name in kit.DIALECTS else []
        with kit.Sandbox(*options) as sandbox:
            if not check(commands, version, examples, name, sandbox):
                failed.append(name)
    if failed:
        sys.exit(f"violations: see schemathesis-NAME.log in {kit.WORK} for {', '.join(failed)}")


def check(commands, version, examples, name, sandbox):
    """Runs schemathesis. Returns whether it found nothing."""
    key = "onapi" if name in kit.DIALECTS or name == "control" else name
    sandbox.play(key)
    sandbox.advance(key, 4)
    headers = sandbox.play(key)
    values = globals()[f"values_of_{'control' if name == 'control' else key}"](sandbox, headers)
    origin = sandbox.url if name == "control" else sandbox.origin(key)
    # The stream of events does not end.
    needs = ["--exclude-operation-id", "streamEvents"] if name == "control" else []
    for header in headers.items() if name != "control" else ():
        needs += ["-H", ": ".join(header)]
    config = kit.WORK / f"schemathesis-{name}.toml"
    config.write_text(configuration(values) + (WITHOUT_AT_CONTROL if name == "control" else WITHOUT))
    log = kit.WORK / f"schemathesis-{name}.log"
    with open(log, "w") as output:
        code = subprocess.run(
            [commands / "schemathesis", "--config-file", config, "run", f"{origin}/openapi.json", *needs]
            + ["--max-examples", examples, "--seed", "1", "--continue-on-failure"]
            + ["--suppress-health-check", "all", "--warnings", "off"],
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=kit.WORK,
        ).returncode
    text = log.read_text()
    operations = re.search(r"^ *Selected: *(\d+)/(\d+)", text, re.M)
    cases = re.search(r"^Test cases:\n *(.*)$", text, re.M)
    result = f"{operations[1]} of {operations[2]} operations" if operations else "nothing"
    if name != "control":
        found = succeeded(sandbox, key)
        missing = {one["operation"] for one in sandbox.supplier(key)["operations"]} - found
        result += f", {len(found)} with success"
        print(f"  without success: {', '.join(sorted(missing)) or 'none'}")
    kit.report(f"schemathesis {version}", name, f"{result}; cases: {cases[1] if cases else 'none'}")
    return code == 0


main()
