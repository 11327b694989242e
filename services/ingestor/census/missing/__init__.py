"""Issues that we show and Jira does not list: what has become of each, and whether it may go.

`confirm` asks for each by its id, `evidence` for what else tells a deleted issue from a hidden one, `judging` weighs it
all. What is decided is pure: `verdicts`, `brake`. Nothing is stored from here but the answers of `confirm`.
"""
