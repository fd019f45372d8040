"""One journey per supplier, with clients that openapi-generator generated (`-g python`). `run_clients.py` runs it."""

import importlib
import re

import kit


class Api:
    """A generated package. Its models validate what they read."""

    def __init__(self, package, base_url, **credentials):
        self.package = package
        module = importlib.import_module(package)
        self.models = importlib.import_module(f"{package}.models")
        self.client = module.ApiClient(module.Configuration(host=base_url, **credentials))

    def call(self, operation, *arguments, status=200, **query):
        """Calls a method of the package, such as `Orders.create_order`. Returns what it read."""
        tag, name = operation.split(".")
        api = getattr(importlib.import_module(f"{self.package}.api"), f"{tag}Api")(self.client)
        response = getattr(api, f"{name}_with_http_info")(*arguments, **query)
        assert response.status_code == status, f"{operation}: {response.status_code}"
        return response.data


def onapi(sandbox, dialect):
    user, password = sandbox.credentials("onapi")
    base_url = sandbox.supplier("onapi")["baseUrl"]
    api = Api(f"onapi_{dialect}", base_url, username=user, password=password)
    legacy = dialect in ("standard25", "standard24")
    example = sandbox.example("onapi", "Order a service")
    access = example["accessId"]

    def of_access(name):
        """Before 2.6, services and subscriptions are part of the access."""
        operation = "Accesses.get_access" if legacy else f"{name.title()}.get_{name}"
        return getattr(api.call(operation, access), name) or []

    def carry_out(order):
        placed = api.call("Orders.create_order", api.models.OrderCreate.from_dict(order), status=201)
        states = []
        for _ in range(3):
            states.append(api.call("Orders.get_order", placed.order_id).state)
            sandbox.advance("onapi")
        assert states == ["RECEIVED", "IN_PROGRESS", "DONE_SUCCESS"], states

    assert example["service"] in [service.service for service in of_access("services")]
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
    models = anonymous.models
    login = models.TokenCreate(email=email, password=password)
    api = Api("covage", base_url, access_token=anonymous.call("Account.obtain_token", login).access)

    address = re.search(r"^  (\d+) (.+), (\d{5}) .*building IMB", "\n".join(sandbox.output), re.M)
    number, street_name, zipcode = address.groups()
    city = api.call("Eligibility.list_cities", zipcode)[0]
    streets = api.call("Eligibility.list_streets", city.kosc_insee_code)
    street = next(one for one in streets if one.street_name == street_name).kosc_street_code
    building = api.call("Eligibility.list_buildings", street, number)[0]
    wanted = models.OfferRequest(reference=building.building_ref, reference_type="building")
    offers = api.call("Eligibility.create_offers", wanted)
    product = offers.offers[0].product.code

    draft = models.OrderCreate(
        type="activate",
        request_type="activate_undefined",
        eligibility_ref=offers.eligibility_ref,
        product=models.ProductChoice(code=product),
    )
    order = api.call("Order.create_order", draft)
    line = models.OrderBoundUpdate.from_dict({"address": {"stairs": "A", "floor": "1"}})
    api.call("Order.update_order_bound", order.uuid, order.bounds[0].uuid, line)
    data = models.OrderUpdate.from_dict(sandbox.example("covage", "Complete and submit it"))
    statuses = [api.call("Order.update_order", order.uuid, data).status]
    while statuses[-1] != "completed" and len(statuses) < 9:
        sandbox.advance("covage")
        statuses.append(api.call("Order.get_order", order.uuid).status)
    assert statuses == ["submitted", "acknowledged", "running", "completed"], statuses
    mine = [one for one in api.call("Service.list_services") if one.activate_order_uuid == order.uuid]
    assert len(mine) == 1 and mine[0].product.code == product


def cocon(sandbox):
    key, client = sandbox.credentials("cocon")
    keys = {"Api-Key-Header": key, "Client-Id-Header": client}
    api = Api("cocon", sandbox.supplier("cocon")["baseUrl"], api_key=keys)
    example = sandbox.example("cocon", "Connect some buildings in one batch")
    wanted = api.models.DelayedConnectionBatchCreate.from_dict(example)
    batch = api.call("DelayedConnection.create_delayed_connection_batch", wanted)
    for _ in range(9):
        status = api.call("DelayedConnection.get_delayed_connection_batch", batch.batch_id)
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
