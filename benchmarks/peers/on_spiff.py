"""The small process on SpiffWorkflow: a library that runs BPMN; what it serialises, its user keeps, here in a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine, TaskDataEnvironment
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer

from benchmarks.peers.driving import Order, drive, open_office
from benchmarks.peers.small_process import Office, Rows

_KEEP = (
    "INSERT INTO workflow VALUES (?, ?, ?) ON CONFLICT (application)"
    " DO UPDATE SET state = excluded.state, body = excluded.body"
)


class Spiff:
    """A row a workflow, written whenever it comes to a stop, read when somebody approves."""

    def __init__(self, office: Office, rows: Rows) -> None:
        self._rows = rows
        steps = {
            "do_validate": office.validate, "do_store": office.store,
            "do_decide": office.decide, "do_notify": office.notify,
        }  # fmt: skip
        self._engine = PythonScriptEngine(environment=TaskDataEnvironment(steps))
        parser = BpmnParser()
        parser.add_bpmn_file(str(Path(__file__).with_name("small_process.bpmn")))
        self._specification = parser.get_spec("small_process")
        self._serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
        self._rows.run("CREATE TABLE workflow (application text PRIMARY KEY, state text, body text)")

    def submit(self, form: dict[str, Any]) -> None:
        workflow = BpmnWorkflow(self._specification, script_engine=self._engine)
        workflow.get_next_task(state=TaskState.READY).set_data(form=form)
        workflow.do_engine_steps()
        self._keep(form["id"], workflow)

    def waiting(self) -> int:
        return int(self._rows.run("SELECT count(*) FROM workflow")[0][0])

    def approve(self, identifier: str) -> None:
        [(body,)] = self._rows.run("SELECT body FROM workflow WHERE application = ?", identifier)
        workflow = self._serializer.deserialize_json(body)
        workflow.script_engine = self._engine
        task = workflow.get_next_task(state=TaskState.READY, manual=True)
        task.set_data(approved=True)
        task.run()
        workflow.do_engine_steps()
        assert workflow.completed
        self._keep(identifier, workflow)

    def database(self) -> Path | str:
        return self._rows.place

    def _keep(self, identifier: str, workflow: Any) -> None:
        state = "done" if workflow.completed else "waiting"
        self._rows.run(_KEEP, identifier, state, self._serializer.serialize_json(workflow))


if __name__ == "__main__":
    order = Order.read()
    office = open_office()
    drive(order, office, Spiff(office, Rows(order.home / "spiff.db", order.engine_url)))
