"""The small process as a flow of django-viewflow."""

from __future__ import annotations

from typing import Any

from viewflow import this
from viewflow.workflow import flow
from viewflow.workflow.flow import views
from viewflow.workflow.models import Process

from benchmarks.peers.small_process import Office

office = Office.here()


class SmallProcess(flow.Flow):
    process_class = Process

    start = flow.StartHandle(this.begin).Next(this.validate)
    validate = flow.Function(this.do_validate).Next(this.store)
    store = flow.Function(this.do_store).Next(this.approve)
    approve = flow.View(views.UpdateProcessView.as_view(fields=[])).Next(this.decide)
    decide = flow.Function(this.do_decide).Next(this.notify)
    notify = flow.Function(this.do_notify).Next(this.end)
    end = flow.End()

    def begin(self, activation: Any, form: dict[str, Any]) -> Any:
        activation.process.data = {"form": form}
        return activation.process

    def do_validate(self, activation: Any) -> None:
        office.validate(activation.process.data["form"])

    def do_store(self, activation: Any) -> None:
        office.store(activation.process.data["form"])

    def do_decide(self, activation: Any) -> None:
        office.decide(activation.process.data["form"]["id"], approved=True)

    def do_notify(self, activation: Any) -> None:
        office.notify(activation.process.data["form"]["id"])
