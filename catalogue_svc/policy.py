"""Who may call what on the catalogue; what is not listed is denied."""

from typing import Final

from bus.operations.roles import OPERATION_ROLES
from chassis.policy import Policy
from chassis.principal import Role

_CATALOGUE: Final = "/training.catalogue.v1.CatalogueService/"
_READERS: Final = (
    Role.READER,
    Role.AUTHOR,
    Role.REVIEWER,
    Role.PUBLISHER,
    Role.OFFER_MANAGER,
    Role.SALES,
    Role.OPERATOR,
    Role.SERVICE,
)

POLICY: Final = Policy(
    {
        f"{_CATALOGUE}GetProgram": _READERS,
        f"{_CATALOGUE}GetOffer": _READERS,
        f"{_CATALOGUE}ListPrograms": _READERS,
        f"{_CATALOGUE}ListOffers": _READERS,
        f"{_CATALOGUE}StreamPrograms": _READERS,
        f"{_CATALOGUE}StreamOffers": _READERS,
        **OPERATION_ROLES,
    }
)
