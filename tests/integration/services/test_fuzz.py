"""Requests that schemathesis makes up from each OpenAPI document: no 5xx, and answers as they are declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.integration.services.platform import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import Case

    from tests.integration.services.platform import Platform

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = {"auth": 13, "flights": 9, "booking": 20, "reminder": 25, "gateway": 10}


@pytest.fixture(scope="module", params=["safe", "scaled"])
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Give stacks of this module's own: what is made up may delete and mail whatever it finds.

    Between them the two profiles have every way of working that a request can meet.
    """
    with started(tmp_path_factory.mktemp("fuzz"), request.param) as platform:
        yield platform


@pytest.mark.parametrize("service", EXAMPLES)
def test_made_up_requests(ground: Platform, service: str) -> None:
    """Valid and invalid requests of every operation are answered as the document says, and never with a 5xx."""
    url = ground.services[service].url
    user, flight = ground.user(), ground.flight()
    headers = {"x-access-token": user.token} if service == "gateway" else {}
    if service == "booking":
        headers["X-User-Id"] = str(user.id)
    assert ground.book(flight, user).status == 200
    failures: list[str] = []
    with requests.Session() as session:
        for result in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
            assert isinstance(result, Ok), result
            operation = result.ok()
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

                @seed(1)
                @settings(
                    max_examples=EXAMPLES[service],
                    deadline=None,
                    database=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                @given(case=operation.as_strategy(generation_mode=mode))
                def call(case: Case[Any]) -> None:
                    response = case.call(session=session, headers=headers, timeout=20)
                    case.validate_response(response, checks=CHECKS)

                try:
                    call()
                except Unsatisfiable:
                    continue  # a call without any input has no wrong one
                except (Exception, FailureGroup) as failure:  # noqa: BLE001 - every operation is tried, and all failures told
                    failures.append(f"{operation.label} ({mode.value}): {failure}"[:900])
    assert not failures, "\n\n".join(failures)
