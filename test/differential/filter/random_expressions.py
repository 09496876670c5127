"""Expressions and properties at random, as lines that Evaluate.java reads: some well formed, some nearly, some not at all."""

import random

NAMES = ["a", "b", "c", "TAGS", "_x", "$1", "isNot"]
NUMBERS = ["0", "1", "5", "-0", "+3", "007", "2147483647", "2147483648", "-2147483648", "-2147483649", "9223372036854775807",
           "9223372036854775808", "1.0", "1.5", ".5", "5.", "1e3", "1E-3", "1e400", "1e-400", "4.9e-324", "2e-324", "0x1p3", "0x.8p-1",
           "0x1.fffffffffffff8p1023", "0x1p-1075", "0x1.8p-1075", "1d", "1F", "1L", "NaN", "-NaN", "Infinity", "+Infinity", "-Infinity", "inf",
           "1.7976931348623159e308", "0.1000000000000000055511151231257827", "123456789012345678901234567890", "1_0", "1e", ".", "-", "+",
           "\\u0661\\u0662", "\\uFF15", "\\u0E59", "0e9999999999", "1e99999999999", " 1", "1 ", "\\t5\\n", "--1"]
TEXTS = ["x", "X", "xyz", "yz", "xy", "it's", "true", "TRUE", "false", "\\u4E2D\\u6587", "\\u4E2D", "\\u00E9", "a b", ""]
NUMBER_LITERALS = ["0", "1", "5", "07", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "1L", "5l", "0l", "1.0", "1.5", ".5",
            "5.", "1e3", "1E-3", "1e400", "0.0", "4.9e-324", "2e-324", "0x10", "1e", "1.e2", "00.5"]
TRUTHS = ["TRUE", "FALSE", "NULL", "true", "Null"]
WORDS = ["AND", "OR", "NOT", "BETWEEN", "IN", "IS", "NULL", "CONTAINS", "STARTSWITH", "ENDSWITH", "=", "<>", "<", ">", "<=", ">=", "(", ")", ",",
         "+", "-", "--", "/*", "*/", "\\n", "#", "'", ".", "!", "LIKE"]


class Expressions:
    """Mostly what compiles, with every kind of operand in every place now and then."""

    def __init__(self, seed):
        self._random = random.Random(seed)

    def line(self):
        pick = self._random
        text = self._or(pick.randint(1, 3))
        if pick.random() < 0.1:
            text = self._spoilt(text)
        properties = [f"{pick.choice(NAMES)}={pick.choice(NUMBERS if pick.random() < 0.6 else TEXTS)}" for _ in range(pick.randint(0, 7))]
        return "\t".join([text, *properties])

    def _spoilt(self, text):
        """A word more, less or other."""
        words = text.split(" ")
        at = self._random.randrange(len(words))
        other = self._random.choice(WORDS + NUMBER_LITERALS + TRUTHS + NAMES)
        words[at:at + self._random.randrange(2)] = [other] if self._random.random() < 0.7 else []
        return " ".join(words)

    def _one_of(self, *weighted):
        kinds, weights = zip(*weighted)
        return self._random.choices(kinds, weights)[0]()

    def _word(self, word):
        return self._random.choice([word, word, word.lower(), word.capitalize()])

    def _perhaps_not(self):
        return self._word("NOT") + " " if self._random.random() < 0.4 else ""

    def _joined(self, word, part, depth):
        return f" {self._word(word)} ".join(part(depth) for _ in range(self._random.choice([1, 1, 1, 2, 3])))

    def _or(self, depth):
        return self._joined("OR", self._and, depth)

    def _and(self, depth):
        return self._joined("AND", self._condition, depth)

    def _condition(self, depth):
        return self._one_of(
            (lambda: f"{self._equal(depth)} {self._random.choice(['=', '=', '<>'])} {self._equal(depth)}", 6),
            (lambda: f"{self._number(depth)} {self._random.choice(['<', '>', '<=', '>='])} {self._number(depth)}", 5),
            (lambda: f"{self._any(depth)} {self._word('IS')} {self._perhaps_not()}{self._word('NULL')}", 2),
            (lambda: f"{self._number(depth)} {self._perhaps_not()}{self._word('BETWEEN')} {self._number(depth)} "
                     f"{self._word('AND')} {self._number(depth)}", 3),
            (lambda: f"{self._name()} {self._perhaps_not()}{self._word('IN')} ( {' , '.join(self._texts())} )", 2),
            (lambda: f"{self._any(depth)} {self._perhaps_not()}{self._word(self._random.choice(WORDS[7:10]))} {self._text()}", 3),
            (lambda: f"{self._word('NOT')} {self._grouped(depth)}", 2),
            (lambda: self._grouped(depth), 2),
            (lambda: self._random.choice(TRUTHS), 1),
            (self._name, 1),
            (lambda: self._any(depth), 0.2))

    def _grouped(self, depth):
        return f"( {self._or(depth - 1)} )" if depth > 0 else self._name()

    def _name(self):
        return self._random.choice(NAMES)

    def _text(self):
        return "'" + self._random.choice(TEXTS + NUMBERS).replace("'", "''") + "'"

    def _texts(self):
        return [self._text() for _ in range(self._random.choice([1, 2, 7]))]

    def _number(self, depth):
        return self._one_of((self._name, 10), (lambda: self._random.choice(NUMBER_LITERALS), 6),
                            (lambda: f"{self._random.choice('+-')} {self._number(depth)}", 2), (lambda: self._any(depth), 0.3))

    def _equal(self, depth):
        return self._one_of((lambda: self._number(depth), 8), (self._text, 4), (lambda: self._grouped(depth), 2),
                            (lambda: self._random.choice(TRUTHS[:2]), 1), (lambda: self._any(depth), 0.3))

    def _any(self, depth):
        return self._one_of((self._name, 6), (lambda: self._random.choice(NUMBER_LITERALS), 1), (self._text, 1),
                            (lambda: self._random.choice(TRUTHS), 1), (lambda: self._grouped(depth), 1),
                            (lambda: f"{self._random.choice(['+', '-', 'NOT'])} {self._any(depth)}", 1))
