"""Words by which a plan names its steps, per language (ISO 639).

Units say something only with their number: `step 2`, `2. Woche`, `the third part`. Words that put steps in order do
where a sentence, or a part of one that begins so, starts with them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


def _sets(**texts: str) -> Mapping[str, frozenset[str]]:
    return MappingProxyType({language: frozenset(text.split()) for language, text in texts.items()})


STEP_UNITS: Final = _sets(
    en="step steps phase phases stage stages module modules unit units session sessions part parts week weeks day days "
    "morning afternoon evening",
    de="schritt schritte phase phasen stufe stufen modul module einheit einheiten sitzung sitzungen teil teile woche "
    "wochen tag tage vormittag nachmittag abend",
    fr="étape étapes phase phases module modules unité unités séance séances session sessions partie parties semaine "
    "semaines jour jours matin soir",
    es="paso pasos fase fases etapa etapas módulo módulos unidad unidades sesión sesiones parte partes semana semanas "
    "día días",
    it="passo passi fase fasi tappa tappe modulo moduli unità sessione sessioni parte parti settimana settimane giorno "
    "giorni",
    pt="passo passos fase fases etapa etapas módulo módulos unidade unidades sessão sessões parte partes semana "
    "semanas dia dias",
    nl="stap stappen fase fasen module modules eenheid eenheden sessie sessies deel delen week weken dag dagen",
)
"""Lower case, composed (NFC), as are the others."""

STEP_WORDS: Final = _sets(
    en="first firstly second secondly third thirdly then next afterwards finally lastly",
    de="zuerst zunächst erstens zweitens drittens dann danach anschließend abschließend schließlich",
    fr="abord premièrement deuxièmement troisièmement puis ensuite enfin",
    es="primero segundo tercero luego después finalmente",
    it="prima dapprima primo secondo terzo poi quindi dopo infine",
    pt="primeiro segundo terceiro depois seguida finalmente",
    nl="eerst tweede derde dan vervolgens daarna tenslotte",
)

NUMBERS: Final = _sets(
    en="one two three four five six seven eight nine ten",
    de="eins zwei drei vier fünf sechs sieben acht neun zehn",
    fr="un deux trois quatre cinq six sept huit neuf dix",
    es="uno dos tres cuatro cinco seis siete ocho nueve diez",
    it="uno due tre quattro cinque sei sette otto nove dieci",
    pt="um dois três quatro cinco seis sete oito nove dez",
    nl="een twee drie vier vijf zes zeven acht negen tien",
)
"""Numbers that follow a unit."""

ORDINALS: Final = _sets(
    en="first second third fourth fifth sixth last final",
    de="erste ersten erster erstes zweite zweiten zweiter zweites dritte dritten dritter drittes vierte vierten "
    "vierter viertes fünfte fünften fünfter fünftes letzte letzten letzter letztes",
    fr="premier première deuxième second seconde troisième quatrième cinquième dernier dernière",
    es="primer primero primera segundo segunda tercer tercero tercera cuarto cuarta quinto quinta último última",
    it="primo prima secondo seconda terzo terza quarto quarta quinto quinta ultimo ultima",
    pt="primeiro primeira segundo segunda terceiro terceira quarto quarta quinto quinta último última",
    nl="eerste tweede derde vierde vijfde laatste",
)
"""Numbers that a unit follows."""
