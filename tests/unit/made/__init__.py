"""Events, changes and rows for tests of every price, with what a test does not care about filled in. No assertions."""
