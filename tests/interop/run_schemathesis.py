"""Runs schemathesis against each supplier of the sandbox, ON-API in each dialect, and against the control API.

Schemathesis (https://pypi.org/project/schemathesis) reads the document that is served, and generates requests, valid and
invalid, and sequences of them. Fails if a response violates the document.

    tests/interop/run_schemathesis.py [EXAMPLES] [NAME...]

EXAMPLES is the largest number of generated cases for each operation and phase, 50 by default. NAME is a dialect of ON-API,
`covage`, `cocon` or `control`.
"""

import re
import subprocess
import sys

import kit

# Values of existing objects in parameters and bodies need 4.32.
PACKAGE = "schemathesis>=4.32,<5"
NAMES = (*kit.DIALECTS, "covage", "cocon", "control")

# `positive_data_acceptance` is left out: a document cannot say that an access must exist. So is `negative_data_rejection`:
# an invalid `If-Modified-Since` is ignored (RFC 9110), and so are undocumented fields.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,use_after_free,ensure_resource_availability,ignored_auth,unsupported_method,"
    "allow_header_conformance"
)


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
    "users": ["path.user_uuid"],
    "ids": ["path.id", "path.contactId", "body.customerId"],
    "names": ["body.buildingName", "body.delayedConnections[*].buildingName"],
    "objects": ["path.id"],
    "operations": ["body.operation", "query.operation"],
    "faults": ["body.fault"],
}


def values_of_onapi(sandbox, headers):
    prefix = sandbox.prefix("onapi")
    read = lambda path: sandbox.send("onapi", "GET", prefix + path, headers)
    accesses = read("/accesses/")
    rows = read("/subscriptions/")
    flat = [one for row in rows for one in row.get("subscriptions", [row])]
    return {
        "accesses": [access["accessId"] for access in accesses],
        "options82": re.findall(r'"option82": "(\w+)"', kit.json.dumps(flat)),
        "services": sorted(set(one["service"] for one in flat)),
        "subscriptions": [one["subscriptionId"] for one in flat],
        "orders": [one["id"] for one in sandbox.objects("onapi", "order")],
        "tickets": [one["id"] for one in sandbox.objects("onapi", "ticket")],
        "periods": [period["id"] for period in read("/invoicespecification/")],
    }


def values_of_covage(sandbox, headers):
    read = lambda path: sandbox.send("covage", "GET", path, headers)
    orders, services = read("/api/v2/orders/"), read("/api/v2/services/")
    bounds = [bound for order in orders for bound in order["bounds"]]
    address = re.search(r"^  (\d+) .+, (\d{5}) .*: line (\d+), building (\S+)$", "\n".join(sandbox.output), re.M)
    house, zipcode, number, building = address.groups()
    city = read(f"/api/v2/eligibility/cities/?zipcode={zipcode}")[0]["kosc_insee_code"]
    streets = read(f"/api/v2/eligibility/streets/?kosc_insee_code={city}")
    families = read("/api/product-families/")
    return {
        "uuids": [one["uuid"] for one in orders + services],
        "bounds": [bound["uuid"] for bound in bounds],
        "endpoints": [endpoint["uuid"] for bound in bounds for endpoint in bound["endpoints"]],
        "contacts": [contact["contact_uuid"] for contact in read("/api/contacts/")],
        "families": [family["product_family_uuid"] for family in families],
        "lines": [one["product"]["line"]["uuid"] for one in orders],
        "numbers": [number, building],
        "buildings": [building],
        "zipcodes": [zipcode],
        "cities": [city],
        "streets": [street["kosc_street_code"] for street in streets],
        "houses": [house],
        "checks": [order["eligibility_ref"] for order in orders],
        "products": sorted(set(one["product"]["code"] for one in orders + services)),
    }


def values_of_cocon(sandbox, headers):
    buildings = re.findall(r"(\S+) \(id (\d+)\)", "\n".join(sandbox.output))
    made = [one["id"] for kind in ("batch", "customer", "connection") for one in sandbox.objects("cocon", kind)]
    return {"ids": made + [number for _, number in buildings], "names": [name for name, _ in buildings]}


def values_of_control(sandbox, _):
    return {
        "objects": [one["id"] for one in sandbox.objects("onapi", "order")],
        "operations": ["createOrder", "getOrder", "listEvents", "createCustomer"],
        "faults": ["reset-after", "latency:20", "unavailable:503", "wrong-body"],
    }


def configuration(values):
    """Returns the configuration in which most requests use values that exist."""
    values = {name: found for name, found in values.items() if found}
    lines = [f"[dictionaries.{name}]\nvalues = {kit.json.dumps(found)}" for name, found in values.items()]
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
    config.write_text(configuration(values))
    log = kit.WORK / f"schemathesis-{name}.log"
    with open(log, "w") as output:
        code = subprocess.run(
            [commands / "schemathesis", "--config-file", config, "run", f"{origin}/openapi.json", *needs]
            + ["--checks", CHECKS, "--max-examples", examples, "--seed", "1", "--continue-on-failure"]
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
