"""The TypeScript types of what the console asks of the API, made from its documents and the public schema.

`make console-types` writes them to `services/graphql/console/types/api.d.ts`. A field that no document asks for is in
no type, so the type check of the console finds a wrong name as well as a name that nobody asked for.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    build_schema,
    get_named_type,
    parse,
    print_ast,
    type_from_ast,
)

from services.graphql.console.routes import FOLDER

ROOT: Final = Path(__file__).parents[5]
DOCUMENTS: Final = FOLDER / "data/documents.js"
TYPES: Final = FOLDER.parent / "types/api.d.ts"
SCALARS: Final = {
    "Boolean": "boolean",
    "DateTime": "string",
    "Float": "number",
    "ID": "string",
    "Int": "number",
    "JSON": "unknown",
    "String": "string",
}
CONSTANT: Final = re.compile(
    r"""^(?P<exported>export\ )?const\ (?P<name>\w+)\ =\                     # a constant
    (?:/\*\*\ @type\ \{Api\.Document<"(?P<operation>\w+)">\}\ \*/\ \()?      # of the type of its operation
    `(?P<text>[^`]*)`\)?;$""",
    re.MULTILINE | re.VERBOSE,
)


def schema() -> GraphQLSchema:
    """The public one, as it is checked in."""
    return build_schema((ROOT / "schema.graphql").read_text())


def documents(source: str) -> dict[str, tuple[str, str]]:
    """What `documents.js` exports: of each constant the operation that its type names, and the whole text."""
    texts: dict[str, str] = {}
    found: dict[str, tuple[str, str]] = {}
    for constant in CONSTANT.finditer(source):
        text = re.sub(r"\$\{(\w+)\}", lambda part: texts[part[1]], constant["text"])
        texts[constant["name"]] = text
        if constant["exported"]:
            found[constant["name"]] = (constant["operation"], text)
    return found


def api_types(schema: GraphQLSchema, texts: list[str]) -> str:
    """The whole file, of documents that are valid by the schema."""
    return _Types(schema, texts).file()


_Part = FragmentDefinitionNode | OperationDefinitionNode


class _Types:
    """A fragment is a type of its own; another selection is one, by the API's name, where all documents agree on it."""

    def __init__(self, schema: GraphQLSchema, texts: list[str]) -> None:
        self._schema = schema
        self._fragments: dict[str, FragmentDefinitionNode] = {}
        self._operations: dict[str, OperationDefinitionNode] = {}
        for text in texts:
            for node in parse(text).definitions:
                if isinstance(node, FragmentDefinitionNode):
                    self._fragments[node.name.value] = node
                elif isinstance(node, OperationDefinitionNode) and node.name:
                    self._operations[node.name.value] = node
        self._enums: set[str] = set()
        self._named: dict[str, str] = {}
        self._selections: dict[str, set[str]] = defaultdict(set)
        parts: list[_Part] = [*self._fragments.values(), *self._operations.values()]
        for part in parts:
            self._note(self._root(part), part.selection_set)

    def file(self) -> str:
        operations = [self._operation(name, node) for name, node in sorted(self._operations.items())]
        for name, node in self._fragments.items():
            self._named[name] = self._object(self._root(node), node.selection_set, "  ")
        mutations = [
            f'"{name}"' for name, node in sorted(self._operations.items()) if node.operation is OperationType.MUTATION
        ]
        types = [f"  type {name} = {text};\n" for name, text in sorted(self._named.items())]
        enums = [f"  type {name} = {self._members(name)};\n" for name in sorted(self._enums)]
        return (
            "// What the console knows of the API: `make console-types`, of schema.graphql and documents.js.\n\n"
            "declare namespace Api {\n"
            "  /** The text of an operation; the type check knows what it takes and what it gives. */\n"
            "  type Document<Name extends keyof Operations> = string & { readonly operation: Name };\n\n"
            f"  type Mutation = {' | '.join(mutations)};\n\n"
            + "\n".join(["".join(enums), *types])
            + "\n  interface Operations {\n"
            + "".join(operations)
            + "  }\n}\n"
        )

    def _root(self, part: _Part) -> GraphQLObjectType:
        found: GraphQLNamedType | None
        if isinstance(part, FragmentDefinitionNode):
            found = self._schema.get_type(part.type_condition.name.value)
        else:
            found = self._schema.get_root_type(part.operation)
        assert isinstance(found, GraphQLObjectType)
        return found

    def _note(self, parent: GraphQLObjectType, selections: SelectionSetNode) -> None:
        """Note what is selected of every type outside of its fragments."""
        for node in selections.selections:
            if isinstance(node, FieldNode) and node.selection_set:
                inner = get_named_type(self._field(parent, node))
                assert isinstance(inner, GraphQLObjectType)
                if _only_fragment(node.selection_set) is None:
                    self._selections[inner.name].add(print_ast(node.selection_set))
                self._note(inner, node.selection_set)

    def _field(self, parent: GraphQLObjectType, node: FieldNode) -> GraphQLType:
        found: GraphQLType = parent.fields[node.name.value].type
        return found

    def _object(self, parent: GraphQLObjectType, selections: SelectionSetNode, indent: str) -> str:
        spreads = [node.name.value for node in selections.selections if isinstance(node, FragmentSpreadNode)]
        fields = [node for node in selections.selections if isinstance(node, FieldNode)]
        lines = []
        for node in fields:
            value = self._output(self._field(parent, node), node, indent + "  ")
            lines.append(f"{indent}  {(node.alias or node.name).value}: {value};\n")
        return " & ".join([*spreads, *(["{\n" + "".join(lines) + indent + "}"] if lines else [])])

    def _output(self, kind: GraphQLType, node: FieldNode, indent: str) -> str:
        return _nullable(kind, lambda inner: self._selected(inner, node, indent))

    def _selected(self, kind: GraphQLType, node: FieldNode, indent: str) -> str:
        if not isinstance(kind, GraphQLObjectType) or node.selection_set is None:
            return self._leaf(kind)
        fragment = _only_fragment(node.selection_set)
        if fragment is not None:
            return fragment
        if kind.name in self._fragments or len(self._selections[kind.name]) > 1:
            return self._object(kind, node.selection_set, indent)
        self._named[kind.name] = self._object(kind, node.selection_set, "  ")
        return kind.name

    def _leaf(self, kind: GraphQLType) -> str:
        name = str(kind)
        if isinstance(kind, GraphQLEnumType):
            self._enums.add(name)
            return name
        return SCALARS[name]

    def _members(self, name: str) -> str:
        enum = self._schema.type_map[name]
        assert isinstance(enum, GraphQLEnumType)
        return " | ".join(f'"{value}"' for value in enum.values)

    def _operation(self, name: str, node: OperationDefinitionNode) -> str:
        data = self._object(self._root(node), node.selection_set, "      ")
        return f"    {name}: {{\n      variables: {self._variables(node)};\n      data: {data};\n    }};\n"

    def _variables(self, node: OperationDefinitionNode) -> str:
        given = []
        for each in node.variable_definitions or ():
            kind = type_from_ast(self._schema, each.type)
            assert kind is not None
            optional = "" if isinstance(kind, GraphQLNonNull) and not each.default_value else "?"
            given.append(f"{each.variable.name.value}{optional}: {_nullable(kind, self._leaf)}")
        return f"{{ {'; '.join(given)} }}" if given else "{}"


def _nullable(kind: GraphQLType, inner: Callable[[GraphQLType], str]) -> str:
    if isinstance(kind, GraphQLNonNull):
        return _present(kind.of_type, inner)
    return f"{_present(kind, inner)} | null"


def _present(kind: GraphQLType, inner: Callable[[GraphQLType], str]) -> str:
    if isinstance(kind, GraphQLList):
        item = _nullable(kind.of_type, inner)
        return f"({item})[]" if " " in item else f"{item}[]"
    return inner(kind)


def _only_fragment(selections: SelectionSetNode) -> str | None:
    """The fragment, where a selection is nothing else."""
    match selections.selections:
        case [FragmentSpreadNode(name=name)] | (FragmentSpreadNode(name=name),):
            return name.value
    return None


def of_the_console() -> str:
    """The file as it has to be now."""
    return api_types(schema(), [text for _, text in documents(DOCUMENTS.read_text()).values()])


if __name__ == "__main__":
    TYPES.write_text(of_the_console())
