"""The catalogue: the 18 modules, the target types with their fields, the rules and the sentences, as data."""

from audit_schemas.catalogue.classifier import UNCLASSIFIED, Classifier
from audit_schemas.catalogue.model import Catalogue, ContactFields, Field, Rule, TargetType
from audit_schemas.catalogue.reading import CatalogueSettings, catalogue, differences, first_catalogue

__all__ = [
    "UNCLASSIFIED",
    "Catalogue",
    "CatalogueSettings",
    "Classifier",
    "ContactFields",
    "Field",
    "Rule",
    "TargetType",
    "catalogue",
    "differences",
    "first_catalogue",
]
