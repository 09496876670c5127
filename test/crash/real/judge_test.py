"""The judge sees what it is there for. Run by scripts/test: python3 -m unittest."""

import unittest

from .judge import Attempts, judge


def sent(*acknowledged, tries=1):
    attempts = Attempts()
    attempts.tries = tries
    attempts.acknowledged = list(acknowledged)
    return attempts


class JudgeTest(unittest.TestCase):
    def setUp(self):
        self.journal = {(0, n): sent(("a", 0, n)) for n in range(4)}
        self.stored = {("a", 0): [(n, (0, n)) for n in range(4)]}

    def expect(self, words, duplicates=0):
        problems, count = judge(self.journal, self.stored)
        self.assertEqual(count, duplicates)
        if words is None:
            self.assertEqual(problems, [])
        else:
            self.assertTrue(problems and all(words in problem for problem in problems), problems)

    def test_is_content_with_all(self):
        self.expect(None)

    def test_misses_what_is_gone(self):
        self.stored["a", 0].pop()
        self.expect("where nothing stands")

    def test_misses_what_was_replaced(self):
        self.journal[0, 9] = sent()
        self.stored["a", 0][2] = (2, (0, 9))
        self.expect("was acknowledged at ('a', 0, 2)")

    def test_takes_an_unanswered_message_or_none(self):
        self.journal[0, 4] = sent()
        self.expect(None)
        self.stored["a", 0].append((4, (0, 4)))
        self.expect(None)

    def test_takes_duplicates_of_what_was_retried_only(self):
        self.stored["a", 0].append((4, (0, 3)))
        self.expect("stored 2 times", duplicates=1)
        self.journal[0, 3].tries = 2
        self.expect(None, duplicates=1)

    def test_sees_what_was_never_sent(self):
        self.stored["a", 0].append((4, (7, 7)))
        self.expect("was never sent")

    def test_sees_a_broken_order(self):
        self.journal[0, 1].acknowledged, self.journal[0, 2].acknowledged = [("a", 0, 2)], [("a", 0, 1)]
        self.stored["a", 0][1:3] = [(1, (0, 2)), (2, (0, 1))]
        self.expect("behind a later one")


if __name__ == "__main__":
    unittest.main()
