"""Atlassian's document format to readable text. Nothing here knows an event or a row.

blocks    how blocks stand below one another
leaves    what a node says by itself
marks     what is struck out, raised, lowered, linked
nodes     the parts of a node, whatever their types
"""
