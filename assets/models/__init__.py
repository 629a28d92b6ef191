"""The rows of assets: what is owned, its papers, and how both are found."""

from assets.models.asset import Asset, AssetIdentifier, AssetQuerySet
from assets.models.care import (
    CareEvent,
    CareMark,
    CareTask,
    CareTaskQuerySet,
    Issue,
    ServiceRecord,
    ServiceRecordQuerySet,
)
from assets.models.cover import Claim, Contract, Fee, Valuation, ValuePlan, WorkOrder
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
from assets.models.imports import Import, Imported, ImportQuerySet, ImportRow
from assets.models.meters import Meter, MeterReading, MeterReplacement
from assets.models.money import Acquisition, CostEntry, Coverage, PriceLine
from assets.models.notices import Notice, NoticeQuerySet
from assets.models.parts import Part, PartUse
from assets.models.passing import Ownership, PackageFile, Received, Share, Transfer
from assets.models.recalls import RecallCriterion, RecallFeed, RecallMatch, RecallNotice
from assets.models.whereabouts import FinderNote, Label, Loan, Loss

__all__ = [
    "Acquisition",
    "Asset",
    "AssetIdentifier",
    "AssetQuerySet",
    "AwaitedWords",
    "AwaitedWordsQuerySet",
    "CareEvent",
    "CareMark",
    "CareTask",
    "CareTaskQuerySet",
    "Claim",
    "Contract",
    "CostEntry",
    "Coverage",
    "CustomField",
    "Document",
    "DocumentQuerySet",
    "Fee",
    "Findable",
    "FindableQuerySet",
    "FinderNote",
    "Import",
    "ImportQuerySet",
    "ImportRow",
    "Imported",
    "Issue",
    "Label",
    "Loan",
    "Loss",
    "Meter",
    "MeterReading",
    "MeterReplacement",
    "Notice",
    "NoticeQuerySet",
    "Ownership",
    "PackageFile",
    "Part",
    "PartUse",
    "PriceLine",
    "RecallCriterion",
    "RecallFeed",
    "RecallMatch",
    "RecallNotice",
    "Received",
    "ServiceRecord",
    "ServiceRecordQuerySet",
    "Share",
    "Tag",
    "Tagging",
    "Template",
    "Transfer",
    "Valuation",
    "ValuePlan",
    "Wording",
    "WorkOrder",
    "in_every_language",
]
