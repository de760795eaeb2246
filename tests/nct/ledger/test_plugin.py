"""The plugin in any run."""

import hypothesis


def test_hypothesis_is_repeatable_by_default():
    assert hypothesis.settings.default.derandomize or hypothesis.settings.default.max_examples >= 5000
