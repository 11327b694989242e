"""How much an operation asks for, measured before anything is executed.

Fragments count wherever they are spread, but each is measured once: Strawberry's own rules walk them again at every
spread, and a document of forty short fragments that each spread the next one twice keeps them busy for hours.
"""

from typing import NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)


class Size(NamedTuple):
    """Of a selection, its fragments written out. Introspection adds no depth: graphql-core has a rule for that."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0


class SizeRule(ValidationRule):
    """Refuses operations beyond `allowed`; subclasses set it."""

    allowed: Size

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        definitions = context.document.definitions
        self._fragments = {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)}
        self._sizes: dict[str, Size] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_args: object) -> None:
        found = self._measure(node.selection_set)
        for limit, asked, allowed in zip(Size._fields, found, self.allowed, strict=True):
            if asked > allowed:
                what = limit if limit == "depth" else f"number of {limit}"
                shown = asked if asked < 10**6 else "over a million"
                text = f"The {what} of the operation is {shown}, {allowed} is allowed; split it into several requests."
                self.report_error(GraphQLError(text, node, extensions={"limit": limit}))

    def _measure(self, selections: SelectionSetNode | None) -> Size:
        if selections is None:
            return Size()
        parts = [self._part(node) for node in selections.selections]
        return Size(
            depth=max((part.depth for part in parts), default=0),
            fields=sum(part.fields for part in parts),
            aliases=sum(part.aliases for part in parts),
        )

    def _part(self, node: object) -> Size:
        if isinstance(node, FieldNode):
            inner = self._measure(node.selection_set)
            depth = 0 if node.name.value.startswith("__") else inner.depth + 1
            return Size(depth, inner.fields + 1, inner.aliases + (node.alias is not None))
        if isinstance(node, InlineFragmentNode):
            return self._measure(node.selection_set)
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value)
        return Size()

    def _fragment(self, name: str) -> Size:
        if name not in self._sizes:
            self._sizes[name] = Size()  # a cycle ends here; the rule against cycles reports it
            fragment = self._fragments.get(name)  # so does the rule against unknown fragments
            self._sizes[name] = self._measure(fragment.selection_set) if fragment is not None else Size()
        return self._sizes[name]
