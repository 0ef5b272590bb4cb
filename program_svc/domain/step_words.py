"""Words by which a plan names its steps, per language (ISO 639): numbered units, and words that put them in order."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_ENGLISH = (
    "step steps phase phases stage stages module modules unit units session sessions part parts week weeks day days "
    "first firstly second secondly third thirdly then next afterwards finally lastly"
)
_GERMAN = (
    "schritt schritte phase phasen stufe stufen modul module einheit einheiten sitzung sitzungen teil woche tag "
    "zuerst zunächst erstens zweitens drittens dann danach anschließend abschließend schließlich"
)
_FRENCH = (
    "étape étapes phase phases module modules unité unités séance séances session sessions partie semaine jour "
    "abord premièrement deuxièmement troisièmement puis ensuite enfin"
)
_SPANISH = (
    "paso pasos fase fases etapa etapas módulo módulos unidad unidades sesión sesiones parte semana día "
    "primero segundo tercero luego después finalmente"
)
_ITALIAN = (
    "passo passi fase fasi tappa tappe modulo moduli unità sessione sessioni parte settimana giorno "
    "prima dapprima primo secondo terzo poi quindi dopo infine"
)
_PORTUGUESE = (
    "passo passos fase fases etapa etapas módulo módulos unidade unidades sessão sessões parte semana dia "
    "primeiro segundo terceiro depois seguida finalmente"
)
_DUTCH = (
    "stap stappen fase fasen module modules eenheid eenheden sessie sessies deel week dag "
    "eerst tweede derde dan vervolgens daarna tenslotte"
)

STEP_WORDS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "en": frozenset(_ENGLISH.split()),
        "de": frozenset(_GERMAN.split()),
        "fr": frozenset(_FRENCH.split()),
        "es": frozenset(_SPANISH.split()),
        "it": frozenset(_ITALIAN.split()),
        "pt": frozenset(_PORTUGUESE.split()),
        "nl": frozenset(_DUTCH.split()),
    }
)
"""Lower case, composed (NFC)."""
