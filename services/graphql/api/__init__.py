"""What can be asked: a folder for each subject, with the same file names, and what the subjects share.

`types` are the shapes, `queries` the SELECTs, `fields` the root fields, `mutations` what changes something.
"""
