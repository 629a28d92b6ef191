"""The rows of assets: what is owned, its papers, and how both are found."""

from assets.models.asset import Asset, AssetIdentifier, AssetQuerySet
from assets.models.document import Document, DocumentQuerySet
from assets.models.finding import (
    AwaitedWords,
    AwaitedWordsQuerySet,
    Findable,
    FindableQuerySet,
    Wording,
    in_every_language,
)

__all__ = [
    "Asset",
    "AssetIdentifier",
    "AssetQuerySet",
    "AwaitedWords",
    "AwaitedWordsQuerySet",
    "Document",
    "DocumentQuerySet",
    "Findable",
    "FindableQuerySet",
    "Wording",
    "in_every_language",
]
