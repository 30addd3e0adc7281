"""LangGraph's own suite for checkpoint savers: all eight capabilities, not only its base."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import ALL_CAPABILITIES

from daybook import AWSClientManager
from daybook.adapters.langgraph import DaybookSaver

TESTS = 81


@pytest.mark.parametrize("manager", ["dynamodb_local"], indirect=True)
@pytest.mark.parametrize("fenced", [False, True])
def test_all_eight_capabilities(manager: AWSClientManager, agent_id: str, fenced: bool) -> None:
    """Each passes every test; a fence refuses only the tests that begin a thread twice."""

    @checkpointer_test(name="DaybookSaver")
    async def registered() -> AsyncIterator[DaybookSaver]:
        yield DaybookSaver(client_manager=manager, agent_id=agent_id, fenced=fenced)

    report = asyncio.run(validate(registered))
    assert set(report.results) == {one.value for one in ALL_CAPABILITIES}
    assert len(report.results) == 8
    refused = [failure for one in report.results.values() for failure in one.failures]
    if not fenced:
        assert refused == []
        assert all(one.passed for one in report.results.values())
        assert sum(one.tests_passed for one in report.results.values()) == TESTS
    assert all("has gone on from its beginning" in failure for failure in refused)
