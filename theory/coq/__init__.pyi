from ._half_line import pieces as pieces
from ._script import Lemma as Lemma
from ._script import script as script
from ._terms import expression as expression
from ._terms import number as number
from ._translate import refutation as refutation
from ._translate import translate as translate
from ._translate import translate_all as translate_all
