"""What an operation costs: the number of objects that its answer may hold, counted before anything is executed.

An object costs 1, its own fields are free. What stands in a list counts as often as the list is long: as its argument
`first` or `limit` says, else `AT_ROOT` times at the root and `BENEATH` times below it. Every @include and @skip counts
as if the field were asked for, and what the schema says of itself is free.
"""

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

AT_ROOT: Final = 100
BENEATH: Final = 10

SIZES: Final = ("first", "limit")
"""Arguments that say how long a list may be."""

PAGE: Final = frozenset({"edges", "nodes"})
"""The lists of a connection: as long as its field was asked to be."""


def cost_of(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> int:
    """The cost of an operation of a valid document."""
    root = schema.get_root_type(operation.operation)
    return _Count(schema, document, operation, variables).of(operation.selection_set, root, AT_ROOT, None)


class _Count:
    """One count. Fragments that are spread many times are counted once."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        defaults = {
            node.variable.name.value: _literal(node.default_value) for node in operation.variable_definitions or ()
        }
        self._values = {**defaults, **variables}
        self._known: dict[tuple[str, int, int | None], int] = {}

    def of(
        self, selections: SelectionSetNode | None, parent: GraphQLNamedType | None, unsaid: int, page: int | None
    ) -> int:
        """Of what is selected of one object.

        Args:
            selections: what is selected.
            parent: the type of the object.
            unsaid: the length of a list that has no argument for it.
            page: of a connection: how long its lists are.
        """
        if selections is None:
            return 0
        return sum(self._part(node, parent, unsaid, page) for node in selections.selections)

    def _part(self, node: object, parent: GraphQLNamedType | None, unsaid: int, page: int | None) -> int:
        if isinstance(node, FieldNode):
            return self._field(node, parent, unsaid, page)
        if isinstance(node, InlineFragmentNode):
            return self.of(node.selection_set, self._narrowed(node, parent), unsaid, page)
        if isinstance(node, FragmentSpreadNode):
            fragment, key = self._fragments[node.name.value], (node.name.value, unsaid, page)
            if key not in self._known:
                self._known[key] = self.of(fragment.selection_set, self._narrowed(fragment, parent), unsaid, page)
            return self._known[key]
        return 0

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, unsaid: int, page: int | None) -> int:
        found = (
            parent.fields.get(node.name.value) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        )
        if found is None or is_leaf_type(get_named_type(found.type)):
            return 0  # a scalar, or what begins with __
        asked = self._asked(node, found)
        inner = 1 + self.of(node.selection_set, get_named_type(found.type), BENEATH, asked)
        if not isinstance(get_nullable_type(found.type), GraphQLList):
            return inner
        on_page = page if node.name.value in PAGE else None
        length = asked if asked is not None else on_page if on_page is not None else unsaid
        return length * inner

    def _asked(self, node: FieldNode, field: GraphQLField) -> int | None:
        """How many the field is asked for; None where it has no argument for that. At least one."""
        for name in SIZES:
            if name in field.args:
                given = next((argument.value for argument in node.arguments or () if argument.name.value == name), None)
                value = self._values.get(given.name.value) if isinstance(given, VariableNode) else _literal(given)
                if not isinstance(value, int):  # not given, or no number: that the field itself refuses
                    value = field.args[name].default_value
                return max(1, value) if isinstance(value, int) else None
        return None

    def _narrowed(
        self, node: InlineFragmentNode | FragmentDefinitionNode, parent: GraphQLNamedType | None
    ) -> GraphQLNamedType | None:
        if node.type_condition is None:
            return parent
        return self._schema.get_type(node.type_condition.name.value)


def _literal(node: ValueNode | None) -> Any:
    return int(node.value) if isinstance(node, IntValueNode) else None
