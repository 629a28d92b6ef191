"""Amounts of money in templates, as the reader writes them."""

from django import template

from assets import amounts

register = template.Library()
register.filter("amount", amounts.amount)
register.filter("money", amounts.money)
