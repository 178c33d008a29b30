"""Templates that are compiled once for each language, with all that they say in any case put in."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

Say = Callable[[str], str | None]
"""What `say("a text")` says in an environment's language, as markup where it is HTML; None where that is known only
when a template is rendered."""

_SAY: WeakKeyDictionary[Environment, Say] = WeakKeyDictionary()


def said_in(environment: Environment, say: Say) -> None:
    """Has the templates of an environment compiled with what it says; its code generator is a `OneLanguage`."""
    _SAY[environment] = say


class OneLanguage(CodeGenerator):
    """Compiles a template for the language of its environment."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        """A whole template."""
        _Said(_SAY[self.environment]).visit(node)
        super().visit_Template(node, frame)


class _Said(NodeTransformer):
    """Puts texts without values into a template, in one language."""

    def __init__(self, say: Say) -> None:
        self.say = say

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        """`say("a text")` is that text."""
        self.generic_visit(node)
        match node:
            case nodes.Call(
                node=nodes.Name(name="say"),
                args=[nodes.Const(value=str(text))],
                kwargs=[],
                dyn_args=None,
                dyn_kwargs=None,
            ):
                if (said := self.say(text)) is not None:
                    const = nodes.Const(str(said), lineno=node.lineno)
                    return nodes.MarkSafe(const, lineno=node.lineno) if isinstance(said, Markup) else const
        return node

    def visit_Output(self, node: nodes.Output) -> nodes.Node:
        """What is printed as it is becomes a part of the HTML around it."""
        self.generic_visit(node)
        node.nodes = [_as_data(one) for one in node.nodes]
        return node


def _as_data(node: nodes.Expr) -> nodes.Expr:
    match node:
        case nodes.MarkSafe(expr=nodes.Const(value=str(html))):
            return nodes.TemplateData(html, lineno=node.lineno)
    return node
