"""How a form field is drawn."""

from django import forms, template
from django.forms import BoundField

from config.templatetags.words import calm

register = template.Library()


@register.filter
def bare(field: BoundField) -> BoundField:
    """Return a package's field in the words of this product, its label said once."""
    field.field.widget.attrs.pop("placeholder", None)
    field.label = calm(str(field.label))
    return field


@register.filter
def input_kind(field: BoundField) -> str:
    """Return hidden, check (one box), group (several) or plain."""
    widget = field.field.widget
    if widget.is_hidden:
        return "hidden"
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "group"
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    return "plain"
