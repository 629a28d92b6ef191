"""The rows of assets: what is owned, its papers, and how both are found."""

from assets.models.asset import Asset, AssetIdentifier, AssetQuerySet
from assets.models.custom import CustomField, Tag, Tagging, Template
from assets.models.document import Document, DocumentQuerySet
from assets.models.finding import (
    AwaitedWords,
    AwaitedWordsQuerySet,
    Findable,
    FindableQuerySet,
    Wording,
    in_every_language,
)
from assets.models.money import Acquisition, CostEntry, Coverage, PriceLine
from assets.models.whereabouts import FinderNote, Label, Loan, Loss

__all__ = [
    "Acquisition",
    "Asset",
    "AssetIdentifier",
    "AssetQuerySet",
    "AwaitedWords",
    "AwaitedWordsQuerySet",
    "CostEntry",
    "Coverage",
    "CustomField",
    "Document",
    "DocumentQuerySet",
    "Findable",
    "FindableQuerySet",
    "FinderNote",
    "Label",
    "Loan",
    "Loss",
    "PriceLine",
    "Tag",
    "Tagging",
    "Template",
    "Wording",
    "in_every_language",
]
