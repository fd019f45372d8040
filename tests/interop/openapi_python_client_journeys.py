"""One journey per supplier, with clients that openapi-python-client generated. `run_clients.py` runs it."""

import base64
import importlib
import re

import kit


class Api:
    """A generated package, with a client that raises an exception if a status code is undocumented."""

    def __init__(self, package, base_url, token=None, prefix="Bearer", headers=None):
        self.package = package
        module = importlib.import_module(package)
        self.models = importlib.import_module(f"{package}.models")
        options = {"base_url": base_url, "headers": headers or {}, "raise_on_unexpected_status": True}
        if token is None:
            self.client = module.Client(**options)
        else:
            self.client = module.AuthenticatedClient(token=token, prefix=prefix, **options)

    def call(self, operation, *path, status=200, body=None, **query):
        """Calls a function of the package, such as `orders.create_order`. Returns what it read."""
        tag, name = operation.split(".")
        module = importlib.import_module(f"{self.package}.api.{tag}.{name}")
        options = query if body is None else {"body": body, **query}
        response = module.sync_detailed(*path, client=self.client, **options)
        assert response.status_code == status, f"{operation}: {response.status_code} {response.content}"
        return response.parsed


def onapi(sandbox, dialect):
    user, password = sandbox.credentials("onapi")
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    api = Api(f"onapi_{dialect}", sandbox.supplier("onapi")["baseUrl"], basic, prefix="Basic")
    legacy = dialect in ("standard25", "standard24")
    example = sandbox.example("onapi", "Order a service")
    access = example["accessId"]

    def of_access(name):
        """Before 2.6, services and subscriptions are part of the access."""
        answer = api.call("accesses.get_access", access) if legacy else api.call(f"{name}.get_{name}", access)
        return getattr(answer, name)

    def carry_out(order):
        placed = api.call("orders.create_order", body=api.models.OrderCreate.from_dict(order), status=201)
        states = []
        for _ in range(3):
            states.append(str(api.call("orders.get_order", placed.order_id).state))
            sandbox.advance("onapi")
        assert states == ["RECEIVED", "IN_PROGRESS", "DONE_SUCCESS"], states

    offered = [service.service for service in of_access("services")]
    assert example["service"] in offered
    carry_out(example)
    mine = [one for one in of_access("subscriptions") if one.sp_reference == example["spReference"]]
    assert len(mine) == 1 and mine[0].service == example["service"]
    subscription = {name: example[name] for name in ("accessId", "service", "spReference")}
    carry_out({"operation": "DEACTIVATE", "subscriptionId": mine[0].subscription_id, **subscription})
    left = [one for one in of_access("subscriptions") if one.sp_reference == example["spReference"]]
    assert not left


def covage(sandbox):
    email, password = sandbox.credentials("covage")
    base_url = sandbox.supplier("covage")["baseUrl"]
    anonymous = Api("covage", base_url)
    login = anonymous.models.TokenCreate(email=email, password=password)
    api = Api("covage", base_url, anonymous.call("account.obtain_token", body=login).access)
    models = api.models

    address = re.search(r"^  (\d+) (.+), (\d{5}) .*building IMB", "\n".join(sandbox.output), re.M)
    number, street_name, zipcode = address.groups()
    city = api.call("eligibility.list_cities", zipcode=zipcode)[0]
    streets = api.call("eligibility.list_streets", kosc_insee_code=city.kosc_insee_code)
    street = next(one for one in streets if one.street_name == street_name).kosc_street_code
    building = api.call("eligibility.list_buildings", kosc_street_code=street, street_number=number)[0]
    wanted = models.OfferRequest.from_dict({"reference": building.building_ref, "reference_type": "building"})
    offers = api.call("eligibility.create_offers", body=wanted)
    product = offers.offers[0].product.code

    draft = models.OrderCreate.from_dict(
        {
            "type": "activate",
            "request_type": "activate_undefined",
            "eligibility_ref": offers.eligibility_ref,
            "product": {"code": product},
        }
    )
    order = api.call("order.create_order", body=draft)
    line = models.OrderBoundUpdate.from_dict({"address": {"stairs": "A", "floor": "1"}})
    api.call("order.update_order_bound", order.uuid, order.bounds[0].uuid, body=line)
    data = sandbox.example("covage", "Complete and submit it")
    order = api.call("order.update_order", order.uuid, body=models.OrderUpdate.from_dict(data))
    statuses = [order.status]
    while statuses[-1] != "completed" and len(statuses) < 9:
        sandbox.advance("covage")
        statuses.append(api.call("order.get_order", order.uuid).status)
    assert statuses == ["submitted", "acknowledged", "running", "completed"], statuses
    services = api.call("service.list_services")
    mine = [one for one in services if one.activate_order_uuid == order.uuid]
    assert len(mine) == 1 and mine[0].product.code == product


def cocon(sandbox):
    key, client = sandbox.credentials("cocon")
    api = Api("cocon", sandbox.supplier("cocon")["baseUrl"], headers={"Api-Key": key, "Client-Id": client})
    example = sandbox.example("cocon", "Connect some buildings in one batch")
    wanted = api.models.DelayedConnectionBatchCreate.from_dict(example)
    batch = api.call("delayed_connection.create_delayed_connection_batch", body=wanted)
    for _ in range(9):
        status = api.call("delayed_connection.get_delayed_connection_batch", batch.batch_id)
        if not status.pending:
            break
        sandbox.advance("cocon")
    names = [job["buildingName"] for job in example["delayedConnections"]]
    reported = [one.building_name for one in [*status.success, *status.failure]]
    assert sorted(reported) == sorted(names), reported
    # The last building stands for several, which cannot be connected.
    assert [one.building_name for one in status.failure] == names[-1:], status.failure


if __name__ == "__main__":
    kit.run_journeys(onapi, covage, cocon)
